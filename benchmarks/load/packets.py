"""Requests made by hand, about 200 octets each, faster than by the codec and held against it."""

import hashlib
import random
import struct
from ipaddress import IPv4Address

from load import subscriber

ACCESS_REQUEST, ACCESS_ACCEPT, ACCESS_REJECT = 1, 2, 3
ACCOUNTING_REQUEST, ACCOUNTING_RESPONSE = 4, 5
START, STOP, INTERIM = 1, 2, 3

_BLOCK = 64
_ZEROS = bytes(16)
_HEADER = struct.Struct(">BBH")
_OCTETS = 3_000_000_000
"""Octets to a subscriber between two packets: Gigawords come into play after the first."""
_UPLOAD_SHARE = 10


def keyed(secret: bytes) -> tuple["hashlib._Hash", "hashlib._Hash"]:
    """Give both halves of HMAC-MD5, the key already digested (RFC 2104)."""
    key = secret.ljust(_BLOCK, b"\0")
    return (
        hashlib.md5(bytes(octet ^ 0x36 for octet in key), usedforsecurity=False),
        hashlib.md5(bytes(octet ^ 0x5C for octet in key), usedforsecurity=False),
    )


def _attribute(kind: int, octets: bytes) -> bytes:
    return bytes((kind, len(octets) + 2)) + octets


def _line(n: int) -> bytes:
    """Give what a NAS says of the line: NAS, port, who calls and whom."""
    nas = subscriber.nas_of_port(n % subscriber.PORTS)
    return (
        _attribute(4, IPv4Address(subscriber.nas_address(nas)).packed)  # NAS-IP-Address
        + _attribute(5, (n & 0xFFFFFF).to_bytes(4, "big"))  # NAS-Port
        + _attribute(61, b"\0\0\0\x0f")  # NAS-Port-Type: Ethernet
        + _attribute(31, subscriber.station(n))
        + _attribute(30, b"service-internet")  # Called-Station-Id
        + _attribute(32, b"bng-%d.bench.example" % nas)  # NAS-Identifier
        + _attribute(87, subscriber.port(n))  # NAS-Port-Id
        + b"\x06\x06\0\0\0\x02"  # Service-Type: Framed
        + b"\x07\x06\0\0\0\x01"  # Framed-Protocol: PPP
    )


class AccessRequests:
    """Makes Access-Requests, signed, with PAP or CHAP.

    Args:
        secret: the NASes'.
        seed: the same seed gives the same authenticators.
    """

    def __init__(self, secret: bytes, seed: int = 1) -> None:
        self._secret = hashlib.md5(secret, usedforsecurity=False)
        self._inner, self._outer = keyed(secret)
        self._random = random.Random(seed)

    def encode(self, n: int, identifier: int, *, chap: bool, wrong: bool = False) -> bytes:
        """Make one.

        Args:
            n: the subscriber.
            identifier: 0 to 255.
            chap: CHAP instead of PAP.
            wrong: with a wrong password.
        """
        authenticator = self._random.randbytes(16)
        password = b"not-this-one" if wrong else subscriber.password(n)
        if chap:
            challenge = self._random.randbytes(16)
            ident = bytes((identifier,))
            digest = hashlib.md5(ident + password + challenge, usedforsecurity=False).digest()
            proof = _attribute(3, ident + digest) + _attribute(60, challenge)
        else:
            pad = self._secret.copy()
            pad.update(authenticator)
            hidden = int.from_bytes(password.ljust(16, b"\0")) ^ int.from_bytes(pad.digest())
            proof = _attribute(2, hidden.to_bytes(16))
        session = _attribute(44, subscriber.session_id(n, 0))
        body = _attribute(1, subscriber.login(n)) + proof + session + _line(n)
        head = _HEADER.pack(ACCESS_REQUEST, identifier, 38 + len(body)) + authenticator
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(head + b"\x50\x12" + _ZEROS + body)
        outer.update(inner.digest())
        return head + b"\x50\x12" + outer.digest() + body


class Life:
    """Where the sessions of the subscribers stand at each round of packets.

    Every subscriber goes round: Start, eighteen interims, Stop, the next session's Start. Subscriber
    n begins at a place of its own, so that each round is a mix of all.
    """

    @staticmethod
    def phase(n: int) -> int:
        """Give the place in its life at which a subscriber's first packet stands; 0 is a Start.

        Where it is not 0, session 0 lives already when the packets begin.
        """
        return n // subscriber.PORTS % subscriber.CYCLE

    @staticmethod
    def at(n: int, turn: int) -> tuple[int, int]:
        """Give which session a packet is of, and its place in that session (0 to 9).

        Args:
            n: the subscriber.
            turn: packets the subscriber has sent before.
        """
        return divmod(Life.phase(n) + turn, subscriber.CYCLE)

    @staticmethod
    def octets(place: int) -> tuple[int, int]:
        """Give a session's counters (from, to the subscriber) at a place of its life."""
        return place * _OCTETS // _UPLOAD_SHARE, place * _OCTETS


def accounting_request(
    secret: bytes,
    n: int,
    identifier: int,
    *,
    session: int,
    place: int,
    at: int,
    class_: bytes | None = None,
) -> bytes:
    """Make an Accounting-Request.

    Args:
        secret: the NAS's.
        n: the subscriber.
        identifier: 0 to 255.
        session: the subscriber's sessions are counted.
        place: within the session: 0 its Start, 9 its Stop, else an interim.
        at: Event-Timestamp, seconds since 1970.
        class_: as the server gave it in its Accept.
    """
    status = START if place == 0 else STOP if place == subscriber.CYCLE - 1 else INTERIM
    received, sent = Life.octets(place)
    body = (
        _attribute(40, status.to_bytes(4, "big"))
        + _attribute(1, subscriber.login(n))
        + _attribute(44, subscriber.session_id(n, session))
        + _attribute(8, subscriber.address(n).packed)
        + _attribute(55, at.to_bytes(4, "big"))
        + _line(n)
    )
    if class_ is not None:
        body += _attribute(25, class_)
    if place:
        body += struct.pack(
            ">BBIBBIBBIBBIBBI",
            *(46, 6, place * subscriber.INTERIM),
            *(42, 6, received & 0xFFFFFFFF),
            *(43, 6, sent & 0xFFFFFFFF),
            *(52, 6, received >> 32),
            *(53, 6, sent >> 32),
        )
    if status == STOP:
        body += _attribute(49, b"\0\0\0\x01")  # Acct-Terminate-Cause: User-Request
    head = _HEADER.pack(ACCOUNTING_REQUEST, identifier, 20 + len(body))
    digest = hashlib.md5(head + _ZEROS + body + secret, usedforsecurity=False).digest()
    return head + digest + body
