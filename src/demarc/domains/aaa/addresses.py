"""Which addresses a credential has: a static one, one from a pool, and further ones.

An address has one owner at a time by the primary key of ``ip_address``; log-ins never race for
one. Addresses stay with their credential ("sticky") until the service ends; those it was lent
beside the first, for a second station, go back when they have been idle for a day.
"""

from datetime import timedelta
from ipaddress import AddressValueError, IPv4Address
from sys import intern
from typing import Any
from uuid import UUID

from demarc.domains.aaa import address_queries as queries
from demarc.domains.aaa import prefix_queries, prefixes
from demarc.domains.aaa.model import Lease
from demarc.domains.errors import Conflict, Invalid
from demarc.platform.database import Tx

REST = timedelta(minutes=10)
"""A freed address is not leased for so long: longer than a RADIUS process may remember it."""

IDLE = timedelta(days=1)
"""Further addresses of a credential go back when nobody has used them for so long."""


async def lease(
    tx: Tx,
    *,
    network_id: UUID,
    tenant_id: UUID,
    credential_id: UUID,
    station: str | None = None,
    slot: int = 0,
) -> str | None:
    """Lease a free address: from the ISP's own pools on the network first, then from all's.

    Returns:
        The address, or None when no pool has a free one.
    """
    wanted = {
        "network_id": network_id,
        "credential_id": credential_id,
        "station": station,
        "slot": slot,
    }
    found = await queries.LEASE_RESERVED.one(tx, tenant_id=tenant_id, **wanted)
    if found is None:
        found = await queries.LEASE_COMMON.one(tx, **wanted)
    return None if found is None else str(found.value)


async def lease_first(tx: Tx, *, network_id: UUID, tenant_id: UUID, credential_id: UUID) -> None:
    """Lease the address and the prefixes that a credential begins with.

    On a network without pools it has none, and the NAS gives addresses of its own.

    Raises:
        Conflict: the network's pools are exhausted.
    """
    await _lease_first_address(tx, network_id, tenant_id, credential_id)
    for kind in prefixes.KINDS:
        await prefixes.lease_first(
            tx, network_id=network_id, tenant_id=tenant_id, credential_id=credential_id, kind=kind
        )


async def give(
    tx: Tx,
    *,
    network_id: UUID,
    owner_id: UUID,
    tenant_id: UUID,
    credential_id: UUID,
    static_ipv4: str | None = None,
    static_ipv6_prefix: str | None = None,
    static_delegated_prefix: str | None = None,
) -> None:
    """Give a new credential what its contract asks for, and of each other kind one of a pool.

    Args:
        tx: the transaction.
        network_id: where it may log in.
        owner_id: the owner of the network.
        tenant_id: the ISP.
        credential_id: to whom.
        static_ipv4: an address of its own.
        static_ipv6_prefix: a prefix of its own for the line.
        static_delegated_prefix: a prefix of its own to be delegated.

    Raises:
        Invalid: a static one cannot be given to anybody.
        Conflict: a static one is taken, or the network's pools of a kind are exhausted.
    """
    if static_ipv4 is None:
        await _lease_first_address(tx, network_id, tenant_id, credential_id)
    else:
        await assign_static(
            tx,
            network_id=network_id,
            owner_id=owner_id,
            tenant_id=tenant_id,
            credential_id=credential_id,
            address=static_ipv4,
        )
    asked = {"framed_ipv6": static_ipv6_prefix, "delegated_ipv6": static_delegated_prefix}
    for kind in prefixes.KINDS:
        prefix = asked[kind]
        if prefix is None:
            await prefixes.lease_first(
                tx,
                network_id=network_id,
                tenant_id=tenant_id,
                credential_id=credential_id,
                kind=kind,
            )
        else:
            await prefixes.assign_static(
                tx,
                network_id=network_id,
                owner_id=owner_id,
                tenant_id=tenant_id,
                credential_id=credential_id,
                kind=kind,
                prefix=prefix,
            )


async def _lease_first_address(
    tx: Tx, network_id: UUID, tenant_id: UUID, credential_id: UUID
) -> None:
    leased = await lease(
        tx, network_id=network_id, tenant_id=tenant_id, credential_id=credential_id
    )
    if leased is None:
        pooled = await queries.HAS_POOL.one(
            tx, network_id=network_id, tenant_id=tenant_id, kind="ipv4"
        )
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
    """Lease what one more station of a credential needs: an address, and prefixes of its own.

    Returns:
        All its leases now; no more than before when it has one for each session it may have, is
        no longer allowed, or no pool has a free address.
    """
    allowed = await queries.LOCK_CREDENTIAL.one(tx, id=credential_id)
    if allowed is None:
        return []
    leases = await leases_of(tx, credential_id)
    place = await queries.FREE_SLOT.one(tx, credential_id=credential_id)
    if len(leases) >= allowed.value or place is None or place.value is None:
        return leases
    slot = int(place.value)
    leased = await lease(
        tx,
        network_id=network_id,
        tenant_id=tenant_id,
        credential_id=credential_id,
        station=station,
        slot=slot,
    )
    if leased is None and any(known.address is not None for known in leases):
        return leases
    for kind in prefixes.KINDS:
        await prefixes.lease(
            tx,
            network_id=network_id,
            tenant_id=tenant_id,
            credential_id=credential_id,
            kind=kind,
            slot=slot,
        )
    return await leases_of(tx, credential_id)


async def leases_of(tx: Tx, credential_id: UUID) -> list[Lease]:
    """Give a credential's leases, the static one first, then in the order given."""
    found = await queries.LEASES.one(tx, credential_id=credential_id)
    return [] if found is None else leases_in(found.value)


def leases_in(rows: list[list[Any]] | None) -> list[Lease]:
    """Read leases as the database tells them: address, kind, station, two prefixes."""
    return [
        Lease(address, intern(kind), station, prefixes.pack(framed, delegated))
        for address, kind, station, framed, delegated in rows or ()
    ]


async def release(tx: Tx, service_id: UUID) -> None:
    """Give back all that the credentials of a service have; it rests before others get it."""
    await queries.FREE_ADDRESSES.run(tx, service_id=service_id, rest=REST)
    await prefix_queries.FREE.run(tx, service_id=service_id, rest=REST)


async def release_one(tx: Tx, credential_id: UUID) -> None:
    """Give back all that one credential has; it rests before others get it."""
    await queries.FREE_ADDRESSES_OF.run(tx, credential_id=credential_id, rest=REST)
    await prefix_queries.FREE_OF.run(tx, credential_id=credential_id, rest=REST)


async def reclaim(tx: Tx) -> int:
    """Take back idle further places, a thousand at most; give how many credentials had some."""
    return await queries.RECLAIM.run(tx, idle=IDLE, rest=REST)


__all__ = [
    "IDLE",
    "REST",
    "assign_static",
    "give",
    "lease",
    "lease_first",
    "lease_further",
    "leases_in",
    "leases_of",
    "reclaim",
    "release",
    "release_one",
]
