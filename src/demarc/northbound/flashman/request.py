"""A request: who calls, what they may do, and a body that is an object or nothing."""

from typing import Any

import msgspec
from litestar import Request
from litestar.datastructures import State

from demarc.domains.errors import Forbidden
from demarc.domains.identity.model import Principal
from demarc.northbound.flashman.errors import Refused

PERMISSION = "permission"
"""The handler's option that says what its callers must be permitted."""

_NO_ERRORS: dict[str, Any] = {"errors": []}


def needs(permission: str) -> dict[str, str]:
    """Give the options of a handler whose callers need this permission; none is let in without."""
    return {PERMISSION: permission}


def admit(principal: Principal, permission: str | None) -> Principal:
    """Let a caller in. This is the one place that decides it.

    Args:
        principal: who calls.
        permission: what the route needs, as it declares it; nobody is let in where it does not.

    Raises:
        Forbidden: their role does not permit it.
    """
    lacking = "this is for nobody" if permission is None else principal.lacks(permission)
    if lacking is not None:
        raise Forbidden(lacking)
    return principal


class FlashmanRequest(Request[Principal, None, State]):
    """A request of somebody who has been let in."""

    @property
    def reveals(self) -> bool:
        """Whether the caller is shown passwords."""
        return self.user.lacks("login:reveal") is None

    async def content(self) -> dict[str, Any]:
        """Give what the body asks to change; nothing where there is no body, or an empty one.

        Raises:
            Refused: the body is no JSON, or its ``content`` is no object.
        """
        raw = (await self.body()).strip()
        if not raw:
            return {}
        try:
            body = msgspec.json.decode(raw)
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise Refused(400, "JSON inválido", _NO_ERRORS) from None
        if body == {}:
            return {}
        found = body.get("content") if isinstance(body, dict) else None
        if not isinstance(found, dict):
            raise Refused(500, "Campo 'content' inválido", _NO_ERRORS)
        return found
