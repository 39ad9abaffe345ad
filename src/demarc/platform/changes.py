"""Following the log of changes without losing or overtaking any.

A reader keeps a ``pg_snapshot`` as its cursor: the next read takes the changes whose transaction
that snapshot had not yet seen, however late it committed. NOTIFY only wakes the reader; after a
lost connection it reads again from the cursor before it trusts itself.
"""

import asyncio
from collections.abc import AsyncGenerator
from uuid import UUID

import msgspec
import psycopg

from demarc.platform.database import Connection, Database, Tx
from demarc.platform.statements import Scalar, Statement


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


async def here(tx: Tx) -> str:
    """Give a cursor that stands at this moment."""
    found = await HERE.one(tx)
    if found is None:  # a SELECT without FROM always gives a row
        raise RuntimeError("the server gave no snapshot")
    return str(found.value)


async def since(tx: Tx, cursor: str, kinds: list[str]) -> tuple[list[Change], str]:
    """Give what changed since the cursor, and the cursor to read from next.

    Both are of one snapshot: the transaction is made repeatable for it.
    """
    await tx.conn.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
    following = await here(tx)
    return await SINCE.all(tx, cursor=cursor, kinds=kinds), following


async def follow(
    db: Database, kinds: list[str], *, retry_after: float = 1.0
) -> AsyncGenerator[list[Change] | None]:
    """Give changes as they come, for good.

    Yields:
        First None when the reader has caught up for the first time, then each batch of changes;
        and None again whenever it had lost the connection and has caught up again.
    """
    cursor: str | None = None
    while True:
        try:
            async with db.listen("demarc_change") as conn:
                async with db.system() as tx:
                    if cursor is None:
                        cursor = await here(tx)
                        missed: list[Change] = []
                    else:
                        missed, cursor = await since(tx, cursor, kinds)
                if missed:
                    yield missed
                yield None
                while True:
                    await _woken(conn)
                    async with db.system() as tx:
                        found, cursor = await since(tx, cursor, kinds)
                    if found:
                        yield found
        except (psycopg.Error, OSError):
            await asyncio.sleep(retry_after)


async def _woken(conn: Connection) -> None:
    """Wait for a notification, or half a minute at most, so that a silent loss is noticed."""
    async for _ in conn.notifies(timeout=30, stop_after=1):
        return
    await conn.execute("SELECT 1")
