"""The values a variable binding may carry (RFC 2578 section 7.1, RFC 3416 section 3).

Each is a frozen struct that refuses what its type cannot hold with `ValueError`, so that a
message that was built can always be encoded; but the length of an OctetString, which is by far
the most often built, is looked at when it is encoded.
"""

from __future__ import annotations

from enum import IntEnum
from ipaddress import IPv4Address
from typing import Final, TypeAlias

import msgspec

from demarc.protocols.snmp import ber
from demarc.protocols.snmp.ber import Malformed, Oid

INTEGER: Final = 0x02
OCTET_STRING: Final = 0x04
NULL_TAG: Final = 0x05
OBJECT_IDENTIFIER: Final = 0x06
IP_ADDRESS: Final = 0x40
COUNTER32: Final = 0x41
GAUGE32: Final = 0x42
TIME_TICKS: Final = 0x43
OPAQUE: Final = 0x44
COUNTER64: Final = 0x46

INT32_MIN: Final = -(2**31)
INT32_MAX: Final = 2**31 - 1
UINT32_MAX: Final = 2**32 - 1
UINT64_MAX: Final = 2**64 - 1
MAX_OCTET_STRING: Final = 65_535
_IPV4_OCTETS: Final = 4


def _check(value: int, low: int, high: int, what: str) -> None:
    if not low <= value <= high:
        raise ValueError(f"{what} lies in {low}..{high}, not {value}")


class Integer(msgspec.Struct, frozen=True):
    """INTEGER and Integer32: -2^31..2^31-1; enumerations too."""

    value: int

    def __post_init__(self) -> None:
        _check(self.value, INT32_MIN, INT32_MAX, "Integer")


class OctetString(msgspec.Struct, frozen=True):
    """OCTET STRING of at most 65,535 octets."""

    value: bytes


class ObjectIdentifier(msgspec.Struct, frozen=True):
    """OBJECT IDENTIFIER as a value."""

    value: Oid

    def __post_init__(self) -> None:
        ber.check_oid(self.value)


class Null(msgspec.Struct, frozen=True):
    """NULL: the value of a variable that is asked for (RFC 3416: unSpecified)."""


class IpAddress(msgspec.Struct, frozen=True):
    """IpAddress: one IPv4 address."""

    value: IPv4Address


class Counter32(msgspec.Struct, frozen=True):
    """Counter32: 0..2^32-1, wraps."""

    value: int

    def __post_init__(self) -> None:
        _check(self.value, 0, UINT32_MAX, "Counter32")


class Gauge32(msgspec.Struct, frozen=True):
    """Gauge32 and Unsigned32: 0..2^32-1, latches."""

    value: int

    def __post_init__(self) -> None:
        _check(self.value, 0, UINT32_MAX, "Gauge32")


class TimeTicks(msgspec.Struct, frozen=True):
    """TimeTicks: hundredths of a second, modulo 2^32."""

    value: int

    def __post_init__(self) -> None:
        _check(self.value, 0, UINT32_MAX, "TimeTicks")


class Opaque(msgspec.Struct, frozen=True):
    """Opaque: octets whose meaning the two ends agreed on elsewhere."""

    value: bytes

    def __post_init__(self) -> None:
        _check(len(self.value), 0, MAX_OCTET_STRING, "the length of an Opaque")


class Counter64(msgspec.Struct, frozen=True):
    """Counter64: 0..2^64-1, wraps; does not exist in SNMPv1."""

    value: int

    def __post_init__(self) -> None:
        _check(self.value, 0, UINT64_MAX, "Counter64")


class Missing(IntEnum):
    """What SNMPv2c puts in the place of a value there is none of (RFC 3416 section 3)."""

    NO_SUCH_OBJECT = 0x80
    NO_SUCH_INSTANCE = 0x81
    END_OF_MIB_VIEW = 0x82


Value: TypeAlias = (
    Integer
    | OctetString
    | ObjectIdentifier
    | Null
    | IpAddress
    | Counter32
    | Gauge32
    | TimeTicks
    | Opaque
    | Counter64
    | Missing
)

NULL: Final = Null()

_UNSIGNED: Final[dict[int, tuple[type[Counter32 | Gauge32 | TimeTicks | Counter64], int]]] = {
    COUNTER32: (Counter32, UINT32_MAX),
    GAUGE32: (Gauge32, UINT32_MAX),
    TIME_TICKS: (TimeTicks, UINT32_MAX),
    COUNTER64: (Counter64, UINT64_MAX),
}
_UNSIGNED_TAGS: Final = {kind: tag for tag, (kind, _) in _UNSIGNED.items()}


def encode_value(value: Value) -> bytes:
    """Encode a value with its tag and length.

    Raises:
        ValueError: an OctetString of more than 65,535 octets.
    """
    match value:
        case Integer(number):
            return ber.encode_tlv(INTEGER, ber.encode_integer(number))
        case OctetString(octets):
            _check(len(octets), 0, MAX_OCTET_STRING, "the length of an OctetString")
            return ber.encode_tlv(OCTET_STRING, octets)
        case Counter32(number) | Gauge32(number) | TimeTicks(number) | Counter64(number):
            return ber.encode_tlv(_UNSIGNED_TAGS[type(value)], ber.encode_integer(number))
        case Missing():
            return bytes((value, 0))
        case Null():
            return bytes((NULL_TAG, 0))
        case ObjectIdentifier(oid):
            return ber.encode_tlv(OBJECT_IDENTIFIER, ber.encode_oid(oid))
        case IpAddress(address):
            return ber.encode_tlv(IP_ADDRESS, address.packed)
        case Opaque(octets):
            return ber.encode_tlv(OPAQUE, octets)


def decode_value(tag: int, content: bytes) -> Value:
    """Decode a value from its tag and content octets.

    Raises:
        Malformed: a tag SNMP does not know, or a content its type does not allow.
    """
    match tag:
        case 0x02:
            return Integer(ber.decode_integer(content, INT32_MIN, INT32_MAX, "an Integer"))
        case 0x04 | 0x44:
            if len(content) > MAX_OCTET_STRING:
                raise Malformed("an octet string is longer than 65,535 octets")
            return OctetString(content) if tag == OCTET_STRING else Opaque(content)
        case 0x05:
            _expect_empty(content, "Null")
            return NULL
        case 0x06:
            return ObjectIdentifier(ber.decode_oid(content))
        case 0x40:
            if len(content) != _IPV4_OCTETS:
                raise Malformed("an IpAddress has not 4 octets")
            return IpAddress(IPv4Address(content))
        case 0x41 | 0x42 | 0x43 | 0x46:
            kind, high = _UNSIGNED[tag]
            return kind(ber.decode_integer(content, 0, high, f"a {kind.__name__}"))
        case 0x80 | 0x81 | 0x82:
            _expect_empty(content, "an exception")
            return Missing(tag)
        case _:
            raise Malformed(f"a value has the unknown tag {tag:#04x}")


def _expect_empty(content: bytes, what: str) -> None:
    if content:
        raise Malformed(f"{what} is not empty")
