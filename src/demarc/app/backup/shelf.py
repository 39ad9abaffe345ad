"""A folder with backups: which there are, and which are old enough to go."""

import re
import shutil
from pathlib import Path

import msgspec

from demarc.app.backup import manifest
from demarc.app.backup.errors import BackupProblem
from demarc.app.backup.manifest import Manifest
from demarc.app.backup.taking import PREFIX
from demarc.platform.secrets import KeyRing

_NAME = re.compile(re.escape(PREFIX) + r"\d{8}T\d{6}Z")


class Kept(msgspec.Struct, frozen=True):
    """A backup in the folder; without a manifest there is a reason why it cannot be read."""

    path: Path
    manifest: Manifest | None
    problem: str | None = None


def backups(folder: Path, keys: KeyRing | None = None) -> list[Kept]:
    """Give the backups in a folder, the oldest first.

    Raises:
        BackupProblem: it is no folder.
    """
    try:
        paths = sorted(path for path in folder.iterdir() if _NAME.fullmatch(path.name))
    except OSError as error:
        raise BackupProblem(f"{folder}: {error.strerror}") from None
    found = []
    for path in paths:
        try:
            found.append(Kept(path, manifest.read(path, keys)))
        except BackupProblem as problem:
            found.append(Kept(path, None, str(problem)))
    return found


def let_go(folder: Path, keep: int, keys: KeyRing | None = None) -> list[Path]:
    """Remove all backups but the newest ones that can be read; give which went.

    One that cannot be read counts for none of those kept, and is left for a person to look at.
    """
    good = [one for one in backups(folder, keys) if one.manifest is not None]
    gone = []
    for old in good[:-keep]:
        # out of sight first, so that no half of it is ever found under its name
        hidden = old.path.with_name(f".{old.path.name}.gone")
        old.path.rename(hidden)
        shutil.rmtree(hidden)
        gone.append(old.path)
    return gone


__all__ = ["Kept", "backups", "let_go"]
