"""The keys in a file that a passphrase opens, to be kept apart from everything else.

JSON with the parameters in the open and the key file's own text encrypted: AES-256-GCM under a key
that argon2id (RFC 9106) makes of the passphrase.
"""

import base64
import binascii
import os
from pathlib import Path

import msgspec
from argon2.low_level import Type, hash_secret_raw
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from demarc.platform.secrets import keyfile
from demarc.platform.secrets.keyfile import KeyFileError

KIND = "demarc keys"
SHORTEST = 12
"""Characters a passphrase must have: whoever gets the file may try for years."""

# RFC 9106's second choice, with more memory: about a second
_TIME, _MEMORY_KIB, _LANES = 4, 256 * 1024, 4
_MOST_MEMORY_KIB = 4 * 1024 * 1024


class _Exported(msgspec.Struct, frozen=True):
    kind: str
    version: int
    ids: list[str]
    salt: str
    time: int
    memory_kib: int
    lanes: int
    nonce: str
    keys: str

    @property
    def head(self) -> bytes:
        """What is not encrypted but must not be altered either."""
        parts = (self.kind, self.version, self.ids, self.salt, self.time, self.memory_kib)
        return msgspec.json.encode((*parts, self.lanes, self.nonce))


def write(path: Path, source: Path, passphrase: str) -> list[str]:
    """Write the keys of a key file into a new file, encrypted; give their ids.

    Args:
        path: the new file.
        source: the key file.
        passphrase: opens it again; at least 12 characters.

    Raises:
        KeyFileError: the key file cannot be read, the new one is there already or cannot be
            written, or the passphrase is too short.
    """
    if len(passphrase) < SHORTEST:
        raise KeyFileError(f"the passphrase must have at least {SHORTEST} characters")
    keys = keyfile.read(source)
    salt, nonce = os.urandom(16), os.urandom(12)
    shown = _Exported(
        kind=KIND,
        version=1,
        ids=list(keys.by_id),
        salt=base64.b64encode(salt).decode(),
        time=_TIME,
        memory_kib=_MEMORY_KIB,
        lanes=_LANES,
        nonce=base64.b64encode(nonce).decode(),
        keys="",
    )
    cipher = AESGCM(_derived(passphrase, salt, _TIME, _MEMORY_KIB, _LANES))
    text = keyfile.as_text(keys.by_id, keys.current)
    sealed = cipher.encrypt(nonce, text, shown.head)
    content = msgspec.json.format(
        msgspec.json.encode(msgspec.structs.replace(shown, keys=base64.b64encode(sealed).decode()))
    )
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise KeyFileError(f"{path} cannot be written: {error.strerror}") from None
    with os.fdopen(handle, "wb") as file:
        file.write(content + b"\n")
        file.flush()
        os.fsync(file.fileno())
    return shown.ids


def put_back(path: Path, target: Path, passphrase: str) -> list[str]:
    """Make a key file of what `write` wrote; give the ids of its keys.

    Raises:
        KeyFileError: it is none, the passphrase is another one, or there is a key file already.
    """
    try:
        shown = msgspec.json.decode(path.read_bytes(), type=_Exported)
        salt, nonce, sealed = (
            base64.b64decode(part, validate=True) for part in (shown.salt, shown.nonce, shown.keys)
        )
    except OSError as error:
        raise KeyFileError(f"{path} cannot be read: {error.strerror}") from None
    except (msgspec.DecodeError, binascii.Error):
        raise KeyFileError(f"{path} is no file of exported keys") from None
    if shown.kind != KIND or shown.version != 1 or shown.memory_kib > _MOST_MEMORY_KIB:
        raise KeyFileError(f"{path} is no file of exported keys that this version knows")
    cipher = AESGCM(_derived(passphrase, salt, shown.time, shown.memory_kib, shown.lanes))
    try:
        text = cipher.decrypt(nonce, sealed, shown.head)
    except InvalidTag:
        raise KeyFileError(f"{path} does not open with this passphrase, or was altered") from None
    current, by_id = keyfile.parse(text, path)
    if not keyfile.create(target, by_id, current):
        raise KeyFileError(f"there is a key file {target} already: it stays as it is")
    return list(by_id)


def _derived(passphrase: str, salt: bytes, time: int, memory_kib: int, lanes: int) -> bytes:
    return hash_secret_raw(passphrase.encode(), salt, time, memory_kib, lanes, 32, Type.ID)


__all__ = ["KIND", "SHORTEST", "put_back", "write"]
