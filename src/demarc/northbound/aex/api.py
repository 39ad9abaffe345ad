"""What the handlers work with, and what they have in common."""

import hashlib
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Annotated, Any
from urllib.parse import quote
from uuid import UUID

import msgspec
from litestar import Response
from litestar.di import NamedDependency
from litestar.params import QueryParameter

from demarc.domains.aaa.service import Aaa
from demarc.domains.access.live import LiveStatus
from demarc.domains.access.service import Access
from demarc.domains.catalog.service import Catalog
from demarc.domains.errors import Invalid, NotFound
from demarc.domains.identity.service import Identity
from demarc.domains.services.service import Services
from demarc.domains.subscribers.service import Subscribers
from demarc.northbound.aex import wire
from demarc.northbound.aex.errors import Unprocessable
from demarc.northbound.aex.request import AexRequest
from demarc.platform.database import Database, Tx
from demarc.platform.idempotency import Answer, KeyReused, once
from demarc.views import services, wire_ids
from demarc.views.paging import PageOf
from demarc.views.services import ServiceDetail
from demarc.views.totals import Totals

PAGE_SIZE = 20
LARGEST_PAGE = 100
_LONGEST_KEY = 200

# no zero octets: the database has none
TEXT = r"^[^\x00]*$"

PageNumber = Annotated[int, QueryParameter(ge=1, description="The page, from 1.")]
PageSize = Annotated[
    int,
    QueryParameter(ge=1, description=f"Items a page; more than {LARGEST_PAGE} count as that."),
]


class Api(msgspec.Struct, frozen=True):
    """The domains behind the API.

    Attributes:
        totals: remembers how long long lists are.
        public_url: what absolute URLs begin with; None to go by the request.
    """

    db: Database
    identity: Identity
    catalog: Catalog
    subscribers: Subscribers
    services: Services
    aaa: Aaa
    access: Access
    live: LiveStatus
    totals: Totals
    public_url: str | None

    def begin(self, request: AexRequest) -> AbstractAsyncContextManager[Tx]:
        """Open a transaction of the caller's."""
        principal = request.user.principal
        return self.db.tenant(principal.tenant_id, principal.actor)

    def url(self, request: AexRequest, path: str) -> str:
        """Give the absolute URL of a path."""
        if self.public_url is not None:
            return self.public_url.rstrip("/") + path
        host = request.headers.get("host")
        return f"{request.scope['scheme']}://{host}{path}" if host else path

    async def service(self, tx: Tx, request: AexRequest, shown: str) -> ServiceDetail:
        """Give a service of the caller's.

        Raises:
            NotFound: there is none on the caller's side.
        """
        caller = request.user
        found = await services.one(tx, side=caller.side, api=caller.api, shown=shown)
        if found is None:
            raise NotFound("service", shown)
        return found

    def wifi_password(self, request: AexRequest, found: ServiceDetail) -> str | None:
        """Give the Wi-Fi's password of a service to those who may see secrets."""
        if request.user.principal.lacks("login:reveal") is not None:
            return None
        return self.services.wifi_password(found.service)

    async def referred(self, tx: Tx, request: AexRequest, kind: str, shown: str) -> UUID:
        """Give our id of what the body of a request names.

        Raises:
            Unprocessable: it can be no id.
        """
        found = await wire_ids.find(tx, request.user.api, kind, shown)
        if found is None:
            raise Unprocessable(f"{kind}_id", f"is not the id of a known {kind}")
        return found

    async def create(
        self, request: AexRequest, perform: Callable[[Tx], Awaitable[tuple[str, msgspec.Struct]]]
    ) -> Response[bytes]:
        """Carry out a request that creates, and answer 201 with where the new thing is.

        With an Idempotency-Key it is carried out once, and answered so each time.

        Args:
            request: the request.
            perform: creates in the transaction given; gives the path and the body of the answer.
        """

        async def answer() -> Answer:
            path, body = await perform(tx)
            return Answer(201, path, msgspec.json.encode(body))

        key = request.headers.get("idempotency-key")
        if key is not None and not (1 <= len(key) <= _LONGEST_KEY and key.isprintable()):
            raise Invalid("Idempotency-Key", f"must have 1 to {_LONGEST_KEY} characters")
        async with self.begin(request) as tx:
            if key is None:
                given = await answer()
            else:
                asked = hashlib.sha256(
                    f"{request.method} {request.scope['path']}\n".encode() + await request.body()
                )
                try:
                    given = await once(tx, key=key, request=asked.digest(), perform=answer)
                except KeyReused as reused:
                    raise Unprocessable(
                        "Idempotency-Key", "was used before for another request"
                    ) from reused
        return Response(
            content=given.body,
            status_code=given.status,
            media_type="application/json",
            headers={"Location": self.url(request, given.location or "/")},
        )


Injected = NamedDependency[Api]


def path_of(*segments: str) -> str:
    """Give a path of these segments, whatever characters they hold."""
    return "/" + "/".join(quote(segment, safe="") for segment in segments)


def as_page(found: PageOf[Any], items: list[Any]) -> wire.Page[Any]:
    """Give a page as it is on the wire."""
    return wire.Page(items=items, page=found.page, count=len(items), total=found.total)
