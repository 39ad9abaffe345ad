"""The Flashman API as an application of its own."""

from litestar import Litestar
from litestar.di import Provide
from litestar.middleware import DefineMiddleware
from litestar.types import Message, Receive, Scope, Send

from demarc.domains.aaa.service import Aaa
from demarc.domains.cpe.family import Families
from demarc.domains.cpe.reading import Reader
from demarc.domains.cpe.service import Cpes
from demarc.domains.identity.authentication import Authenticator
from demarc.northbound.flashman import docs, errors
from demarc.northbound.flashman.api import Api
from demarc.northbound.flashman.authentication import Authentication
from demarc.northbound.flashman.request import FlashmanRequest
from demarc.northbound.flashman.routes import HANDLERS
from demarc.platform.database import Database

LARGEST_BODY = 1_000_000

# pages of any site may read by v3 with credentials they were given; to those that a browser
# remembers "*" does not apply
_CORS = (
    (b"access-control-allow-origin", b"*"),
    (b"access-control-allow-headers", b"authorization, content-type"),
    (b"access-control-allow-methods", b"GET"),
)


class FlashmanApp(Litestar):
    """The application, with what the framework leaves to the handlers."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # type: ignore[override]
        """Answer a request."""
        if scope["path"].startswith("/api/v3/"):
            send = _for_any_site(send)
            if scope.get("method") == "OPTIONS":
                await send({"type": "http.response.start", "status": 204, "headers": []})
                await send({"type": "http.response.body", "body": b"", "more_body": False})
                return
        await super().__call__(scope, receive, send)


def _for_any_site(send: Send) -> Send:
    async def with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message["headers"], *_CORS]}
        await send(message)

    return with_headers


def flashman_app(
    *,
    db: Database,
    authenticator: Authenticator,
    cpes: Cpes,
    families: Families,
    aaa: Aaa,
) -> FlashmanApp:
    """Build the application.

    Args:
        db: where it works.
        authenticator: establishes who calls.
        cpes: devices.
        families: by which they are understood.
        aaa: log-ins.
    """
    api = Api(db=db, cpes=cpes, reader=Reader(cpes, families), aaa=aaa)
    return FlashmanApp(
        route_handlers=[*HANDLERS, *docs.HANDLERS],
        request_class=FlashmanRequest,
        middleware=[DefineMiddleware(Authentication, authenticator=authenticator)],
        dependencies={"api": Provide(lambda: api, sync_to_thread=False, use_cache=True)},
        exception_handlers=errors.HANDLERS,
        request_max_body_size=LARGEST_BODY,
        openapi_config=None,
        logging_config=None,
        debug=False,
    )
