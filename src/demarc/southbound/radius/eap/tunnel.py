"""The methods with a tunnel: fragments and the handshake; what is within differs."""

import asyncio
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ClassVar, ParamSpec, TypeVar

from demarc.protocols.eap.fragments import Assembly, Fragment, decode_fragment, split
from demarc.protocols.eap.packet import Packet
from demarc.protocols.radius.dictionary import DICTIONARY
from demarc.protocols.radius.packet import Packet as RadiusPacket
from demarc.southbound.radius.eap.method import Keys, Lost, Outcome, People, Person, Say, Won
from demarc.southbound.radius.eap.tls import Certificate, Progress, Tls, TlsFailed
from demarc.southbound.radius.exchange import Exchange
from demarc.southbound.radius.verification import Overloaded

FRAMED_MTU = DICTIONARY["Framed-MTU"]

_KEY_LABEL_1_3 = b"EXPORTER_EAP_TLS_Key_Material"
_MSK, _MSK_AND_EMSK = 64, 128
_SMALLEST, _USUAL = 100, 1020
_EAP_HEADER = 5
# one: a second would only take the loop's processor from it where there are two
_THREADS = 1
_MOST_WAITING = 300

Given = ParamSpec("Given")
Made = TypeVar("Made")


class Handshakes:
    """The thread that TLS computes in: a handshake takes milliseconds, which the loop has not.

    Args:
        certificate: shown to the peers.
    """

    def __init__(self, certificate: Certificate) -> None:
        self._certificate = certificate
        self._pool = ThreadPoolExecutor(_THREADS, "demarc-eap")
        self._waiting = 0

    async def begin(self) -> Tls:
        """Begin TLS with a peer.

        Raises:
            Overloaded: too much waits already.
        """
        return await self.run(self._certificate.session)

    async def run(
        self, work: Callable[Given, Made], *args: Given.args, **kwargs: Given.kwargs
    ) -> Made:
        """Have something computed.

        Raises:
            Overloaded: too much waits already.
        """
        if self._waiting >= _MOST_WAITING:
            raise Overloaded
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(
                self._pool, lambda: work(*args, **kwargs)
            )
        finally:
            self._waiting -= 1

    def close(self) -> None:
        """Take no more."""
        self._pool.shutdown(wait=False, cancel_futures=True)


class Tunnel(ABC):
    """A method with a tunnel.

    Args:
        people: finds and checks.
        person: whom the outer identity names; who it is, the inner one tells.
        handshakes: computes.
    """

    kind: ClassVar[int]
    key_label: ClassVar[bytes]
    """Of the keys in TLS 1.2."""

    def __init__(self, people: People, person: Person, handshakes: Handshakes) -> None:
        self._people = people
        self._outer = person.identity
        self._handshakes = handshakes
        self._tls: Tls | None = None
        self._assembly = Assembly()
        self._to_send: deque[Fragment] = deque()
        self._established = False
        self._unsent = b""
        self._lost: Lost | None = None
        # what the peer said within, while it is being judged
        self._heard: bytes | None = None
        self.identifier = 0
        """Of the EAP packet that is being answered."""

    async def start(self, identifier: int) -> bytes:
        """Ask the peer to begin TLS."""
        del identifier
        return Fragment(b"", start=True).encode()

    async def answer(self, exchange: Exchange, packet: Packet) -> Outcome:
        """Take a fragment; when it completes a message, go on with TLS or with what is within."""
        self.identifier = packet.identifier
        if self._heard is not None:
            # it comes again because nothing could be said to it: TLS has read it already
            return await self._judge(exchange, self._heard)
        fragment = decode_fragment(packet.data)
        if fragment.version:
            return Lost("the station wants another version of the method")
        if self._to_send:
            if not fragment.acknowledges:
                return Lost("the station did not wait for the last fragment")
            return Say(self._to_send.popleft().encode())
        if self._lost is not None:
            return self._lost
        message = self._assembly.add(fragment)
        if message is None:
            return Say(Fragment(b"").encode())
        return await self._read(exchange, message)

    async def _read(self, exchange: Exchange, message: bytes) -> Outcome:
        if self._tls is None:
            self._tls = await self._handshakes.begin()
        try:
            progress = await self._handshakes.run(self._tls.take, message)
        except TlsFailed as failed:
            return self._fail(exchange, Lost(failed.reason), failed.alert)
        return await self._progressed(exchange, progress)

    async def _progressed(self, exchange: Exchange, progress: Progress) -> Outcome:
        # TLS' own words go before what is protected after them
        self._unsent = progress.out
        if not progress.established:
            return self._send(exchange)
        if progress.plain:
            return await self._judge(exchange, progress.plain)
        if not self._established:
            self._established = True
            # in TLS 1.2 the server has the last word of the handshake, and is told it was heard
            if progress.out and not self._is_1_3:
                return self._send(exchange)
            opening = self.opening()
            said = b"" if opening is None else await self._protect(opening)
            return self._send(exchange, said)
        return await self._judge(exchange, b"")

    async def _judge(self, exchange: Exchange, plain: bytes) -> Outcome:
        self._established = True
        self._heard = plain
        outcome = await self.inside(exchange, plain)
        self._heard = None
        if isinstance(outcome, Say):
            return self._send(exchange, await self._protect(outcome.data))
        if isinstance(outcome, Won):
            return Won(outcome.login, outcome.identity, await self._keys())
        return outcome

    async def _protect(self, plain: bytes) -> bytes:
        if self._tls is None:
            raise RuntimeError("there is no TLS yet")
        return await self._handshakes.run(self._tls.say, plain)

    async def _keys(self) -> Keys:
        if self._is_1_3:
            # it makes other keys when it is asked for fewer octets (RFC 9427, 2.1)
            made = self.export(_KEY_LABEL_1_3, _MSK_AND_EMSK, bytes((self.kind,)))[:_MSK]
        else:
            made = self.export(self.key_label, _MSK)
        # the first half of the master session key is the station's (RFC 2548, RFC 5216, 2.3)
        return Keys(send=made[32:], receive=made[:32])

    def export(self, label: bytes, size: int, context: bytes | None = None) -> bytes:
        """Make keys of the handshake, of so many octets."""
        if self._tls is None:
            raise RuntimeError("there is no TLS yet")
        return self._tls.export(label, size, context)

    @property
    def _is_1_3(self) -> bool:
        return self._tls is not None and self._tls.is_1_3

    def _send(self, exchange: Exchange, octets: bytes = b"") -> Say:
        fragments = split(self._unsent + octets, _room(exchange.packet))
        self._unsent = b""
        self._to_send.extend(fragments[1:])
        return Say(fragments[0].encode())

    def _fail(self, exchange: Exchange, lost: Lost, alert: bytes) -> Outcome:
        if not alert:
            return lost
        # the peer is told why, and is refused once it has heard
        self._lost = lost
        return self._send(exchange, alert)

    @abstractmethod
    def opening(self) -> bytes | None:
        """Give what the server says first within the tunnel; None where the peer begins."""

    @abstractmethod
    async def inside(self, exchange: Exchange, plain: bytes) -> Outcome:
        """Take what the peer said within the tunnel; what is to be said is within it too.

        Args:
            exchange: the request.
            plain: b"" where it but acknowledged.
        """


def _room(packet: RadiusPacket) -> int:
    """Tell how many octets behind an EAP header go through to the peer at once."""
    mtu = packet.value(FRAMED_MTU)
    if mtu is None:
        return _USUAL
    return max(_SMALLEST, min(int.from_bytes(mtu, "big") - _EAP_HEADER, _USUAL))


__all__ = ["Handshakes", "Tunnel"]
