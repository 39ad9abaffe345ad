"""Which addresses a credential has: a static one, one from a pool, and further ones.

An address has one owner at a time by the primary key of ``ip_address``; log-ins never race for
one. Addresses stay with their credential ("sticky") until the service ends; those it was lent
beside the first, for a second station, go back when they have been idle for a day.
"""

from datetime import timedelta
from ipaddress import AddressValueError, IPv4Address
from uuid import UUID

from demarc.domains.aaa import address_queries as queries
from demarc.domains.aaa.model import Lease
from demarc.domains.errors import Conflict, Invalid
from demarc.platform.database import Tx

REST = timedelta(minutes=10)
"""A freed address is not leased for so long: longer than a RADIUS process may remember it."""

IDLE = timedelta(days=1)
"""Further addresses of a credential go back when nobody has used them for so long."""


async def lease(
    tx: Tx, *, network_id: UUID, tenant_id: UUID, credential_id: UUID, station: str | None = None
) -> str | None:
    """Lease a free address: from the ISP's own pools on the network first, then from all's.

    Returns:
        The address, or None when no pool has a free one.
    """
    wanted = {"network_id": network_id, "credential_id": credential_id, "station": station}
    found = await queries.LEASE_RESERVED.one(tx, tenant_id=tenant_id, **wanted)
    if found is None:
        found = await queries.LEASE_COMMON.one(tx, **wanted)
    return None if found is None else str(found.value)


async def lease_first(tx: Tx, *, network_id: UUID, tenant_id: UUID, credential_id: UUID) -> None:
    """Lease the address a new credential begins with.

    On a network without pools it has none, and the NAS gives addresses of its own.

    Raises:
        Conflict: the network's pools are exhausted.
    """
    leased = await lease(
        tx, network_id=network_id, tenant_id=tenant_id, credential_id=credential_id
    )
    if leased is None:
        pooled = await queries.NETWORK_HAS_POOL.one(tx, network_id=network_id, tenant_id=tenant_id)
        if pooled is not None and pooled.value:
            raise Conflict("the network's address pools are exhausted")


async def assign_static(
    tx: Tx,
    *,
    network_id: UUID,
    owner_id: UUID,
    tenant_id: UUID,
    credential_id: UUID,
    address: str,
) -> None:
    """Give a credential an address of its own, from a pool or from outside of them.

    Raises:
        Invalid: it is no IPv4 address of a host.
        Conflict: another credential has it, or had it minutes ago, or it is another ISP's.
    """
    try:
        wanted = IPv4Address(address)
    except AddressValueError:
        raise Invalid("static_ipv4", "is not an IPv4 address") from None
    if wanted.is_multicast or wanted.is_unspecified or wanted.is_loopback or wanted.is_reserved:
        raise Invalid("static_ipv4", "is not an address of a host")
    assigned = await queries.ASSIGN_STATIC.one(
        tx,
        network_id=network_id,
        owner_id=owner_id,
        tenant_id=tenant_id,
        credential_id=credential_id,
        address=str(wanted),
    )
    if assigned is None:
        raise Conflict(f"{wanted} is taken")


async def lease_further(
    tx: Tx, *, network_id: UUID, tenant_id: UUID, credential_id: UUID, station: str | None
) -> list[Lease]:
    """Lease one more address for a second station of a credential.

    Returns:
        All its leases now; no more than before when it has one for each session it may have, is
        no longer allowed, or no pool has a free address.
    """
    allowed = await queries.LOCK_CREDENTIAL.one(tx, id=credential_id)
    if allowed is None:
        return []
    leases = await leases_of(tx, credential_id)
    if len(leases) < allowed.value:
        leased = await lease(
            tx,
            network_id=network_id,
            tenant_id=tenant_id,
            credential_id=credential_id,
            station=station,
        )
        if leased is not None:
            return [*leases, Lease(leased, "pooled", station)]
    return leases


async def leases_of(tx: Tx, credential_id: UUID) -> list[Lease]:
    """Give a credential's leases, the static one first, then in the order given."""
    found = await queries.LEASES.one(tx, credential_id=credential_id)
    if found is None or found.value is None:
        return []
    return [Lease(*each) for each in found.value]


async def reclaim(tx: Tx) -> int:
    """Take back idle further addresses, a thousand at most; give how many credentials had some."""
    return await queries.RECLAIM.run(tx, idle=IDLE, rest=REST)


__all__ = [
    "IDLE",
    "REST",
    "assign_static",
    "lease",
    "lease_first",
    "lease_further",
    "leases_of",
    "reclaim",
]
