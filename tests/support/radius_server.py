"""A RADIUS server small enough to read, for tests: it answers what a function of the test says."""

import asyncio
from collections.abc import Callable
from typing import Any

from demarc.protocols.radius.packet import Packet, decode
from demarc.protocols.radius.reply import encode_reply
from demarc.protocols.radius.verify import verify_request

Answer = Callable[[Packet], bytes | None]
"""What to send back for a request; None: silence."""


class RadiusServer(asyncio.DatagramProtocol):
    """Verifies every request, keeps it in `received`, and answers it."""

    def __init__(self, secret: bytes, answer: Answer) -> None:
        self.secret = secret
        self.answer = answer
        self.received: list[Packet] = []
        self.senders: list[tuple[str, int]] = []
        self.address = ("", 0)
        self.faults: list[Exception] = []
        self._arrived = asyncio.Condition()
        self._transport: asyncio.DatagramTransport | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> tuple[str, int]:
        self._transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: self, local_addr=("127.0.0.1", 0)
        )
        self.address = self._transport.get_extra_info("sockname")
        return self.address

    def stop(self) -> None:
        if self._transport:
            self._transport.close()

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        try:
            request = decode(data)
            verify_request(request, self.secret)
        except Exception as error:  # noqa: BLE001 - shown by the test that looks
            self.faults.append(error)
            return
        self.received.append(request)
        self.senders.append((addr[0], addr[1]))
        octets = self.answer(request)
        if octets is not None:
            self.send(octets, self.senders[-1])
        task = asyncio.ensure_future(self._announce())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def send(self, octets: bytes, address: tuple[str, int]) -> None:
        if self._transport:
            self._transport.sendto(octets, address)

    async def _announce(self) -> None:
        async with self._arrived:
            self._arrived.notify_all()

    async def wait_for(self, condition: Callable[[list[Packet]], bool]) -> list[Packet]:
        """Wait until what was received fulfils a condition; at most five seconds."""
        async with asyncio.timeout(5), self._arrived:
            await self._arrived.wait_for(lambda: condition(self.received))
        return self.received

    def reply(self, request: Packet, code: int, *attributes: Any) -> bytes:
        return encode_reply(request, code, attributes, self.secret)
