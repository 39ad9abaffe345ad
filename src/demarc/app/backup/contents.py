"""What is asked of a database that is copied, and what is set right in one that was restored."""

from typing import Any

import msgspec
import psycopg
from psycopg import sql

from demarc.app.backup.manifest import AppliedMigration
from demarc.platform.database import SYSTEM, Connection, Tx
from demarc.platform.secrets.columns import ENCRYPTED
from demarc.platform.statements import Statement


class _Named(msgspec.Struct, frozen=True):
    name: str


TABLES = Statement(
    "backup.tables",
    """
    SELECT c.relname::text AS name
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'p') AND NOT c.relispartition
      AND c.relname <> 'migration'
    ORDER BY c.relname
    """,
    _Named,
)


class _Column(msgspec.Struct, frozen=True):
    table: str
    name: str


COLUMNS = Statement(
    "backup.columns",
    """
    SELECT c.relname::text AS table, a.attname::text AS name
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'p') AND NOT c.relispartition
      AND a.attnum > 0 AND NOT a.attisdropped
    """,
    _Column,
)

TENANTS = Statement("backup.tenants", "SELECT slug AS name FROM tenant ORDER BY slug", _Named)

APPLIED = Statement(
    "backup.migrations",
    "SELECT number, name, checksum, applied_at FROM migration ORDER BY number",
    AppliedMigration,
)

# Columns whose values mean something only in the server they were made in; a test holds this list
# to the schema.
NAMES_TRANSACTIONS = frozenset(
    {
        ("change", "xid"),
        ("change_purged", "upto"),
        ("service", "changed_xid"),
        ("snapshot_cursor", "cursor"),
    }
)

# Another server counts transactions anew: who follows changes begins anew, and what is given as
# "changed since" is all given once more. The trigger would stamp the rows with the time of the
# restore, too, which is no change of theirs.
_FORGET_TRANSACTIONS = (
    "TRUNCATE change, change_purged",
    "DELETE FROM snapshot_cursor",
    "ALTER TABLE service DISABLE TRIGGER USER",
    "UPDATE service SET changed_xid = pg_current_xact_id()",
    "ALTER TABLE service ENABLE TRIGGER USER",
)

# No worker of the old place lives here: what they had under way is taken anew. Where another job
# of the same waiting lock waits already, both run: handlers are idempotent.
_RUN_JOBS_ANEW = (
    """
    UPDATE procrastinate_jobs j SET status = 'todo', worker_id = NULL, abort_requested = false,
        queueing_lock = CASE WHEN EXISTS (
            SELECT 1 FROM procrastinate_jobs o
            WHERE o.queueing_lock = j.queueing_lock AND o.id <> j.id
              AND (o.status = 'todo' OR (o.status = 'doing' AND o.id < j.id))
        ) THEN NULL ELSE j.queueing_lock END
    WHERE status = 'doing'
    """,
    "DELETE FROM procrastinate_workers",
)


async def counts(conn: Connection) -> dict[str, int]:
    """Count the rows of every table, as the connection's transaction sees them."""
    found = {}
    for table in await TABLES.all(_tx(conn)):
        row = await _one(
            conn, sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table.name))
        )
        found[table.name] = int(row[0])
    return found


async def tenants(conn: Connection) -> list[str]:
    """Give the slugs of the organisations."""
    return [one.name for one in await TENANTS.all(_tx(conn))]


async def applied(conn: Connection) -> list[AppliedMigration]:
    """Give the migrations the database has."""
    return await APPLIED.all(_tx(conn))


async def keys_needed(conn: Connection) -> list[str]:
    """Give the ids of the keys under which something is encrypted.

    A column that came with a migration the database does not have yet holds nothing: a backup is
    taken before the migrations, with the new program, too.
    """
    there = {(one.table, one.name) for one in await COLUMNS.all(_tx(conn))}
    found: set[str] = set()
    for column in ENCRYPTED:
        if (column.table, column.column) not in there:
            continue
        asked = sql.SQL(
            "SELECT DISTINCT encode(substring({column} FROM 2 FOR 4), 'hex') FROM {table}"
            " WHERE {column} IS NOT NULL"
        ).format(column=sql.Identifier(column.column), table=sql.Identifier(column.table))
        found |= {key for (key,) in await (await conn.execute(asked)).fetchall()}
    return sorted(found)


async def set_right(conn: Connection, migrations: list[AppliedMigration]) -> None:
    """Set right what meant something in the old server alone, and say that the copy is whole.

    In one transaction of the caller's: before its commit the database counts as one that was
    restored in part, which no version starts on.
    """
    for statement in (*_FORGET_TRANSACTIONS, *_RUN_JOBS_ANEW):
        await conn.execute(statement.encode())
    for step in migrations:
        await conn.execute(
            "INSERT INTO migration (number, name, checksum, applied_at) VALUES (%s, %s, %s, %s)",
            [step.number, step.name, step.checksum, step.applied_at],
        )


async def state(conn: Connection) -> str:
    """Tell what is in a database: "empty", "partial" (a restore was cut short) or "filled"."""
    tables = await TABLES.all(_tx(conn))
    row = await _one(conn, sql.SQL("SELECT to_regclass('migration') IS NOT NULL"))
    if not row[0]:
        return "filled" if tables else "empty"
    row = await _one(conn, sql.SQL("SELECT EXISTS (SELECT 1 FROM migration)"))
    if row[0]:
        return "filled"
    return "partial" if tables else "empty"


async def octets(conn: Connection) -> int:
    """Give the size of the database."""
    return int((await _one(conn, sql.SQL("SELECT pg_database_size(current_database())")))[0])


def _tx(conn: Connection) -> Tx:
    return Tx(conn, None, SYSTEM)


async def _one(conn: Connection, question: sql.SQL | sql.Composed) -> tuple[Any, ...]:
    row: tuple[Any, ...] | None = await (await conn.execute(question)).fetchone()
    if row is None:
        raise psycopg.DataError("a statement that always gives a row gave none")
    return row


__all__ = [
    "NAMES_TRANSACTIONS",
    "applied",
    "counts",
    "keys_needed",
    "octets",
    "set_right",
    "state",
    "tenants",
]
