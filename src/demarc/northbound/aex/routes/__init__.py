"""The paths of the API, one module a resource."""

from demarc.northbound.aex.routes import (
    customers,
    devices,
    lifecycle,
    owner,
    premises,
    products,
    radius,
    services,
)

HANDLERS = [
    *services.HANDLERS,
    *radius.HANDLERS,
    *lifecycle.HANDLERS,
    *devices.HANDLERS,
    *customers.HANDLERS,
    *products.HANDLERS,
    *premises.HANDLERS,
    *owner.HANDLERS,
]
