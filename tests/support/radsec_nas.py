"""A NAS that speaks RADIUS over TLS, for tests."""

import asyncio
import ssl
from collections.abc import Sequence
from typing import Any, Self

from demarc.protocols.radius.dictionary import DICTIONARY
from demarc.protocols.radius.packet import Code, Packet, decode
from demarc.protocols.radius.request import encode_request, verify_response
from demarc.protocols.radius.stream import Frames

SECRET = b"radsec"


class RadsecNas:
    """One connection; answers are matched by their identifiers."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self._identifier = 0
        self._asked: dict[int, tuple[bytes, asyncio.Future[Packet]]] = {}
        self._reading = asyncio.create_task(self._read())

    @classmethod
    async def connect(cls, address: tuple[str, int], context: ssl.SSLContext) -> Self:
        return cls(*await asyncio.open_connection(*address, ssl=context))

    async def _read(self) -> None:
        frames = Frames()
        while data := await self.reader.read(65536):
            for octets in frames.feed(data):
                packet = decode(octets)
                request, waiting = self._asked[packet.identifier]
                verify_response(packet, request, SECRET)
                if not waiting.done():
                    waiting.set_result(packet)

    def request(self, code: Code, pairs: Sequence[tuple[str, Any]]) -> bytes:
        self._identifier = (self._identifier + 1) % 256
        octets = encode_request(
            code, self._identifier, [(DICTIONARY[name], value) for name, value in pairs], SECRET
        )
        self._asked[octets[1]] = (octets, asyncio.get_running_loop().create_future())
        return octets

    async def answer(self, octets: bytes) -> Packet:
        async with asyncio.timeout(10):
            return await self._asked[octets[1]][1]

    async def ask(self, code: Code, pairs: Sequence[tuple[str, Any]]) -> Packet:
        octets = self.request(code, pairs)
        self.writer.write(octets)
        return await self.answer(octets)

    async def login(self, username: str, password: str, **more: Any) -> Packet:
        pairs = [("User-Name", username), ("User-Password", password), *more.items()]
        return await self.ask(Code.ACCESS_REQUEST, pairs)

    async def closed(self) -> None:
        """Wait until the server has closed the connection."""
        async with asyncio.timeout(10):
            await asyncio.wait({self._reading})

    async def close(self) -> None:
        self._reading.cancel()
        self.writer.close()
        await asyncio.gather(self._reading, self.writer.wait_closed(), return_exceptions=True)
