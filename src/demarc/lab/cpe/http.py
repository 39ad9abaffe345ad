"""HTTP as small devices speak it: one connection, kept open, with Digest or Basic."""

import asyncio
import base64
import contextlib
import secrets
import ssl
from collections.abc import AsyncIterator
from typing import Final
from urllib.parse import urlsplit

import msgspec

from demarc.protocols import http_digest

_LINE: Final = 65_536
_MOST_HEADERS: Final = 200
_CHUNK: Final = 65_536
_UNAUTHORISED: Final = 401
_NO_BODY: Final = frozenset({204, 304})
_INFORMATIONAL: Final = 200


class Broken(Exception):
    """The other side does not answer, or not in HTTP."""


class Place(msgspec.Struct, frozen=True):
    """A URL taken apart.

    Attributes:
        target: as it stands in the request line.
    """

    host: str
    port: int
    target: str
    secure: bool


class Head(msgspec.Struct):
    """The beginning of an answer; names in small letters, cookies apart."""

    status: int
    headers: dict[str, str]
    cookies: dict[str, str]


def place_of(url: str) -> Place:
    """Take a URL apart.

    Raises:
        Broken: it is none of HTTP.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise Broken(f"{url!r} is no URL") from error
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise Broken(f"{url!r} is not of HTTP")
    secure = parts.scheme == "https"
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Place(parts.hostname, port or (443 if secure else 80), target, secure)


class Connection:
    """A connection to a server.

    Args:
        place: whom to speak with.
        trust: for TLS; the system's authorities by default.
        limit: octets that are read ahead.
    """

    def __init__(
        self, place: Place, *, trust: ssl.SSLContext | None = None, limit: int = _LINE
    ) -> None:
        self.place = place
        self._trust = trust
        self._limit = limit
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None
        self.received = 0
        self.sent = 0

    @property
    def is_open(self) -> bool:
        """Whether it can be used again."""
        return self._writer is not None and not self._writer.is_closing()

    async def open(self) -> None:
        """Connect.

        Raises:
            OSError: nobody is there.
        """
        context = (self._trust or ssl.create_default_context()) if self.place.secure else None
        self._reader, self._writer = await asyncio.open_connection(
            self.place.host, self.place.port, ssl=context, limit=self._limit
        )

    def drop(self) -> None:
        """Break off at once."""
        if self._writer is not None:
            self._writer.transport.abort()
        self._reader = self._writer = None

    async def close(self) -> None:
        """Say good-bye."""
        writer, self._reader, self._writer = self._writer, None, None
        if writer is not None:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def send_head(self, method: str, target: str, headers: dict[str, str]) -> None:
        """Begin a request."""
        host = f"[{self.place.host}]" if ":" in self.place.host else self.place.host
        lines = [f"{method} {target} HTTP/1.1", f"Host: {host}:{self.place.port}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        await self.send("\r\n".join([*lines, "", ""]).encode("latin-1"))

    async def send(self, data: bytes) -> None:
        """Send octets."""
        if self._writer is None:
            raise Broken("the connection is not open")
        self.sent += len(data)
        self._writer.write(data)
        await self._writer.drain()

    async def read_head(self) -> Head:
        """Read up to the body.

        Raises:
            Broken: it is not HTTP.
        """
        while True:
            head = await self._head()
            if head.status >= _INFORMATIONAL:
                return head

    async def _head(self) -> Head:
        words = (await self._line()).split(None, 2)
        if len(words) < 2 or not words[0].startswith("HTTP/") or not words[1].isdigit():  # noqa: PLR2004
            raise Broken("the answer is not HTTP")
        head = Head(int(words[1]), {}, {})
        for _ in range(_MOST_HEADERS):
            line = await self._line()
            if not line:
                return head
            name, _, value = line.partition(":")
            name, value = name.strip().lower(), value.strip()
            if name == "set-cookie":
                key, _, content = value.partition(";")[0].partition("=")
                head.cookies[key.strip()] = content.strip()
            elif name == "www-authenticate" and name in head.headers:
                head.headers[name] += f"\n{value}"
            else:
                head.headers[name] = value
        raise Broken("the answer has too many headers")

    async def _line(self) -> str:
        reader = self._open_reader()
        try:
            line = await reader.readuntil(b"\n")
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
            raise Broken("the connection was cut") from error
        self.received += len(line)
        return line.decode("latin-1").rstrip("\r\n")

    def _open_reader(self) -> asyncio.StreamReader:
        if self._reader is None:
            raise Broken("the connection is not open")
        return self._reader

    async def body(self, head: Head) -> AsyncIterator[bytes]:
        """Give a body piece by piece; a connection that ends with it is closed after it.

        Raises:
            Broken: it was cut.
        """
        if head.status in _NO_BODY:
            return
        if head.headers.get("transfer-encoding", "").lower() == "chunked":
            async for piece in self._chunks():
                yield piece
        elif (length := head.headers.get("content-length")) is not None:
            async for piece in self._exactly(int(length) if length.isdigit() else 0):
                yield piece
        else:
            while piece := await self._open_reader().read(_CHUNK):
                self.received += len(piece)
                yield piece
            await self.close()

    async def _exactly(self, length: int) -> AsyncIterator[bytes]:
        while length:
            piece = await self._open_reader().read(min(length, _CHUNK))
            if not piece:
                raise Broken("the connection was cut")
            self.received += len(piece)
            length -= len(piece)
            yield piece

    async def _chunks(self) -> AsyncIterator[bytes]:
        while True:
            try:
                size = int((await self._line()).partition(";")[0], 16)
            except ValueError as error:
                raise Broken("a chunk is not written as one") from error
            async for piece in self._exactly(size):
                yield piece
            await self._line()
            if not size:
                return


class Login:
    """What one side proves itself with, and how it was asked to.

    Args:
        username: empty: nothing is proved.
        password: with it.
    """

    def __init__(self, username: str, password: str) -> None:
        self.username, self.password = username, password
        self._challenge: http_digest.Challenge | None = None
        self._basic = False
        self._count = 0

    def headers(self, method: str, target: str) -> dict[str, str]:
        """Give Authorization, if it was asked for before."""
        if self._challenge is not None:
            self._count += 1
            answer = http_digest.answer_to(
                self._challenge,
                method=method,
                uri=target,
                username=self.username,
                password=self.password,
                cnonce=secrets.token_hex(8),
                count=self._count,
            )
            return {"Authorization": http_digest.answer_header(answer)}
        if self._basic:
            text = base64.b64encode(f"{self.username}:{self.password}".encode()).decode()
            return {"Authorization": f"Basic {text}"}
        return {}

    def challenged(self, head: Head) -> bool:
        """Take a 401; tell whether it is worth another try."""
        if head.status != _UNAUTHORISED or not self.username:
            return False
        asked = head.headers.get("www-authenticate", "").split("\n")
        for each in asked:
            if each.lower().startswith("digest"):
                with contextlib.suppress(http_digest.Malformed):
                    self._challenge, self._count = http_digest.read_challenge(each), 0
                    return True
        if any(each.lower().startswith("basic") for each in asked):
            self._basic = True
            return True
        return False


async def whole(connection: Connection, head: Head, *, most: int) -> bytes:
    """Read a body that fits into memory.

    Raises:
        Broken: it was cut, or is larger.
    """
    parts, size = [], 0
    async for piece in connection.body(head):
        size += len(piece)
        if size > most:
            raise Broken("the answer is too long")
        parts.append(piece)
    if head.headers.get("connection", "").lower() == "close":
        await connection.close()
    return b"".join(parts)


__all__ = ["Broken", "Connection", "Head", "Login", "Place", "place_of", "whole"]
