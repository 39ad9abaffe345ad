"""``/services``: what an ISP orders, watches and changes."""

from typing import Annotated

import msgspec
from litestar import Response, get, post, put
from litestar.openapi import ResponseSpec
from litestar.params import FromPath, JSONBody, QueryParameter

from demarc.domains.errors import Invalid
from demarc.northbound.aex import mapping, wire
from demarc.northbound.aex.api import (
    LARGEST_PAGE,
    PAGE_SIZE,
    TEXT,
    Api,
    Injected,
    PageNumber,
    PageSize,
    as_page,
    path_of,
)
from demarc.northbound.aex.request import AexRequest, needs
from demarc.platform.database import Tx
from demarc.views import services, wire_ids
from demarc.views.services import ServiceDetail


@post(
    "/services",
    operation_id="aex.services.create",
    opt=needs("service:create"),
    summary="Create a service",
    responses={
        201: ResponseSpec(
            data_container=wire.ServiceDetails, description="Created", generate_examples=False
        )
    },
)
async def create_service(
    request: AexRequest, api: Injected, data: JSONBody[wire.NewService]
) -> Response[bytes]:
    """Create a service from a customer, a product and a premise. Its log-in works at once."""

    async def perform(tx: Tx) -> tuple[str, msgspec.Struct]:
        made = await api.services.create(
            tx,
            customer_id=await api.referred(tx, request, "customer", data.customer_id),
            product_id=await api.referred(tx, request, "product", data.product_id),
            premise_id=await api.referred(tx, request, "premise", data.premise_id),
            sales_agent=data.sales_agent,
            isp_reference=data.isp_reference,
        )
        shown = await api.service(tx, request, str(made.id))
        return path_of("services", shown.shown_id), mapping.service_details(shown, None)

    return await api.create(request, perform)


@get(
    "/services",
    operation_id="aex.services.list",
    opt=needs("service:read"),
    summary="List services",
)
async def list_services(
    request: AexRequest,
    api: Injected,
    *,
    status: Annotated[
        str | None,
        QueryParameter(
            description="Only in this status.",
            schema_extra={"enum": [*mapping.STATUS.values()], "type": "string", "one_of": None},
        ),
    ] = None,
    customer_id: Annotated[
        str | None, QueryParameter(description="Of this customer.", pattern=TEXT)
    ] = None,
    premise_id: Annotated[
        str | None, QueryParameter(description="At this premise.", pattern=TEXT)
    ] = None,
    sort: Annotated[
        services.Order, QueryParameter(description="By creation: oldest or newest first.")
    ] = "created_at",
    page: PageNumber = 1,
    page_size: PageSize = PAGE_SIZE,
) -> wire.Page[wire.Service]:
    """Give a page of services, oldest first, filtered by what is given."""
    return await list_page(
        request,
        api,
        status=status,
        customer_id=customer_id,
        premise_id=premise_id,
        sort=sort,
        page=page,
        page_size=page_size,
    )


async def list_page(
    request: AexRequest,
    api: Api,
    *,
    status: str | None,
    customer_id: str | None,
    premise_id: str | None,
    sort: services.Order,
    page: int,
    page_size: int,
) -> wire.Page[wire.Service]:
    """Give a page of the services on the caller's side.

    Raises:
        Invalid: there is no such status.
    """
    state = None
    if status is not None and (state := mapping.state(status)) is None:
        raise Invalid("status", f"must be one of {', '.join(mapping.STATUS.values())}")
    caller = request.user
    async with api.begin(request) as tx:
        wanted = {}
        for kind, shown in (("customer", customer_id), ("premise", premise_id)):
            if shown is None:
                continue
            found = await wire_ids.find(tx, caller.api, kind, shown)
            if found is None:
                return wire.Page(items=[], page=page, count=0, total=0)
            wanted[f"{kind}_id"] = found
        listed = await services.page_of(
            tx,
            side=caller.side,
            api=caller.api,
            page=page,
            size=min(page_size, LARGEST_PAGE),
            order=sort,
            totals=api.totals,
            state=state,
            **wanted,
        )
    return as_page(listed, [mapping.service(row) for row in listed.items])


@get(
    "/services/snapshot",
    operation_id="aex.services.snapshot",
    opt=needs("service:read"),
    summary="Track changes",
)
async def snapshot(request: AexRequest, api: Injected) -> list[wire.Change]:
    """Give the services that changed since the ISP's last call, the first time all of them.

    It can be called once in 10 minutes by each ISP.
    """
    caller = request.user
    async with api.begin(request) as tx:
        changes = await api.services.changes(tx, caller.api)
        shown = await wire_ids.of_many(
            tx, caller.api, "service", {change.service_id for change in changes}
        )
    return [mapping.change(change, shown[change.service_id]) for change in changes]


@get(
    "/services/{service_id:str}",
    operation_id="aex.services.get",
    opt=needs("service:read"),
    summary="Read a service",
)
async def get_service(
    request: AexRequest, api: Injected, service_id: FromPath[str]
) -> wire.ServiceDetails:
    """Give the full details of a service."""
    async with api.begin(request) as tx:
        found = await api.service(tx, request, service_id)
    return _details(request, api, found)


@put(
    "/services/{service_id:str}",
    operation_id="aex.services.update",
    opt=needs("service:update"),
    summary="Update a service",
)
async def update_service(
    request: AexRequest,
    api: Injected,
    service_id: FromPath[str],
    data: JSONBody[wire.ServiceUpdate],
) -> wire.ServiceDetails:
    """Change the ISP's reference, the Wi-Fi's name or its password, and nothing else.

    The Wi-Fi is changed on the CPE when it next reports.
    """
    async with api.begin(request) as tx:
        found = await api.service(tx, request, service_id)
        await api.services.update(
            tx,
            found.id,
            isp_reference=data.isp_reference,
            wifi_username=data.wifi_username,
            wifi_password=data.wifi_password,
        )
        updated = await api.service(tx, request, service_id)
    return _details(request, api, updated)


def _details(request: AexRequest, api: Api, found: ServiceDetail) -> wire.ServiceDetails:
    return mapping.service_details(found, api.wifi_password(request, found))


HANDLERS = [
    create_service,
    list_services,
    snapshot,
    get_service,
    update_service,
]
