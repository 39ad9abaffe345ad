"""PEAP version 0, as Microsoft does it and everybody since (MS-PEAP)."""

from typing import ClassVar

from demarc.protocols.eap.packet import Code, Type, decode, request
from demarc.southbound.radius.eap.inner import Inner
from demarc.southbound.radius.eap.method import Lost, Outcome, People, Person, Say, Won
from demarc.southbound.radius.eap.tunnel import Handshakes, Tunnel
from demarc.southbound.radius.exchange import Exchange

_HEADER = 4
# the result TLV, mandatory: 1 is success, 2 is failure
_RESULT = b"\x80\x03\x00\x02"
_SUCCESS, _FAILURE = _RESULT + b"\x00\x01", _RESULT + b"\x00\x02"


class Peap(Tunnel):
    """PEAPv0: EAP within TLS, its packets without their headers."""

    kind: ClassVar[int] = Type.PEAP
    key_label: ClassVar[bytes] = b"client EAP encryption"

    def __init__(self, people: People, person: Person, handshakes: Handshakes) -> None:
        super().__init__(people, person, handshakes)
        self._inner = Inner(people, person.identity)
        self._end: Won | Lost | None = None
        self._opened = False

    def opening(self) -> bytes:
        """Ask who it is."""
        self._opened = True
        return self._inner.ask_identity()[_HEADER:]

    async def inside(self, exchange: Exchange, plain: bytes) -> Outcome:
        """Speak EAP, and in the end agree on what came of it."""
        if not self._opened:
            return Say(self.opening())
        octets = self._inner.rebuild(plain, self.identifier)
        if self._end is not None:
            return self._agreed(octets, self._end)
        outcome = await self._inner.answer(exchange, octets)
        if isinstance(outcome, Say):
            return Say(outcome.data[_HEADER:])
        self._end = outcome
        result = _SUCCESS if isinstance(outcome, Won) else _FAILURE
        # this one keeps its header
        return Say(request(self._inner.next_identifier(), Type.TLV, result))

    @staticmethod
    def _agreed(octets: bytes, end: Won | Lost) -> Outcome:
        packet = decode(octets)
        agreed = packet.code == Code.RESPONSE and packet.type == Type.TLV
        if isinstance(end, Won) and not (agreed and _SUCCESS in packet.data):
            return Lost("the station did not agree to the result", end.login)
        return end


__all__ = ["Peap"]
