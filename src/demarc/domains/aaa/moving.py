"""What is leased of pools that are drained, moved to other pools."""

from collections.abc import Mapping
from uuid import UUID

import msgspec

from demarc.domains.aaa import addresses, prefixes
from demarc.domains.aaa import pool_queries as queries
from demarc.domains.aaa.pool_queries import Moving
from demarc.platform.database import Tx
from demarc.platform.statements import Statement

_QUERIES: Mapping[str, Statement[Moving]] = {
    "addresses": queries.MOVING_ADDRESSES,
    "prefixes": queries.MOVING_PREFIXES,
}

WHAT = tuple(_QUERIES)


class Place(msgspec.Struct, frozen=True):
    """Where a portion ended: after this place of this credential."""

    credential_id: UUID = UUID(int=0)
    slot: int = -1


class Moved(msgspec.Struct, frozen=True):
    """What a portion came to.

    Attributes:
        moved: how many have something else now.
        left: how many have not, because no other pool had anything free.
        next: where to go on; None when all were seen.
    """

    moved: int
    left: int
    next: Place | None


class _NothingFree(Exception):
    pass


async def move(tx: Tx, what: str, after: Place, limit: int) -> Moved:
    """Move a portion of what is leased of drained pools.

    What is moved from rests, and is leased to nobody while a session still uses it.

    Args:
        tx: of the system.
        what: one of `WHAT`.
        after: where the portion before it ended.
        limit: leases in one portion.
    """
    found = await _QUERIES[what].all(
        tx, after=after.credential_id, after_slot=after.slot, limit=limit
    )
    moved = 0
    for lease in found:
        try:
            async with tx.conn.transaction():
                await _move(tx, lease)
            moved += 1
        except _NothingFree:
            continue
    last = Place(found[-1].credential_id, found[-1].slot) if len(found) == limit else None
    return Moved(moved, len(found) - moved, last)


async def _move(tx: Tx, lease: Moving) -> None:
    """Give a credential something else in the place of what it has.

    Raises:
        _NothingFree: no other pool has anything.
    """
    if lease.kind == "ipv4":
        await queries.FREE_ADDRESS.run(
            tx, network_id=lease.network_id, held=lease.held, rest=addresses.REST
        )
        given = await addresses.lease(
            tx,
            network_id=lease.network_id,
            tenant_id=lease.tenant_id,
            credential_id=lease.credential_id,
            station=lease.station,
            slot=lease.slot,
        )
    else:
        await queries.FREE_PREFIX.run(
            tx, network_id=lease.network_id, held=lease.held, rest=addresses.REST
        )
        given = await prefixes.lease(
            tx,
            network_id=lease.network_id,
            tenant_id=lease.tenant_id,
            credential_id=lease.credential_id,
            kind="framed_ipv6" if lease.kind == "framed_ipv6" else "delegated_ipv6",
            slot=lease.slot,
        )
    if given is None:
        raise _NothingFree


__all__ = ["WHAT", "Moved", "Place", "move"]
