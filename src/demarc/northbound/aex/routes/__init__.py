"""The paths of the API, one module a resource."""

from demarc.northbound.aex.routes import (
    customers,
    devices,
    lifecycle,
    owner,
    premises,
    products,
    services,
)

HANDLERS = [
    *services.HANDLERS,
    *lifecycle.HANDLERS,
    *devices.HANDLERS,
    *customers.HANDLERS,
    *products.HANDLERS,
    *premises.HANDLERS,
    *owner.HANDLERS,
]
