"""Products as an API lists them: those an ISP may sell, everywhere or in one area."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

import msgspec

from demarc.platform.database import Tx
from demarc.platform.statements import Scalar, Statement
from demarc.views import wire_ids
from demarc.views.paging import PageOf, paged
from demarc.views.totals import Totals


class ProductRow(msgspec.Struct, frozen=True):
    """A product in a list; ``areas`` are the ids of where it is sold."""

    id: str
    entity_id: UUID
    network_id: UUID
    code: str
    name: str
    description: str | None
    technology: str
    download_bps: int
    upload_bps: int
    monthly_price: Decimal | None
    currency: str | None
    active: bool
    areas: list[str]
    created_at: datetime
    updated_at: datetime


_COLUMNS = f"""{wire_ids.known_as("product", "p.id")} AS id, p.id AS entity_id, p.network_id, p.code,
    p.name, p.description, p.technology, p.download_bps, p.upload_bps, p.monthly_price,
    p.currency::text AS currency, p.active,
    array(SELECT {wire_ids.known_as("area", "x.area_id")} FROM product_area x
          WHERE x.product_id = p.id ORDER BY x.area_id) AS areas,
    p.created_at, p.updated_at"""

# What is a network's is sold by its ISPs; its owner sees it too, but does not sell it by that.
_SOLD = """p.active AND (p.isp_id IS NULL OR p.isp_id = %(tenant_id)s)
    AND p.network_id IN (SELECT i.network_id FROM network_isp i WHERE i.tenant_id = %(tenant_id)s)"""

_IN_AREA = """AND EXISTS (
    SELECT 1 FROM product_area y JOIN area a ON a.id = y.area_id
    WHERE y.product_id = p.id AND y.area_id = %(area_id)s AND a.available)"""

_PAGE = f"""
    SELECT {_COLUMNS} FROM product p WHERE {_SOLD} {{filter}}
    ORDER BY p.name, p.code, p.id LIMIT %(limit)s::bigint OFFSET %(offset)s::bigint
"""
_COUNT = f"SELECT count(*) AS value FROM product p WHERE {_SOLD} {{filter}}"

PAGE = Statement("views.products.page", _PAGE.format(filter=""), ProductRow)
PAGE_IN_AREA = Statement("views.products.page_in_area", _PAGE.format(filter=_IN_AREA), ProductRow)
COUNT = Statement("views.products.count", _COUNT.format(filter=""), Scalar)
COUNT_IN_AREA = Statement("views.products.count_in_area", _COUNT.format(filter=_IN_AREA), Scalar)

# One that is no longer sold is shown still: services have it.
ONE = Statement(
    "views.products.one",
    f"""
    {wire_ids.wanted("product")}
    SELECT {_COLUMNS} FROM wanted JOIN product p ON p.id = wanted.id
    WHERE p.isp_id IS NULL OR p.isp_id = %(tenant_id)s
    """,
    ProductRow,
)


async def one(tx: Tx, *, api: str, shown: str) -> ProductRow | None:
    """Give the product that an API shows by this id."""
    return await ONE.one(tx, api=api, tenant_id=tx.tenant, shown=shown, id=wire_ids.as_uuid(shown))


async def page_of(
    tx: Tx, *, api: str, page: int, size: int, totals: Totals, area_id: UUID | None = None
) -> PageOf[ProductRow]:
    """Give a page of the products the tenant may sell, by name.

    Args:
        api: whose ids are shown.
        page: from 1.
        size: rows a page.
        totals: remembers counts.
        area_id: only those sold in this area; none while the area takes no new services.
    """
    in_area = {} if area_id is None else {"area_id": area_id}

    async def rows(limit: int, offset: int) -> list[ProductRow]:
        statement = PAGE_IN_AREA if in_area else PAGE
        return await statement.all(
            tx, api=api, tenant_id=tx.tenant, limit=limit, offset=offset, **in_area
        )

    async def count() -> int:
        statement = COUNT_IN_AREA if in_area else COUNT
        found = await statement.one(tx, tenant_id=tx.tenant, **in_area)
        return 0 if found is None else int(found.value)

    return await paged(
        page=page,
        size=size,
        rows=rows,
        count=count,
        totals=totals,
        key=("products", tx.tenant, area_id),
    )
