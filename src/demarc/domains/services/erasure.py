"""A customer forgotten across everything that is kept of them.

What stays is what accounts and the law ask for: the services with their dates, products and
prices, connection logs until their own rule lets them go, and name and tax number for as long as
tax law wants. What goes: how they are reached, what their devices are named and locked with, and
what the audit log says of who they were.
"""

from datetime import date, datetime, timedelta
from uuid import UUID

import msgspec

from demarc.domains.aaa import erasure as logins
from demarc.domains.errors import Conflict, NotFound
from demarc.domains.identity import audit, retention
from demarc.domains.subscribers import erasure as customers
from demarc.platform.clock import now
from demarc.platform.database import Tx
from demarc.platform.statements import Statement


class _Held(msgspec.Struct, frozen=True):
    id: UUID
    state: str
    ended_at: datetime | None


class _Ended(msgspec.Struct, frozen=True):
    id: UUID


class Erased(msgspec.Struct, frozen=True):
    """What was erased of a customer.

    Attributes:
        identity_until: until then name and tax number are kept; None where they are kept for good.
        identity_kept: whether they are still there.
        services: kept without what was personal in them.
    """

    customer_id: UUID
    identity_until: date | None
    identity_kept: bool
    services: int
    logins: int
    contacts: int
    consents: int
    audit_entries: int


HELD = Statement(
    "services.of_customer",
    """
    SELECT s.id, s.state,
        (SELECT max(t.at) FROM service_transition t WHERE t.service_id = s.id) AS ended_at
    FROM service s WHERE s.customer_id = %(customer_id)s FOR UPDATE OF s
    """,
    _Held,
)

FORGET_WIFI = Statement(
    "services.forget_personal",
    """
    UPDATE service SET wifi_username = NULL, wifi_password = NULL
    WHERE customer_id = %(customer_id)s AND num_nonnulls(wifi_username, wifi_password) > 0
    """,
)

# Whose last service ended so long ago; a tenant that keeps them for longer does so.
ENDED = Statement(
    "services.ended_customers",
    """
    SELECT s.customer_id AS id
    FROM service s JOIN customer c ON c.id = s.customer_id AND c.erased_at IS NULL
    WHERE s.tenant_id <> ALL(%(but)s::uuid[])
      AND (%(only)s::uuid IS NULL OR s.tenant_id = %(only)s::uuid)
    GROUP BY s.customer_id
    HAVING bool_and(s.state = 'cancelled') AND max(s.updated_at) < current_date - %(days)s::integer
    ORDER BY s.customer_id LIMIT %(limit)s::integer
    """,
    _Ended,
)


async def erase(tx: Tx, customer_id: UUID) -> Erased:
    """Forget a customer whose services have all ended; doing it again changes nothing.

    Args:
        tx: of the system.
        customer_id: whom.

    Raises:
        NotFound: there is no such customer.
        Conflict: a service of theirs has not ended.
    """
    known = await customers.known(tx, customer_id)
    if known is None:
        raise NotFound("customer", customer_id)
    customer, before = known
    held = await HELD.all(tx, customer_id=customer_id)
    if open_ones := [one for one in held if one.state != "cancelled"]:
        raise Conflict(
            f"{len(open_ones)} of their services have not ended, the first is {open_ones[0].id}:"
            " cancel them first"
        )
    force = (await retention.in_force(tx))["tax_identity"]
    tenant = customer.tenant_id or customer.owner_id
    days = force.tenants.get(tenant, force.days) if tenant else force.days
    last = max((one.ended_at for one in held if one.ended_at), default=None)
    until: date | None = None
    if last is None:
        until = now().date()  # nothing was ever sold, so that no law asks for it
    elif days is not None:
        until = last.date() + timedelta(days=days)
    contacts, consents = await customers.erase(tx, customer_id, identity_until=until)
    services = [one.id for one in held]
    gone = Erased(
        customer_id=customer_id,
        identity_until=until,
        identity_kept=until is None or until > now().date(),
        services=len(services),
        logins=await logins.forget_secrets(tx, services),
        contacts=contacts,
        consents=consents,
        audit_entries=await audit.forget(tx, [customer_id, *services]),
    )
    await FORGET_WIFI.run(tx, customer_id=customer_id)
    if not before:
        await audit.write(
            tx,
            action="erase",
            kind="customer",
            key=customer_id,
            tenant_id=tenant,
            after={"identity_until": until, "services": len(services)},
        )
    return gone


async def erase_ended(
    tx: Tx, days: int | None, tenants: dict[UUID, int | None], *, limit: int
) -> int:
    """Erase customers whose last service ended so many days ago, at most so many of them.

    Args:
        tx: of the system.
        days: after which; None for nobody.
        tenants: those who keep theirs for longer.
        limit: customers at most.
    """
    if days is None:
        return 0
    found = await ENDED.all(tx, but=list(tenants), only=None, days=days, limit=limit)
    for tenant_id, longer in tenants.items():
        if longer is not None and len(found) < limit:
            found += await ENDED.all(
                tx, but=[], only=tenant_id, days=longer, limit=limit - len(found)
            )
    for one in found:
        await erase(tx, one.id)
    return len(found)


async def forget_identities(tx: Tx) -> int:
    """Forget names and tax numbers of erased customers where tax law no longer wants them."""
    return await customers.forget_identities(tx)


__all__ = ["Erased", "erase", "erase_ended", "forget_identities"]
