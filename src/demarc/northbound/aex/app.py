"""The AEx API as an application of its own."""

import time
from typing import cast

from litestar import Litestar
from litestar.di import Provide
from litestar.middleware import DefineMiddleware
from litestar.routes import HTTPRoute
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
    """The application, with what the framework leaves to the handlers.

    HEAD is answered as GET without the body, where GET does nothing; OPTIONS with all methods of
    the path.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # type: ignore[override]
        """Answer a request."""
        method = scope.get("method")
        if method == "HEAD":
            # where GET acts no handler takes HEAD, so that the answer says which methods are taken
            if not _acts(scope["path"]):
                scope = cast("HTTPScope", dict(scope) | {"method": "GET"})
            send = _headers_only(send)
        elif method == "OPTIONS" and (allowed := self._allowed(scope["path"])):
            await _options(allowed, send)
            return
        await super().__call__(scope, receive, send)

    def _allowed(self, path: str) -> set[str]:
        """Give the methods of a path, of the route with the most literal segments."""
        asked = _segments(path)
        most, methods = -1, set[str]()
        for route in self.routes:
            segments = route.path_components
            if not isinstance(route, HTTPRoute) or len(segments) != len(asked):
                continue
            literal = [segment for segment in segments if isinstance(segment, str)]
            fits = all(
                not isinstance(segment, str) or segment == given
                for segment, given in zip(segments, asked, strict=True)
            )
            if fits and len(literal) > most:
                most, methods = len(literal), {str(method) for method in route.methods}
        if "GET" in methods and not _acts(path):
            methods.add("HEAD")
        return methods


def _segments(path: str) -> list[str]:
    """Give the segments of a path as its routing takes them: however many slashes part them."""
    return [segment for segment in path.split("/") if segment]


def _acts(path: str) -> bool:
    return ("/" + "/".join(_segments(path))).endswith(_ACTS)


async def _options(allowed: set[str], send: Send) -> None:
    headers = [(b"allow", ", ".join(sorted(allowed)).encode()), (b"content-length", b"0")]
    await send({"type": "http.response.start", "status": 204, "headers": headers})
    await send({"type": "http.response.body", "body": b"", "more_body": False})


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
