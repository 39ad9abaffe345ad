"""``demarc backup`` and ``demarc restore``."""

import sys
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from demarc.cli.frame import command

if TYPE_CHECKING:
    from pathlib import Path

    from demarc.app.backup.manifest import Manifest, Progress
    from demarc.cli.answers import Shown
    from demarc.platform.settings import Settings


class BackupShown(msgspec.Struct, frozen=True):
    """A backup as commands show it; octets of all its files, rows of all its tables."""

    name: str
    made_at: datetime | None
    octets: int | None
    rows: int | None
    tenants: list[str]
    schema: int | None
    keys: list[str]
    state: str


def add_to(app: typer.Typer) -> None:
    """Add both."""
    command(app, "backup")(backup)
    command(app, "restore")(restore)


async def backup(
    settings: "Settings",
    *,
    folder: Annotated[str, typer.Argument(help="Where backups are kept, best on another disk.")],
    keep: Annotated[
        int | None, typer.Option(min=1, help="Afterwards remove all but so many of the newest.")
    ] = None,
    jobs: Annotated[
        int | None,
        typer.Option(min=1, max=32, help="Connections that copy at once; by size if left out."),
    ] = None,
    only_list: Annotated[
        bool, typer.Option("--list", help="Make none; list those there are.")
    ] = False,
    verify: Annotated[
        bool, typer.Option("--verify", help="Make none; read all of them, compare checksums.")
    ] = False,
) -> "Shown":
    """Copy the whole database into a new folder below FOLDER, while everything goes on serving.

    The copy is of one moment, and appears under its name only when it is complete. The keys are
    not in it: without the key file its secrets cannot be read, so keep a copy of that one apart
    (demarc keys export).

    Examples:
        demarc backup /var/backups/demarc --keep 14
        demarc backup /var/backups/demarc --list
        demarc backup /var/backups/demarc --verify --json
    """
    from pathlib import Path

    from demarc.app.backup import shelf
    from demarc.app.backup.recorded import take_and_record
    from demarc.app.parts import keys_of
    from demarc.cli.answers import Shown
    from demarc.cli.desk import acting

    kept_in = Path(folder)
    if only_list or verify:
        return _listed(settings, kept_in, verify=verify)
    taken = await take_and_record(settings, kept_in, acting(), jobs=jobs, progress=progress_shown())
    shown = _shown(taken.path.name, taken.manifest, "complete")
    lines = [f"{taken.path}: {_sum(taken.manifest)}"]
    if taken.unreadable:
        lines.append(
            f"its secrets need key(s) {', '.join(taken.unreadable)}, which the key file lacks"
        )
    if keep is not None:
        gone = shelf.let_go(kept_in, keep, keys_of(settings, may_create=False))
        lines += [f"removed {path.name}" for path in gone]
    return Shown(shown, "\n".join(lines))


async def restore(
    settings: "Settings",
    *,
    folder: Annotated[str, typer.Argument(metavar="BACKUP", help="The folder of one backup.")],
    jobs: Annotated[int, typer.Option(min=1, max=32, help="Connections that restore at once.")] = 1,
    check: Annotated[
        bool, typer.Option("--check", help="Only tell whether it can be restored with these keys.")
    ] = False,
) -> "Shown":
    """Restore a backup into an empty place: a new data folder, or an empty database.

    The key file that belongs to the backup must be in its place first (DEMARC_KEY_FILE, keys.toml
    in the data folder): that is looked at before anything is written. Live sessions are kept, jobs
    under way begin anew, and the next AEx snapshot of every ISP holds all its services.

    Examples:
        demarc restore /var/backups/demarc/demarc-20261121T031500Z --check
        demarc restore /var/backups/demarc/demarc-20261121T031500Z --data /var/lib/demarc
    """
    from pathlib import Path

    from demarc.app.backup import restoring
    from demarc.cli.answers import Shown
    from demarc.cli.desk import acting

    path = Path(folder)
    if check:
        found = restoring.checked(path, settings, progress_shown())
        shown = _shown(path.name, found, "complete")
        return Shown(shown, f"{path} is whole, and these are its keys: {_sum(found)}")
    done = await restoring.restore(path, settings, acting(), jobs=jobs, progress=progress_shown())
    lines = [f"restored {path.name}: {_sum(done.manifest)}"]
    lines += [f"applied migration {title}" for title in done.migrated]
    return Shown(_shown(path.name, done.manifest, "restored"), "\n".join(lines))


def _listed(settings: "Settings", folder: "Path", *, verify: bool) -> "Shown":
    from demarc.app.backup import manifest, shelf
    from demarc.app.backup.errors import BackupProblem
    from demarc.cli.answers import Shown, as_text
    from demarc.platform.secrets import KeyFileError, KeyRing

    try:
        keys = KeyRing.open(settings.key_file, create=False)
    except KeyFileError:
        keys = None  # whole or not can be told without, though not by whom it was made
    rows, bad = [], False
    for one in shelf.backups(folder, keys if verify else None):
        if one.manifest is None:
            rows.append(
                BackupShown(one.path.name, None, None, None, [], None, [], str(one.problem))
            )
            bad = True
            continue
        state = "complete"
        if verify:
            try:
                manifest.check(one.path, one.manifest, progress_shown())
                state = "verified" if keys else "whole; the seal needs the keys"
            except BackupProblem as problem:
                state, bad = str(problem), True
        rows.append(_shown(one.path.name, one.manifest, state))
    return Shown(rows, as_text(rows).rstrip("\n"), 1 if bad else 0)


def _shown(name: str, found: "Manifest", state: str) -> BackupShown:
    return BackupShown(
        name=name,
        made_at=found.made_at,
        octets=found.size,
        rows=sum(found.counts.values()),
        tenants=found.tenants,
        schema=found.schema,
        keys=found.keys,
        state=state,
    )


def _sum(found: "Manifest") -> str:
    return (
        f"{sum(found.counts.values())} rows of {len(found.tenants)} organisations in"
        f" {found.size / 1e6:.1f} MB, as of {found.made_at:%Y-%m-%d %H:%M:%S%z}, schema"
        f" {found.schema:04d}, key(s) {', '.join(found.keys) or 'none'}"
    )


def progress_shown() -> "Progress":
    """Give what tells of progress: one line that changes on a terminal, a line a step elsewhere."""
    terminal = sys.stderr.isatty()
    last = ""

    def tell(what: str, done: int, whole: int) -> None:
        nonlocal last
        if terminal:
            sys.stderr.write(f"\r\x1b[K{what}: {done} of {whole}")
            if done >= whole:
                sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
        elif what != last:
            sys.stderr.write(f"demarc: {what} ({whole})\n")
        last = what

    return tell


__all__ = ["add_to"]
