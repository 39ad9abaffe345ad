"""EAP packets (RFC 3748 section 4)."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

import msgspec

from demarc.protocols.radius.errors import Malformed

__all__ = [
    "HEADER_SIZE",
    "MAX_PACKET",
    "Code",
    "Malformed",
    "Packet",
    "Type",
    "decode",
    "failure",
    "read_md5",
    "request",
    "success",
]

HEADER_SIZE: Final = 4
MAX_PACKET: Final = 65_535


class Code(IntEnum):
    """What a packet is."""

    REQUEST = 1
    RESPONSE = 2
    SUCCESS = 3
    FAILURE = 4


class Type(IntEnum):
    """Methods, and what is asked before them (IANA's EAP registry)."""

    IDENTITY = 1
    NOTIFICATION = 2
    NAK = 3
    MD5 = 4
    GTC = 6
    TLS = 13
    TTLS = 21
    PEAP = 25
    MSCHAPV2 = 26
    TLV = 33
    EXPANDED = 254


class Packet(msgspec.Struct, frozen=True, gc=False):
    """An EAP packet.

    Attributes:
        code: ``Code``, or any other number.
        identifier: ties a response to its request.
        type: of a request or response, 0 to 255; None of others.
        data: what follows the type.
    """

    code: int
    identifier: int
    type: int | None
    data: bytes

    def encode(self) -> bytes:
        """Write it.

        Raises:
            ValueError: it is longer than a length field can say.
        """
        body = b"" if self.type is None else bytes((self.type,)) + self.data
        size = HEADER_SIZE + len(body)
        if size > MAX_PACKET:
            raise ValueError("an EAP packet has at most 65535 octets")
        return bytes((self.code, self.identifier)) + size.to_bytes(2, "big") + body


def decode(octets: bytes) -> Packet:
    """Read a packet; what stands behind its own length is padding.

    Raises:
        Malformed: the lengths do not meet, or a request or response has no type.
    """
    if len(octets) < HEADER_SIZE:
        raise Malformed("EAP packet shorter than a header")
    size = int.from_bytes(octets[2:4], "big")
    if not HEADER_SIZE <= size <= len(octets):
        raise Malformed("EAP packet of a wrong length")
    code, identifier = octets[0], octets[1]
    if code not in {Code.REQUEST, Code.RESPONSE}:
        return Packet(code, identifier, None, b"")
    if size == HEADER_SIZE:
        raise Malformed("EAP packet without a type")
    return Packet(code, identifier, octets[HEADER_SIZE], octets[HEADER_SIZE + 1 : size])


def request(identifier: int, kind: int, data: bytes = b"") -> bytes:
    """Write a request."""
    return Packet(Code.REQUEST, identifier, kind, data).encode()


def success(identifier: int) -> bytes:
    """Write a success; the identifier is that of the response it follows."""
    return Packet(Code.SUCCESS, identifier, None, b"").encode()


def failure(identifier: int) -> bytes:
    """Write a failure; the identifier is that of the response it follows."""
    return Packet(Code.FAILURE, identifier, None, b"").encode()


def read_md5(data: bytes) -> bytes:
    """Read the answer of EAP-MD5 (RFC 3748 section 5.4), 16 octets; a name may follow it.

    Raises:
        Malformed: it has another size.
    """
    if len(data) < 17 or data[0] != 16:  # noqa: PLR2004 - the size of an MD5
        raise Malformed("EAP-MD5 response is not sixteen octets")
    return data[1:17]
