"""The NASes and realms as they were last read, for a process that starts without the database.

With them a node that comes up while the database is away can verify accounting, keep it in the
spool and acknowledge it. Secrets are encrypted twice: as they are stored, and with all the rest.
"""

from collections.abc import Sequence
from pathlib import Path
from threading import Lock

import msgspec
import structlog

from demarc.domains.aaa.model import Nas, Realm
from demarc.platform.secrets.keys import KeyRing, Undecipherable, row_binding
from demarc.southbound.radius.spool import replace_file

_log = structlog.get_logger(__name__)

_NAME = "clients"
_ROW = row_binding("spool", "clients", "known")


class _Kept(msgspec.Struct, frozen=True, array_like=True):
    nases: list[Nas]
    realms: list[Realm]


class Known:
    """A file with NASes and realms.

    Args:
        folder: of the spool; it is there.
        keyring: encrypts the file.
    """

    def __init__(self, folder: Path, keyring: KeyRing) -> None:
        self._path = folder / _NAME
        self._keyring = keyring
        self._written = b""
        self._writing = Lock()

    def keep(self, nases: Sequence[Nas], realms: Sequence[Realm]) -> None:
        """Write what is known now, unless that is what was written last. It blocks meanwhile."""
        plain = msgspec.msgpack.encode(_Kept(list(nases), list(realms)))
        with self._writing:
            if plain == self._written:
                return
            try:
                replace_file(self._path, self._keyring.encrypt(plain, row=_ROW))
            except OSError as error:
                # a start without the database is a rare thing; this process goes on
                _log.warning("the NASes cannot be kept on disk", reason=str(error))
            else:
                self._written = plain

    def read(self) -> tuple[list[Nas], list[Realm]] | None:
        """Give what was written last; None where nothing was, or nothing that can be read."""
        try:
            octets = self._path.read_bytes()
        except FileNotFoundError:
            return None
        try:
            kept = msgspec.msgpack.decode(self._keyring.decrypt(octets, row=_ROW), type=_Kept)
        except (Undecipherable, msgspec.DecodeError) as reason:
            # another version's, or its key is retired
            _log.warning("the NASes kept on disk cannot be read", reason=str(reason))
            return None
        return kept.nases, kept.realms


def knows_nases(folder: Path) -> bool:
    """Tell whether the NASes are kept in a spool's folder."""
    return (folder / _NAME).exists()


__all__ = ["Known", "knows_nases"]
