"""Taking a backup of a database that serves meanwhile."""

import os
import shutil
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC
from importlib.metadata import version
from pathlib import Path
from uuid import uuid4

import msgspec
import psycopg

from demarc.app.backup import contents, manifest, programs
from demarc.app.backup.errors import BackupProblem
from demarc.app.backup.manifest import Manifest, Progress, quiet
from demarc.platform.clock import now
from demarc.platform.database import Connection
from demarc.platform.postgres import fitting
from demarc.platform.secrets import KeyRing
from demarc.platform.settings import Settings

PREFIX = "demarc-"
# From this size on several connections copy at once.
_BIG = 1 << 30
_AT_ONCE = 4


class Taken(msgspec.Struct, frozen=True):
    """A backup that was made.

    Attributes:
        path: its folder.
        unreadable: ids of keys that its secrets need and the key file lacks.
    """

    path: Path
    manifest: Manifest
    unreadable: list[str]


async def take(
    settings: Settings,
    conninfo: str,
    keys: KeyRing,
    into: Path,
    *,
    jobs: int | None = None,
    progress: Progress = quiet,
) -> Taken:
    """Copy the database into a new folder, which appears when it is complete and on the disk.

    All is of one moment: the copy, the counts and the ids of the keys come from one snapshot.

    Args:
        settings: for the programs and the name of this machine.
        conninfo: the database, as the role that owns it.
        keys: seal the backup; they are not put into it.
        into: the folder of backups; made, for its owner alone, if it is missing.
        jobs: connections that copy at once; by the size of the database if not given.
        progress: is told.

    Raises:
        BackupProblem: it cannot be made; nothing is left of it.
        ServerProblem: there are no programs for this server.
    """
    moment = now()
    name = f"{PREFIX}{moment.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    final, work = into / name, into / f".{name}.{os.getpid()}.partial"
    _begin(work, final)
    try:
        made = await _copied(settings, conninfo, keys, work, jobs=jobs, progress=progress)
        work.rename(final)
        _sync(into)
    except BaseException:
        shutil.rmtree(work, ignore_errors=True)
        raise
    return Taken(final, made, sorted(set(made.keys) - set(keys.created)))


def _begin(work: Path, final: Path) -> None:
    if final.exists():
        raise BackupProblem(f"{final} is there already")
    try:
        work.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        work.mkdir(mode=0o700)
    except OSError as error:
        raise BackupProblem(f"{work} cannot be made: {error.strerror}") from None


async def _copied(
    settings: Settings,
    conninfo: str,
    keys: KeyRing,
    work: Path,
    *,
    jobs: int | None,
    progress: Progress,
) -> Manifest:
    async with _snapshot(conninfo) as (conn, snapshot):
        server = conn.info.server_version
        binaries = fitting(server // 10_000, settings.pg_bin, exact=False)
        migrations = await contents.applied(conn)
        if not migrations:
            raise BackupProblem("the database was restored in part, or not migrated yet")
        if jobs is None:
            jobs = 1 if await contents.octets(conn) < _BIG else min(_AT_ONCE, os.cpu_count() or 1)
        counts = await contents.counts(conn)
        await programs.run(
            binaries.bin_dir / "pg_dump",
            conninfo,
            [
                "--format=directory",
                f"--jobs={jobs}",
                f"--snapshot={snapshot}",
                "--lock-wait-timeout=60s",
                # written last by the restore: before, the copy counts as incomplete
                "--exclude-table-data=migration",
                f"--file={work / manifest.DATABASE}",
            ],
            what="tables copied",
            tables=await _tables(conn),
            progress=progress,
        )
        row = await (await conn.execute("SELECT now()")).fetchone()
        made = Manifest(
            format=manifest.FORMAT,
            id=uuid4(),
            made_at=row[0] if row else now(),
            node=settings.node,
            demarc=version("demarc"),
            server=server,
            programs=binaries.version[0],
            migrations=migrations,
            tenants=await contents.tenants(conn),
            counts=counts,
            keys=await contents.keys_needed(conn),
            files=[],
        )
    made = msgspec.structs.replace(made, files=manifest.listed(work, progress))
    file = work / manifest.NAME
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as output:
        output.write(manifest.seal(made, keys))
        output.flush()
        os.fsync(output.fileno())
    _sync(work / manifest.DATABASE)
    _sync(work)
    return made


@asynccontextmanager
async def _snapshot(conninfo: str) -> AsyncGenerator[tuple[Connection, str]]:
    """Hold a snapshot that pg_dump can take over."""
    conn: Connection = await psycopg.AsyncConnection.connect(
        conninfo, autocommit=True, application_name="demarc/backup"
    )
    async with conn:
        await conn.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        # a policy that hides rows is an error, not a shorter backup
        await conn.execute("SET LOCAL row_security = off")
        row = await (await conn.execute("SELECT pg_export_snapshot()")).fetchone()
        if row is None:
            raise RuntimeError("the server gave no snapshot")
        yield conn, str(row[0])


async def _tables(conn: Connection) -> int:
    row = await (
        await conn.execute(
            "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE n.nspname = current_schema() AND c.relkind = 'r' AND c.relname <> 'migration'"
        )
    ).fetchone()
    return int(row[0]) if row else 0


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


__all__ = ["PREFIX", "Taken", "take"]
