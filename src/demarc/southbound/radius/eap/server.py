"""EAP in Access-Requests (RFC 3579): conversations, the choice of a method, and their end."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Protocol

import structlog

from demarc.domains.aaa.logins import Login
from demarc.platform.clock import Monotonic
from demarc.platform.telemetry.counters import count
from demarc.protocols.eap import packet as eap
from demarc.protocols.eap.packet import Type
from demarc.protocols.radius.attributes import encode_attributes
from demarc.protocols.radius.dictionary import DICTIONARY
from demarc.protocols.radius.errors import Malformed
from demarc.protocols.radius.packet import Code
from demarc.protocols.radius.values import read_text
from demarc.southbound.radius.eap.conversations import (
    MOST_ROUNDS,
    Conversation,
    Conversations,
)
from demarc.southbound.radius.eap.method import (
    Away,
    Lost,
    Method,
    Outcome,
    People,
    Person,
    Say,
    Won,
)
from demarc.southbound.radius.eap.peap import Peap
from demarc.southbound.radius.eap.plain import BARE
from demarc.southbound.radius.eap.tls import Certificate, Files, TlsFailed
from demarc.southbound.radius.eap.ttls import Ttls
from demarc.southbound.radius.eap.tunnel import Handshakes
from demarc.southbound.radius.exchange import Exchange
from demarc.southbound.radius.proof import Proved, mppe_attributes
from demarc.southbound.radius.verification import Overloaded

_log = structlog.get_logger(__name__)

EAP_MESSAGE = DICTIONARY["EAP-Message"]
STATE = DICTIONARY["State"]
USER_NAME = DICTIONARY["User-Name"]

OVER = "the EAP conversation is over, or was never begun"
NO_METHOD_IN_COMMON = "no EAP method in common"
TOO_LONG = "the EAP conversation does not end"

_MOST_UNDER_WAY = 1_000
_LONGEST_USERNAME = 253


class Entrance(Protocol):
    """Lets people in or not, and says so to their NAS."""

    def admit(self, exchange: Exchange, login: Login, proof: Proved) -> None:
        """Answer somebody who has proved who they are."""
        ...

    def refuse(
        self, exchange: Exchange, login: Login | None, reason: str, extra: bytes = b""
    ) -> None:
        """Answer no."""
        ...


class EapServer:
    """Carries on the conversations of all peers.

    Args:
        people: finds and checks.
        entrance: answers in the end.
        clock: monotonic seconds.
        files: the certificate; without it the methods with TLS are not offered.
    """

    def __init__(
        self, people: People, entrance: Entrance, clock: Monotonic, files: Files | None = None
    ) -> None:
        self._people = people
        self._entrance = entrance
        self._conversations = Conversations(clock)
        self._tasks: set[asyncio.Task[None]] = set()
        self._handshakes = _handshakes(files)
        self._methods: dict[int, Callable[[Person], Method]] = {}
        if (handshakes := self._handshakes) is not None:
            self._methods[Type.PEAP] = lambda person: Peap(people, person, handshakes)
            self._methods[Type.TTLS] = lambda person: Ttls(people, person, handshakes)
        for kind, make in BARE.items():
            self._methods[kind] = _bound(make, people)

    def take(self, exchange: Exchange) -> None:
        """Answer an Access-Request with an EAP-Message.

        Raises:
            Malformed: it holds no EAP response.
        """
        octets = b"".join(exchange.packet.values(EAP_MESSAGE))
        if not octets:
            # EAP-Start: the NAS leaves asking for the identity to us (RFC 3579, 2.1)
            self._challenge(exchange, b"", eap.request(0, Type.IDENTITY))
            return
        packet = eap.decode(octets)
        if packet.code != eap.Code.RESPONSE:
            raise Malformed("EAP-Message is no response")
        state = exchange.packet.value(STATE)
        if state is None and packet.type == Type.IDENTITY:
            self._begin(exchange, self._start(exchange, packet))
            return
        nas_id = exchange.client.nas.id
        found = None
        if state is not None:
            found = self._conversations.find(state, nas_id, exchange.host)
        if found is None:
            self._entrance.refuse(exchange, None, OVER, _failed(packet.identifier))
        elif found.busy:
            # the NAS asks again, in another packet, for what is being answered
            exchange.drop()
        elif octets == found.answered:
            exchange.reply(Code.ACCESS_CHALLENGE, found.challenge)
        elif packet.identifier != found.identifier:
            count("radius_dropped", reason="EAP identifier")
            exchange.drop()
        else:
            found.busy = True
            self._begin(exchange, self._go_on(exchange, found, packet, octets))

    def _begin(self, exchange: Exchange, work: Coroutine[Any, Any, None]) -> None:
        if len(self._tasks) >= _MOST_UNDER_WAY:
            work.close()
            count("radius_dropped", reason="overload")
            exchange.drop()
            return
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _start(self, exchange: Exchange, packet: eap.Packet) -> None:
        """Take an identity, and offer the first method."""
        with _Settled(exchange):
            person = await self._people.find(exchange, read_text(packet.data))
            kind = next(iter(self._methods))
            conversation = self._conversations.begin(
                exchange.client.nas.id, exchange.host, person, self._methods[kind](person)
            )
            if conversation is None:
                raise Overloaded
            conversation.refused.add(kind)
            conversation.identifier = packet.identifier
            await self._offer(exchange, conversation)

    async def _go_on(
        self, exchange: Exchange, conversation: Conversation, packet: eap.Packet, octets: bytes
    ) -> None:
        """Take an answer."""
        with _Settled(exchange):
            try:
                self._conversations.heard(conversation)
                outcome = await self._outcome(exchange, conversation, packet)
            except Malformed as reason:
                outcome = Lost(reason.reason, conversation.person.login)
            finally:
                conversation.busy = False
            if outcome is None:
                await self._offer(exchange, conversation)
            elif isinstance(outcome, Say):
                conversation.begun = True
                self._request(exchange, conversation, outcome.data)
            else:
                self._conversations.end(conversation)
                self._end(exchange, conversation, packet.identifier, outcome)
            conversation.answered = octets

    async def _outcome(
        self, exchange: Exchange, conversation: Conversation, packet: eap.Packet
    ) -> Outcome | None:
        """Tell what comes of an answer; None if another method is to be offered."""
        person = conversation.person
        conversation.rounds += 1
        if conversation.rounds > MOST_ROUNDS:
            return Lost(TOO_LONG, person.login)
        if packet.type == Type.NAK and not conversation.begun:
            for kind in packet.data:
                if kind in self._methods and kind not in conversation.refused:
                    conversation.refused.add(kind)
                    conversation.method = self._methods[kind](person)
                    return None
            return Lost(NO_METHOD_IN_COMMON, person.login)
        if packet.type != conversation.method.kind:
            return Lost(NO_METHOD_IN_COMMON, person.login)
        return await conversation.method.answer(exchange, packet)

    async def _offer(self, exchange: Exchange, conversation: Conversation) -> None:
        identifier = conversation.identifier + 1 & 0xFF
        self._request(exchange, conversation, await conversation.method.start(identifier))

    def _request(self, exchange: Exchange, conversation: Conversation, data: bytes) -> None:
        conversation.identifier = conversation.identifier + 1 & 0xFF
        request = eap.request(conversation.identifier, conversation.method.kind, data)
        conversation.challenge = self._challenge(exchange, conversation.state, request)

    @staticmethod
    def _challenge(exchange: Exchange, state: bytes, request: bytes) -> bytes:
        pairs = [(STATE, state)] if state else []
        attributes = encode_attributes([*pairs, (EAP_MESSAGE, request)])
        exchange.reply(Code.ACCESS_CHALLENGE, attributes)
        count("radius_replies", kind="challenge")
        return attributes

    def _end(
        self, exchange: Exchange, conversation: Conversation, identifier: int, end: Won | Lost
    ) -> None:
        if isinstance(end, Lost):
            login = end.login or conversation.person.login
            self._entrance.refuse(exchange, login, end.reason, _failed(identifier))
            return
        attributes = encode_attributes([(EAP_MESSAGE, eap.success(identifier))])
        if end.keys is not None:
            attributes += mppe_attributes(
                end.keys.send,
                end.keys.receive,
                exchange.client.secret,
                exchange.packet.authenticator,
            )
        identity = end.identity.encode()
        if identity != exchange.packet.value(USER_NAME) and len(identity) <= _LONGEST_USERNAME:
            # the NAS accounts for who it is, not for "anonymous"
            attributes += encode_attributes([(USER_NAME, end.identity)])
        self._entrance.admit(exchange, end.login, Proved(attributes, _failed(identifier)))

    async def stop(self) -> None:
        """Wait for the answers under way, and take no more."""
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._handshakes is not None:
            self._handshakes.close()

    def __len__(self) -> int:
        return len(self._conversations)


class _Settled:
    """Sees to it that a request is answered or dropped, whatever happens.

    Args:
        exchange: the request.
    """

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> bool:
        if error is None:
            return True
        if not isinstance(error, Exception):
            return False
        reason = "error"
        if isinstance(error, Away):
            reason = "database_away"
        elif isinstance(error, Overloaded):
            reason = "overload"
        elif isinstance(error, Malformed):
            reason = error.reason
        else:
            _log.error("an EAP conversation failed", exc_info=error)
        count("radius_dropped", reason=reason)
        if not self._exchange.settled:
            self._exchange.drop()
        return True


def _failed(identifier: int) -> bytes:
    return encode_attributes([(EAP_MESSAGE, eap.failure(identifier))])


def _bound(make: Callable[[People, Person], Method], people: People) -> Callable[[Person], Method]:
    return lambda person: make(people, person)


def _handshakes(files: Files | None) -> Handshakes | None:
    if files is None:
        return None
    try:
        return Handshakes(Certificate(files))
    except TlsFailed as failed:
        _log.error("EAP methods with TLS are not offered", reason=failed.reason)
        return None


__all__ = ["NO_METHOD_IN_COMMON", "OVER", "TOO_LONG", "EapServer", "Entrance"]
