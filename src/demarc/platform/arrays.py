"""Arrays in PostgreSQL's binary form, a whole column made at once.

psycopg adapts a list value by value; where hundreds of rows of many columns go into a statement,
that costs the sender more than all the rest. A statement takes these as ``%(name)s::bigint[]``:
the cast says what they are.
"""

from collections.abc import Sequence
from itertools import chain, repeat
from struct import Struct, pack
from typing import Any

import psycopg
from psycopg.adapt import Buffer, Dumper
from psycopg.pq import Format

_TEXT, _INT8, _UUID, _INET, _DATE, _TIMESTAMPTZ = 25, 20, 2950, 869, 1082, 1184

_HEADER = Struct(">5i")
_LENGTH = Struct(">i")
_NULL = _LENGTH.pack(-1)


class BinaryArray(bytes):
    """An array as the server receives it."""

    __slots__ = ()


class _BinaryArrayDumper(Dumper):
    format = Format.BINARY
    # none: the statement's cast says of what it is an array
    oid = 0

    def dump(self, obj: Any) -> Buffer:
        return bytes(obj)


def register() -> None:
    """Have connections that are made from now on take these arrays."""
    psycopg.adapters.register_dumper(BinaryArray, _BinaryArrayDumper)


def _array(oid: int, size: int, elements: bytes, *, nulls: bool = False) -> BinaryArray:
    if not size:
        return BinaryArray(pack(">3i", 0, 0, oid))
    return BinaryArray(_HEADER.pack(1, nulls, oid, size, 1) + elements)


def _optional(oid: int, values: Sequence[bytes | None]) -> BinaryArray:
    length = _LENGTH.pack
    elements = [_NULL if value is None else length(len(value)) + value for value in values]
    return _array(oid, len(values), b"".join(elements), nulls=None in values)


def _numbers(oid: int, values: Sequence[int]) -> BinaryArray:
    size = len(values)
    elements = pack(">" + "iq" * size, *chain.from_iterable(zip(repeat(8), values, strict=False)))
    return _array(oid, size, elements)


def uuids(values: Sequence[bytes]) -> BinaryArray:
    """Make an array of uuid, of sixteen octets each."""
    return _array(_UUID, len(values), b"".join([b"\0\0\0\x10" + value for value in values]))


def inets(values: Sequence[bytes | None]) -> BinaryArray:
    """Make an array of inet; ``inet4`` and ``inet6`` give its elements."""
    return _optional(_INET, values)


def inet4(packed: bytes) -> bytes:
    """Give an IPv4 address as an element of ``inets``."""
    return b"\x02\x20\0\x04" + packed


def inet6(packed: bytes, length: int = 128) -> bytes:
    """Give an IPv6 address or prefix as an element of ``inets``.

    Args:
        packed: sixteen octets.
        length: of the prefix, bits.
    """
    return bytes((3, length, 0, 16)) + packed


def texts(values: Sequence[str | None]) -> BinaryArray:
    """Make an array of text. They hold no zero characters."""
    return _optional(_TEXT, [None if value is None else value.encode() for value in values])


def numbers(values: Sequence[int]) -> BinaryArray:
    """Make an array of bigint.

    Raises:
        struct.error: a number has more than 64 bits.
    """
    return _numbers(_INT8, values)


def moments(values: Sequence[int]) -> BinaryArray:
    """Make an array of timestamptz, of microseconds since 2000-01-01 00:00 UTC."""
    return _numbers(_TIMESTAMPTZ, values)


def dates(values: Sequence[int]) -> BinaryArray:
    """Make an array of date, of days since 2000-01-01."""
    size = len(values)
    elements = pack(">" + "ii" * size, *chain.from_iterable(zip(repeat(4), values, strict=False)))
    return _array(_DATE, size, elements)


__all__ = [
    "BinaryArray",
    "dates",
    "inet4",
    "inet6",
    "inets",
    "moments",
    "numbers",
    "register",
    "texts",
    "uuids",
]
