"""The RADIUS processes on one database: that they live, and what they tell each other.

The database tells the others whose sessions began or ended, while there are others (migration
0017); here they say that they are there, and read the sessions they were told of.
"""

from collections.abc import AsyncGenerator
from uuid import UUID

from demarc.domains.aaa.session_queries import LIVE_USES_BETWEEN, LIVE_USES_OF, LiveUse
from demarc.platform.database import Tx
from demarc.platform.statements import Scalar, Statement

GONE_AFTER = 10.0
"""Seconds without a sign of life after which a node counts as gone, as migration 0017 has it."""

SLICES = 256
"""Parts that the live sessions are read in; each has the credentials of one first octet."""

_PIECE = 500
_SLICE_BITS = 120

BEAT = Statement(
    "aaa.radius_node_beats",
    """
    INSERT INTO radius_node (id, name) VALUES (%(id)s, %(name)s)
    ON CONFLICT (id) DO UPDATE SET heard_at = clock_timestamp()
    RETURNING (SELECT count(*) FROM radius_node o
               WHERE o.id <> %(id)s AND o.heard_at > clock_timestamp() - %(gone)s::interval
              ) AS value
    """,
    Scalar,
)

LEAVE = Statement(
    "aaa.radius_node_leaves",
    "DELETE FROM radius_node WHERE id = %(id)s OR heard_at < now() - interval '1 day'",
)


async def beat(tx: Tx, node_id: UUID, name: str) -> int:
    """Say that a node lives; give how many others do."""
    found = await BEAT.one(tx, id=node_id, name=name, gone=f"{GONE_AFTER} seconds")
    return 0 if found is None else int(found.value)


async def leave(tx: Tx, node_id: UUID) -> None:
    """Say that a node has ended, so that nobody tells it anything any more."""
    await LEAVE.run(tx, id=node_id)


async def sessions_of(tx: Tx, credentials: list[UUID]) -> AsyncGenerator[list[LiveUse]]:
    """Give the live sessions of credentials, some at a time."""
    async for piece in LIVE_USES_OF.in_pieces(tx, _PIECE, credentials=credentials):
        yield piece


async def sessions_in(tx: Tx, slice_: int) -> AsyncGenerator[list[LiveUse]]:
    """Give the live sessions of a slice of all credentials, 0 to 255, some at a time."""
    first = slice_ << _SLICE_BITS
    last = first + (1 << _SLICE_BITS) - 1
    async for piece in LIVE_USES_BETWEEN.in_pieces(
        tx, _PIECE, first=UUID(int=first), last=UUID(int=last)
    ):
        yield piece


def slice_of(credential_id: UUID) -> int:
    """Tell in which slice a credential is."""
    return credential_id.bytes[0]


__all__ = [
    "GONE_AFTER",
    "SLICES",
    "beat",
    "leave",
    "sessions_in",
    "sessions_of",
    "slice_of",
]
