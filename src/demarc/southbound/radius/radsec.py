"""RADIUS over TLS: NASes and other servers that come to us (RFC 6614, with RFC 6613's frames).

Who a client is, its certificate says. Authentication and accounting come on one connection;
Status-Server, which keeps it alive (RFC 3539, 3.4), is answered there as well.
"""

import asyncio
import socket
from collections import Counter, deque
from collections.abc import Callable, Mapping
from functools import partial
from ipaddress import ip_network
from typing import Any

import structlog

from demarc.platform.clock import Clock, Monotonic
from demarc.platform.telemetry.counters import count
from demarc.platform.telemetry.repeats import REPEATS
from demarc.protocols.radius.attributes import encode_attributes
from demarc.protocols.radius.dictionary import DICTIONARY
from demarc.protocols.radius.errors import BadAuthenticator, Malformed
from demarc.protocols.radius.packet import Code, decode
from demarc.protocols.radius.stream import Frames
from demarc.protocols.radius.verify import verify_request
from demarc.southbound.radius.clients import Client, Clients, Peer
from demarc.southbound.radius.duplicates import Duplicates, Slot
from demarc.southbound.radius.exchange import Exchange
from demarc.southbound.radius.limits import Limits
from demarc.southbound.radius.listener import plain
from demarc.southbound.radius.tls import Contexts, TlsFiles, names_of

_log = structlog.get_logger(__name__)

# Packets taken in one turn of the loop: about 2 ms of work.
_AT_ONCE = 24
_HANDSHAKE_WITHIN = 10.0
_CLOSE_WITHIN = 3.0
_PAUSE = 1.0
# handshakes under way with one address
_MOST_GREETED = 32
# of a client that takes no answers
_MOST_UNSENT = 1 << 20
# nobody's Access- or Accounting-Request is what asks for these (RFC 6614, 2.5)
_UNSUPPORTED = encode_attributes([(DICTIONARY["Error-Cause"], 406)])
_REFUSALS = {
    Code.DISCONNECT_REQUEST: Code.DISCONNECT_NAK,
    Code.COA_REQUEST: Code.COA_NAK,
}

Takes = Mapping[int, Callable[[Exchange], None]]


class RadsecListener:
    """Takes connections on one socket.

    Args:
        sock: listening; made non-blocking here. It stays open.
        clients: whose connections are taken.
        limits: sizes and ages.
        files: our certificate, and whom we trust.
        takes: by the code of a request, what is called with each that is no duplicate.
        clock: the time.
        monotonic: seconds that never run backwards.

    Raises:
        OSError: the certificate cannot be read.
    """

    def __init__(
        self,
        sock: socket.socket,
        clients: Clients,
        limits: Limits,
        *,
        files: TlsFiles,
        takes: Takes,
        clock: Clock,
        monotonic: Monotonic,
    ) -> None:
        sock.setblocking(False)
        self._sock = sock
        self._contexts = Contexts(files, server=True)
        self._make = partial(
            Connection, clients, limits, takes=takes, clock=clock, monotonic=monotonic
        )
        self._most = limits.radsec_connections
        self._accepting: asyncio.Task[None] | None = None
        self._greeting: set[asyncio.Task[None]] = set()
        self._greeted: Counter[str] = Counter()
        self._connections: set[Connection] = set()

    def start(self) -> None:
        """Begin to take connections."""
        self._accepting = asyncio.get_running_loop().create_task(self._accept())

    async def _accept(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                accepted, source = await loop.sock_accept(self._sock)
            except OSError as error:
                # no more descriptors, or a client that has gone: others come
                if (repeats := REPEATS.due("radsec accept")) is not None:
                    _log.warning("RadSec: accepting failed", reason=str(error), repeats=repeats)
                await asyncio.sleep(_PAUSE)
                continue
            host = source[0]
            # who has shown no certificate yet cannot keep out those who have, nor other addresses
            if (
                len(self._connections) >= self._most
                or len(self._greeting) >= self._most
                or self._greeted[host] >= _MOST_GREETED
            ):
                count("radsec_refused", reason="too many connections")
                accepted.close()
                continue
            task = loop.create_task(self._greet(accepted, host))
            self._greeting.add(task)
            task.add_done_callback(self._greeting.discard)

    async def _greet(self, accepted: socket.socket, host: str) -> None:
        self._greeted[host] += 1
        try:
            accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await asyncio.get_running_loop().connect_accepted_socket(
                partial(self._make, self._connections),
                accepted,
                ssl=self._contexts.current(),
                ssl_handshake_timeout=_HANDSHAKE_WITHIN,
                ssl_shutdown_timeout=_CLOSE_WITHIN,
            )
        except (OSError, asyncio.CancelledError) as error:
            # an ssl.SSLError is one: not TLS, no certificate, or one we do not trust
            accepted.close()
            if isinstance(error, asyncio.CancelledError):
                raise
            count("radsec_refused", reason="handshake")
            if (repeats := REPEATS.due("radsec handshake", str(error))) is not None:
                _log.warning("RadSec: a handshake failed", reason=str(error), repeats=repeats)
        finally:
            self._greeted[host] -= 1
            if not self._greeted[host]:
                del self._greeted[host]

    def pause(self) -> None:
        """Take no more connections and packets; replies can still be sent."""
        for task in (self._accepting, *self._greeting):
            if task is not None:
                task.cancel()
        for connection in self._connections:
            connection.pause()

    async def close(self) -> None:
        """Close all connections, once what was written is sent."""
        for connection in list(self._connections):
            connection.close()
        ending = [task for task in (self._accepting, *self._greeting) if task is not None]
        await asyncio.gather(*ending, return_exceptions=True)
        gone = [connection.gone.wait() for connection in self._connections]
        try:
            async with asyncio.timeout(_CLOSE_WITHIN):
                await asyncio.gather(*gone)
        except TimeoutError:
            for connection in list(self._connections):
                connection.abort()

    def __len__(self) -> int:
        return len(self._connections)


class Connection(asyncio.Protocol):
    """One client's connection.

    Args:
        clients: who it may be.
        limits: sizes and ages.
        among: where it is while it is open.
        takes: by code, what is called with each request.
        clock: the time.
        monotonic: seconds that never run backwards.

    Attributes:
        name: by which of its certificate's names it is known.
        gone: set when it is closed.
    """

    def __init__(
        self,
        clients: Clients,
        limits: Limits,
        among: "set[Connection]",
        *,
        takes: Takes,
        clock: Clock,
        monotonic: Monotonic,
    ) -> None:
        self._clients = clients
        self._among = among
        self._takes = takes
        self._clock = clock
        self._monotonic = monotonic
        self._idle = limits.radsec_idle
        self._most_of_one = limits.radsec_connections_of_one
        self._most_waiting = limits.radsec_outstanding
        self._duplicates = Duplicates(limits.duplicate_age, limits.radsec_outstanding)
        self._frames = Frames()
        self._waiting: deque[bytes] = deque()
        self._working = False
        self._outstanding = 0
        self._transport: Any = None
        self.name = ""
        self._host = ""
        self._peer: Peer | None = None
        self._heard = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._paused = self._stopped = False
        self.gone = asyncio.Event()

    # -- its life ------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Find out whose it is; close it if it is nobody's."""
        self._transport = transport
        self._among.add(self)
        count("radsec_connections", kind="opened")
        tls = transport.get_extra_info("ssl_object")
        names = names_of(tls.getpeercert(), tls.getpeercert(binary_form=True))
        self.name = next((name for name in names if self._clients.certified(name)), names[0])
        client = self._clients.certified(self.name)
        address = plain(transport.get_extra_info("peername")[0])
        if self._same() > self._most_of_one:
            count("radsec_refused", reason="too many of one client")
            self.close()
            return
        if client is None:
            count("radsec_refused", reason="unknown certificate")
            if (repeats := REPEATS.due("radsec client", *names)) is not None:
                _log.warning(
                    "RadSec: a certificate is no NAS's",
                    names=names,
                    address=address,
                    repeats=repeats,
                )
            self.close()
            return
        self._host = _host(client, address)
        self._peer = Peer(client, self._host, signs=False, requires=False, limits=False)
        self._heard = self._monotonic()
        self._watch()

    def _same(self) -> int:
        return sum(other.name == self.name for other in self._among)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget it; what is still to be answered is answered to nobody."""
        _ = exc
        self._among.discard(self)
        self._waiting.clear()
        if self._timer is not None:
            self._timer.cancel()
        count("radsec_connections", kind="closed")
        self.gone.set()

    def _watch(self) -> None:
        """Close a connection on which nothing comes, not even Status-Server."""
        left = self._heard + self._idle - self._monotonic()
        if left <= 0:
            count("radsec_connections", kind="idle")
            self.close()
        else:
            self._timer = asyncio.get_running_loop().call_later(left, self._watch)

    def pause(self) -> None:
        """Take no more packets."""
        self._stopped = True
        self._waiting.clear()
        self._read_or_not()

    def close(self) -> None:
        """Close it once what was written is sent."""
        self._stopped = True
        self._waiting.clear()
        self._transport.close()

    def abort(self) -> None:
        """Close it at once."""
        self._transport.abort()

    # -- what comes ----------------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        """Take octets; the packets in them are taken a few at a time."""
        if self._stopped:
            return
        self._heard = self._monotonic()
        try:
            self._waiting.extend(self._frames.feed(data))
        except Malformed as reason:
            count("radius_dropped", reason=reason.reason)
            self.close()
            return
        if not self._working:
            self._work()

    def _work(self) -> None:
        self._working = False
        for _ in range(_AT_ONCE):
            if not self._waiting:
                break
            frame = self._waiting.popleft()
            try:
                self._received(frame)
            except (Malformed, BadAuthenticator) as reason:
                count("radius_dropped", reason=reason.reason)
            except Exception:  # noqa: BLE001 - logged and counted
                count("radius_dropped", reason="error")
                _log.exception("a RADIUS packet failed")
        if self._waiting:
            self._working = True
            asyncio.get_running_loop().call_soon(self._work)
        self._read_or_not()

    def _received(self, frame: bytes) -> None:
        client = self._clients.certified(self.name)
        if client is None or self._peer is None:
            # it was a NAS's, which is gone or has another one now
            self.close()
            return
        packet = decode(frame)
        take = self._takes.get(packet.code)
        if take is None and packet.code not in _REFUSALS:
            count("radius_dropped", reason="unexpected code")
            return
        verify_request(packet, client.secret)
        received = self._clock()
        if not self._peer.seen:
            self._peer.client = client
            self._clients.note(self._peer, signed=False, at=received)
        now = self._monotonic()
        key = (None, packet.identifier)
        slot = self._duplicates.find(key, packet.authenticator, now)
        if slot is not None:
            count("radius_duplicates")
            if slot.reply is not None:
                self._send(slot.reply)
            return
        if self._outstanding >= self._most_waiting:
            count("radius_dropped", reason="overload")
            return
        slot = self._duplicates.open(key, packet.authenticator, now)
        self._outstanding += 1
        exchange = Exchange(
            packet,
            client,
            self._host,
            received,
            send=partial(self._reply, slot),
            forget=partial(self._forget, key, slot),
        )
        if take is None:
            exchange.reply(_REFUSALS[Code(packet.code)], _UNSUPPORTED)
        else:
            take(exchange)

    # -- what goes -----------------------------------------------------------------------------

    def _reply(self, slot: Slot, reply: bytes) -> None:
        self._outstanding -= 1
        slot.reply = reply
        if self._peer is not None:
            self._peer.answered = True
        self._send(reply)

    def _forget(self, key: tuple[None, int], slot: Slot) -> None:
        self._outstanding -= 1
        self._duplicates.discard(key, slot)

    def _send(self, reply: bytes) -> None:
        if self._transport.is_closing():
            return
        if self._transport.get_write_buffer_size() > _MOST_UNSENT:
            count("radsec_connections", kind="clogged")
            self.abort()
            return
        self._transport.write(reply)

    def pause_writing(self) -> None:
        """Read no more while the client does not take its answers."""
        self._paused = True
        self._read_or_not()

    def resume_writing(self) -> None:
        """Read again."""
        self._paused = False
        self._read_or_not()

    def _read_or_not(self) -> None:
        if self._transport.is_closing():
            return
        if self._stopped or self._paused or self._working:
            self._transport.pause_reading()
        else:
            self._transport.resume_reading()


def _host(client: Client, address: str) -> str:
    """Give the address a client's sessions are booked under, and asked to end at.

    One NAS has its own, from wherever its connections come; one of a prefix is told by theirs.
    """
    network = ip_network(client.nas.prefix)
    return str(network.network_address) if network.num_addresses == 1 else address


__all__ = ["Connection", "RadsecListener", "Takes"]
