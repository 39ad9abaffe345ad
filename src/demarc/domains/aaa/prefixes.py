"""IPv6 prefixes of a credential: the framed one of its line, the delegated one behind it.

They are assigned ahead of the log-in and stay, as addresses do (see ``addresses``). A further
station is lent further ones with its further address. No two rows of ``ip_prefix`` overlap on one
network, by a constraint.
"""

from ipaddress import IPv6Network
from uuid import UUID

import psycopg

from demarc.domains.aaa import address_queries
from demarc.domains.aaa import prefix_queries as queries
from demarc.domains.aaa.model import PoolKind
from demarc.domains.aaa.pools import LONGEST_LEASED
from demarc.domains.errors import Conflict, Invalid
from demarc.platform.database import Tx

KINDS: tuple[PoolKind, ...] = ("framed_ipv6", "delegated_ipv6")

PACKED = 9
"""Octets of one packed prefix: its length, and the upper 64 bits."""

_NONE = bytes(PACKED)
_SHORTEST = 16


def pack(framed: str | None, delegated: str | None) -> bytes | None:
    """Put two prefixes into as little memory as they need.

    Args:
        framed: as CIDR; None for none. Longer ones than /64 are none: they are not ours.
        delegated: likewise.

    Returns:
        Two times `PACKED` octets, framed first; None for no prefixes at all.
    """
    if framed is None and delegated is None:
        return None
    packed = _packed(framed) + _packed(delegated)
    return packed if any(packed) else None


def _packed(prefix: str | None) -> bytes:
    if prefix is None:
        return _NONE
    network = IPv6Network(prefix, strict=False)
    if network.prefixlen > LONGEST_LEASED:
        return _NONE
    return bytes([network.prefixlen]) + network.network_address.packed[: PACKED - 1]


def share_any(one: bytes | None, other: bytes | None) -> bool:
    """Tell whether two packed pairs have a prefix in common, of whichever kind."""
    if one is None or other is None:
        return False
    if one == other:
        return True
    mine = {one[:PACKED], one[PACKED:]} - {_NONE}
    return not mine.isdisjoint((other[:PACKED], other[PACKED:]))


async def lease(
    tx: Tx, *, network_id: UUID, tenant_id: UUID, credential_id: UUID, kind: PoolKind, slot: int = 0
) -> str | None:
    """Lease a free prefix: from the ISP's own pools on the network first, then from all's.

    Returns:
        The prefix, or None when no pool has a free one.
    """
    wanted = {
        "network_id": network_id,
        "credential_id": credential_id,
        "kind": kind,
        "slot": slot,
    }
    for isp in (tenant_id, None):
        while True:
            if isp is None:
                found = await queries.LEASE_COMMON.one(tx, **wanted)
            else:
                found = await queries.LEASE_RESERVED.one(tx, tenant_id=isp, **wanted)
            if found is not None:
                return str(found.value)
            more = await queries.EXTEND.one(tx, network_id=network_id, kind=kind, isp=isp)
            if more is None or not more.value:
                break
    return None


async def lease_first(
    tx: Tx, *, network_id: UUID, tenant_id: UUID, credential_id: UUID, kind: PoolKind
) -> None:
    """Lease the prefix of a kind that a credential begins with.

    On a network without such pools it has none, and the NAS gives prefixes of its own.

    Raises:
        Conflict: the network's pools of that kind are exhausted.
    """
    leased = await lease(
        tx, network_id=network_id, tenant_id=tenant_id, credential_id=credential_id, kind=kind
    )
    if leased is None:
        pooled = await address_queries.HAS_POOL.one(
            tx, network_id=network_id, tenant_id=tenant_id, kind=kind
        )
        if pooled is not None and pooled.value:
            raise Conflict("the network's IPv6 pools are exhausted")


async def assign_static(
    tx: Tx,
    *,
    network_id: UUID,
    owner_id: UUID,
    tenant_id: UUID,
    credential_id: UUID,
    kind: PoolKind,
    prefix: str,
) -> None:
    """Give a credential a prefix of its own, from a pool or from outside of them.

    Raises:
        Invalid: it is no IPv6 prefix that can be routed to a subscriber.
        Conflict: it, or a part of it, is another's, or was minutes ago.
    """
    field = "static_ipv6_prefix" if kind == "framed_ipv6" else "static_delegated_prefix"
    wanted = _static(field, prefix)
    pool = await queries.POOL_OF_PREFIX.one(tx, network_id=network_id, prefix=str(wanted))
    if pool is not None:
        if (pool.kind, pool.length) != (kind, wanted.prefixlen):
            raise Conflict(f"{wanted} lies in a pool of other prefixes")
        if pool.tenant_id not in {None, tenant_id}:
            raise Conflict(f"{wanted} is taken")
    try:
        async with tx.conn.transaction():
            assigned = await queries.ASSIGN_STATIC.one(
                tx,
                network_id=network_id,
                owner_id=owner_id,
                credential_id=credential_id,
                kind=kind,
                prefix=str(wanted),
                pool_id=None if pool is None else pool.id,
                reserved_for=None if pool is None else pool.tenant_id,
                leasable=pool is None or pool.leasable,
            )
    except psycopg.errors.ExclusionViolation:
        raise Conflict(f"a part of {wanted} is taken") from None
    if assigned is None:
        raise Conflict(f"{wanted} is taken")


def _static(field: str, text: str) -> IPv6Network:
    try:
        wanted = IPv6Network(text)
    except ValueError:
        raise Invalid(field, "is not an IPv6 prefix") from None
    if not _SHORTEST <= wanted.prefixlen <= LONGEST_LEASED:
        raise Invalid(field, f"is not a /{_SHORTEST} to /{LONGEST_LEASED}")
    if wanted.is_multicast or wanted.is_link_local or wanted.is_loopback or wanted.is_unspecified:
        raise Invalid(field, "is not routed to anybody")
    return wanted


async def backfill(tx: Tx, pool: queries.PrefixPool, after: UUID, limit: int) -> UUID | None:
    """Lease prefixes to credentials that were made before there was a pool.

    Args:
        tx: of the system.
        pool: where, of which kind, and for which ISP.
        after: the credential that the last portion ended with.
        limit: credentials in one portion.

    Returns:
        Where to go on; None when all have one, or no more are free.
    """
    lacking = await queries.LACKING.all(
        tx,
        network_id=pool.network_id,
        tenant_id=pool.tenant_id,
        kind=pool.kind,
        after=after,
        limit=limit,
    )
    for one in lacking:
        leased = await lease(
            tx,
            network_id=one.network_id,
            tenant_id=one.tenant_id,
            credential_id=one.id,
            kind=_kind(pool.kind),
        )
        if leased is None:
            return None
    return lacking[-1].id if len(lacking) == limit else None


def _kind(text: str) -> PoolKind:
    return "framed_ipv6" if text == "framed_ipv6" else "delegated_ipv6"


async def pools_to_fill_from(tx: Tx) -> list[queries.PrefixPool]:
    """Give where prefixes are leased, for ``backfill``."""
    return await queries.PREFIX_POOLS.all(tx)


async def forget_rested(tx: Tx) -> int:
    """Drop static prefixes of no pool that were given back and have rested; give how many."""
    return await queries.FORGET_RESTED.run(tx)


__all__ = [
    "KINDS",
    "PACKED",
    "assign_static",
    "backfill",
    "forget_rested",
    "lease",
    "lease_first",
    "pack",
    "pools_to_fill_from",
    "share_any",
]
