"""``/products``: what an ISP can sell, and in which area."""

from typing import Annotated

from litestar import get
from litestar.params import FromPath, QueryParameter

from demarc.domains.errors import NotFound
from demarc.northbound.aex import mapping, wire
from demarc.northbound.aex.api import (
    LARGEST_PAGE,
    PAGE_SIZE,
    TEXT,
    Injected,
    PageNumber,
    PageSize,
    as_page,
)
from demarc.northbound.aex.request import AexRequest, needs
from demarc.views import products, wire_ids


@get(
    "/products",
    operation_id="aex.products.list",
    opt=needs("product:read"),
    summary="List products",
)
async def list_products(
    request: AexRequest,
    api: Injected,
    *,
    area_id: Annotated[
        str | None, QueryParameter(description="Only those sold there.", pattern=TEXT)
    ] = None,
    area_id_too: Annotated[
        str | None, QueryParameter(name="areaId", description="The same as area_id.", pattern=TEXT)
    ] = None,
    page: PageNumber = 1,
    page_size: PageSize = PAGE_SIZE,
) -> wire.Page[wire.Product]:
    """Give a page of the products the ISP can sell, by name: everywhere, or in one area."""
    wanted = area_id if area_id is not None else area_id_too
    async with api.begin(request) as tx:
        area = None
        if wanted is not None:
            area = await wire_ids.find(tx, request.user.api, "area", wanted)
            if area is None:
                return wire.Page(items=[], page=page, count=0, total=0)
        listed = await products.page_of(
            tx,
            api=request.user.api,
            page=page,
            size=min(page_size, LARGEST_PAGE),
            totals=api.totals,
            area_id=area,
        )
    return as_page(listed, [mapping.product(row) for row in listed.items])


@get(
    "/products/{product_id:str}",
    operation_id="aex.products.get",
    opt=needs("product:read"),
    summary="Read a product",
)
async def get_product(
    request: AexRequest, api: Injected, product_id: FromPath[str]
) -> wire.Product:
    """Give a product, one that is no longer sold included."""
    async with api.begin(request) as tx:
        found = await products.one(tx, api=request.user.api, shown=product_id)
    if found is None:
        raise NotFound("product", product_id)
    return mapping.product(found)


HANDLERS = [list_products, get_product]
