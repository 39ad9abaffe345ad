"""Dynamic authorization, the NAS's side (RFC 5176): Disconnect- and CoA-Requests are obeyed."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from ipaddress import IPv4Address
from typing import Any, Final

import msgspec

from demarc.lab.nas.session import Habits, Session
from demarc.lab.nas.vendors import VENDORS, Make
from demarc.lab.nas.walls import read_walls
from demarc.protocols.radius.attributes import Pair
from demarc.protocols.radius.dictionary import DICTIONARY, Attribute
from demarc.protocols.radius.errors import BadAuthenticator, Malformed
from demarc.protocols.radius.packet import Code, Packet, decode
from demarc.protocols.radius.reply import encode_reply
from demarc.protocols.radius.verify import verify_request

_REMEMBERED: Final = 1024
_REPLAY_SECONDS: Final = 300
_ERROR_CAUSE: Final = DICTIONARY["Error-Cause"]
_EVENT_TIMESTAMP: Final = DICTIONARY["Event-Timestamp"]
_NAS_IP: Final = DICTIONARY["NAS-IP-Address"]
_NAS_IDENTIFIER: Final = DICTIONARY["NAS-Identifier"]
_SESSION_ID: Final = DICTIONARY["Acct-Session-Id"]
_USER_NAME: Final = DICTIONARY["User-Name"]
_FRAMED_IP: Final = DICTIONARY["Framed-IP-Address"]
_LINE_KEYS: Final = tuple(
    DICTIONARY[name]
    for name in ("Calling-Station-Id", "Called-Station-Id", "NAS-Port", "NAS-Port-Id")
)
_FRAMED_PREFIX: Final = DICTIONARY["Framed-IPv6-Prefix"]
_KEYS: Final = (_SESSION_ID, _USER_NAME, _FRAMED_IP, _FRAMED_PREFIX, *_LINE_KEYS)
_SESSION_TIMEOUT: Final = DICTIONARY["Session-Timeout"]
# By what a make finds a session: one of these at least. Others take any key there is.
_FINDS_BY: Final[dict[Make, tuple[Attribute, ...]]] = {
    "huawei": (_SESSION_ID,),
    "juniper": (_SESSION_ID,),
    "cisco": (_SESSION_ID,),
    "nokia": (_SESSION_ID,),
    "zte": (_SESSION_ID,),
    "accel-ppp": (_SESSION_ID, _USER_NAME, _FRAMED_IP),
}
_OF_A_DISCONNECT: Final = frozenset(
    attribute.type
    for attribute in (
        *_KEYS,
        _NAS_IP,
        _NAS_IDENTIFIER,
        _EVENT_TIMESTAMP,
        *(
            DICTIONARY[name]
            for name in (
                "Message-Authenticator",
                "Proxy-State",
                "Acct-Terminate-Cause",
                "Reply-Message",
                "State",
                "Class",
                "Vendor-Specific",
            )
        ),
    )
)


class Refusals(msgspec.Struct):
    """Packets at the CoA port that got no answer, and repeated ones, which got their first."""

    malformed: int = 0
    forged: int = 0
    unexpected: int = 0
    outdated: int = 0
    repeated: int = 0


Decision = tuple[Code, Sequence[Pair]]
"""The reply's code and attributes."""


class CoaPort(asyncio.DatagramProtocol):
    """The socket that Disconnect- and CoA-Requests come to.

    A repeated request gets the reply it got (RFC 5080 section 2.2.2). One whose Event-Timestamp
    is more than 300 s off is dropped (RFC 5176 section 3).
    """

    def __init__(
        self, secret: bytes, clock: Callable[[], datetime], decide: Callable[[Packet], Decision]
    ) -> None:
        self.refusals = Refusals()
        self._secret = secret
        self._clock = clock
        self._decide = decide
        self._replies: OrderedDict[tuple[Any, int], tuple[bytes, bytes]] = OrderedDict()
        self._transport: asyncio.DatagramTransport

    def connection_made(self, transport: Any) -> None:
        """Take the socket, as asyncio hands it over."""
        self._transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        """Answer one datagram, or drop it without a word."""
        try:
            request = decode(data)
            verify_request(request, self._secret)
            moment = request.get(_EVENT_TIMESTAMP)
        except Malformed:
            self.refusals.malformed += 1
            return
        except BadAuthenticator:
            self.refusals.forged += 1
            return
        if request.code not in {Code.DISCONNECT_REQUEST, Code.COA_REQUEST}:
            self.refusals.unexpected += 1
            return
        if isinstance(moment, datetime):
            away = abs((self._clock() - moment).total_seconds())
            if away > _REPLAY_SECONDS:
                self.refusals.outdated += 1
                return
        self._transport.sendto(self._reply(request, addr), addr)

    def _reply(self, request: Packet, addr: tuple[str | Any, int]) -> bytes:
        key = (addr, request.identifier)
        authenticator, reply = self._replies.get(key, (b"", b""))
        if authenticator == request.authenticator:
            self.refusals.repeated += 1
            return reply
        code, attributes = self._decide(request)
        reply = encode_reply(request, code, attributes, self._secret)
        self._replies[key] = (request.authenticator, reply)
        if len(self._replies) > _REMEMBERED:
            self._replies.popitem(last=False)
        return reply


def refuse(request: Packet, cause: str) -> Decision:
    """A NAK with an Error-Cause of the dictionary's names."""
    nak = Code.DISCONNECT_NAK if request.code == Code.DISCONNECT_REQUEST else Code.COA_NAK
    return nak, [(_ERROR_CAUSE, cause)]


class Authority:
    """Decides what a Disconnect- or CoA-Request does.

    Args:
        nas_ip: the NAS's address; a request for another is refused.
        identifier: the NAS's name, likewise.
        make: by whose ways it finds sessions, and reads what a CoA sets.
        sessions: gives the sessions that are up.
        habits: what it can do.
    """

    def __init__(
        self,
        nas_ip: IPv4Address,
        identifier: str,
        make: Make,
        sessions: Callable[[], Iterable[Session]],
        habits: Habits,
    ) -> None:
        self._nas_ip = nas_ip
        self._identifier = identifier
        self._make = make
        self._sessions = sessions
        self._habits = habits

    def decide(self, request: Packet) -> Decision:
        """Carry a request out: ACK if it was, else NAK with the reason (RFC 5176 section 3.5)."""
        try:
            if not self._addressed(request):
                return refuse(request, "NAS-Identification-Mismatch")
            if request.code == Code.COA_REQUEST and not self._habits.changes:
                return refuse(request, "Unsupported-Extension")
            if all(request.value(key) is None for key in _FINDS_BY.get(self._make, _KEYS)):
                return refuse(request, "Missing-Attribute")
            found = [each for each in self._sessions() if _matches(each, request)]
            if not found:
                return refuse(request, "Session-Context-Not-Found")
            if request.code == Code.DISCONNECT_REQUEST:
                return _disconnect(request, found)
            return self._change(request, found)
        except Malformed:
            return refuse(request, "Invalid-Request")

    def _addressed(self, request: Packet) -> bool:
        address = request.address(_NAS_IP)
        name = request.text(_NAS_IDENTIFIER)
        return address in {None, self._nas_ip} and name in {None, self._identifier}

    def _change(self, request: Packet, found: Sequence[Session]) -> Decision:
        try:
            limits = VENDORS[self._make].limits(request)
            timeout = request.number(_SESSION_TIMEOUT)
        except Malformed:
            return refuse(request, "Invalid-Attribute-Value")
        walls = read_walls(self._make, request)
        if limits is None and walls is None and timeout is None:
            return refuse(request, "Unsupported-Attribute")
        filters = self._habits.filters
        if walls is not None and filters is not None and walls.filter not in {None, *filters}:
            return refuse(request, "Invalid-Attribute-Value")
        for session in found:
            session.change(limits, walls=walls, session_timeout=timeout)
        return Code.COA_ACK, []


def _disconnect(request: Packet, found: Sequence[Session]) -> Decision:
    # What a Disconnect may hold is a short list (RFC 5176 section 3.6); of vendors' attributes a
    # NAS may ignore what it does not know.
    if any(not vendor and kind not in _OF_A_DISCONNECT for vendor, kind, _ in request.attributes):
        return refuse(request, "Unsupported-Attribute")
    for session in found:
        session.end("Admin-Reset")
    return Code.DISCONNECT_ACK, []


def _matches(session: Session, request: Packet) -> bool:
    """Whether every key the request gives is the session's (RFC 5176 section 3)."""
    return all(
        _same(request, attribute, value)
        for attribute, value in (
            (_SESSION_ID, session.id),
            (_USER_NAME, session.grant.username),
            (_FRAMED_IP, session.framed_ip),
            (_FRAMED_PREFIX, session.grant.framed_ipv6_prefix),
            *(pair for pair in session.line if pair[0] in _LINE_KEYS),
        )
    )


def _same(request: Packet, attribute: Attribute, value: object) -> bool:
    return request.value(attribute) is None or request.get(attribute) == value
