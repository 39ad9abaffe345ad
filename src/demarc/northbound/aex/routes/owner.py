"""``/fno/services``: the same services, for the owner of the network they run on."""

from typing import Annotated

from litestar import get, post, put
from litestar.params import FromPath, JSONBody, QueryParameter

from demarc.northbound.aex import mapping, wire
from demarc.northbound.aex.api import PAGE_SIZE, TEXT, Injected, PageNumber, PageSize
from demarc.northbound.aex.request import AexRequest, needs
from demarc.northbound.aex.routes import devices
from demarc.northbound.aex.routes.services import list_page
from demarc.views import services

REASON = "asked by the network's owner"


@get(
    "/fno/services",
    operation_id="fno.services.list",
    opt=needs("service:read"),
    summary="List services on the network",
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
    """Give a page of the services of every ISP on the owner's networks."""
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


@get(
    "/fno/services/{service_id:str}",
    operation_id="fno.services.get",
    opt=needs("service:read"),
    summary="Read a service on the network",
)
async def get_service(
    request: AexRequest, api: Injected, service_id: FromPath[str]
) -> wire.OwnerService:
    """Give the details of a service on the owner's networks."""
    async with api.begin(request) as tx:
        return mapping.owner_service(await api.service(tx, request, service_id))


@post(
    "/fno/services/{service_id:str}/suspend",
    operation_id="fno.services.suspend",
    opt=needs("service:operate"),
    summary="Suspend a service",
    status_code=200,
)
async def suspend(
    request: AexRequest,
    api: Injected,
    service_id: FromPath[str],
    data: JSONBody[wire.StateChange | None] = None,
) -> wire.OwnerService:
    """Refuse further log-ins and end the sessions there are."""
    async with api.begin(request) as tx:
        found = await api.service(tx, request, service_id)
        await api.services.suspend(tx, found.id, reason=(data and data.reason) or REASON)
        return mapping.owner_service(await api.service(tx, request, service_id))


@post(
    "/fno/services/{service_id:str}/resume",
    operation_id="fno.services.resume",
    opt=needs("service:operate"),
    summary="Resume a service",
    status_code=200,
)
async def resume(
    request: AexRequest,
    api: Injected,
    service_id: FromPath[str],
    data: JSONBody[wire.StateChange | None] = None,
) -> wire.OwnerService:
    """Let a suspended service log in again."""
    async with api.begin(request) as tx:
        found = await api.service(tx, request, service_id)
        await api.services.resume(tx, found.id, reason=(data and data.reason) or REASON)
        return mapping.owner_service(await api.service(tx, request, service_id))


@post(
    "/fno/services/{service_id:str}/cancel",
    operation_id="fno.services.cancel",
    opt=needs("service:end"),
    summary="Cancel a service",
    status_code=200,
)
async def cancel(
    request: AexRequest,
    api: Injected,
    service_id: FromPath[str],
    data: JSONBody[wire.Cancellation | None] = None,
) -> wire.OwnerService:
    """End a service for good, now or at a later time until which it works."""
    async with api.begin(request) as tx:
        found = await api.service(tx, request, service_id)
        await api.services.cancel(
            tx,
            found.id,
            reason=(data and data.reason) or REASON,
            at=None if data is None else data.at,
        )
        return mapping.owner_service(await api.service(tx, request, service_id))


@post(
    "/fno/services/{service_id:str}/change-product",
    operation_id="fno.services.change_product",
    opt=needs("service:update"),
    summary="Change a service's product",
    status_code=200,
)
async def change_product(
    request: AexRequest,
    api: Injected,
    service_id: FromPath[str],
    data: JSONBody[wire.ProductChange],
) -> wire.OwnerService:
    """Give a service another product; its sessions begin anew with the new speed."""
    async with api.begin(request) as tx:
        found = await api.service(tx, request, service_id)
        product_id = await api.referred(tx, request, "product", data.product_id)
        await api.services.change_product(tx, found.id, product_id)
        return mapping.owner_service(await api.service(tx, request, service_id))


@get(
    "/fno/services/{service_id:str}/history",
    operation_id="fno.services.history",
    opt=needs("service:read"),
    summary="A service's history",
)
async def history(
    request: AexRequest, api: Injected, service_id: FromPath[str]
) -> list[wire.Transition]:
    """Give the life of a service, oldest step first."""
    async with api.begin(request) as tx:
        found = await api.service(tx, request, service_id)
        steps = await api.services.history(tx, found.id)
    return [mapping.transition(step) for step in steps]


@put(
    "/fno/services/{service_id:str}/device",
    operation_id="fno.services.device.assign",
    opt=needs("device:update"),
    summary="Assign the ONU of a service",
)
async def assign_device(
    request: AexRequest,
    api: Injected,
    service_id: FromPath[str],
    data: JSONBody[wire.DeviceAssignment],
) -> wire.AssignedDevice:
    """Say which ONU serves a service from now on; an earlier one no longer does."""
    async with api.begin(request) as tx:
        found = await api.service(tx, request, service_id)
        serial = await api.services.assign_device(
            tx, found.id, serial=data.serial_number, model=data.model
        )
    return wire.AssignedDevice(service=found.shown_id, serial_number=serial)


@get(
    "/fno/services/{service_id:str}/device/status",
    operation_id="fno.services.device.status",
    opt=needs("device:read"),
    summary="Device status, as last polled",
)
async def cached_status(
    request: AexRequest, api: Injected, service_id: FromPath[str]
) -> wire.DeviceStatus:
    """Give the status of a service's device as the last poll found it."""
    return await devices.cached(request, api, service_id)


@get(
    "/fno/services/{service_id:str}/device/status/live",
    operation_id="fno.services.device.status.live",
    opt=needs("device:read"),
    summary="Device status, asked now",
)
async def live_status(
    request: AexRequest, api: Injected, service_id: FromPath[str]
) -> wire.DeviceStatus:
    """Give the status of a service's device as it says now; 504 if it does not answer."""
    return await devices.live(request, api, service_id)


HANDLERS = [
    list_services,
    get_service,
    suspend,
    resume,
    cancel,
    change_product,
    history,
    assign_device,
    cached_status,
    live_status,
]
