"""The part of the Basic Encoding Rules that SNMP uses (X.690, RFC 3417 section 8).

Only definite lengths exist. A length may be written longer than it must be (RFC 3417 allows it
and net-snmp does it); integers must be minimal (X.690 8.3.2). Everything here works on the
octets of one datagram: no copy is made but of the values themselves.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final, TypeAlias

Oid: TypeAlias = tuple[int, ...]
"""An object identifier as its arcs, `(1, 3, 6, 1)`."""

MAX_ARCS: Final = 128
"""RFC 3416 section 4.1: an object identifier in SNMP has at most 128 sub-identifiers."""

MAX_ARC: Final = 2**32 - 1

_MAX_ARC_HIGH: Final = MAX_ARC >> 7
_KNOWN_OCTETS: Final = 16
"""How much of an object identifier is remembered; the columns of vendors' tables are as long."""

_LONG_FORM: Final = 0x80
_MAX_LENGTH_OCTETS: Final = 4
_ROOT_ARCS: Final = 40
_MAX_SECOND_ARC_OF_2: Final = MAX_ARC - 2 * _ROOT_ARCS
_SHORTEST_OID: Final = 2
_JOINT: Final = 2


class Malformed(Exception):
    """The octets are not a well-formed SNMP message; the text says which rule they break."""


def encode_length(length: int) -> bytes:
    """Encode a length in the shortest form (X.690 8.1.3)."""
    if length < _LONG_FORM:
        return bytes((length,))
    octets = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes((_LONG_FORM | len(octets),)) + octets


def encode_tlv(tag: int, content: bytes) -> bytes:
    """Put tag and length before a content."""
    return bytes((tag,)) + encode_length(len(content)) + content


def read_header(data: bytes, at: int, end: int) -> tuple[int, int, int]:
    """Read tag and length at `at`.

    Args:
        data: the octets of the whole message.
        at: where the tag stands.
        end: where the enclosing element ends; nothing beyond it is looked at.

    Returns:
        The tag, where its content starts, and where it ends.

    Raises:
        Malformed: the element does not fit between `at` and `end`, or its length is indefinite.
    """
    if at + 2 > end:
        raise Malformed("an element is cut off in its header")
    tag = data[at]
    length = data[at + 1]
    start = at + 2
    if length >= _LONG_FORM:
        octets = length & 0x7F
        if octets == 0:
            raise Malformed("a length is indefinite")
        if octets > _MAX_LENGTH_OCTETS:
            raise Malformed("a length has more than 4 octets")
        if start + octets > end:
            raise Malformed("an element is cut off in its length")
        length = int.from_bytes(data[start : start + octets], "big")
        start += octets
    stop = start + length
    if stop > end:
        raise Malformed("an element is longer than what holds it")
    return tag, start, stop


def expect(data: bytes, at: int, end: int, tag: int, what: str) -> tuple[int, int]:
    """Read the header of an element whose tag is known; return its content's start and end.

    Raises:
        Malformed: another tag stands there, or the element does not fit.
    """
    found, start, stop = read_header(data, at, end)
    if found != tag:
        raise Malformed(f"{what} has tag {found:#04x}, not {tag:#04x}")
    return start, stop


def encode_integer(value: int) -> bytes:
    """Encode an integer's content in two's complement, as short as it can be (X.690 8.3)."""
    octets = (value + (value < 0)).bit_length() // 8 + 1
    return value.to_bytes(octets, "big", signed=True)


def decode_integer(content: bytes, low: int, high: int, what: str) -> int:
    """Decode an integer's content.

    Args:
        content: the content octets.
        low: the smallest value its type holds.
        high: the largest.
        what: the type's name, for the error.

    Raises:
        Malformed: no octets, more than needed, or a value outside the range.
    """
    if not content:
        raise Malformed(f"{what} is empty")
    if len(content) > 1 and (
        (content[0] == 0 and content[1] < _LONG_FORM)
        or (content[0] == 0xFF and content[1] >= _LONG_FORM)  # noqa: PLR2004 - eight one bits
    ):
        raise Malformed(f"{what} is longer than its value needs")
    value = int.from_bytes(content, "big", signed=True)
    if not low <= value <= high:
        raise Malformed(f"{what} is outside {low}..{high}")
    return value


def encode_oid(oid: Oid) -> bytes:
    """Encode an object identifier's content (X.690 8.19).

    Raises:
        ValueError: fewer than 2 or more than 128 arcs, an arc outside 0..2^32-1, a first arc
            over 2, or a second one over 39 where the first is 0 or 1.
    """
    check_oid(oid)
    first = oid[0] * _ROOT_ARCS + oid[1]
    out = bytearray()
    for arc in (first, *oid[2:]):
        if arc < _LONG_FORM:
            out.append(arc)
            continue
        shift = (arc.bit_length() - 1) // 7 * 7
        while shift:
            out.append(_LONG_FORM | ((arc >> shift) & 0x7F))
            shift -= 7
        out.append(arc & 0x7F)
    return bytes(out)


def decode_oid(content: bytes) -> Oid:
    """Decode an object identifier's content.

    Raises:
        Malformed: empty, cut off within an arc, an arc padded with zero or beyond 2^32-1, or
            more than 128 arcs.
    """
    if not content:
        raise Malformed("an object identifier is empty")
    if content[-1] >= _LONG_FORM:
        raise Malformed("an object identifier is cut off within an arc")
    # A walk meets the same beginnings again and again: they are decoded once.
    split = min(len(content), _KNOWN_OCTETS)
    while split and content[split - 1] >= _LONG_FORM:
        split -= 1
    if not split:
        raise Malformed("an arc of an object identifier exceeds 2^32-1")
    beginning = _decode_beginning(content[:split])
    oid = beginning + tuple(_decode_arcs(content[split:])) if split < len(content) else beginning
    if len(oid) > MAX_ARCS:
        raise Malformed("an object identifier has more than 128 arcs")
    return oid


@lru_cache(maxsize=1024)
def _decode_beginning(content: bytes) -> Oid:
    first, *rest = _decode_arcs(content)
    root = min(first // _ROOT_ARCS, _JOINT)
    return (root, first - root * _ROOT_ARCS, *rest)


def _decode_arcs(content: bytes) -> list[int]:
    arcs: list[int] = []
    arc = 0
    for octet in content:
        if octet < _LONG_FORM:
            arcs.append(arc << 7 | octet)
            arc = 0
        else:
            if arc == 0 and octet == _LONG_FORM:
                raise Malformed("an arc of an object identifier is padded")
            arc = arc << 7 | octet & 0x7F
            if arc > _MAX_ARC_HIGH:
                raise Malformed("an arc of an object identifier exceeds 2^32-1")
    return arcs


def check_oid(oid: Oid) -> None:
    """Refuse an object identifier that cannot be encoded.

    Raises:
        ValueError: which rule it breaks (see `encode_oid`).
    """
    if not _SHORTEST_OID <= len(oid) <= MAX_ARCS:
        raise ValueError("an object identifier has 2 to 128 arcs")
    if min(oid) < 0 or max(oid) > MAX_ARC:
        raise ValueError("an arc lies in 0..2^32-1")
    if oid[0] > _JOINT or (oid[0] < _JOINT and oid[1] >= _ROOT_ARCS):
        raise ValueError("the first arc is 0, 1 or 2; below 2 the second is at most 39")
    if oid[1] > _MAX_SECOND_ARC_OF_2:
        raise ValueError("the first two arcs together exceed one sub-identifier")


def parse_oid(text: str) -> Oid:
    """Read an object identifier as people write it, `1.3.6.1` or `.1.3.6.1`.

    Raises:
        ValueError: not decimal arcs between dots, or not an encodable identifier.
    """
    parts = text.removeprefix(".").split(".")
    if not all(part.isascii() and part.isdigit() for part in parts):
        raise ValueError(f"{text!r} is not an object identifier")
    oid = tuple(int(part) for part in parts)
    check_oid(oid)
    return oid


def format_oid(oid: Oid) -> str:
    """Write an object identifier with dots and without a leading one."""
    return ".".join(map(str, oid))
