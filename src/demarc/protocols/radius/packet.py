"""RADIUS packets as they arrive (RFC 2865 section 3).

`decode` reads the frame only: lengths are held strictly, values are read when they are asked for.
"""

from __future__ import annotations

from enum import IntEnum
from ipaddress import IPv4Address
from typing import Final

import msgspec

from demarc.protocols.radius.dictionary import VENDOR_BITS, Attribute
from demarc.protocols.radius.errors import Malformed
from demarc.protocols.radius.values import (
    Plain,
    Tagged,
    decode_tagged,
    decode_value,
    read_integer,
    read_ipv4,
    read_text,
)

__all__ = ["HEADER_SIZE", "MAX_PACKET", "Code", "Malformed", "Packet", "decode"]

HEADER_SIZE: Final = 20
MAX_PACKET: Final = 4096
"""The longest packet, octets (RFC 2865 section 3)."""

VENDOR_SPECIFIC: Final = 26
MESSAGE_AUTHENTICATOR: Final = 80
_MESSAGE_AUTHENTICATOR_SIZE: Final = 18


class Code(IntEnum):
    """What a packet is (RFC 2865 section 4, RFC 2866 section 4, RFC 5176, RFC 5997)."""

    ACCESS_REQUEST = 1
    ACCESS_ACCEPT = 2
    ACCESS_REJECT = 3
    ACCOUNTING_REQUEST = 4
    ACCOUNTING_RESPONSE = 5
    ACCESS_CHALLENGE = 11
    STATUS_SERVER = 12
    DISCONNECT_REQUEST = 40
    DISCONNECT_ACK = 41
    DISCONNECT_NAK = 42
    COA_REQUEST = 43
    COA_ACK = 44
    COA_NAK = 45


class Packet(msgspec.Struct, gc=False):
    """A packet whose frame is sound; nothing is known yet about who sent it.

    Attributes:
        code: what it is, any number: `Code` names those that have a meaning here.
        identifier: what ties a reply to its request, 0 to 255.
        authenticator: 16 octets.
        attributes: vendor (0: standard), type and value, in the packet's order. A Vendor-Specific
            attribute is split into what it holds if its content keeps to RFC 2865 section 5.26,
            else it stands here whole, as standard attribute 26.
        raw: the octets, without padding behind the packet.
        signature: where the value of Message-Authenticator begins in `raw`, 0 if there is none.
    """

    code: int
    identifier: int
    authenticator: bytes
    attributes: list[tuple[int, int, bytes]]
    raw: bytes
    signature: int = 0
    _first: dict[int, bytes] | None = None

    def first(self) -> dict[int, bytes]:
        """The octets of the first attribute of each kind, by the attribute's key."""
        first = self._first
        if first is None:
            # the last one set stays: so from the end
            first = self._first = {
                vendor << VENDOR_BITS | kind: octets
                for vendor, kind, octets in reversed(self.attributes)
            }
        return first

    def value(self, attribute: Attribute) -> bytes | None:
        """The octets of the first such attribute, None if there is none."""
        return (self._first or self.first()).get(attribute.key)

    def values(self, attribute: Attribute) -> list[bytes]:
        """The octets of each such attribute, in the packet's order."""
        wanted = (attribute.vendor, attribute.type)
        return [octets for vendor, kind, octets in self.attributes if (vendor, kind) == wanted]

    def get(self, attribute: Attribute) -> Plain | None:
        """The value of the first such attribute, None if there is none.

        A tagged value comes without its tag, an encrypted one as it is on the wire, one that is
        spread over several attributes whole.

        Raises:
            Malformed: the octets do not fit the attribute's kind.
        """
        octets = self.value(attribute)
        if octets is None:
            return None
        if attribute.concat:
            return b"".join(self.values(attribute))
        return decode_value(attribute, octets)

    def all(self, attribute: Attribute) -> list[Plain]:
        """The value of each such attribute; raises as `get` does."""
        return [decode_value(attribute, octets) for octets in self.values(attribute)]

    def tagged(self, attribute: Attribute) -> list[Tagged]:
        """Each such attribute with its tag; raises as `get` does."""
        return [decode_tagged(attribute, octets) for octets in self.values(attribute)]

    def text(self, attribute: Attribute) -> str | None:
        """The value of the first such attribute as text (see `read_text`), None if there is none.

        An empty value counts as none: RFC 2865 section 5 has it left out.
        """
        octets = self.value(attribute)
        return read_text(octets) if octets else None

    def number(self, attribute: Attribute) -> int | None:
        """The first such attribute as a 32-bit number; None, and Malformed, as in `get`."""
        octets = self.value(attribute)
        return None if octets is None else read_integer(octets)

    def address(self, attribute: Attribute) -> IPv4Address | None:
        """The first such attribute as an IPv4 address; None, and Malformed, as in `get`."""
        octets = self.value(attribute)
        return None if octets is None else read_ipv4(octets)


def decode(data: bytes | memoryview) -> Packet:
    """Read one datagram.

    Octets behind the packet's own length are padding and ignored; a datagram shorter than that
    length is refused (RFC 2865 section 3). A value may be empty: EAP-Start is (RFC 3579 section
    2.1), and NASes send empty texts.

    Raises:
        Malformed: lengths do not meet, the packet is beyond 4096 octets, or it carries a
            Message-Authenticator twice or of a wrong length (RFC 3579 section 3.2).
    """
    raw = _frame(data)
    length = len(raw)
    attributes: list[tuple[int, int, bytes]] = []
    append = attributes.append
    signature = 0
    position = HEADER_SIZE
    while position < length:
        kind = raw[position]
        end = position + raw[position + 1] if position + 1 < length else length + 1
        if end > length:
            raise Malformed("attribute beyond the packet")
        if end < position + 2:
            raise Malformed("attribute shorter than its header")
        if kind == VENDOR_SPECIFIC:
            _split_vendor(raw, position, end, attributes)
        else:
            if kind == MESSAGE_AUTHENTICATOR:
                _check_signature(signature, end - position)
                signature = position + 2
            append((0, kind, raw[position + 2 : end]))
        position = end
    return Packet(raw[0], raw[1], raw[4:HEADER_SIZE], attributes, raw, signature)


def _frame(data: bytes | memoryview) -> bytes:
    raw = bytes(data)
    if len(raw) < HEADER_SIZE:
        raise Malformed("shorter than a header")
    length = raw[2] << 8 | raw[3]
    if length < HEADER_SIZE:
        raise Malformed("length field below a header")
    if length > MAX_PACKET:
        raise Malformed("length field above 4096")
    if length > len(raw):
        raise Malformed("shorter than its length field")
    return raw if length == len(raw) else raw[:length]


def _check_signature(earlier: int, size: int) -> None:
    if earlier:
        raise Malformed("more than one Message-Authenticator")
    if size != _MESSAGE_AUTHENTICATOR_SIZE:
        raise Malformed("Message-Authenticator is not sixteen octets")


def _split_vendor(
    raw: bytes, position: int, end: int, attributes: list[tuple[int, int, bytes]]
) -> None:
    """Add what the Vendor-Specific attribute at `position` holds.

    Its inner form is only a recommendation (RFC 2865 section 5.26), so a content that does not
    follow it is no fault of the packet: it is kept whole. So is one of vendor 0, which would
    otherwise pass for standard attributes.
    """
    vendor = int.from_bytes(raw[position + 2 : position + 6], "big")
    inner = position + 6
    if vendor and inner + 1 < end and inner + raw[inner + 1] == end and raw[inner + 1] > 1:
        attributes.append((vendor, raw[inner], raw[inner + 2 : end]))
        return
    found: list[tuple[int, int, bytes]] = []
    while vendor and inner + 1 < end:
        size = raw[inner + 1]
        if size < 2 or inner + size > end:  # noqa: PLR2004 - type and length themselves
            break
        found.append((vendor, raw[inner], raw[inner + 2 : inner + size]))
        inner += size
    if found and inner == end:
        attributes.extend(found)
    else:
        attributes.append((0, VENDOR_SPECIFIC, raw[position + 2 : end]))
