"""The methods that need no TLS: EAP-MD5, EAP-MSCHAPv2, and within a tunnel EAP-GTC."""

import os
from collections.abc import Callable
from typing import ClassVar

from demarc.protocols.eap.mschapv2 import Op, decode_answer, encode_challenge, encode_verdict
from demarc.protocols.eap.packet import Malformed, Packet, Type, read_md5
from demarc.protocols.radius.mschap import AUTHENTICATION_FAILURE, error_message
from demarc.southbound.radius.eap.method import (
    Keys,
    Lost,
    Method,
    Outcome,
    People,
    Person,
    Say,
    Won,
)
from demarc.southbound.radius.exchange import Exchange
from demarc.southbound.radius.proof import Chapped, MsChapped2, Proved, Typed

SERVER = b"demarc"
"""What we call ourselves where a method has us name ourselves."""

_CHALLENGE = 16


class Md5:
    """EAP-MD5 (RFC 3748 section 5.4): CHAP in EAP. It gives no keys."""

    kind: ClassVar[int] = Type.MD5

    def __init__(self, people: People, person: Person) -> None:
        self._people = people
        self._person = person
        self._challenge = os.urandom(_CHALLENGE)

    async def start(self, identifier: int) -> bytes:
        """Give the challenge."""
        del identifier
        return bytes((_CHALLENGE,)) + self._challenge + SERVER

    async def answer(self, exchange: Exchange, packet: Packet) -> Outcome:
        """Check the response."""
        evidence = Chapped(packet.identifier, self._challenge, read_md5(packet.data))
        verdict = await self._people.check(exchange, self._person, evidence)
        return _outcome(self._person, verdict)


class Gtc:
    """EAP-GTC (RFC 3748 section 5.6): the password itself, which only a tunnel may carry."""

    kind: ClassVar[int] = Type.GTC

    def __init__(self, people: People, person: Person) -> None:
        self._people = people
        self._person = person

    async def start(self, identifier: int) -> bytes:
        """Ask for the password."""
        del identifier
        return b"Password: "

    async def answer(self, exchange: Exchange, packet: Packet) -> Outcome:
        """Check the password."""
        verdict = await self._people.check(exchange, self._person, Typed(packet.data))
        return _outcome(self._person, verdict)


class MsChapV2:
    """EAP-MSCHAPv2."""

    kind: ClassVar[int] = Type.MSCHAPV2

    def __init__(self, people: People, person: Person) -> None:
        self._people = people
        self._person = person
        self._challenge = os.urandom(_CHALLENGE)
        self._identifier = 0
        self._end: Won | Lost | None = None

    async def start(self, identifier: int) -> bytes:
        """Give the challenge."""
        self._identifier = identifier
        return encode_challenge(identifier, self._challenge, SERVER)

    async def answer(self, exchange: Exchange, packet: Packet) -> Outcome:
        """Check the response, tell the peer, and have it agree."""
        answer = decode_answer(packet.data)
        if self._end is not None:
            return self._agreed(answer.op, self._end)
        if answer.response is None:
            raise Malformed("EAP-MSCHAPv2 response expected")
        evidence = MsChapped2(self._challenge, answer.response, answer.name)
        verdict = await self._people.check(exchange, self._person, evidence)
        login = self._person.login
        if login is None or not isinstance(verdict, Proved):
            self._end = _lost(self._person, verdict)
            text = error_message(AUTHENTICATION_FAILURE, os.urandom(_CHALLENGE), 3, "refused")
            return Say(encode_verdict(Op.FAILURE, self._identifier, text))
        success, keys = self._people.ms_chap_success(self._person, evidence)
        self._end = Won(login, self._person.identity, keys)
        return Say(encode_verdict(Op.SUCCESS, self._identifier, success + b" M=Welcome"))

    def _agreed(self, op: Op, end: Won | Lost) -> Outcome:
        if isinstance(end, Won) and op is not Op.SUCCESS:
            # it does not believe that we know the password
            return Lost("the station did not accept the server", end.login)
        return end


def _outcome(person: Person, verdict: object, keys: Keys | None = None) -> Won | Lost:
    if isinstance(verdict, Proved) and person.login is not None:
        return Won(person.login, person.identity, keys)
    return _lost(person, verdict)


def _lost(person: Person, verdict: object) -> Lost:
    return Lost(getattr(verdict, "reason", "unknown user or wrong password"), person.login)


BARE: dict[int, Callable[[People, Person], Method]] = {
    Type.MD5: Md5,
    Type.MSCHAPV2: MsChapV2,
}
"""Methods that may be spoken without a tunnel."""

INSIDE: dict[int, Callable[[People, Person], Method]] = {**BARE, Type.GTC: Gtc}
"""Methods that may be spoken within one."""


__all__ = ["BARE", "INSIDE", "SERVER", "Gtc", "Md5", "MsChapV2"]
