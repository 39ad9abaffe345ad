"""A request: who calls, and its body as the handler's own struct."""

from typing import Any
from uuid import UUID

import msgspec
from litestar import Request
from litestar.datastructures import State

from demarc.domains.errors import Forbidden
from demarc.domains.identity.model import Principal
from demarc.northbound.aex.errors import NotJson
from demarc.views.services import Side

PERMISSION = "permission"
"""The handler's option that says what its callers must be permitted."""


def needs(permission: str) -> dict[str, str]:
    """Give the options of a handler whose callers need this permission; none is let in without."""
    return {PERMISSION: permission}


class Caller(msgspec.Struct, frozen=True):
    """Who calls, on which side of open access, and by which API's ids."""

    principal: Principal
    side: Side

    @property
    def tenant_id(self) -> UUID:
        """The organisation they call for."""
        return self.principal.tenant_id

    @property
    def api(self) -> str:
        """Whose ids they are shown."""
        return "aex" if self.side == "isp" else "fno"


class AexRequest(Request[Caller, None, State]):
    """A request whose body is decoded at once, and strictly, into what its handler takes."""

    async def json(self) -> Any:
        """Give the body as the type of the handler's ``data``.

        Raises:
            NotJson: it is said to be something else.
            msgspec.DecodeError: it is no JSON, or not of that type.
        """
        kind = self.headers.get("content-type", "application/json").partition(";")[0]
        kind = kind.strip().lower()
        if kind != "application/json" and not (
            kind.startswith("application/") and kind.endswith("+json")
        ):
            raise NotJson
        field = self.route_handler.parsed_data_field
        body = await self.body()
        try:
            if field is None:
                return msgspec.json.decode(body)
            return msgspec.json.decode(body, type=field.annotation)
        except UnicodeDecodeError as damaged:
            raise msgspec.DecodeError("it is not UTF-8") from damaged


def side_of(path: str) -> Side:
    """Tell whose side a path belongs to."""
    return "fno" if path == "/fno" or path.startswith("/fno/") else "isp"


def admit(principal: Principal, path: str, permission: str | None) -> Caller:
    """Let a caller in, on the side the path belongs to. This is the one place that decides it.

    Args:
        principal: who calls.
        path: what they call.
        permission: what the route needs, as it declares it; nobody is let in where it does not.

    Raises:
        Forbidden: their credential is for the other side, lacks the scope, or their role does not
            permit it.
    """
    side = side_of(path)
    if principal.api is None:
        allowed = principal.owns_network if side == "fno" else principal.sells
    else:
        allowed = principal.api == ("fno" if side == "fno" else "aex")
    if not allowed:
        raise Forbidden(
            "this is for the owners of networks"
            if side == "fno"
            else "this is for the ISPs on a network"
        )
    lacking = "this is for nobody" if permission is None else principal.lacks(permission)
    if lacking is not None:
        raise Forbidden(lacking)
    return Caller(principal, side)
