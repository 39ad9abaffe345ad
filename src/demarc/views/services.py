"""Services as an API lists and shows them, with the ids it knows them by."""

from datetime import datetime
from itertools import product
from typing import Any, Literal
from uuid import UUID

import msgspec

from demarc.domains.services.model import Service
from demarc.platform.database import Tx
from demarc.platform.statements import Scalar, Statement
from demarc.views import wire_ids
from demarc.views.paging import PageOf, paged
from demarc.views.totals import Totals

Side = Literal["isp", "fno"]
"""Whose services: those an ISP sells, or those on the networks of their owner."""

Order = Literal["created_at", "-created_at"]


class ServiceRow(msgspec.Struct, frozen=True):
    """A service in a list; ids as the API shows them."""

    id: str
    customer_id: str
    product_id: str
    provider_id: UUID
    premise_id: str
    provisioned_at: datetime | None
    sales_agent: str | None
    created_at: datetime
    updated_at: datetime
    created_by: UUID | None
    state: str


class ServiceDetail(msgspec.Struct, frozen=True):
    """A whole service; the first four ids as the API shows them, then the service itself."""

    shown_id: str
    shown_customer_id: str
    shown_product_id: str
    shown_premise_id: str
    id: UUID
    tenant_id: UUID
    owner_id: UUID
    network_id: UUID
    number: int
    customer_id: UUID
    product_id: UUID
    premise_id: UUID
    state: str
    reason: str | None
    provisioned_at: datetime | None
    sales_agent: str | None
    isp_reference: str | None
    wifi_username: str | None
    wifi_password: bytes | None
    created_by: UUID | None
    created_at: datetime
    updated_at: datetime
    cancel_at: datetime | None

    @property
    def service(self) -> Service:
        """The service as its domain knows it."""
        return Service(*(getattr(self, field) for field in Service.__struct_fields__))


_WHOSE: dict[str, str] = {"isp": "s.tenant_id", "fno": "s.owner_id"}

_FILTERS: dict[str, str] = {
    "state": "s.state = %(state)s",
    "customer_id": "s.customer_id = %(customer_id)s",
    "premise_id": "s.premise_id = %(premise_id)s",
}

_ORDERS: dict[str, str] = {
    "created_at": "s.created_at, s.id",
    "-created_at": "s.created_at DESC, s.id DESC",
}

_SHOWN = ", ".join(
    f"{wire_ids.known_as(kind, column)} AS {name}"
    for kind, column, name in (
        ("service", "s.id", "shown_id"),
        ("customer", "s.customer_id", "shown_customer_id"),
        ("product", "s.product_id", "shown_product_id"),
        ("premise", "s.premise_id", "shown_premise_id"),
    )
)

# The rows of a page are found by index alone, and read only then.
_PAGE = f"""
    SELECT {wire_ids.known_as("service", "s.id")} AS id,
           {wire_ids.known_as("customer", "s.customer_id")} AS customer_id,
           {wire_ids.known_as("product", "s.product_id")} AS product_id, s.tenant_id AS provider_id,
           {wire_ids.known_as("premise", "s.premise_id")} AS premise_id, s.provisioned_at,
           s.sales_agent, s.created_at, s.updated_at, s.created_by, s.state
    FROM (SELECT s.id FROM service s WHERE {{where}} ORDER BY {{order}}
          LIMIT %(limit)s::bigint OFFSET %(offset)s::bigint) page
    JOIN service s ON s.id = page.id
    ORDER BY {{order}}
"""


def _where(side: str, names: tuple[str, ...]) -> str:
    return " AND ".join([f"{_WHOSE[side]} = %(tenant_id)s", *(_FILTERS[name] for name in names)])


# The filters a caller may combine, each combination a statement of its own with its own plan.
_CHOICES = [
    tuple(name for name, chosen in zip(_FILTERS, mask, strict=True) if chosen)
    for mask in product((False, True), repeat=len(_FILTERS))
]

PAGES: dict[tuple[str, tuple[str, ...], str], Statement[ServiceRow]] = {
    (side, names, order): Statement(
        f"views.services.{side}.{'+'.join(names) or 'all'}.{order}",
        _PAGE.format(where=_where(side, names), order=_ORDERS[order]),
        ServiceRow,
    )
    for side in _WHOSE
    for names in _CHOICES
    for order in _ORDERS
}

COUNTS: dict[tuple[str, tuple[str, ...]], Statement[Scalar]] = {
    (side, names): Statement(
        f"views.services.{side}.{'+'.join(names) or 'all'}.count",
        f"SELECT count(*) AS value FROM service s WHERE {_where(side, names)}",
        Scalar,
    )
    for side in _WHOSE
    for names in _CHOICES
}

ONE: dict[str, Statement[ServiceDetail]] = {
    side: Statement(
        f"views.services.{side}.one",
        f"""
        {wire_ids.wanted("service")}
        SELECT {_SHOWN}, s.id, s.tenant_id, s.owner_id, s.network_id, s.number, s.customer_id,
               s.product_id, s.premise_id, s.state, s.reason, s.provisioned_at, s.sales_agent,
               s.isp_reference, s.wifi_username, s.wifi_password, s.created_by, s.created_at,
               s.updated_at, s.cancel_at
        FROM wanted JOIN service s ON s.id = wanted.id
        WHERE {_WHOSE[side]} = %(tenant_id)s
        """,
        ServiceDetail,
    )
    for side in _WHOSE
}


async def one(tx: Tx, *, side: Side, api: str, shown: str) -> ServiceDetail | None:
    """Give the service that an API shows by this id, if it is the tenant's on that side."""
    return await ONE[side].one(
        tx, api=api, tenant_id=tx.tenant, shown=shown, id=wire_ids.as_uuid(shown)
    )


async def page_of(
    tx: Tx,
    *,
    side: Side,
    api: str,
    page: int,
    size: int,
    order: Order,
    totals: Totals,
    state: str | None = None,
    customer_id: UUID | None = None,
    premise_id: UUID | None = None,
) -> PageOf[ServiceRow]:
    """Give a page of the tenant's services, filtered by what is given.

    Args:
        side: as whose.
        api: whose ids are shown.
        page: from 1.
        size: rows a page.
        order: by creation, upwards or downwards.
        totals: remembers counts.
        state: one of the states.
        customer_id: our id.
        premise_id: our id.
    """
    given: dict[str, Any] = {
        name: value
        for name, value in (
            ("state", state),
            ("customer_id", customer_id),
            ("premise_id", premise_id),
        )
        if value is not None
    }
    names = tuple(given)

    async def rows(limit: int, offset: int) -> list[ServiceRow]:
        statement = PAGES[side, names, order]
        return await statement.all(
            tx, api=api, tenant_id=tx.tenant, limit=limit, offset=offset, **given
        )

    async def count() -> int:
        found = await COUNTS[side, names].one(tx, tenant_id=tx.tenant, **given)
        return 0 if found is None else int(found.value)

    return await paged(
        page=page,
        size=size,
        rows=rows,
        count=count,
        totals=totals,
        key=("services", side, tx.tenant, *given.items()),
    )
