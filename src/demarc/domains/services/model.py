"""A service and its changes."""

from datetime import datetime
from uuid import UUID

import msgspec


class Service(msgspec.Struct, frozen=True):
    """What a customer has at a premise, on a network, of a product.

    Attributes:
        tenant_id: the ISP whose service it is.
        owner_id: the owner of the network it runs on.
        number: counts within the tenant, from 1; log-ins are made of it.
        state: one of ``states.State``.
        reason: why it is in that state, in the words of who brought it there.
        provisioned_at: when it first worked.
        isp_reference: the ISP's own name for it.
        wifi_username: the SSID wanted on the CPE.
        created_by: the person or client that created it.
        cancel_at: when it ends, if it is under notice.
    """

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


class Transition(msgspec.Struct, frozen=True):
    """One step in the life of a service."""

    id: int
    at: datetime
    from_state: str | None
    to_state: str
    reason: str | None
    actor_kind: str
    actor_name: str


class ServiceChange(msgspec.Struct, frozen=True):
    """A service that changed since its ISP last asked."""

    service_id: UUID
    customer_name: str
    full_address: str
    state: str
    product: str
    updated_at: datetime
