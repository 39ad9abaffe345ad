"""The values of attributes, between Python's types and the octets on the wire (RFC 2865 sec. 5)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from ipaddress import IPv4Address, IPv6Address, IPv6Network
from typing import Final, TypeAlias

import msgspec

from demarc.protocols.radius.dictionary import Attribute, Kind
from demarc.protocols.radius.errors import Malformed

Plain: TypeAlias = str | bytes | int | IPv4Address | IPv6Address | IPv6Network | datetime
"""What attributes are read as; `Kind` says which."""

MAX_TAG: Final = 0x1F
_TAGGED_INTEGER_MAX: Final = 2**24 - 1
_PREFIX_MAX: Final = 128
_IPV4: Final = 4
_IPV6: Final = 16
_IFID: Final = 8


class Tagged(msgspec.Struct, frozen=True):
    """A value with the tag that ties it to others of its packet (RFC 2868 section 3).

    Attributes:
        tag: 1 to 31; 0: none.
        value: the value as without a tag.
    """

    tag: int
    value: Plain


Value: TypeAlias = Plain | Tagged
"""What may be given to an encoder."""


def read_text(octets: bytes) -> str:
    r"""Read text so that databases and JSON can hold it.

    Octets that are no UTF-8, and NUL, which text may not hold, are shown as `\xNN`.
    """
    try:
        text = octets.decode()
    except UnicodeDecodeError:
        text = octets.decode(errors="backslashreplace")
    return text.replace("\0", "\\x00") if "\0" in text else text


def read_integer(octets: bytes) -> int:
    """Read an unsigned 32-bit number; Malformed if it is not four octets."""
    if len(octets) != _IPV4:
        raise Malformed("integer is not four octets")
    return int.from_bytes(octets, "big")


def read_ipv4(octets: bytes) -> IPv4Address:
    """Read an IPv4 address; Malformed if it is not four octets."""
    if len(octets) != _IPV4:
        raise Malformed("ipaddr is not four octets")
    return IPv4Address(octets)


def read_date(octets: bytes) -> datetime:
    """Read a moment, aware and in UTC; Malformed if it is not four octets."""
    if len(octets) != _IPV4:
        raise Malformed("date is not four octets")
    return datetime.fromtimestamp(int.from_bytes(octets, "big"), UTC)


def _read_integer64(octets: bytes) -> int:
    if len(octets) != _IFID:
        raise Malformed("integer64 is not eight octets")
    return int.from_bytes(octets, "big")


def _read_ipv6(octets: bytes) -> IPv6Address:
    if len(octets) != _IPV6:
        raise Malformed("ipv6addr is not sixteen octets")
    return IPv6Address(octets)


def _read_prefix(octets: bytes) -> IPv6Network:
    # RFC 3162 section 2.3: reserved, length, and as much of the prefix as is needed. Bits beyond
    # the length should be zero; NASes that put the whole address there mean its prefix.
    length = octets[1] if len(octets) > 1 else _PREFIX_MAX + 1
    prefix = octets[2:]
    if length > _PREFIX_MAX or len(prefix) > _IPV6 or len(prefix) * 8 < length:
        raise Malformed("ipv6prefix has wrong lengths")
    return IPv6Network((prefix.ljust(_IPV6, b"\0"), length), strict=False)


def _read_ifid(octets: bytes) -> bytes:
    if len(octets) != _IFID:
        raise Malformed("ifid is not eight octets")
    return octets


_READERS: Final[dict[Kind, Callable[[bytes], Plain]]] = {
    Kind.STRING: read_text,
    Kind.OCTETS: bytes,
    Kind.INTEGER: read_integer,
    Kind.INTEGER64: _read_integer64,
    Kind.IPADDR: read_ipv4,
    Kind.IPV6ADDR: _read_ipv6,
    Kind.IPV6PREFIX: _read_prefix,
    Kind.DATE: read_date,
    Kind.IFID: _read_ifid,
    Kind.VSA: bytes,
}


def decode_value(attribute: Attribute, octets: bytes) -> Plain:
    """Read a value; of a tagged one without its tag, of an encrypted one the octets as they are.

    Raises:
        Malformed: the octets do not fit the attribute's kind.
    """
    if attribute.encryption is not None:
        return octets
    if attribute.tagged:
        return decode_tagged(attribute, octets).value
    return _READERS[attribute.kind](octets)


def decode_tagged(attribute: Attribute, octets: bytes) -> Tagged:
    """Read a value and its tag (RFC 2868 section 3), 0 where there is none; hidden ones stay so.

    Raises:
        Malformed: the octets do not fit the attribute's kind.
    """
    if attribute.encryption is not None:
        # Tunnel-Password always has the octet of its tag (section 3.5).
        if not octets:
            raise Malformed("encrypted value without a tag")
        return Tagged(octets[0], octets[1:])
    if attribute.kind is Kind.INTEGER:
        if len(octets) != _IPV4:
            raise Malformed("integer is not four octets")
        return Tagged(octets[0], int.from_bytes(octets[1:], "big"))
    # An octet above 0x1F is the first of the text, not a tag (section 3.3).
    if octets and octets[0] <= MAX_TAG:
        return Tagged(octets[0], _READERS[attribute.kind](octets[1:]))
    return Tagged(0, _READERS[attribute.kind](octets))


def encode_value(attribute: Attribute, value: Value) -> bytes:
    """Write a value in the clear. Integers may be given by the names the dictionary has for them.

    Raises:
        ValueError: the value is not of the attribute's kind, or out of its range.
    """
    tag = 0
    if isinstance(value, Tagged):
        if not attribute.tagged or not 0 <= value.tag <= MAX_TAG:
            raise ValueError(f"{attribute.name} takes no tag {value.tag}")
        tag, value = value.tag, value.value
    try:
        octets = _write(attribute, value)
    except (TypeError, OverflowError) as error:
        raise ValueError(f"{attribute.name} takes no {value!r}") from error
    if not attribute.tagged or attribute.encryption is not None:
        return octets
    if attribute.kind is Kind.INTEGER:
        if octets[0]:
            raise ValueError(f"{attribute.name} takes 24 bits, not {value!r}")
        return bytes((tag,)) + octets[1:]
    # Without a tag, text that begins like one needs a tag of zero in front.
    return bytes((tag,)) + octets if tag or octets[0] <= MAX_TAG else octets


def _write(attribute: Attribute, value: Plain) -> bytes:
    kind = attribute.kind
    if kind is Kind.INTEGER and isinstance(value, str):
        if value not in attribute.values:
            raise ValueError(f"{attribute.name} has no value named {value!r}")
        value = attribute.values[value]
    wanted, write = _WRITERS[kind]
    if isinstance(value, bool) or not isinstance(value, wanted):
        raise TypeError(kind.value)
    octets: bytes = write(value)
    return octets


def _write_text(value: str | bytes) -> bytes:
    octets = value.encode() if isinstance(value, str) else value
    # RFC 2865 section 5: text of length zero must not be sent, the attribute is left out.
    if not octets:
        raise ValueError("an empty text is not sent; leave the attribute out")
    return octets


def _write_date(value: datetime | int) -> bytes:
    seconds = value if isinstance(value, int) else int(_aware(value).timestamp())
    return seconds.to_bytes(4, "big")


def _aware(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise ValueError("a moment without a zone")
    return value


def _write_ipv4(value: str | IPv4Address) -> bytes:
    return value.packed if isinstance(value, IPv4Address) else IPv4Address(value).packed


def _write_ipv6(value: str | IPv6Address) -> bytes:
    return value.packed if isinstance(value, IPv6Address) else IPv6Address(value).packed


def _write_prefix(value: IPv6Network) -> bytes:
    # The whole address: some NASes take nothing shorter.
    return bytes((0, value.prefixlen)) + value.network_address.packed


def _write_ifid(value: bytes) -> bytes:
    if len(value) != _IFID:
        raise ValueError("an interface identifier has eight octets")
    return value


_WRITERS: Final[dict[Kind, tuple[tuple[type, ...], Callable[..., bytes]]]] = {
    Kind.STRING: ((str, bytes), _write_text),
    Kind.OCTETS: ((bytes,), bytes),
    Kind.INTEGER: ((int,), lambda value: value.to_bytes(4, "big")),
    Kind.INTEGER64: ((int,), lambda value: value.to_bytes(8, "big")),
    Kind.IPADDR: ((str, IPv4Address), _write_ipv4),
    Kind.IPV6ADDR: ((str, IPv6Address), _write_ipv6),
    Kind.IPV6PREFIX: ((IPv6Network,), _write_prefix),
    Kind.DATE: ((int, datetime), _write_date),
    Kind.IFID: ((bytes,), _write_ifid),
    Kind.VSA: ((bytes,), bytes),
}
