"""Encryption of what must be read back: AES-256-GCM under keys kept outside the database.

An encrypted value is ``0x01 | key id (4) | nonce (12) | ciphertext | tag (16)``. The row it stands
in is its associated data, so that a value copied into another row, or another column, does not
decrypt there. The master keys encrypt nothing themselves: each purpose has a key of its own,
derived by HKDF-SHA256 (RFC 5869).
"""

import hmac
import os
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Self
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from demarc.platform.clock import Clock, now
from demarc.platform.secrets import keyfile
from demarc.platform.secrets.keyfile import Key, KeyFileError

_FORMAT = b"\x01"
_ID_END = 5
_NONCE_OCTETS = 12
_HEAD_OCTETS = _ID_END + _NONCE_OCTETS
_TAG_OCTETS = 16


class Undecipherable(Exception):
    """A value cannot be decrypted here: damaged, of another row, or of a key that is not known.

    Its text never holds anything of the value beyond the id of its key.
    """


def row_binding(table: str, column: str, key: UUID | str) -> bytes:
    """Say which row and column a secret stands in, for `KeyRing.encrypt` and `decrypt`.

    Args:
        table: the table's name.
        column: the column's name.
        key: the row's primary key.
    """
    return f"{table}:{column}:{key}".encode()


class KeyRing:
    """The keys, and what is done with them.

    A ring notices when its file was replaced (by a rotation in another process): it reads the file
    again when it meets a key it does not know, and in `reload`.
    """

    def __init__(self, path: Path, keys: keyfile.Keys, clock: Clock) -> None:
        self._path = path
        self._clock = clock
        self._adopt(keys)

    @classmethod
    def open(cls, path: Path, *, create: bool = True, clock: Clock = now) -> Self:
        """Read the key file, or make one with a first key.

        Args:
            path: the key file.
            create: make it where it is missing. Say False where secrets are stored already: a new
                key could not read them.
            clock: tells when a key was made.

        Raises:
            KeyFileError: it is missing and not to be made, others may read it, or it is no key
                file.
        """
        if create and keyfile.version(path) is None:
            key = Key.new(clock())
            keyfile.create(path, {key.id: key}, key.id)
        return cls(path, keyfile.read(path), clock)

    def __repr__(self) -> str:
        return f"KeyRing({str(self._path)!r}, current={self.current!r}, keys={len(self.created)})"

    @property
    def current(self) -> str:
        """The id of the key that encrypts."""
        return self._keys.current

    @property
    def created(self) -> dict[str, datetime]:
        """When each key was made, by id, in the file's order."""
        return {key.id: key.created for key in self._keys.by_id.values()}

    def encrypt(self, plaintext: bytes, *, row: bytes) -> bytes:
        """Encrypt under the current key.

        Args:
            plaintext: any octets; their number can be told from the result.
            row: where the value will stand (`row_binding`).
        """
        # a key that another process has retired must encrypt nothing more; a look at the file
        # costs little beside what is done with a new secret
        with suppress(Undecipherable):
            self._reload_if_replaced()
        head = _FORMAT + bytes.fromhex(self._keys.current)
        nonce = os.urandom(_NONCE_OCTETS)
        cipher = self._cipher(self._keys.current)
        return head + nonce + cipher.encrypt(nonce, plaintext, head + row)

    def decrypt(self, blob: bytes, *, row: bytes) -> bytes:
        """Give back what was encrypted for this row.

        Args:
            blob: from `encrypt`.
            row: the same as then.

        Raises:
            Undecipherable: it was altered, is of another row, or its key is not in the file.
        """
        key_id = _key_id(blob)
        try:
            cipher = self._cipher(key_id)
        except KeyError:
            self._reload_if_replaced()
            try:
                cipher = self._cipher(key_id)
            except KeyError:
                raise Undecipherable(f"there is no key {key_id} in {self._path}") from None
        try:
            return cipher.decrypt(
                blob[_ID_END:_HEAD_OCTETS], blob[_HEAD_OCTETS:], blob[:_ID_END] + row
            )
        except InvalidTag:
            raise Undecipherable("the value was altered or is of another row") from None

    def needs_reencryption(self, blob: bytes) -> bool:
        """Tell whether a value was encrypted under another key than the current one.

        Raises:
            Undecipherable: it is not an encrypted value.
        """
        return _key_id(blob) != self._keys.current

    def hmac(self, purpose: str, data: bytes) -> bytes:
        """Give the HMAC-SHA256 of data under the current key, 32 octets.

        Args:
            purpose: what it is for; tags of one purpose mean nothing to another.
            data: what is to be recognised.
        """
        return self._tag(self._keys.current, purpose, data)

    def is_authentic(self, purpose: str, data: bytes, tag: bytes) -> bool:
        """Tell whether a tag was made by `hmac` under any key of the file."""
        tags = [self._tag(key_id, purpose, data) for key_id in self._keys.by_id]
        return any([hmac.compare_digest(known, tag) for known in tags])  # noqa: C419 - all compared

    def add_key(self) -> str:
        """Add a key without using it yet, and give its id.

        Where several machines hold copies of the file, add the key, copy the file to all of them,
        then make the key current: none ever meets a value it cannot read.

        Raises:
            KeyFileError: the file cannot be read or written.
        """
        key = Key.new(self._clock())
        with keyfile.locked(self._path):
            keys = keyfile.read(self._path)
            keyfile.replace(self._path, {**keys.by_id, key.id: key}, keys.current)
            self._adopt(keyfile.read(self._path))
        return key.id

    def make_current(self, key_id: str) -> None:
        """Encrypt with this key from now on; the others still decrypt.

        Raises:
            KeyFileError: the file has no such key, or cannot be read or written.
        """
        with keyfile.locked(self._path):
            keys = keyfile.read(self._path)
            if key_id not in keys.by_id:
                raise KeyFileError(f"there is no key {key_id} in {self._path}")
            keyfile.replace(self._path, keys.by_id, key_id)
            self._adopt(keyfile.read(self._path))

    def retire(self, key_id: str) -> None:
        """Take a key out of the file: what was encrypted with it cannot be read any more.

        Raises:
            KeyFileError: the file has no such key, it is the current one, or the file cannot be
                read or written.
        """
        with keyfile.locked(self._path):
            keys = keyfile.read(self._path)
            if key_id not in keys.by_id:
                raise KeyFileError(f"there is no key {key_id} in {self._path}")
            if key_id == keys.current:
                raise KeyFileError(f"{key_id} is the current key: rotate first")
            left = {known: key for known, key in keys.by_id.items() if known != key_id}
            keyfile.replace(self._path, left, keys.current)
            self._adopt(keyfile.read(self._path))

    def rotate(self) -> str:
        """Add a key, make it current and give its id.

        Raises:
            KeyFileError: the file cannot be read or written.
        """
        key_id = self.add_key()
        self.make_current(key_id)
        return key_id

    def reload(self) -> None:
        """Read the file again.

        Raises:
            KeyFileError: it is missing, open to others or no key file; the ring stays as it was.
        """
        self._adopt(keyfile.read(self._path))

    def _reload_if_replaced(self) -> None:
        if keyfile.version(self._path) == self._keys.version:
            return
        try:
            self.reload()
        except KeyFileError as error:
            raise Undecipherable(str(error)) from None

    def _adopt(self, keys: keyfile.Keys) -> None:
        self._keys = keys
        self._ciphers: dict[str, AESGCM] = {}
        self._hmac_keys: dict[tuple[str, str], bytes] = {}

    def _cipher(self, key_id: str) -> AESGCM:
        cipher = self._ciphers.get(key_id)
        if cipher is None:
            cipher = AESGCM(_derive(self._keys.by_id[key_id], "encryption"))
            self._ciphers[key_id] = cipher
        return cipher

    def _tag(self, key_id: str, purpose: str, data: bytes) -> bytes:
        key = self._hmac_keys.get((key_id, purpose))
        if key is None:
            key = _derive(self._keys.by_id[key_id], f"hmac:{purpose}")
            self._hmac_keys[key_id, purpose] = key
        return hmac.digest(key, data, "sha256")


def _derive(key: Key, purpose: str) -> bytes:
    hkdf = HKDF(SHA256(), length=32, salt=None, info=f"demarc:1:{purpose}".encode())
    return hkdf.derive(key.secret)


def _key_id(blob: bytes) -> str:
    if len(blob) < _HEAD_OCTETS + _TAG_OCTETS or blob[:1] != _FORMAT:
        raise Undecipherable("this is not an encrypted value")
    return bytes(blob[1:_ID_END]).hex()


__all__ = ["KeyRing", "Undecipherable", "row_binding"]
