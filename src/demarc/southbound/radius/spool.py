"""Accounting packets kept on disk while the database is away: acknowledged, and not yet booked.

One file, appended to and synced in groups. A record is its length, a CRC-32 and what came: when,
from which NAS and address, and the packet's octets. What was synced before a kill or a power cut
is read whole; behind it may stand the torn end of a group that nobody was told of, which is cut.
"""

import asyncio
import errno
import fcntl
import os
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from struct import Struct
from types import TracebackType
from typing import Self
from uuid import UUID, uuid4
from zlib import crc32

import msgspec
import structlog

_log = structlog.get_logger(__name__)

_MAGIC = b"DMRCSPL1"
_HEADER = len(_MAGIC) + 16
_FRAME = Struct(">II")
_HEAD = Struct(">q16sB")
_LONGEST = 5_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_READ_AT_ONCE = 1 << 20


class SpoolFull(Exception):
    """Nothing more can be kept: the size allowed, or the disk, is used up."""


class Spooled(msgspec.Struct, frozen=True, gc=False):
    """A packet as it is kept.

    Attributes:
        received: when, UTC.
        nas_id: whose secret it was verified with.
        host: the address it came from.
        raw: its octets.
    """

    received: datetime
    nas_id: UUID
    host: str
    raw: bytes


def encode(packet: Spooled) -> bytes:
    """Write a record."""
    host = packet.host.encode()
    received = (packet.received - _EPOCH) // _MICROSECOND
    body = _HEAD.pack(received, packet.nas_id.bytes, len(host)) + host + packet.raw
    return _FRAME.pack(len(body), crc32(body)) + body


def decode(octets: bytes, start: int = 0) -> tuple[Spooled, int] | None:
    """Read the record at a place.

    Returns:
        The packet and where the next record begins; None when what stands there is not whole.
    """
    end = _end_of(octets, start)
    if not end:
        return None
    body = octets[start + _FRAME.size : end]
    received, nas_id, named = _HEAD.unpack_from(body)
    raw_at = _HEAD.size + named
    if raw_at > len(body):
        return None
    packet = Spooled(
        _EPOCH + received * _MICROSECOND,
        UUID(bytes=nas_id),
        body[_HEAD.size : raw_at].decode(errors="replace"),
        body[raw_at:],
    )
    return packet, end


def _end_of(octets: bytes, start: int) -> int:
    """Give where the record at a place ends; 0 when what stands there is not whole."""
    if len(octets) < start + _FRAME.size:
        return 0
    length, checksum = _FRAME.unpack_from(octets, start)
    begin = start + _FRAME.size
    end: int = begin + length
    if not _HEAD.size <= length <= _LONGEST or len(octets) < end:
        return 0
    return end if crc32(octets[begin:end]) == checksum else 0


class Spool:
    """The spool of one process; no two may have the same folder.

    Args:
        folder: made if it is not there, readable by its owner alone.
        most: octets the file may have.

    Raises:
        OSError: the folder cannot be written, or another process has it.
    """

    def __init__(self, folder: Path, most: int) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder = folder
        self._path = folder / "accounting"
        self._most = most
        self._lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._lock)
            raise
        self._file = -1
        self.id = uuid4()
        self.size = 0
        if self._path.exists():
            self._take_up()

    def __enter__(self) -> Self:
        """Give itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close."""
        self.close()

    def close(self) -> None:
        """Let go of the folder; what is in it stays."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    @property
    def folder(self) -> Path:
        """Where it is."""
        return self._folder

    @property
    def exists(self) -> bool:
        """Whether there is a file: with packets, or with nothing left but its removal."""
        return self._file >= 0

    @property
    def begin(self) -> int:
        """Where the first record stands."""
        return _HEADER

    def append(self, packets: Sequence[Spooled]) -> None:
        """Keep packets: they are on the disk when this returns. It blocks meanwhile.

        Raises:
            SpoolFull: they do not fit; none of them is kept.
            OSError: they cannot be written; none of them is kept.
        """
        octets = b"".join(map(encode, packets))
        if max(self.size, _HEADER) + len(octets) > self._most:
            raise SpoolFull("the spool has its size")
        if self._file < 0:
            self._begin()
        try:
            _write(self._file, octets, self.size)
            os.fdatasync(self._file)
        except OSError as error:
            # what was not synced must not be found behind what is written later
            os.ftruncate(self._file, self.size)
            if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
                raise SpoolFull("the disk is full") from error
            raise
        self.size += len(octets)

    def read(self, position: int, number: int) -> list[tuple[Spooled, int]]:
        """Read packets from a position on, each with the position behind it. It blocks.

        Args:
            position: of a record's beginning, or the file's end.
            number: at most.
        """
        if self._file < 0 or position >= self.size:
            return []
        octets = os.pread(self._file, min(_READ_AT_ONCE, self.size - position), position)
        found: list[tuple[Spooled, int]] = []
        for packet, end in _records(octets):
            found.append((packet, position + end))
            if len(found) == number:
                break
        return found

    def remove(self) -> None:
        """Remove the file: all in it is booked."""
        os.close(self._file)
        self._file = -1
        self._path.unlink()
        _sync_folder(self._folder)
        self.size = 0
        self.id = uuid4()

    def _begin(self) -> None:
        self.id = uuid4()
        try:
            replace_file(self._path, _MAGIC + self.id.bytes)
        except OSError as error:
            if error.errno in {errno.ENOSPC, errno.EDQUOT}:
                raise SpoolFull("the disk is full") from error
            raise
        self._file = os.open(self._path, os.O_RDWR | os.O_CLOEXEC)
        self.size = _HEADER

    def _take_up(self) -> None:
        """Open what an earlier process has left, and cut what nobody was told of."""
        handle = os.open(self._path, os.O_RDWR | os.O_CLOEXEC)
        header = os.pread(handle, _HEADER, 0)
        if len(header) < _HEADER or not header.startswith(_MAGIC):
            os.close(handle)
            aside = self._path.with_suffix(".unreadable")
            self._path.rename(aside)
            _log.error("a spool of accounting cannot be read and is put aside", path=str(aside))
            return
        self._file = handle
        self.id = UUID(bytes=header[len(_MAGIC) :])
        size = os.fstat(handle).st_size
        whole = _HEADER
        while True:
            octets = os.pread(handle, _READ_AT_ONCE, whole)
            end = 0
            while found := _end_of(octets, end):
                end = found
            if not end:
                break
            whole += end
        if whole < size:
            _log.warning("the torn end of a spool of accounting is cut", octets=size - whole)
            os.ftruncate(handle, whole)
            os.fsync(handle)
        self.size = whole


def _records(octets: bytes) -> Iterator[tuple[Spooled, int]]:
    at = 0
    while (found := decode(octets, at)) is not None:
        at = found[1]
        yield found


def _write(handle: int, octets: bytes, at: int) -> None:
    left = memoryview(octets)
    while left:
        written = os.pwrite(handle, left, at)
        left, at = left[written:], at + written


def replace_file(path: Path, octets: bytes) -> None:
    """Put a file, readable by its owner alone, whole in the place of another. It blocks.

    Raises:
        OSError: it cannot be written; the other is still there.
    """
    fresh = path.with_suffix(".new")
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        _write(handle, octets, 0)
        os.fsync(handle)
    finally:
        os.close(handle)
    fresh.rename(path)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


async def append(spool: Spool, packets: Sequence[Spooled]) -> None:
    """Keep packets without holding up the loop; raises as ``Spool.append``."""
    await asyncio.to_thread(spool.append, packets)


__all__ = ["Spool", "SpoolFull", "Spooled", "append", "decode", "encode", "replace_file"]
