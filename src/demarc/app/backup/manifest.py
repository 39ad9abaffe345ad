"""What a backup says about itself, and whether that is still true.

``manifest.json`` holds the manifest, its SHA-256 and its seal: an HMAC under a key of the key file,
which nobody can make who does not have the keys. The manifest names every other file with its size
and SHA-256, so that the whole backup stands or falls with the seal.
"""

import hashlib
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from uuid import UUID

import msgspec

from demarc.app.backup.errors import BackupProblem, Damaged
from demarc.platform.secrets import KeyRing

FORMAT = 1
NAME = "manifest.json"
DATABASE = "database"
"""The folder of what pg_dump wrote, in its directory format."""

_PURPOSE = "backup manifest"
_PIECE = 1 << 20


class AppliedMigration(msgspec.Struct, frozen=True):
    """A migration that the database had."""

    number: int
    name: str
    checksum: str
    applied_at: datetime


class StoredFile(msgspec.Struct, frozen=True):
    """A file of the backup: its path within the folder, its octets and their SHA-256."""

    path: str
    size: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True):
    """What is in a backup.

    Attributes:
        format: of the backup; 1.
        id: its own.
        made_at: the moment the data are of.
        node: where it was made.
        demarc: the version that made it.
        server: PostgreSQL's version the data come from, as 180004.
        programs: major version of the pg_dump that wrote it.
        migrations: the schema it has.
        tenants: the organisations in it, by slug.
        counts: rows of each table.
        keys: ids of the keys its secrets need; the keys themselves are never in a backup.
        files: all others but the manifest.
    """

    format: int
    id: UUID
    made_at: datetime
    node: str
    demarc: str
    server: int
    programs: int
    migrations: list[AppliedMigration]
    tenants: list[str]
    counts: dict[str, int]
    keys: list[str]
    files: list[StoredFile]

    @property
    def size(self) -> int:
        """Octets of all files."""
        return sum(file.size for file in self.files)

    @property
    def schema(self) -> int:
        """The number of the last migration."""
        return max((step.number for step in self.migrations), default=0)


class _Sealed(msgspec.Struct, frozen=True):
    manifest: msgspec.Raw
    sha256: str
    seal: str


Progress = Callable[[str, int, int], None]
"""Is told what is being done, how much of it is done, and how much there is."""


def quiet(_what: str, _done: int, _whole: int) -> None:
    """Tell nobody."""


def seal(manifest: Manifest, keys: KeyRing) -> bytes:
    """Give the content of the manifest's file."""
    body = msgspec.json.encode(manifest)
    sealed = _Sealed(
        msgspec.Raw(body), hashlib.sha256(body).hexdigest(), keys.hmac(_PURPOSE, body).hex()
    )
    return msgspec.json.encode(sealed) + b"\n"


def read(folder: Path, keys: KeyRing | None = None) -> Manifest:
    """Read the manifest of a backup.

    Args:
        folder: the backup.
        keys: whose seal it must carry; without them only damage is noticed, not forgery.

    Raises:
        BackupProblem: there is no backup, or one of a later format.
        Damaged: it was altered, or was sealed with a key that is not there.
    """
    try:
        content = (folder / NAME).read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        raise BackupProblem(f"{folder} is no backup: it has no {NAME}") from None
    except OSError as error:
        raise BackupProblem(f"{folder} cannot be read: {error.strerror}") from None
    try:
        sealed = msgspec.json.decode(content, type=_Sealed)
        tag = bytes.fromhex(sealed.seal)
    except (msgspec.DecodeError, ValueError):
        raise Damaged(f"the manifest of {folder} is damaged") from None
    body = bytes(sealed.manifest)
    if hashlib.sha256(body).hexdigest() != sealed.sha256:
        raise Damaged(f"the manifest of {folder} was altered")
    try:
        manifest = msgspec.json.decode(body, type=Manifest)
    except msgspec.DecodeError:
        raise BackupProblem(f"{folder} was made by a version of Demarc that is not known") from None
    if manifest.format != FORMAT:
        raise BackupProblem(f"{folder} was made by a later version of Demarc: use that one")
    if keys is not None:
        missing = sorted(set(manifest.keys) - set(keys.created))
        if missing:
            raise BackupProblem(
                f"the secrets in {folder} need key(s) {', '.join(missing)}, which the key file does"
                " not have: put the key file in place that belongs to this backup"
            )
        if not keys.is_authentic(_PURPOSE, body, tag):
            raise Damaged(
                f"{folder} does not carry the seal of these keys: it was altered, or it belongs to"
                " another installation"
            )
    return manifest


def listed(folder: Path, progress: Progress = quiet) -> list[StoredFile]:
    """Give the files below the folder of the dump with their checksums."""
    paths = sorted(path for path in (folder / DATABASE).rglob("*") if path.is_file())
    whole = sum(path.stat().st_size for path in paths)
    found, done = [], 0
    for path in paths:
        size, digest = _digest(path)
        done += size
        progress("checksums", done, whole)
        found.append(StoredFile(path.relative_to(folder).as_posix(), size, digest))
    return found


def check(folder: Path, manifest: Manifest, progress: Progress = quiet) -> None:
    """Compare every file of a backup with its manifest.

    Raises:
        Damaged: one is missing, cut short, altered, or too many.
    """
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    expected = {file.path for file in manifest.files}
    if missing := sorted(expected - there):
        raise Damaged(f"{folder} is not whole: {missing[0]} is missing")
    if foreign := sorted(there - expected - {NAME}):
        raise Damaged(f"{folder} has a file that is not its own: {foreign[0]}")
    done = 0
    for file in manifest.files:
        path = folder / file.path
        if path.is_symlink() or path.stat().st_size != file.size:
            raise Damaged(f"{path} has {path.stat().st_size} octets, not {file.size}")
        if _digest(path)[1] != file.sha256:
            raise Damaged(f"{path} was altered: its checksum is another one")
        done += file.size
        progress("checksums", done, manifest.size)


def _digest(path: Path) -> tuple[int, str]:
    found, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            found.update(piece)
            size += len(piece)
    return size, found.hexdigest()


__all__ = [
    "DATABASE",
    "FORMAT",
    "NAME",
    "AppliedMigration",
    "Manifest",
    "Progress",
    "StoredFile",
    "check",
    "listed",
    "quiet",
    "read",
    "seal",
]
