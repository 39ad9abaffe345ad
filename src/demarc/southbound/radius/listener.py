"""A UDP socket: datagrams in, verified requests out, replies back."""

import asyncio
import socket
from collections.abc import Callable
from functools import partial
from typing import Any

import structlog

from demarc.platform.clock import Clock, Monotonic
from demarc.platform.telemetry.counters import count
from demarc.platform.telemetry.metrics import histogram
from demarc.protocols.radius.errors import BadAuthenticator, Malformed
from demarc.protocols.radius.packet import MAX_PACKET, Code, decode
from demarc.protocols.radius.verify import verify_request
from demarc.southbound.radius.addressed import Addressed
from demarc.southbound.radius.clients import Clients, Peer
from demarc.southbound.radius.duplicates import Duplicates, Slot
from demarc.southbound.radius.exchange import Exchange
from demarc.southbound.radius.limits import Limits

_log = structlog.get_logger(__name__)

# Datagrams read in one turn of the loop: about 2 ms of work.
_AT_ONCE = 24
_GATHER = 0.001


class Listener:
    """Reads one socket.

    What cannot be answered is dropped and counted by its reason; nothing is logged a packet.

    Args:
        sock: bound; made non-blocking here. It stays open.
        clients: whose packets are taken.
        limits: ages and sizes.
        code: what is taken here beside Status-Server.
        take: called with each verified request that is no duplicate.
        clock: the time.
        monotonic: seconds that never run backwards.
    """

    def __init__(
        self,
        sock: socket.socket,
        clients: Clients,
        limits: Limits,
        *,
        code: Code,
        take: Callable[[Exchange], None],
        clock: Clock,
        monotonic: Monotonic,
    ) -> None:
        sock.setblocking(False)
        self._sock = sock
        # on a wildcard address a reply must leave from the one that was asked
        self._addressed = Addressed.of(sock)
        self._clients = clients
        self._code = code
        self._take = take
        self._clock = clock
        self._monotonic = monotonic
        self._duplicates = Duplicates(limits.duplicate_age, limits.duplicate_size)
        kind = "auth" if code == Code.ACCESS_REQUEST else "acct"
        # accounting waits for its batch anyway
        self._gather = _GATHER if code == Code.ACCOUNTING_REQUEST else 0.0
        self._polling = False
        self._paused = True
        self._took = histogram("radius_answer_seconds", kind=kind)

    def start(self) -> None:
        """Begin to read."""
        self._paused = self._polling = False
        asyncio.get_running_loop().add_reader(self._sock, self._readable)

    def pause(self) -> None:
        """Read no more; replies can still be sent."""
        self._paused = True
        asyncio.get_running_loop().remove_reader(self._sock)

    def _readable(self) -> None:
        if self._paused:
            # looked at once more, after reading was to end
            return
        took = self._read_some()
        if self._gather:
            self._gather_more(took)

    def _gather_more(self, took: int) -> None:
        """Let datagrams gather in the socket while they come fast.

        Each turn of the loop costs as much as a packet: so while there are many, the socket is
        looked at every millisecond, and it wakes the loop again once nothing comes.
        """
        loop = asyncio.get_running_loop()
        if took:
            if not self._polling:
                self._polling = True
                loop.remove_reader(self._sock)
            loop.call_later(0 if took == _AT_ONCE else self._gather, self._readable)
        elif self._polling:
            self._polling = False
            loop.add_reader(self._sock, self._readable)

    def _read_some(self) -> int:
        """Take what has come, up to a number; give how many there were."""
        for taken in range(_AT_ONCE):
            try:
                if self._addressed is None:
                    data, source = self._sock.recvfrom(MAX_PACKET + 1)
                    way: Any = source
                else:
                    data, source, way = self._addressed.receive(MAX_PACKET + 1)
            except BlockingIOError:
                return taken
            except OSError:
                # an ICMP error of an earlier reply; the next datagram is another matter
                continue
            try:
                self._received(data, source, way)
            except Malformed as reason:
                count("radius_dropped", reason=reason.reason)
            except BadAuthenticator as reason:
                count("radius_dropped", reason=reason.reason)
            except Exception:  # noqa: BLE001 - logged and counted
                # a fault of ours in one packet must not stop the socket
                count("radius_dropped", reason="error")
                _log.exception("a RADIUS packet failed")
        return _AT_ONCE

    def _received(self, data: bytes, source: Any, way: Any) -> None:
        host = plain(source[0])
        peer = self._clients.peer(host)
        if peer is None:
            count("radius_dropped", reason="unknown client")
            return
        client = peer.client
        packet = decode(data)
        if packet.code not in {self._code, Code.STATUS_SERVER}:
            count("radius_dropped", reason="unexpected code")
            return
        # before the replies are looked through: a forged request gets none of them
        verify_request(
            packet,
            client.secret,
            require_message_authenticator=peer.requires,
            limit_proxy_state=peer.limits,
        )
        received = self._clock()
        # an unsigned Access-Request proves nothing
        signed = packet.signature > 0
        proves = signed or packet.code != Code.ACCESS_REQUEST
        if proves and not (peer.seen and (peer.signs or not signed)):
            self._clients.note(peer, signed=signed, at=received)
        now = self._monotonic()
        key = (way, packet.identifier)
        slot = self._duplicates.find(key, packet.authenticator, now)
        if slot is not None:
            count("radius_duplicates")
            if slot.reply is not None:
                self._send(slot.reply, way)
            return
        slot = self._duplicates.open(key, packet.authenticator, now)
        self._take(
            Exchange(
                packet,
                client,
                host,
                received,
                send=partial(self._reply, slot, way, peer, now),
                forget=partial(self._duplicates.discard, key, slot),
            )
        )

    def _reply(self, slot: Slot, way: Any, peer: Peer, since: float, reply: bytes) -> None:
        slot.reply = reply
        peer.answered = True
        self._send(reply, way)
        self._took.observe(self._monotonic() - since)

    def _send(self, reply: bytes, way: Any) -> None:
        try:
            if self._addressed is None:
                self._sock.sendto(reply, way)
            else:
                self._addressed.send(reply, way)
        except OSError:
            # the socket's buffer is full, or there is no way back: the NAS asks again
            count("radius_dropped", reason="reply not sent")


def plain(host: str) -> str:
    """Give an address as it is stored: without a zone, IPv4 not within IPv6."""
    if ":" in host:
        return host.partition("%")[0].removeprefix("::ffff:")
    return host


__all__ = ["Listener", "plain"]
