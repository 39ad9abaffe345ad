"""Where devices are called: a listener that a device has for itself, or that many share by path."""

import asyncio
import contextlib
import os
import time
from collections.abc import Callable
from typing import Final, Literal

from demarc.protocols import http_digest
from demarc.protocols.http_digest import Challenge, Nonces

Answer = Literal["come", "busy"]

_REALM: Final = "cpe"
_WITHIN: Final = 10.0
_NONCE_AGE: Final = 60.0


class Bell:
    """One device's.

    Args:
        credential: user name and password by which it may be called; empty: whoever calls.
        ring: has the device begin a session, or say that it is busy.
    """

    def __init__(
        self, credential: Callable[[], tuple[str, str]], ring: Callable[[], Answer]
    ) -> None:
        self.credential = credential
        self.ring = ring


class Doorbell:
    """A listener.

    Args:
        host: its address.
        port: its port; 0 for any that is free.
    """

    def __init__(self, host: str = "127.0.0.1", port: int = 0) -> None:
        self._bind = (host, port)
        self._bells: dict[str, Bell] = {}
        self._nonces = Nonces(os.urandom(16))
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()

    async def start(self) -> None:
        """Listen.

        Raises:
            OSError: the port is taken.
        """
        self._server = await asyncio.start_server(self._called, *self._bind)
        # it is the same door after a restart
        self._bind = (self._bind[0], self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Listen no more."""
        if self._server is None:
            return
        server, self._server = self._server, None
        server.close()
        for writer in list(self._open):
            writer.transport.abort()
        await server.wait_closed()

    def url(self, path: str) -> str:
        """Give where a path is called."""
        host, port = self._bind
        return f"http://{host}:{port}{path}"

    def hang(self, path: str, bell: Bell) -> None:
        """Have a device called at a path."""
        self._bells[path] = bell

    def take_down(self, path: str) -> None:
        """Have nobody called at a path."""
        self._bells.pop(path, None)

    async def _called(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            async with asyncio.timeout(_WITHIN):
                head = await reader.readuntil(b"\r\n\r\n")
                writer.write(self._answer(head.decode("latin-1")))
                await writer.drain()
        except (TimeoutError, OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # a caller that does not speak is not spoken with
        finally:
            self._open.discard(writer)
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    def _answer(self, head: str) -> bytes:
        request, *lines = head.split("\r\n")
        words = request.split(" ")
        if len(words) != 3 or words[0] != "GET":  # noqa: PLR2004 - method, target, version
            return _reply("405 Method Not Allowed")
        target = words[1]
        bell = self._bells.get(target.partition("?")[0])
        if bell is None:
            return _reply("404 Not Found")
        if not self._may(bell, target, lines):
            nonce = self._nonces.give(time.time(), os.urandom(8))
            challenge = http_digest.challenge_header(Challenge(_REALM, nonce))
            return _reply("401 Unauthorized", f"WWW-Authenticate: {challenge}")
        if bell.ring() == "busy":
            return _reply("503 Service Unavailable")
        return _reply("200 OK")

    def _may(self, bell: Bell, target: str, lines: list[str]) -> bool:
        username, password = bell.credential()
        if not username and not password:
            return True
        for line in lines:
            name, _, value = line.partition(":")
            if name.strip().lower() != "authorization":
                continue
            try:
                answer = http_digest.read_answer(value.strip())
            except http_digest.Malformed:
                return False
            age = self._nonces.age(answer.nonce, time.time())
            secret = http_digest.secret_of(username, _REALM, password, answer.algorithm)
            return (
                answer.username == username
                and answer.uri == target
                and age is not None
                and age < _NONCE_AGE
                and http_digest.proves(answer, method="GET", secret=secret)
            )
        return False


def _reply(status: str, *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", *headers, "Content-Length: 0", "Connection: close", "", ""]
    return "\r\n".join(lines).encode("latin-1")


__all__ = ["Answer", "Bell", "Doorbell"]
