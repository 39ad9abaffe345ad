"""A home server over TLS small enough to read, for tests: it answers what a function says."""

import asyncio
import ssl
from collections.abc import Callable

from demarc.protocols.radius.packet import Packet, decode
from demarc.protocols.radius.reply import encode_reply
from demarc.protocols.radius.stream import Frames
from demarc.protocols.radius.verify import verify_request
from demarc.southbound.radius.tls import TlsFiles

SECRET = b"radsec"


class RadsecHome:
    """Verifies every request, keeps it in `received`, and answers it."""

    def __init__(self, files: TlsFiles, answer: Callable[[Packet], bytes | None]) -> None:
        self._context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=files.ca)
        self._context.verify_mode = ssl.CERT_REQUIRED
        self._context.load_cert_chain(files.cert, files.key)
        self._answer = answer
        self.received: list[Packet] = []
        self.writers: list[asyncio.StreamWriter] = []
        self._server: asyncio.Server | None = None

    async def start(self, port: int = 0) -> tuple[str, int]:
        self._server = await asyncio.start_server(
            self._serve, "127.0.0.1", port, ssl=self._context, reuse_address=True
        )
        return self._server.sockets[0].getsockname()

    async def stop(self) -> None:
        """Listen no more, and cut all connections."""
        if self._server is not None:
            self._server.close()
        for writer in self.writers:
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.append(writer)
        frames = Frames()
        try:
            while data := await reader.read(65536):
                for octets in frames.feed(data):
                    packet = decode(octets)
                    verify_request(packet, SECRET)
                    self.received.append(packet)
                    reply = self._answer(packet)
                    if reply is not None:
                        writer.write(reply)
        except ConnectionError:
            pass
        finally:
            writer.close()

    @staticmethod
    def reply(request: Packet, code: int, *attributes: object) -> bytes:
        return encode_reply(request, code, attributes, SECRET)  # type: ignore[arg-type]
