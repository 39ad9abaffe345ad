"""Backups as commands take them: of the database there is, and written into its audit log."""

from pathlib import Path

from demarc.app.backup.manifest import Progress, quiet
from demarc.app.backup.taking import Taken, take
from demarc.app.parts import keys_of, login_of, server
from demarc.domains.identity import audit
from demarc.platform.database import Actor, Database
from demarc.platform.settings import Settings


async def take_and_record(
    settings: Settings,
    into: Path,
    actor: Actor,
    *,
    jobs: int | None = None,
    progress: Progress = quiet,
) -> Taken:
    """Take a backup of the database of the settings, and write down who took it.

    A private server that runs already is used; else it is run for as long as this takes.

    Raises:
        BackupProblem, ServerProblem, KeyFileError: as `take`.
    """
    keys = keys_of(settings, may_create=False)
    async with server(settings) as owner:
        taken = await take(settings, owner, keys, into, jobs=jobs, progress=progress)
        db = await Database.open(login_of(settings, owner), tenant_pool=1, system_pool=1)
        try:
            async with db.system(actor) as tx:
                await audit.write(
                    tx,
                    action="backup",
                    kind="installation",
                    key=taken.manifest.id,
                    after={"name": taken.path.name, "octets": taken.manifest.size},
                )
        finally:
            await db.close()
    return taken


__all__ = ["take_and_record"]
