"""Applies the numbered SQL files that a database does not have yet."""

import hashlib
import re
from collections.abc import Callable
from importlib import resources

import msgspec
import psycopg
from procrastinate.schema import SchemaManager

# Two migrators of one database wait for each other here ("demarc" in a byte's digits).
_LOCK = 0x64656D617263
# A migration that cannot have its locks soon gives up instead of queueing the whole site behind it.
_LOCK_TIMEOUT = "10s"
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


class MigrationFailed(Exception):
    """A migration could not be applied; the database is as the one before left it."""


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
    def title(self) -> str:
        """Its number and name, as its file has them."""
        return f"{self.number:04d}_{self.name}"

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
    await _let_read(conn)
    rows = await (await conn.execute("SELECT number, checksum FROM migration")).fetchall()
    applied: dict[int, str] = dict(rows)
    missing = []
    for step in migrations():
        checksum = applied.get(step.number)
        if checksum is None:
            missing.append(step)
        elif checksum != step.checksum:
            raise ChangedMigration(
                f"migration {step.title} was applied in another form;"
                " use the version that applied it, or restore a backup"
            )
    return missing


async def _let_read(conn: psycopg.AsyncConnection) -> None:
    """Enter the system's role where the login role may not read the history itself."""
    row = await (await conn.execute("SELECT has_table_privilege('migration', 'SELECT')")).fetchone()
    if row is not None and not row[0]:
        await conn.execute("SET ROLE demarc_system")


async def migrate(conninfo: str, *, on_new: Callable[[], object] | None = None) -> list[str]:
    """Bring the database to this version's schema.

    Migrators of one database wait for each other.

    Args:
        conninfo: a libpq connection string of a role that owns the database and may create roles.
        on_new: called before the first migration of an empty database, by one migrator only; what
            it raises ends all before anything is done.

    Returns:
        The names of the migrations applied now; empty when nothing was missing.

    Raises:
        ChangedMigration: a migration applied there is not the one of this version.
        MigrationFailed: one cannot be applied; those before it are.
    """
    applied = []
    async with await psycopg.AsyncConnection.connect(conninfo, autocommit=True) as conn:
        await conn.execute("SET client_min_messages = warning")
        # given back with the connection, however it ends
        await conn.execute("SELECT pg_advisory_lock(%s)", [_LOCK])
        missing = await _pending(conn)
        if on_new is not None and missing and missing == migrations():
            on_new()
        if missing:
            await conn.execute(_HISTORY)
        for step in missing:
            await _apply(conn, step)
            applied.append(step.title)
    return applied


async def _apply(conn: psycopg.AsyncConnection, step: Migration) -> None:
    try:
        async with conn.transaction():
            await conn.execute(f"SET LOCAL lock_timeout = '{_LOCK_TIMEOUT}'")
            await conn.execute(step.script.encode(), prepare=False)
            await conn.execute(
                "INSERT INTO migration (number, name, checksum) VALUES (%s, %s, %s)",
                [step.number, step.name, step.checksum],
            )
    except psycopg.errors.LockNotAvailable as busy:
        raise MigrationFailed(
            f"migration {step.title} waited {_LOCK_TIMEOUT} for a table that others use, and gave"
            " up so as not to hold everybody up: try again when it is quieter"
        ) from busy
    except psycopg.errors.InsufficientPrivilege as refused:
        raise MigrationFailed(
            f"migration {step.title} may not do what it must ({_first_line(refused)}): the login"
            " role must own the database, and may create roles or be let into demarc_app and"
            " demarc_system"
        ) from refused
    except psycopg.OperationalError:
        raise  # the server is away; that says nothing about the migration
    except psycopg.Error as wrong:
        raise MigrationFailed(
            f"migration {step.title} failed, and left nothing: {_first_line(wrong)}"
        ) from wrong


def _first_line(error: psycopg.Error) -> str:
    return error.diag.message_primary or str(error).partition("\n")[0]
