"""Speed tests as TR-143 has them: real HTTP transfers over the shaped line, timed to microseconds."""

import asyncio
import ssl
from collections.abc import Coroutine, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from demarc.lab.cpe.http import Broken, Connection, Place, place_of, whole
from demarc.lab.cpe.shaping import Bucket

_PIECE: Final = 16_384
_ANSWER: Final = 65_536
_WITHIN: Final = 120.0
_OK: Final = 200
_MULTIPLE: Final = 300
_UNAUTHORISED: Final = frozenset({401, 403})


class Unsuccessful(Exception):
    """A test came to nothing; its text is the DiagnosticsState."""


class Measured(msgspec.Struct):
    """What one connection, or all together, measured; octets.

    Attributes:
        opening: the connection is asked for; ``opened`` it is there.
        requested: the request is sent.
        began: the first octet of the content is there, or is sent.
        ended: the last is.
        content: octets of content; ``received`` and ``sent`` with all around them.
        full_from: all connections carry content; ``full_to`` one of them does not any more.
        full_content: octets of content meanwhile.
    """

    opening: datetime
    opened: datetime
    requested: datetime
    began: datetime
    ended: datetime
    content: int = 0
    received: int = 0
    sent: int = 0
    full_from: datetime | None = None
    full_to: datetime | None = None
    full_content: int = 0

    @property
    def full_seconds(self) -> float:
        """How long all connections carried content."""
        if self.full_from is None or self.full_to is None:
            return 0.0
        return max(0.0, (self.full_to - self.full_from).total_seconds())


class _Marks:
    """Counts what all connections carry, and finds the time in which all of them do."""

    def __init__(self, connections: int) -> None:
        self._waiting = connections
        self.first: datetime | None = None
        self.last: datetime | None = None
        self.full = 0

    def begins(self) -> None:
        self._waiting -= 1
        if not self._waiting:
            self.first = _now()

    def carries(self, octets: int) -> None:
        if self.first is not None and self.last is None:
            self.full += octets

    def ends(self) -> None:
        if self.last is None:
            self.last = _now()


async def download(
    url: str, bucket: Bucket, *, connections: int, seconds: float, trust: ssl.SSLContext | None
) -> Measured:
    """Fetch a URL over several connections at once.

    Args:
        url: of the content.
        bucket: the line's rate towards the subscriber.
        connections: how many.
        seconds: after which it is enough; 0 for the whole content.
        trust: for TLS.

    Raises:
        Unsuccessful: nothing was measured.
    """
    place, marks = _place(url), _Marks(connections)
    work = [_fetch(place, bucket, marks, seconds, trust) for _ in range(connections)]
    return await _all(work, marks)


async def upload(
    url: str,
    bucket: Bucket,
    *,
    octets: int,
    connections: int,
    seconds: float,
    trust: ssl.SSLContext | None,
) -> Measured:
    """Send so many octets over each of several connections at once; see ``download``.

    Raises:
        Unsuccessful: nothing was measured.
    """
    place, marks = _place(url), _Marks(connections)
    work = [
        _send(place, bucket, marks, octets=octets, seconds=seconds, trust=trust)
        for _ in range(connections)
    ]
    return await _all(work, marks)


async def _all(work: Sequence[Coroutine[Any, Any, Measured]], marks: _Marks) -> Measured:
    tasks = [asyncio.ensure_future(each) for each in work]
    try:
        async with asyncio.timeout(_WITHIN):
            done = await asyncio.gather(*tasks)
    except TimeoutError:
        raise Unsuccessful("Error_Timeout") from None
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return Measured(
        opening=min(each.opening for each in done),
        opened=min(each.opened for each in done),
        requested=min(each.requested for each in done),
        began=min(each.began for each in done),
        ended=max(each.ended for each in done),
        content=sum(each.content for each in done),
        received=sum(each.received for each in done),
        sent=sum(each.sent for each in done),
        full_from=marks.first,
        full_to=marks.last,
        full_content=marks.full,
    )


async def _fetch(
    place: Place, bucket: Bucket, marks: _Marks, seconds: float, trust: ssl.SSLContext | None
) -> Measured:
    # little is read ahead, so that the line's rate and not the kernel's buffers are measured
    connection = Connection(place, trust=trust, limit=_PIECE)
    opening = _now()
    try:
        await _open(connection)
        opened = requested = _now()
        await connection.send_head("GET", place.target, {"Connection": "close"})
        head = await connection.read_head()
        _look(head.status)
        began, content = _now(), 0
        marks.begins()
        try:
            async with asyncio.timeout(seconds or None):
                async for piece in connection.body(head):
                    await bucket.take(len(piece))
                    content += len(piece)
                    marks.carries(len(piece))
        except TimeoutError:
            pass  # it was to last so long and no longer
        ended = _now()
        marks.ends()
        return Measured(
            *(opening, opened, requested, began, ended),
            content=content,
            received=connection.received,
            sent=connection.sent,
        )
    except (Broken, OSError) as error:
        raise Unsuccessful("Error_TransferFailed") from error
    finally:
        connection.drop()


async def _send(
    place: Place,
    bucket: Bucket,
    marks: _Marks,
    *,
    octets: int,
    seconds: float,
    trust: ssl.SSLContext | None,
) -> Measured:
    connection = Connection(place, trust=trust)
    opening = _now()
    try:
        await _open(connection)
        opened = requested = _now()
        headers = {"Connection": "close"}
        # how much it will be is not known of a test that lasts so long
        chunked = bool(seconds)
        if chunked:
            headers["Transfer-Encoding"] = "chunked"
        else:
            headers["Content-Length"] = str(octets)
        await connection.send_head("PUT", place.target, headers)
        began, content, piece = _now(), 0, bytes(_PIECE)
        marks.begins()
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds if seconds else None
        while content < octets if until is None else loop.time() < until:
            now = piece if chunked else piece[: octets - content]
            await bucket.take(len(now))
            await connection.send(b"%x\r\n%s\r\n" % (len(now), now) if chunked else now)
            content += len(now)
            marks.carries(len(now))
        marks.ends()
        if chunked:
            await connection.send(b"0\r\n\r\n")
        head = await connection.read_head()
        ended = _now()
        _look(head.status)
        await whole(connection, head, most=_ANSWER)
        return Measured(
            *(opening, opened, requested, began, ended),
            content=content,
            received=connection.received,
            sent=connection.sent,
        )
    except (Broken, OSError) as error:
        raise Unsuccessful("Error_TransferFailed") from error
    finally:
        connection.drop()


async def _open(connection: Connection) -> None:
    try:
        await connection.open()
    except OSError as error:
        raise Unsuccessful("Error_InitConnectionFailed") from error


def _look(status: int) -> None:
    if status in _UNAUTHORISED:
        raise Unsuccessful("Error_LoginFailed")
    if not _OK <= status < _MULTIPLE:
        raise Unsuccessful("Error_TransferFailed")


def _place(url: str) -> Place:
    try:
        return place_of(url)
    except Broken as error:
        raise Unsuccessful("Error_InitConnectionFailed") from error


def _now() -> datetime:
    return datetime.now(UTC)


__all__ = ["Measured", "Unsuccessful", "download", "upload"]
