"""EAP within a tunnel: the peer's true identity, a method, and its end."""

from demarc.protocols.eap.packet import Code, Type, decode, request
from demarc.protocols.radius.values import read_text
from demarc.southbound.radius.eap.method import Lost, Method, Outcome, People, Person, Say
from demarc.southbound.radius.eap.plain import INSIDE
from demarc.southbound.radius.exchange import Exchange

NO_METHOD_IN_COMMON = "no method in common inside the tunnel"

# a hash other than the NT hash can only be checked against the password itself
_PREFERENCE = (Type.MSCHAPV2, Type.GTC, Type.MD5)
_HASHED = (Type.GTC,)
_WITH_MS_CHAP = frozenset({"cleartext", "nt"})


class Inner:
    """The server's side of EAP within a tunnel.

    Args:
        people: finds and checks.
        outer: the identity outside, whose realm counts for an inner one without.
    """

    def __init__(self, people: People, outer: str) -> None:
        self._people = people
        self._outer = outer
        self._identifier = 0
        self._person: Person | None = None
        self._method: Method | None = None
        self._refused: set[int] = set()
        self._begun = False

    def ask_identity(self) -> bytes:
        """Give the request for the true identity, an EAP packet."""
        return self._request(Type.IDENTITY, b"")

    @staticmethod
    def rebuild(data: bytes, identifier: int) -> bytes:
        """Put the header before an answer that PEAP's peers send without (PEAPv0).

        Args:
            data: the answer.
            identifier: of the packet outside, which is that of the one inside.
        """
        size = len(data)
        # some send it all the same
        if size > 4 and data[0] == Code.RESPONSE and int.from_bytes(data[2:4], "big") == size:  # noqa: PLR2004
            return data
        return bytes((Code.RESPONSE, identifier)) + (size + 4).to_bytes(2, "big") + data

    async def answer(self, exchange: Exchange, octets: bytes) -> Outcome:
        """Take the peer's answer, an EAP packet; what is to be said is one as well.

        Raises:
            Away: it cannot be judged now; the same answer may come again.
            Overloaded: likewise.
            Malformed: it is not what the method wants.
        """
        packet = decode(octets)
        if packet.code != Code.RESPONSE or packet.type is None:
            return Lost("no EAP response inside the tunnel")
        if self._method is None or self._person is None:
            if packet.type != Type.IDENTITY:
                return Lost("no identity inside the tunnel")
            identity = read_text(packet.data)
            self._person = await self._people.find(exchange, identity, self._outer)
            return await self._choose(self._person, self._offers(self._person))
        if packet.type == Type.NAK:
            if self._begun:
                return Lost(NO_METHOD_IN_COMMON, self._person.login)
            wanted = [kind for kind in packet.data if kind in INSIDE]
            return await self._choose(self._person, wanted)
        if packet.type != self._method.kind:
            return Lost(NO_METHOD_IN_COMMON, self._person.login)
        outcome = await self._method.answer(exchange, packet)
        self._begun = True
        if isinstance(outcome, Say):
            return Say(self._request(self._method.kind, outcome.data))
        return outcome

    def _offers(self, person: Person) -> list[int]:
        kind = "cleartext" if person.login is None else person.login.secret_kind
        return list(_PREFERENCE if kind in _WITH_MS_CHAP else _HASHED)

    async def _choose(self, person: Person, wanted: list[int]) -> Outcome:
        for kind in wanted:
            if kind not in self._refused:
                self._refused.add(kind)
                self._method = INSIDE[kind](self._people, person)
                data = await self._method.start(self._identifier + 1 & 0xFF)
                return Say(self._request(kind, data))
        return Lost(NO_METHOD_IN_COMMON, person.login)

    def next_identifier(self) -> int:
        """Give the identifier of the next request."""
        self._identifier = self._identifier + 1 & 0xFF
        return self._identifier

    def _request(self, kind: int, data: bytes) -> bytes:
        return request(self.next_identifier(), kind, data)


__all__ = ["NO_METHOD_IN_COMMON", "Inner"]
