"""EAP-TTLS version 0 (RFC 5281): RADIUS' own methods, or EAP, within TLS."""

from hmac import compare_digest
from typing import ClassVar

from demarc.protocols.eap.avp import Avp, decode_avps, encode_avps
from demarc.protocols.eap.packet import Type
from demarc.protocols.radius.dictionary import DICTIONARY
from demarc.protocols.radius.mschap import read_response1, read_response2
from demarc.protocols.radius.values import read_text
from demarc.southbound.radius.eap.inner import Inner
from demarc.southbound.radius.eap.method import Lost, Outcome, People, Person, Say, Won
from demarc.southbound.radius.eap.tunnel import Handshakes, Tunnel
from demarc.southbound.radius.exchange import Exchange
from demarc.southbound.radius.proof import (
    Chapped,
    Evidence,
    MsChapped1,
    MsChapped2,
    Proved,
    Typed,
)

USER_NAME = DICTIONARY["User-Name"]
USER_PASSWORD = DICTIONARY["User-Password"]
CHAP_PASSWORD = DICTIONARY["CHAP-Password"]
CHAP_CHALLENGE = DICTIONARY["CHAP-Challenge"]
EAP_MESSAGE = DICTIONARY["EAP-Message"]
MS_CHAP_CHALLENGE = DICTIONARY["MS-CHAP-Challenge"]
MS_CHAP_RESPONSE = DICTIONARY["MS-CHAP-Response"]
MS_CHAP2_RESPONSE = DICTIONARY["MS-CHAP2-Response"]
MS_CHAP2_SUCCESS = DICTIONARY["MS-CHAP2-Success"]

NO_METHOD = "no method known here inside the tunnel"
FOREIGN_CHALLENGE = "the challenge inside the tunnel is not the tunnel's"

_CHALLENGE_LABEL = b"ttls challenge"
_CHAP_SIZE = 17


class Ttls(Tunnel):
    """EAP-TTLS."""

    kind: ClassVar[int] = Type.TTLS
    key_label: ClassVar[bytes] = b"ttls keying material"

    def __init__(self, people: People, person: Person, handshakes: Handshakes) -> None:
        super().__init__(people, person, handshakes)
        self._inner: Inner | None = None
        self._end: Won | None = None

    def opening(self) -> None:
        """The peer begins."""
        return

    async def inside(self, exchange: Exchange, plain: bytes) -> Outcome:
        """Take the peer's attributes."""
        if self._end is not None:
            # it has seen that the server knows the password, and goes on
            return self._end
        if not plain:
            return Say(b"")
        told = {(avp.vendor, avp.code): avp.data for avp in reversed(decode_avps(plain))}
        eap = told.get((0, EAP_MESSAGE.type))
        if eap is not None:
            return await self._eap(exchange, eap)
        if self._inner is not None:
            return Lost(NO_METHOD)
        name = told.get((0, USER_NAME.type))
        if not name:
            return Lost("no User-Name inside the tunnel")
        person = await self._people.find(exchange, read_text(name), self._outer)
        evidence = self._evidence(told, name)
        if isinstance(evidence, str):
            return Lost(evidence, person.login)
        return await self._check(exchange, person, evidence)

    async def _check(self, exchange: Exchange, person: Person, evidence: Evidence) -> Outcome:
        verdict = await self._people.check(exchange, person, evidence)
        if person.login is None or not isinstance(verdict, Proved):
            reason = getattr(verdict, "reason", NO_METHOD)
            return Lost(reason, person.login)
        won = Won(person.login, person.identity)
        if not isinstance(evidence, MsChapped2):
            return won
        self._end = won
        success, _ = self._people.ms_chap_success(person, evidence)
        value = bytes((evidence.response.identifier,)) + success
        return Say(encode_avps([Avp(MS_CHAP2_SUCCESS.type, MS_CHAP2_SUCCESS.vendor, value)]))

    def _evidence(self, told: dict[tuple[int, int], bytes], name: bytes) -> Evidence | str:
        """Read what is presented; a text says why it cannot be."""
        password = told.get((0, USER_PASSWORD.type))
        if password is not None:
            # padded, so that its length is not seen outside (RFC 5281, 11.2.5)
            return Typed(password.rstrip(b"\0"))
        answer = told.get((0, CHAP_PASSWORD.type))
        if answer is not None and len(answer) == _CHAP_SIZE:
            challenge = told.get((0, CHAP_CHALLENGE.type), b"")
            if not self._is_of_tunnel(challenge + answer[:1], 17):
                return FOREIGN_CHALLENGE
            return Chapped(answer[0], challenge, answer[1:])
        challenge = told.get((MS_CHAP_CHALLENGE.vendor, MS_CHAP_CHALLENGE.type), b"")
        answer = told.get((MS_CHAP2_RESPONSE.vendor, MS_CHAP2_RESPONSE.type))
        if answer is not None:
            if not self._is_of_tunnel(challenge + answer[:1], 17):
                return FOREIGN_CHALLENGE
            return MsChapped2(challenge, read_response2(answer), name)
        answer = told.get((MS_CHAP_RESPONSE.vendor, MS_CHAP_RESPONSE.type))
        if answer is not None:
            if not self._is_of_tunnel(challenge + answer[:1], 9):
                return FOREIGN_CHALLENGE
            return MsChapped1(challenge, read_response1(answer))
        return NO_METHOD

    def _is_of_tunnel(self, challenge: bytes, size: int) -> bool:
        """Tell whether challenge and identifier are those that TLS gives (RFC 5281, 11.1)."""
        return compare_digest(self.export(_CHALLENGE_LABEL, size), challenge)

    async def _eap(self, exchange: Exchange, octets: bytes) -> Outcome:
        if self._inner is None:
            self._inner = Inner(self._people, self._outer)
        outcome = await self._inner.answer(exchange, octets)
        if isinstance(outcome, Say):
            return Say(encode_avps([Avp(EAP_MESSAGE.type, 0, outcome.data)]))
        return outcome


__all__ = ["Ttls"]
