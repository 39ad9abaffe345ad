"""``/services/{id}/device``: the ONU of a service, as last polled and as it is now."""

from litestar import get
from litestar.params import FromPath

from demarc.northbound.aex import mapping, wire
from demarc.northbound.aex.api import Api, Injected
from demarc.northbound.aex.request import AexRequest, needs


@get(
    "/services/{service_id:str}/device/status",
    operation_id="aex.services.device.status",
    opt=needs("device:read"),
    summary="Device status, as last polled",
)
async def cached_status(
    request: AexRequest, api: Injected, service_id: FromPath[str]
) -> wire.DeviceStatus:
    """Give the status of a service's device as the last poll found it."""
    return await cached(request, api, service_id)


@get(
    "/services/{service_id:str}/device/status/live",
    operation_id="aex.services.device.status.live",
    opt=needs("device:read"),
    summary="Device status, asked now",
)
async def live_status(
    request: AexRequest, api: Injected, service_id: FromPath[str]
) -> wire.DeviceStatus:
    """Give the status of a service's device as it says now; 504 if it does not answer."""
    return await live(request, api, service_id)


async def cached(request: AexRequest, api: Api, service_id: str) -> wire.DeviceStatus:
    """Give the status that is kept."""
    async with api.begin(request) as tx:
        found = await api.service(tx, request, service_id)
        device = await api.access.device(tx, found.id)
    return mapping.device_status(device, found.shown_id)


async def live(request: AexRequest, api: Api, service_id: str) -> wire.DeviceStatus:
    """Ask the device. No transaction is open while it is waited for."""
    async with api.begin(request) as tx:
        found = await api.service(tx, request, service_id)
    principal = request.user.principal
    device = await api.live.read(principal.tenant_id, principal.actor, found.id)
    return mapping.device_status(device, found.shown_id)


HANDLERS = [cached_status, live_status]
