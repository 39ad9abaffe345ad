"""``/services/{id}/suspend`` and its like: what the document leaves out and an ISP needs."""

from litestar import get, post
from litestar.params import FromPath, JSONBody

from demarc.northbound.aex import mapping, wire
from demarc.northbound.aex.api import Api, Injected
from demarc.northbound.aex.request import AexRequest, needs
from demarc.views.services import ServiceDetail

REASON = "asked by the ISP"


@post(
    "/services/{service_id:str}/suspend",
    operation_id="demarc.services.suspend",
    opt=needs("service:operate"),
    summary="Suspend a service",
    status_code=200,
)
async def suspend(
    request: AexRequest,
    api: Injected,
    service_id: FromPath[str],
    data: JSONBody[wire.StateChange | None] = None,
) -> wire.ServiceDetails:
    """Refuse further log-ins and end the sessions there are."""
    async with api.begin(request) as tx:
        found = await api.service(tx, request, service_id)
        await api.services.suspend(tx, found.id, reason=_reason(data))
        return _details(request, api, await api.service(tx, request, service_id))


@post(
    "/services/{service_id:str}/resume",
    operation_id="demarc.services.resume",
    opt=needs("service:operate"),
    summary="Resume a service",
    status_code=200,
)
async def resume(
    request: AexRequest,
    api: Injected,
    service_id: FromPath[str],
    data: JSONBody[wire.StateChange | None] = None,
) -> wire.ServiceDetails:
    """Let a suspended service log in again, or take back a cancellation that is not yet due."""
    async with api.begin(request) as tx:
        found = await api.service(tx, request, service_id)
        await api.services.resume(tx, found.id, reason=_reason(data))
        return _details(request, api, await api.service(tx, request, service_id))


@post(
    "/services/{service_id:str}/cancel",
    operation_id="demarc.services.cancel",
    opt=needs("service:end"),
    summary="Cancel a service",
    status_code=200,
)
async def cancel(
    request: AexRequest,
    api: Injected,
    service_id: FromPath[str],
    data: JSONBody[wire.Cancellation | None] = None,
) -> wire.ServiceDetails:
    """End a service for good, now or at a later time until which it works."""
    async with api.begin(request) as tx:
        found = await api.service(tx, request, service_id)
        await api.services.cancel(
            tx, found.id, reason=_reason(data), at=None if data is None else data.at
        )
        return _details(request, api, await api.service(tx, request, service_id))


@post(
    "/services/{service_id:str}/change-product",
    operation_id="demarc.services.change_product",
    opt=needs("service:update"),
    summary="Change a service's product",
    status_code=200,
)
async def change_product(
    request: AexRequest,
    api: Injected,
    service_id: FromPath[str],
    data: JSONBody[wire.ProductChange],
) -> wire.ServiceDetails:
    """Give a service another product; its sessions begin anew with the new speed."""
    async with api.begin(request) as tx:
        found = await api.service(tx, request, service_id)
        product_id = await api.referred(tx, request, "product", data.product_id)
        await api.services.change_product(tx, found.id, product_id)
        return _details(request, api, await api.service(tx, request, service_id))


@get(
    "/services/{service_id:str}/history",
    operation_id="demarc.services.history",
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


def _reason(data: wire.StateChange | wire.Cancellation | None) -> str:
    return (data and data.reason) or REASON


def _details(request: AexRequest, api: Api, found: ServiceDetail) -> wire.ServiceDetails:
    return mapping.service_details(found, api.wifi_password(request, found))


HANDLERS = [suspend, resume, cancel, change_product, history]
