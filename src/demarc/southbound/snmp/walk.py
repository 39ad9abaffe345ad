"""A walk through columns of a table, without I/O: what to ask next, what an answer means.

Names are compared as octets. A row's index is decoded once, when it is met first; it is what
tells whether the walk advances, since octets do not sort as names do.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle

from demarc.protocols.snmp.ber import Oid, decode_oid, encode_oid, format_oid
from demarc.protocols.snmp.response import Response
from demarc.protocols.snmp.values import Missing, Value

Row = list[Value | None]


class Astray(Exception):
    """The agent gave what cannot follow what it gave before."""


class _Column:
    """A column not yet at its end.

    Attributes:
        number: its place in a row.
        name: of the column and the part of the index that is asked for, with which names begin.
        prefix: the same as octets.
        size: how many octets that are.
        last: the index last seen of it, as far as it follows the prefix.
        asked: the octets of the name whose successors are asked for.
    """

    __slots__ = ("asked", "last", "name", "number", "prefix", "size")

    def __init__(self, number: int, name: Oid) -> None:
        self.number = number
        self.name = name
        self.prefix = self.asked = encode_oid(name)
        self.size = len(self.prefix)
        self.last: Oid = ()


class Walk:
    """Where a walk has come.

    Args:
        columns: names of columns; none may be part of another.
        index: only rows whose index begins so and goes on.
    """

    def __init__(self, columns: Sequence[Oid], index: Oid) -> None:
        self._index = index
        self._width = len(columns)
        self._columns = [_Column(number, (*name, *index)) for number, name in enumerate(columns)]
        self._rows: dict[bytes, tuple[Oid, Row]] = {}
        self.cells = 0
        """How many have been read."""

    @property
    def open_columns(self) -> int:
        """How many columns are not at their end; at 0 the walk is over."""
        return len(self._columns)

    def asked(self) -> list[bytes]:
        """Give the names whose successors are wanted, one for each open column."""
        return [column.asked for column in self._columns]

    def take(self, answer: Response) -> None:
        """Take the answer to a GetBulk that asked for `asked`.

        Raises:
            Astray: it does not advance, or gives a successor without a value.
            Malformed: a name in it is no object identifier.
        """
        ended: set[int] = set()
        rows = self._rows
        cells = 0
        for column, name, value in zip(
            cycle(self._columns), answer.names, answer.values, strict=False
        ):
            if ended and column.number in ended:
                continue
            if value.__class__ is Missing or not name.startswith(column.prefix):
                self._check_end(column, name, value)
                ended.add(column.number)
                continue
            rest = name[column.size :]
            row = rows.get(rest)
            if row is None:
                row = rows[rest] = self._new_row(column, name)
            index, found = row
            if index <= column.last:
                raise _behind(name)
            column.last = index
            column.asked = name
            found[column.number] = value
            cells += 1
        self.cells += cells
        if ended:
            self._columns = [each for each in self._columns if each.number not in ended]

    def rows(self) -> dict[Oid, Row]:
        """Give what was read, in the order of the index."""
        whole = {(*self._index, *index): row for index, row in self._rows.values()}
        return dict(sorted(whole.items()))

    def _new_row(self, column: _Column, name: bytes) -> tuple[Oid, Row]:
        index = decode_oid(name)[len(column.name) :]
        return index, [None] * self._width

    def _check_end(self, column: _Column, name: bytes, value: Value) -> None:
        """See that what ends a column may: the end of everything, or a name that comes later."""
        if value is Missing.END_OF_MIB_VIEW:
            return
        if isinstance(value, Missing):
            raise Astray("gave a successor without a value")
        if decode_oid(name) <= (*column.name, *column.last):
            raise _behind(name)


def _behind(name: bytes) -> Astray:
    return Astray(f"does not advance: {format_oid(decode_oid(name))} came again")
