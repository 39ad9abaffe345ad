"""Who calls: the bearer token of an API client, or a person's e-mail and password."""

import base64
import binascii
from typing import Any

from litestar.connection import ASGIConnection
from litestar.middleware import AbstractAuthenticationMiddleware, AuthenticationResult
from litestar.types import ASGIApp

from demarc.domains.errors import Forbidden
from demarc.domains.identity.authentication import Authenticator
from demarc.domains.identity.model import Principal, Unauthenticated
from demarc.northbound.aex.request import PERMISSION, admit, side_of

# The organisation a person with roles at several acts for, by its slug.
TENANT_HEADER = "x-demarc-tenant"

_APIS = ("aex", "fno")


class Authentication(AbstractAuthenticationMiddleware):
    """Puts the caller into each request; nobody gets further without."""

    def __init__(self, app: ASGIApp, authenticator: Authenticator) -> None:
        super().__init__(app, exclude=r"^/docs/aex(/|$)")
        self._authenticator = authenticator

    async def authenticate_request(
        self, connection: ASGIConnection[Any, Any, Any, Any]
    ) -> AuthenticationResult:
        """Establish who calls, and let them in.

        Raises:
            Unauthenticated: no credential, or no good one.
            Forbidden: not on this side, not with this scope, or not in this role.
            Limited: too many failures.
        """
        principal = await self._principal(connection)
        permission = connection.route_handler.opt.get(PERMISSION)
        return AuthenticationResult(
            user=admit(principal, connection.scope["path"], permission), auth=None
        )

    async def _principal(self, connection: ASGIConnection[Any, Any, Any, Any]) -> Principal:
        header = connection.headers.get("authorization")
        if not header:
            raise Unauthenticated("a bearer token, or e-mail and password, is needed")
        scheme, _, credential = header.partition(" ")
        credential = credential.strip()
        address = connection.client.host if connection.client else ""
        if scheme.lower() == "bearer" and credential:
            return await self._authenticator.bearer(credential, _APIS, address)
        if scheme.lower() == "basic":
            # a browser sends what it remembers along with other sites' requests
            if connection.headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
                raise Forbidden("e-mail and password are not taken from another site's page")
            email, password = _basic(credential)
            return await self._authenticator.basic(
                email,
                password,
                address,
                connection.headers.get(TENANT_HEADER),
                as_owner=side_of(connection.scope["path"]) == "fno",
            )
        raise Unauthenticated("the Authorization header is neither Bearer nor Basic")


def _basic(credential: str) -> tuple[str, str]:
    """Give e-mail and password of a Basic credential (RFC 7617)."""
    try:
        pair = base64.b64decode(credential, validate=True).decode()
    except (binascii.Error, ValueError) as damaged:
        raise Unauthenticated("the Basic credential cannot be read") from damaged
    email, colon, password = pair.partition(":")
    if not colon:
        raise Unauthenticated("the Basic credential cannot be read")
    return email, password
