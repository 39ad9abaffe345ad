"""Ways to one home server: UDP sockets and TLS connections, with 256 Identifiers each."""

import asyncio
import socket
from collections import deque
from collections.abc import Callable
from ipaddress import ip_address
from typing import Any, Protocol

import msgspec

from demarc.protocols.radius.errors import BadAuthenticator, Malformed
from demarc.protocols.radius.packet import MAX_PACKET, Packet, decode
from demarc.protocols.radius.stream import Frames
from demarc.southbound.radius.tls import names_of

_IDENTIFIERS = 256
_AT_ONCE = 24


class Query(msgspec.Struct, eq=False):
    """A request under way to a home server.

    Attributes:
        octets: as it was sent.
        answered: called once, with the reply that was verified, or with None.
        timer: what happens if nothing comes.
        again: it was sent twice.
    """

    octets: bytes
    answered: Callable[[Packet | None], None]
    timer: asyncio.TimerHandle | None = None
    again: bool = False


class Channel(Protocol):
    """A way with Identifiers of its own.

    Attributes:
        free: Identifiers not in use, the one longest unused first.
        asked: requests under way by Identifier.
    """

    free: deque[int]
    asked: dict[int, Query]

    def send(self, octets: bytes) -> None:
        """Send a packet; one that cannot be sent is lost, as on any way."""
        ...

    def close(self) -> None:
        """Close it; what is under way is its owner's to end."""
        ...


Received = Callable[["Channel", Packet], None]
"""Called with each packet that comes, not verified yet."""


class UdpChannel:
    """A UDP socket that hears one server alone.

    It is not connected: an ICMP error on a connected one would end its watching by uvloop for good.

    Args:
        address: of the server, with its port.
        received: takes what comes.

    Raises:
        OSError: there is no descriptor left.
    """

    def __init__(self, address: tuple[str, int], received: Received) -> None:
        self.free: deque[int] = deque(range(_IDENTIFIERS))
        self.asked: dict[int, Query] = {}
        self._received = received
        self._address = address
        # as the socket tells it: of IPv6 with more behind
        self._source = (str(ip_address(address[0])), address[1])
        family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self._sock = socket.socket(family, socket.SOCK_DGRAM)
        try:
            self._sock.setblocking(False)
            asyncio.get_running_loop().add_reader(self._sock, self._readable)
        except BaseException:
            self._sock.close()
            raise

    def _readable(self) -> None:
        for _ in range(_AT_ONCE):
            try:
                data, source = self._sock.recvfrom(MAX_PACKET + 1)
            except BlockingIOError:
                return
            except OSError:
                continue
            if source[:2] != self._source:
                continue
            try:
                packet = decode(data)
            except Malformed:
                continue
            self._received(self, packet)

    def send(self, octets: bytes) -> None:
        """Send a packet; one that cannot be sent is lost, as on any way."""
        try:
            self._sock.sendto(octets, self._address)
        except OSError:
            return

    def close(self) -> None:
        """Close it; what is under way is its owner's to end."""
        asyncio.get_running_loop().remove_reader(self._sock)
        self._sock.close()


class TlsChannel(asyncio.Protocol):
    """A TLS connection to a server.

    Args:
        expected: the name, or fingerprint, its certificate must have.
        received: takes what comes.
        lost: called when the connection is gone.

    Attributes:
        right: whether the server is the one expected; known once the connection is made.
    """

    def __init__(
        self, expected: str, received: Received, lost: Callable[["TlsChannel"], None]
    ) -> None:
        self.free: deque[int] = deque(range(_IDENTIFIERS))
        self.asked: dict[int, Query] = {}
        self.right = False
        self._expected = expected
        self._received = received
        self._lost = lost
        self._frames = Frames()
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See whom we have met."""
        self._transport = transport
        tls = transport.get_extra_info("ssl_object")
        names = names_of(tls.getpeercert(), tls.getpeercert(binary_form=True))
        self.right = self._expected in names

    def data_received(self, data: bytes) -> None:
        """Take octets; a stream that cannot be split is ended."""
        try:
            frames = self._frames.feed(data)
        except Malformed:
            self._transport.abort()
            return
        for frame in frames:
            try:
                packet = decode(frame)
            except (Malformed, BadAuthenticator):
                continue
            self._received(self, packet)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the owner."""
        _ = exc
        self._lost(self)

    def send(self, octets: bytes) -> None:
        """Send a packet; on a connection that is going it is lost."""
        if not self._transport.is_closing():
            self._transport.write(octets)

    def close(self) -> None:
        """Close it; what is under way is its owner's to end."""
        if self._transport is not None:
            self._transport.close()


__all__ = ["Channel", "Query", "Received", "TlsChannel", "UdpChannel"]
