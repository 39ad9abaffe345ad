"""Following the log of changes without losing or overtaking any.

A reader keeps a ``pg_snapshot`` as its cursor: the next read takes the changes whose transaction
that snapshot had not yet seen, however late it committed. NOTIFY only wakes the reader; after a
lost connection it reads again from the cursor before it trusts itself. A reader that was away for
longer than the log reaches back notices, and begins anew.
"""

import asyncio
from collections.abc import AsyncGenerator
from datetime import timedelta
from time import monotonic
from uuid import UUID

import msgspec
import psycopg

from demarc.platform.database import Connection, Database, Tx
from demarc.platform.statements import Scalar, Statement
from demarc.platform.telemetry import metrics


class Change(msgspec.Struct, frozen=True):
    """One row that others may have to notice.

    Attributes:
        kind: what changed ("service", "credential", "nas" ...).
        key: its id.
        tenant_id: whose it is, where it is somebody's.
        operation: insert, update or delete.
    """

    kind: str
    key: UUID
    tenant_id: UUID | None
    operation: str


HERE = Statement("changes.here", "SELECT pg_current_snapshot()::text AS value", Scalar)

SINCE = Statement(
    "changes.since",
    """
    SELECT kind, key, tenant_id, operation FROM change
    WHERE xid >= pg_snapshot_xmin(%(cursor)s::text::pg_snapshot)
      AND NOT pg_visible_in_snapshot(xid, %(cursor)s::text::pg_snapshot)
      AND kind = ANY(%(kinds)s::text[])
    ORDER BY id
    """,
    Change,
)


LOST = Statement(
    "changes.lost",
    """
    SELECT EXISTS (SELECT 1 FROM change_purged
                   WHERE upto >= pg_snapshot_xmin(%(cursor)s::text::pg_snapshot)) AS value
    """,
    Scalar,
)

# Only what is older than every transaction under way: a reader that lives has seen all of it.
PURGE = Statement(
    "changes.purge",
    """
    WITH gone AS (
        DELETE FROM change
        WHERE at < now() - %(keep)s::interval AND xid < pg_snapshot_xmin(pg_current_snapshot())
        RETURNING xid
    ), noted AS (
        INSERT INTO change_purged AS p (upto) SELECT max(xid) FROM gone HAVING count(*) > 0
        ON CONFLICT (one) DO UPDATE SET upto = greatest(p.upto, excluded.upto)
    )
    SELECT count(*) AS value FROM gone
    """,
    Scalar,
)

# A connection that is silently gone, in seconds until it is given up.
_ANSWERS_WITHIN = 10.0
_LISTENS_FOR = 30.0


async def here(tx: Tx) -> str:
    """Give a cursor that stands at this moment."""
    found = await HERE.one(tx)
    if found is None:  # a SELECT without FROM always gives a row
        raise RuntimeError("the server gave no snapshot")
    return str(found.value)


async def since(tx: Tx, cursor: str, kinds: list[str]) -> tuple[list[Change] | None, str]:
    """Give what changed since the cursor, and the cursor to read from next.

    Both are of one snapshot: the transaction is made repeatable for it.

    Returns:
        None in the place of the changes when some of them are purged already.
    """
    await tx.conn.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
    following = await here(tx)
    lost = await LOST.one(tx, cursor=cursor)
    if lost is None or lost.value:
        return None, following
    return await SINCE.all(tx, cursor=cursor, kinds=kinds), following


async def purge(tx: Tx, keep: timedelta) -> int:
    """Let go of changes older than that; give how many they were."""
    gone = await PURGE.one(tx, keep=keep)
    return 0 if gone is None else int(gone.value)


async def follow(
    db: Database, kinds: list[str], *, retry_after: float = 1.0
) -> AsyncGenerator[list[Change] | None]:
    """Give changes as they come, for good.

    Yields:
        None first, and whenever changes may have been missed for good: what the reader remembers
        is then not to be trusted, what it reads from now on is. Otherwise batches of changes; an
        empty one says that a lost connection is back and nothing was missed.
    """
    cursor: str | None = None
    read = monotonic()
    metrics.ask("change_log_read_age_seconds", lambda: monotonic() - read, reader=",".join(kinds))
    while True:
        try:
            async with db.listen("demarc_change") as conn:
                async with asyncio.timeout(_ANSWERS_WITHIN), db.system() as tx:
                    if cursor is None:
                        found, cursor = None, await here(tx)
                    else:
                        found, cursor = await since(tx, cursor, kinds)
                read = monotonic()
                yield found
                while True:
                    await _woken(conn, kinds)
                    async with asyncio.timeout(_ANSWERS_WITHIN), db.system() as tx:
                        found, cursor = await since(tx, cursor, kinds)
                    read = monotonic()
                    if found is None or found:
                        yield found
        except (psycopg.Error, OSError):  # a timeout is one of these
            await asyncio.sleep(retry_after)


async def _woken(conn: Connection, kinds: list[str]) -> None:
    """Wait for a notification of these kinds, or half a minute at most.

    So a silent loss is noticed, and the cursor moves on though only other kinds change.
    """
    until = monotonic() + _LISTENS_FOR
    while (left := until - monotonic()) > 0:
        heard = [one.payload async for one in conn.notifies(timeout=left, stop_after=1)]
        if not set(heard).isdisjoint(kinds):
            return
    async with asyncio.timeout(_ANSWERS_WITHIN):
        await conn.execute("SELECT 1")
