"""A service with everything one asks for first."""

from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

if TYPE_CHECKING:
    from demarc.cli.desk import Desk
    from demarc.platform.database import Tx
    from demarc.views.service_search import ServiceFound


class SessionShown(msgspec.Struct, frozen=True):
    """A live session; octets from and to the subscriber."""

    started_at: datetime
    address: str | None
    station: str | None
    up_octets: int
    down_octets: int


class ServiceShown(msgspec.Struct, frozen=True, kw_only=True):
    """A service with everything one asks for first.

    Attributes:
        password: of the log-in, where it was asked for.
        last_attempt: when somebody last tried to log in, and what was answered.
        profile: what its log-in is given beyond its speed.
        terms: what that may now: download/upload in bit/s, and what it is less than full; None
            where it is refused, and ``terms_why``.
        onu: its serial number; ``light_dbm`` is what it receives.
    """

    id: UUID
    tenant: str
    number: int
    state: str
    reason: str | None
    customer: str
    product: str
    address: str
    isp_reference: str | None
    login: str | None
    password: str | msgspec.UnsetType | None = msgspec.UNSET
    profile: str | None
    terms: str | None
    terms_why: str | None
    sessions: list[SessionShown]
    last_attempt: str | None
    onu: str | None
    onu_state: str | None
    light_dbm: float | None
    created_at: datetime
    provisioned_at: datetime | None


async def show(desk: "Desk", tx: "Tx", found: "ServiceFound", *, password: bool) -> ServiceShown:
    """Put together what is shown of a service.

    Args:
        desk: the domains.
        tx: of the service's tenant.
        found: the service.
        password: show that of its log-in too.
    """
    from demarc.domains.errors import NotFound

    parts = desk.parts
    service = await parts.services.get(tx, found.id)
    customer = await parts.subscribers.customer(tx, service.customer_id)
    premise = await parts.subscribers.premise(tx, service.premise_id)
    product = await parts.catalog.product(tx, service.product_id)
    radius = device = standing = None
    with suppress(NotFound):
        radius = await parts.aaa.radius_status(tx, service.id)
        standing = await parts.aaa.standing(tx, service.id)
    with suppress(NotFound):
        device = await parts.access.device(tx, service.id)
    last = radius.attempts[0] if radius is not None and radius.attempts else None
    return ServiceShown(
        id=service.id,
        tenant=found.tenant,
        number=service.number,
        state=service.state,
        reason=service.reason,
        customer=customer.name,
        product=product.code,
        address=premise.full_address,
        isp_reference=service.isp_reference,
        login=None if radius is None else radius.username,
        password=radius.password if password and radius is not None else msgspec.UNSET,
        profile=None if standing is None else standing.profile,
        terms=None if standing is None else standing.terms,
        terms_why=None if standing is None else standing.why,
        sessions=[
            SessionShown(
                started_at=one.started_at,
                address=one.framed_ipv4,
                station=one.calling_station_id,
                up_octets=one.input_octets,
                down_octets=one.output_octets,
            )
            for one in (() if radius is None else radius.sessions)
            if one.ended_at is None
        ],
        last_attempt=None if last is None else f"{last.at:%Y-%m-%d %H:%M:%SZ} {last.reply}",
        onu=None if device is None else device.serial,
        onu_state=None if device is None else device.state,
        light_dbm=None if device is None else device.rx_dbm,
        created_at=service.created_at,
        provisioned_at=service.provisioned_at,
    )


__all__ = ["ServiceShown", "SessionShown", "show"]
