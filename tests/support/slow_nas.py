"""A NAS that takes Disconnect-Requests and thinks before it answers."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from demarc.protocols.radius.packet import Code, Packet, decode
from demarc.protocols.radius.reply import encode_reply
from demarc.protocols.radius.verify import verify_request
from support.house import NAS_SECRET
from support.running import Running

_SECRET = NAS_SECRET.encode()


class SlowNas(asyncio.DatagramProtocol):
    """Answers when it is told to.

    Attributes:
        requests: the Disconnect-Requests that came, repeated ones once, each with its sender.
    """

    def __init__(self) -> None:
        self.requests: list[tuple[Packet, Any]] = []
        self._came = asyncio.Condition()
        self._tasks: set[asyncio.Task[None]] = set()

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        request = decode(data)
        verify_request(request, _SECRET)
        assert request.code == Code.DISCONNECT_REQUEST
        if all(
            known.raw != request.raw or known_addr != addr for known, known_addr in self.requests
        ):
            self.requests.append((request, addr))
        task = asyncio.ensure_future(self._tell())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def asked(self, number: int, within: float = 20) -> None:
        """Wait until so many different requests have come."""
        async with asyncio.timeout(within), self._came:
            await self._came.wait_for(lambda: len(self.requests) >= number)

    def answer(self, number: int) -> None:
        """Acknowledge one of them."""
        request, addr = self.requests[number]
        self.transport.sendto(encode_reply(request, Code.DISCONNECT_ACK, [], _SECRET), addr)

    async def _tell(self) -> None:
        async with self._came:
            self._came.notify_all()


@asynccontextmanager
async def slow_nas(running: Running) -> AsyncIterator[SlowNas]:
    """Put it in the place of the house's NAS."""
    loop = asyncio.get_running_loop()
    transport, nas = await loop.create_datagram_endpoint(SlowNas, local_addr=("127.0.0.1", 0))
    async with await running.connect() as conn:
        await conn.execute(
            "UPDATE nas SET coa_port = %s", [transport.get_extra_info("sockname")[1]]
        )
    try:
        yield nas
    finally:
        transport.close()
