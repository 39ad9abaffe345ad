"""Applies the numbered SQL files that a database does not have yet."""

import hashlib
import re
from importlib import resources

import msgspec
import psycopg
from procrastinate.schema import SchemaManager

# Two migrators of one database wait for each other here ("demarc" in a byte's digits).
_LOCK = 0x64656D617263
# A migration that cannot have its locks soon gives up instead of queueing the whole site behind it.
_LOCK_TIMEOUT = "10s"
#: Applied when, and only when, a database is new.
FIRST = "0001_platform"
_NAME = re.compile(r"(\d{4})_([a-z0-9_]+)\.sql")
_JOB_SCHEMA = "-- demarc:include procrastinate\n"

_HISTORY = """
CREATE TABLE IF NOT EXISTS migration (
    number     integer PRIMARY KEY,
    name       text NOT NULL,
    checksum   text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
)
"""


class ChangedMigration(Exception):
    """A migration that was applied here differs from the file of this version."""


class Migration(msgspec.Struct, frozen=True):
    """One numbered step of the schema."""

    number: int
    name: str
    sql: str

    @property
    def checksum(self) -> str:
        """SHA-256 of the file, as hex."""
        return hashlib.sha256(self.sql.encode()).hexdigest()

    @property
    def script(self) -> str:
        """What is run: the file, with the job queue's own schema where it asks for it."""
        return self.sql.replace(_JOB_SCHEMA, SchemaManager.get_schema() + "\n")


def migrations() -> list[Migration]:
    """Give every migration of this version, in order."""
    found = []
    for entry in resources.files(__package__ or "demarc.platform.migrations").iterdir():
        if named := _NAME.fullmatch(entry.name):
            found.append(Migration(int(named[1]), named[2], entry.read_text(encoding="utf-8")))
    return sorted(found, key=lambda step: step.number)


async def pending(conninfo: str) -> list[Migration]:
    """Give the migrations that the database lacks.

    Raises:
        ChangedMigration: a migration applied there is not the one of this version.
    """
    async with await psycopg.AsyncConnection.connect(conninfo) as conn:
        return await _pending(conn)


async def _pending(conn: psycopg.AsyncConnection) -> list[Migration]:
    exists = await (await conn.execute("SELECT to_regclass('migration')")).fetchone()
    if exists is None or exists[0] is None:
        return migrations()
    rows = await (await conn.execute("SELECT number, checksum FROM migration")).fetchall()
    applied: dict[int, str] = dict(rows)
    missing = []
    for step in migrations():
        checksum = applied.get(step.number)
        if checksum is None:
            missing.append(step)
        elif checksum != step.checksum:
            raise ChangedMigration(
                f"migration {step.number:04d}_{step.name} was applied in another form;"
                " use the version that applied it, or restore a backup"
            )
    return missing


async def migrate(conninfo: str) -> list[str]:
    """Bring the database to this version's schema.

    Args:
        conninfo: a libpq connection string of a role that owns the database and may create roles.

    Returns:
        The names of the migrations applied now; empty when nothing was missing.

    Raises:
        ChangedMigration: a migration applied there is not the one of this version.
    """
    applied = []
    async with await psycopg.AsyncConnection.connect(conninfo, autocommit=True) as conn:
        await conn.execute("SET client_min_messages = warning")
        await conn.execute("SELECT pg_advisory_lock(%s)", [_LOCK])
        try:
            await conn.execute(_HISTORY)
            for step in await _pending(conn):
                async with conn.transaction():
                    await conn.execute(f"SET LOCAL lock_timeout = '{_LOCK_TIMEOUT}'")
                    await conn.execute(step.script.encode(), prepare=False)
                    await conn.execute(
                        "INSERT INTO migration (number, name, checksum) VALUES (%s, %s, %s)",
                        [step.number, step.name, step.checksum],
                    )
                applied.append(f"{step.number:04d}_{step.name}")
        finally:
            await conn.execute("SELECT pg_advisory_unlock(%s)", [_LOCK])
    return applied
