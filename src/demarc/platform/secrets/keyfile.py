"""The file the keys are kept in: TOML, readable by its owner alone, replaced as a whole.

current = "9f31c2aa"

[keys.9f31c2aa]
created = 2025-11-21T08:00:00Z
secret = "base64 of 32 octets"
"""

import base64
import binascii
import fcntl
import os
import re
import secrets
import stat
import tomllib
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import msgspec

KEY_OCTETS = 32
"""Length of a master key."""

_ID = re.compile(r"[0-9a-f]{8}")

_HEADER = """\
# Demarc's keys. With this file and the database every stored secret can be read, and without
# this file none of them: keep a copy apart from the backups of the database.
"""


class KeyFileError(Exception):
    """The key file is missing, open to others, or not one. The text says what to do."""


class Key(msgspec.Struct, frozen=True):
    """One master key.

    Attributes:
        id: eight hexadecimal digits, written into everything encrypted with it.
        created: when it was made.
        secret: 32 octets.
    """

    id: str
    created: datetime
    secret: bytes

    def __repr__(self) -> str:
        return f"Key({self.id!r})"

    @classmethod
    def new(cls, created: datetime) -> "Key":
        """Make a random key."""
        return cls(secrets.token_hex(4), created, secrets.token_bytes(KEY_OCTETS))


class Keys(msgspec.Struct, frozen=True):
    """What a key file holds.

    Attributes:
        current: the id of the key that encrypts from now on.
        by_id: every key, oldest first.
        version: of the file it was read from; another one means that the file was replaced.
    """

    current: str
    by_id: Mapping[str, Key]
    version: tuple[int, int, int]

    def __repr__(self) -> str:
        return f"Keys(current={self.current!r}, ids={list(self.by_id)!r})"


def read(path: Path) -> Keys:
    """Read a key file.

    Raises:
        KeyFileError: it is missing, others may read it, or it is not a key file.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        raise KeyFileError(f"there is no key file {path}") from None
    except OSError as error:
        raise KeyFileError(f"the key file {path} cannot be read: {error.strerror}") from None
    try:
        # judged by the open file, so that it cannot be another one than what is read
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise KeyFileError(f"the key file {path} is not a file")
        mode = stat.S_IMODE(status.st_mode)
        if mode & 0o077:
            raise KeyFileError(
                f"the key file {path} is open to others (mode {mode:04o}); "
                f"if nobody has read it: chmod 600 {path}"
            )
        with open(descriptor, "rb", closefd=False) as file:
            content = file.read()
    finally:
        os.close(descriptor)
    current, by_id = parse(content, path)
    return Keys(current, by_id, _version(status))


def version(path: Path) -> tuple[int, int, int] | None:
    """Tell which version of the file stands there, None where there is none."""
    try:
        return _version(path.stat())
    except OSError:
        return None


def create(path: Path, keys: Mapping[str, Key], current: str) -> bool:
    """Write a key file where there is none.

    Its folder is made (0700) if it is missing. The file appears whole or not at all.

    Returns:
        Whether it was written; False if there was one already, which stays as it is.

    Raises:
        KeyFileError: it cannot be written there.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = _write_draft(path, keys, current)
        try:
            # link, unlike rename, never replaces what another process wrote meanwhile
            os.link(draft, path)
        except FileExistsError:
            return False
        finally:
            draft.unlink()
        _sync_folder(path.parent)
    except OSError as error:
        raise KeyFileError(f"the key file {path} cannot be written: {error.strerror}") from None
    return True


def replace(path: Path, keys: Mapping[str, Key], current: str) -> None:
    """Put other keys in the place of a key file, which is always there whole.

    Raises:
        KeyFileError: it cannot be written there.
    """
    try:
        draft = _write_draft(path, keys, current)
        try:
            draft.replace(path)
        except OSError:
            draft.unlink()
            raise
        _sync_folder(path.parent)
    except OSError as error:
        raise KeyFileError(f"the key file {path} cannot be written: {error.strerror}") from None


@contextmanager
def locked(path: Path) -> Generator[None]:
    """Keep other processes from changing the file meanwhile.

    Raises:
        KeyFileError: its folder cannot be opened.
    """
    try:
        # the folder is locked, because the file itself is replaced under the lock
        descriptor = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise KeyFileError(f"the key file {path} cannot be written: {error.strerror}") from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _version(status: os.stat_result) -> tuple[int, int, int]:
    return status.st_dev, status.st_ino, status.st_mtime_ns


def parse(content: bytes, path: Path) -> tuple[str, dict[str, Key]]:
    """Read the text of a key file: the id of the current key, and all keys by id.

    Raises:
        KeyFileError: it is none; the text names the path.
    """
    # `from None` throughout: a chained error could show what it stumbled over
    try:
        document = tomllib.loads(content.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        raise KeyFileError(f"the key file {path} is not TOML") from None
    current, tables = document.get("current"), document.get("keys")
    if not isinstance(current, str) or not isinstance(tables, dict):
        raise KeyFileError(f"the key file {path} has no `current` or no [keys.*]")
    by_id: dict[str, Key] = {}
    for key_id, table in tables.items():
        with suppress(ValueError, TypeError, KeyError, AttributeError, binascii.Error):
            secret = base64.b64decode(table["secret"], validate=True)
            created = table["created"].astimezone(UTC)
            if _ID.fullmatch(key_id) and len(secret) == KEY_OCTETS:
                by_id[key_id] = Key(key_id, created, secret)
                continue
        raise KeyFileError(
            f"the key file {path}: [keys.{key_id}] needs an id of 8 hexadecimal digits, "
            f"`created` and `secret` (base64 of {KEY_OCTETS} octets)"
        )
    if current not in by_id:
        raise KeyFileError(f"the key file {path}: its current key {current!r} is not in it")
    return current, by_id


def as_text(keys: Mapping[str, Key], current: str) -> bytes:
    """Give the text of a key file."""
    lines = [_HEADER, f'current = "{current}"']
    for key in keys.values():
        created = key.created.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        secret = base64.b64encode(key.secret).decode()
        lines += ["", f"[keys.{key.id}]", f"created = {created}", f'secret = "{secret}"']
    return "\n".join([*lines, ""]).encode()


def _write_draft(path: Path, keys: Mapping[str, Key], current: str) -> Path:
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with open(descriptor, "wb") as file:  # noqa: PTH123 - a descriptor, not a path
        file.write(as_text(keys, current))
        file.flush()
        os.fsync(file.fileno())
    return draft


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


__all__ = [
    "KEY_OCTETS",
    "Key",
    "KeyFileError",
    "Keys",
    "as_text",
    "create",
    "locked",
    "parse",
    "read",
    "replace",
    "version",
]
