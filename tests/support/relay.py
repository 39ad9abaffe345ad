"""A UDP relay whose server can be changed: a NAS that turns to another node, or what is before it."""

import asyncio
from typing import Any, cast

Address = tuple[str, int]


class Relay(asyncio.DatagramProtocol):
    """Hands on what comes to it, and back what is answered.

    Args:
        target: the server.
    """

    def __init__(self, target: Address) -> None:
        self.target = target
        self.address: Address = ("", 0)
        self._transport: asyncio.DatagramTransport | None = None
        self._ways: dict[Address, asyncio.Future[asyncio.DatagramTransport]] = {}

    async def start(self) -> Address:
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(
            lambda: self, local_addr=("127.0.0.1", 0)
        )
        self.address = self._transport.get_extra_info("sockname")
        return self.address

    def turn_to(self, target: Address) -> None:
        """Hand on to another server from now on."""
        self.target = target
        self._drop_ways()

    def stop(self) -> None:
        self._drop_ways()
        if self._transport is not None:
            self._transport.close()

    def _drop_ways(self) -> None:
        for way in self._ways.values():
            if way.done() and not way.cancelled():
                way.result().close()
            else:
                way.cancel()
        self._ways.clear()

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        source = cast("Address", addr)
        way = self._ways.get(source)
        if way is None:
            way = self._ways[source] = asyncio.ensure_future(self._open(source))
        way.add_done_callback(lambda done: _send(done, data))

    async def _open(self, source: Address) -> asyncio.DatagramTransport:
        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: _Back(self, source), remote_addr=self.target
        )
        return transport

    def send_back(self, data: bytes, source: Address) -> None:
        if self._transport is not None:
            self._transport.sendto(data, source)


class _Back(asyncio.DatagramProtocol):
    def __init__(self, relay: Relay, source: Address) -> None:
        self._relay = relay
        self._source = source

    def datagram_received(self, data: bytes, addr: object) -> None:
        _ = addr
        self._relay.send_back(data, self._source)

    def error_received(self, exc: Exception) -> None:
        # nobody listens there any more; the NAS asks again
        _ = exc


def _send(way: "asyncio.Future[asyncio.DatagramTransport]", data: bytes) -> None:
    if not way.cancelled() and not way.result().is_closing():
        way.result().sendto(data)
