"""An ACS that asks what a test has it ask, and keeps what devices say; and a server of files."""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator
from typing import Any

from demarc.protocols import http_digest
from demarc.protocols.cwmp import messages
from demarc.protocols.cwmp.messages import AcsRequest
from demarc.protocols.cwmp.session import Answered, Asked, Session


async def _request(reader: asyncio.StreamReader) -> tuple[str, str, dict[str, str]] | None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    except asyncio.IncompleteReadError:
        return None
    method, target, _ = head[0].split(" ")
    headers = {
        name.strip().lower(): value.strip()
        for name, _, value in (line.partition(":") for line in head[1:])
        if name
    }
    return method, target, headers


@contextlib.asynccontextmanager
async def _serving(answer: Any) -> AsyncIterator[str]:
    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with contextlib.suppress(OSError):
                await answer(reader, writer)
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    server = await asyncio.start_server(one, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        await server.wait_closed()


class ScriptedAcs:
    """Asks what it is told to ask.

    Attributes:
        ask: requests for the sessions to come, in order.
        informs: of all sessions.
        transfers: TransferCompletes.
        answers: what devices answered.
        busy: Retry-After of the 503s that the next posts get.
        digest: user name and password that are wanted; None: nobody has to prove anything.
    """

    def __init__(self) -> None:
        self.url = ""
        self.ask: deque[AcsRequest] = deque()
        self.informs: list[messages.Inform] = []
        self.transfers: list[messages.TransferComplete] = []
        self.answers: list[Any] = []
        self.busy: deque[str] = deque()
        self.digest: tuple[str, str] | None = None
        self.challenges = 0
        self.cookies: list[str | None] = []

    @contextlib.asynccontextmanager
    async def serve(self) -> AsyncIterator["ScriptedAcs"]:
        async with _serving(self._talk) as url:
            self.url = f"{url}/cwmp"
            yield self

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        session = Session()
        while (request := await _request(reader)) is not None:
            _, _, headers = request
            body = await reader.readexactly(int(headers.get("content-length", "0")))
            status, extra, reply = self._answer(session, headers, body)
            lines = [f"HTTP/1.1 {status}", *extra, f"Content-Length: {len(reply)}", "", ""]
            writer.write("\r\n".join(lines).encode() + reply)
            await writer.drain()

    def _answer(
        self, session: Session, headers: dict[str, str], body: bytes
    ) -> tuple[str, list[str], bytes]:
        if self.busy:
            return "503 Busy", [f"Retry-After: {self.busy.popleft()}"], b""
        if self.digest is not None and not self._proves(headers.get("authorization")):
            self.challenges += 1
            nonce = http_digest.Challenge("acs", f"nonce-{self.challenges}")
            return "401 No", [f"WWW-Authenticate: {http_digest.challenge_header(nonce)}"], b""
        self.cookies.append(headers.get("cookie"))
        received = session.receive(body)
        cookie = ["Set-Cookie: s=1; Path=/"]
        if isinstance(received, Asked):
            message = received.message
            if isinstance(message, messages.Inform):
                self.informs.append(message)
                return "200 OK", cookie, session.answer(messages.InformResponse())
            assert isinstance(message, messages.TransferComplete)
            self.transfers.append(message)
            return "200 OK", [], session.answer(messages.TransferCompleteResponse())
        if isinstance(received, Answered):
            self.answers.append(received.response)
        if self.ask:
            return "200 OK", [], session.ask(self.ask.popleft())
        session.end()
        return "204 No Content", [], b""

    def _proves(self, header: str | None) -> bool:
        if header is None or self.digest is None:
            return False
        answer = http_digest.read_answer(header)
        secret = http_digest.secret_of(self.digest[0], "acs", self.digest[1])
        return answer.username == self.digest[0] and http_digest.proves(
            answer, method="POST", secret=secret
        )


class Files:
    """A server that gives octets, and swallows them.

    Attributes:
        content: by target.
        taken: octets that were put, by target.
        password: what Basic wants; None: nothing.
    """

    def __init__(self) -> None:
        self.url = ""
        self.content: dict[str, bytes] = {}
        self.taken: dict[str, bytes] = {}
        self.password: str | None = None
        self.cut = False

    @contextlib.asynccontextmanager
    async def serve(self) -> AsyncIterator["Files"]:
        async with _serving(self._serve) as url:
            self.url = url
            yield self

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while (request := await _request(reader)) is not None:
            method, target, headers = request
            if method == "PUT":
                length = int(headers["content-length"])
                self.taken[target] = await reader.readexactly(length)
                writer.write(b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n")
            elif self.password is not None and "authorization" not in headers:
                writer.write(
                    b"HTTP/1.1 401 No\r\nContent-Length: 0\r\n"
                    b'WWW-Authenticate: Basic realm="files"\r\n\r\n'
                )
            elif target not in self.content:
                writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
            else:
                content = self.content[target]
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(content))
                writer.write(content[: len(content) // 2] if self.cut else content)
                if self.cut:
                    return
            await writer.drain()
