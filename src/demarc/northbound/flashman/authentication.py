"""Who calls: a person's e-mail and password, by HTTP Basic (RFC 7617)."""

import base64
import binascii
from typing import Any

from litestar.connection import ASGIConnection
from litestar.middleware import AbstractAuthenticationMiddleware, AuthenticationResult
from litestar.types import ASGIApp

from demarc.domains.errors import Forbidden
from demarc.domains.identity.authentication import Authenticator
from demarc.domains.identity.model import Unauthenticated
from demarc.northbound.flashman.request import PERMISSION, admit

# The organisation a person with roles at several acts for, by its slug.
TENANT_HEADER = "x-demarc-tenant"


class Authentication(AbstractAuthenticationMiddleware):
    """Puts the caller into each request; nobody gets further without."""

    def __init__(self, app: ASGIApp, authenticator: Authenticator) -> None:
        super().__init__(app, exclude=r"^/docs/flashman(/|$)")
        self._authenticator = authenticator

    async def authenticate_request(
        self, connection: ASGIConnection[Any, Any, Any, Any]
    ) -> AuthenticationResult:
        """Establish who calls, and let them in.

        Raises:
            Unauthenticated: no credential, or no good one.
            Forbidden: not in this role, or from another site's page.
            Limited: too many failures.
        """
        scheme, _, credential = connection.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "basic":
            raise Unauthenticated("e-mail and password are needed")
        # A browser sends what it remembers along with other sites' requests. Those may read by v3,
        # which changes nothing, and whose answers no page sees that sends what is remembered.
        from_here = connection.headers.get("sec-fetch-site", "none") in ("none", "same-origin")
        if not from_here and not connection.scope["path"].startswith("/api/v3/"):
            raise Forbidden("e-mail and password are not taken from another site's page")
        email, password = _pair(credential.strip())
        principal = await self._authenticator.basic(
            email,
            password,
            connection.client.host if connection.client else "",
            connection.headers.get(TENANT_HEADER),
        )
        permission = connection.route_handler.opt.get(PERMISSION)
        return AuthenticationResult(user=admit(principal, permission), auth=None)


def _pair(credential: str) -> tuple[str, str]:
    """Give e-mail and password of a Basic credential."""
    try:
        pair = base64.b64decode(credential, validate=True).decode()
    except (binascii.Error, ValueError) as damaged:
        raise Unauthenticated("the Basic credential cannot be read") from damaged
    email, colon, password = pair.partition(":")
    if not colon:
        raise Unauthenticated("the Basic credential cannot be read")
    return email, password
