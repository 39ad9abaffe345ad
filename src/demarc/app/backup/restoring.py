"""Putting a backup into an empty place, and making it a database that may be served from."""

import asyncio
from pathlib import Path

import msgspec
import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from demarc.app.backup import contents, manifest, programs
from demarc.app.backup.errors import BackupProblem, Damaged, NotEmpty
from demarc.app.backup.manifest import Manifest, Progress, quiet
from demarc.app.parts import hosted, keys_of, migrated
from demarc.app.upkeep import Upkeep
from demarc.domains.identity import audit
from demarc.platform.database import Actor, Connection, Database
from demarc.platform.migrations import migrations
from demarc.platform.postgres import DATABASE, Binaries, fitting
from demarc.platform.roles import ensure_roles
from demarc.platform.settings import Settings


class Restored(msgspec.Struct, frozen=True):
    """What was restored.

    Attributes:
        migrated: migrations applied besides, since the backup was of an earlier version.
    """

    manifest: Manifest
    migrated: list[str]


def checked(folder: Path, settings: Settings, progress: Progress = quiet) -> Manifest:
    """See that a backup is whole, that these keys are its keys, and that this version knows it.

    Raises:
        BackupProblem: it cannot be restored here.
        KeyFileError: there are no keys, or they cannot be used.
    """
    manifest.read(folder)  # what is no backup is told before keys are asked for
    keys = keys_of(settings, may_create=False)
    found = manifest.read(folder, keys)
    manifest.check(folder, found, progress)
    known = {step.number: step.checksum for step in migrations()}
    for step in found.migrations:
        if step.number not in known:
            raise BackupProblem(
                f"{folder} has migration {step.number:04d}_{step.name}, which this version does not"
                " know: restore with the version that made it, or a later one"
            )
        if known[step.number] != step.checksum:
            raise BackupProblem(
                f"{folder} has migration {step.number:04d}_{step.name} in another form than this"
                " version"
            )
    return found


async def restore(
    folder: Path,
    settings: Settings,
    actor: Actor,
    *,
    jobs: int = 1,
    progress: Progress = quiet,
) -> Restored:
    """Restore into the private server of the data folder, or into the database of the settings.

    Args:
        folder: the backup.
        settings: where to; the key file of the backup must be in its place there.
        actor: who restores, for the audit log.
        jobs: connections that restore at once.
        progress: is told.

    Raises:
        NotEmpty: there is something already; nothing was touched.
        BackupProblem: it cannot be restored; nothing was written, or nothing is left of it.
        ServerProblem: the private server cannot be started, or somebody serves from it.
        KeyFileError: there are no keys, or they cannot be used.
    """
    found = await asyncio.to_thread(checked, folder, settings, progress)
    async with hosted(settings) as database:
        owner = database.owner
        async with await _connect(owner) as conn:
            before = await contents.state(conn)
            major = conn.info.server_version // 10_000
        private = settings.database_url is None
        if before == "filled" or (before == "partial" and not private):
            where = settings.data / "postgres" if private else "the database of DEMARC_DATABASE_URL"
            why = "is not empty" if before == "filled" else "has a part of a restored backup"
            raise NotEmpty(f"{where} {why}: restore into an empty one")
        if found.programs > major:
            raise BackupProblem(
                f"{folder} was written by programs of PostgreSQL {found.programs}, and the server"
                f" here is {major}: restore into one that is not older"
            )
        binaries = fitting(major, settings.pg_bin, exact=True)
        if before == "partial":
            await _anew(owner)
        try:
            await _filled(folder, found, owner, binaries=binaries, jobs=jobs, progress=progress)
        except BaseException:
            if private:  # made for this alone
                await _anew(owner)
            raise
        done = Restored(found, await migrated(settings, owner))
        await _record(database.conninfo, done, actor)
    return done


async def _filled(
    folder: Path,
    found: Manifest,
    owner: str,
    *,
    binaries: Binaries,
    jobs: int,
    progress: Progress,
) -> None:
    async with await _connect(owner) as conn:
        await ensure_roles(conn)
    await programs.run(
        binaries.bin_dir / "pg_restore",
        owner,
        [
            "--no-owner",
            "--exit-on-error",
            "--single-transaction" if jobs == 1 else f"--jobs={jobs}",
            str(folder / manifest.DATABASE),
        ],
        what="tables restored",
        tables=sum(1 for file in found.files if not file.path.endswith("toc.dat")),
        progress=progress,
    )
    async with await _connect(owner) as conn:
        there = await contents.counts(conn)
        for table, rows in found.counts.items():
            if there.get(table) != rows:
                raise Damaged(
                    f"{table} has {there.get(table)} rows after the restore, and had {rows}"
                )
        progress("set right", 0, 1)
        async with conn.transaction():
            await contents.set_right(conn, found.migrations)
        await conn.execute("ANALYZE")
        progress("set right", 1, 1)


async def _record(conninfo: str, done: Restored, actor: Actor) -> None:
    db = await Database.open(conninfo, tenant_pool=1, system_pool=1, name="demarc/restore")
    try:
        # an old backup has none for today
        await Upkeep(db).make_partitions()
        async with db.system(actor) as tx:
            await audit.write(
                tx,
                action="restore",
                kind="installation",
                key=done.manifest.id,
                after={"made_at": done.manifest.made_at, "node": done.manifest.node},
            )
    finally:
        await db.close()


async def _anew(owner: str) -> None:
    """Put an empty database in the place of one that was restored in part."""
    name = sql.Identifier(DATABASE)
    async with await _connect(make_conninfo(owner, dbname="postgres")) as conn:
        await conn.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))
        await conn.execute(sql.SQL("CREATE DATABASE {}").format(name))


async def _connect(conninfo: str) -> Connection:
    return await psycopg.AsyncConnection.connect(
        conninfo, autocommit=True, application_name="demarc/restore"
    )


__all__ = ["Restored", "checked", "restore"]
