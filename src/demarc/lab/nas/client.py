"""A NAS's half of RADIUS: requests sent until they are answered (RFC 2865 section 2.4, RFC 5080).

A socket carries one request per Identifier, so 256 at a time; more sockets are opened as needed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final

import msgspec

from demarc.protocols.radius.errors import BadAuthenticator, Malformed
from demarc.protocols.radius.packet import Packet, decode
from demarc.protocols.radius.request import encode_request, verify_response

IDENTIFIERS: Final = 256


class NoAnswer(Exception):
    """The server did not answer any of the transmissions."""


class Retry(msgspec.Struct, frozen=True):
    """How patient a NAS is.

    Attributes:
        first: seconds until the first retransmission.
        factor: how much longer each further wait is.
        longest: seconds, no wait is longer.
        tries: transmissions of an Access-Request before its subscriber is turned away.
        repeats: transmissions of the same accounting packet before Acct-Delay-Time is brought up
            to date, which makes it another packet (RFC 2866 section 5.2).
    """

    first: float = 1.0
    factor: float = 2.0
    longest: float = 30.0
    tries: int = 4
    repeats: int = 3


class Traffic(msgspec.Struct):
    """What a client has sent and got, in packets.

    Attributes:
        sent: transmissions, of whatever packet.
        retransmitted: those that repeated a packet.
        answered: requests with an answer.
        malformed: datagrams that were no packet.
        forged: packets whose authenticators are wrong.
        unasked: packets that answer nothing that is waited for, such as second answers.
        unreachable: times the network said that the server is not there.
    """

    sent: int = 0
    retransmitted: int = 0
    answered: int = 0
    malformed: int = 0
    forged: int = 0
    unasked: int = 0
    unreachable: int = 0


class Client:
    """Asks one server.

    Args:
        server: its address and port.
        secret: shared with it.
        bind_host: the address to ask from, by which the server knows the NAS.
        retry: when to ask again.
        require_message_authenticator: take no Access reply without it (CVE-2024-3596).
        max_sockets: how many sockets there may be; beyond 256 times as many requests wait.
    """

    def __init__(
        self,
        server: tuple[str, int],
        secret: bytes,
        *,
        bind_host: str = "127.0.0.1",
        retry: Retry | None = None,
        require_message_authenticator: bool = True,
        max_sockets: int = 64,
    ) -> None:
        self.retry = retry or Retry()
        self.traffic = Traffic()
        self.secret = secret
        self._server = server
        self._bind_host = bind_host
        self._require = require_message_authenticator
        self._max_sockets = max_sockets
        self._sockets: list[_Socket] = []
        self._opening = asyncio.Lock()
        self._freed = asyncio.Event()
        self._closed = False

    @property
    def ports(self) -> list[int]:
        """The local UDP ports it asks from."""
        return [socket.port for socket in self._sockets]

    def open(self) -> None:
        """Be ready to ask again after `close`."""
        self._closed = False

    def close(self) -> None:
        """Close its sockets; whoever still waits, or asks from now on, gets no answer."""
        self._closed = True
        for socket in self._sockets:
            socket.transport.close()
            for slot in socket.waiting.values():
                if not slot.answer.done():
                    slot.answer.set_result(None)
        self._sockets.clear()

    async def ask(self, make: Callable[[int], bytes]) -> Packet:
        """Send a request and repeat it unchanged, until it is answered or the tries are used up.

        Args:
            make: writes the request with the Identifier it is given.

        Raises:
            NoAnswer: all tries went unanswered, or the client was closed.
        """
        retry = self.retry
        slot = await self._slot()
        try:
            slot.request = make(slot.identifier)
            wait = retry.first
            for number in range(retry.tries):
                answer = await self._transmit(slot, wait, again=number > 0)
                if answer is not None:
                    return answer
                wait = min(wait * retry.factor, retry.longest)
        finally:
            self._release(slot)
        raise NoAnswer

    async def deliver(self, code: int, attributes: Callable[[], bytes]) -> Packet:
        """Send a request until it is answered, however long that takes.

        Args:
            code: Accounting-Request.
            attributes: the request's attributes as they are at the moment. While they stay the
                same so do Identifier and authenticator, otherwise it is sent as a new packet.

        Raises:
            NoAnswer: the client was closed.
        """
        retry = self.retry
        wait = retry.first
        while True:
            body = attributes()
            slot = await self._slot()
            try:
                slot.request = encode_request(code, slot.identifier, body, self.secret)
                transmissions = 0
                while transmissions < retry.repeats or attributes() == body:
                    answer = await self._transmit(slot, wait, again=transmissions > 0)
                    if answer is not None:
                        return answer
                    transmissions += 1
                    wait = min(wait * retry.factor, retry.longest)
            finally:
                self._release(slot)

    async def _transmit(self, slot: _Slot, wait: float, *, again: bool) -> Packet | None:
        if self._closed:
            raise NoAnswer
        self.traffic.sent += 1
        self.traffic.retransmitted += again
        slot.socket.transport.sendto(slot.request)
        done, _ = await asyncio.wait([slot.answer], timeout=wait)
        if not done:
            return None
        answer = slot.answer.result()
        if answer is None:
            raise NoAnswer
        self.traffic.answered += 1
        return answer

    async def _slot(self) -> _Slot:
        while not self._closed:
            for socket in self._sockets:
                slot = socket.acquire()
                if slot is not None:
                    return slot
            if len(self._sockets) < self._max_sockets:
                async with self._opening:
                    # whoever waited for the lock may find room in the socket opened meanwhile
                    if all(socket.full for socket in self._sockets):
                        await self._open()
            else:
                self._freed.clear()
                await self._freed.wait()
        raise NoAnswer

    def _release(self, slot: _Slot) -> None:
        slot.socket.release(slot)
        self._freed.set()

    async def _open(self) -> None:
        loop = asyncio.get_running_loop()
        _, socket = await loop.create_datagram_endpoint(
            lambda: _Socket(self._receive, self.traffic),
            local_addr=(self._bind_host, 0),
            remote_addr=self._server,
        )
        self._sockets.append(socket)

    def _receive(self, socket: _Socket, data: bytes) -> None:
        try:
            answer = decode(data)
        except Malformed:
            self.traffic.malformed += 1
            return
        slot = socket.waiting.get(answer.identifier)
        if slot is None or not slot.request or slot.answer.done():
            self.traffic.unasked += 1
            return
        try:
            verify_response(
                answer,
                slot.request,
                self.secret,
                require_message_authenticator=self._require,
            )
        except BadAuthenticator:
            self.traffic.forged += 1
            return
        slot.answer.set_result(answer)


class _Slot:
    """An Identifier of a socket while a request uses it."""

    def __init__(self, socket: _Socket, identifier: int) -> None:
        self.socket = socket
        self.identifier = identifier
        self.request = b""
        # None: the client was closed meanwhile
        self.answer: asyncio.Future[Packet | None] = asyncio.get_running_loop().create_future()


class _Socket(asyncio.DatagramProtocol):
    def __init__(self, receive: Callable[[_Socket, bytes], None], traffic: Traffic) -> None:
        self.waiting: dict[int, _Slot] = {}
        self.transport: asyncio.DatagramTransport
        self.port = 0
        self._receive = receive
        self._traffic = traffic
        self._next = 0

    @property
    def full(self) -> bool:
        return len(self.waiting) == IDENTIFIERS

    def acquire(self) -> _Slot | None:
        if self.full:
            return None
        # In turn, so that one just answered rests as long as possible (RFC 2865 section 3).
        while self._next in self.waiting:
            self._next = (self._next + 1) % IDENTIFIERS
        slot = _Slot(self, self._next)
        self.waiting[self._next] = slot
        self._next = (self._next + 1) % IDENTIFIERS
        return slot

    def release(self, slot: _Slot) -> None:
        self.waiting.pop(slot.identifier, None)

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self.port = transport.get_extra_info("sockname")[1]

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:  # noqa: ARG002
        self._receive(self, data)

    def error_received(self, exc: Exception) -> None:  # noqa: ARG002 - asyncio's name
        # Nobody listens there yet, or no more: retransmission is the answer to that.
        self._traffic.unreachable += 1
