"""The AEx API as an application of its own."""

import time
from typing import cast

from litestar import Litestar
from litestar.di import Provide
from litestar.middleware import DefineMiddleware
from litestar.types import HTTPScope, Message, Receive, Scope, Send

from demarc.domains.aaa.service import Aaa
from demarc.domains.access.live import LiveStatus
from demarc.domains.access.service import Access
from demarc.domains.catalog.service import Catalog
from demarc.domains.identity.authentication import Authenticator
from demarc.domains.identity.service import Identity
from demarc.domains.services.service import Services
from demarc.domains.subscribers.service import Subscribers
from demarc.northbound.aex import docs, errors
from demarc.northbound.aex.api import Api
from demarc.northbound.aex.authentication import Authentication
from demarc.northbound.aex.request import AexRequest
from demarc.northbound.aex.routes import HANDLERS
from demarc.platform.database import Database
from demarc.views.totals import Totals

LARGEST_BODY = 1_000_000

# GETs that do something: the snapshot moves on, the live status asks a device.
_ACTS = ("/services/snapshot", "/device/status/live")


class AexApp(Litestar):
    """The application; it answers HEAD as GET without the body, where GET does nothing."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # type: ignore[override]
        """Answer a request."""
        if scope.get("method") != "HEAD":
            await super().__call__(scope, receive, send)
            return
        if scope["path"].rstrip("/").endswith(_ACTS):
            # no handler takes HEAD, so that the answer says which methods are taken
            await super().__call__(scope, receive, _headers_only(send))
            return
        as_get = cast("HTTPScope", dict(scope) | {"method": "GET"})
        await super().__call__(as_get, receive, _headers_only(send))


def _headers_only(send: Send) -> Send:
    async def without_body(message: Message) -> None:
        if message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await send(message)

    return without_body


def aex_app(
    *,
    db: Database,
    authenticator: Authenticator,
    identity: Identity,
    catalog: Catalog,
    subscribers: Subscribers,
    services: Services,
    aaa: Aaa,
    access: Access,
    live: LiveStatus,
    public_url: str | None = None,
) -> Litestar:
    """Build the application.

    Args:
        db: where it works.
        authenticator: establishes who calls.
        identity: the networks ISPs sell on.
        catalog: products and areas.
        subscribers: customers and premises.
        services: services.
        aaa: log-ins, sessions and usage.
        access: devices.
        live: asks devices within the call.
        public_url: what absolute URLs begin with; they go by the request's host if not given.
    """
    api = Api(
        db=db,
        identity=identity,
        catalog=catalog,
        subscribers=subscribers,
        services=services,
        aaa=aaa,
        access=access,
        live=live,
        totals=Totals(time.monotonic),
        public_url=public_url,
    )
    return AexApp(
        route_handlers=[*HANDLERS, *docs.HANDLERS],
        request_class=AexRequest,
        middleware=[DefineMiddleware(Authentication, authenticator=authenticator)],
        dependencies={"api": Provide(lambda: api, sync_to_thread=False, use_cache=True)},
        exception_handlers=errors.HANDLERS,
        request_max_body_size=LARGEST_BODY,
        openapi_config=None,
        logging_config=None,
        debug=False,
    )
