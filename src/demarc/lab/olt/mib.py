"""The agent's view of its variables: a sorted index over objects and their instances."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable
from operator import itemgetter
from typing import TypeAlias

import msgspec

from demarc.protocols.snmp.ber import Oid
from demarc.protocols.snmp.message import ErrorStatus
from demarc.protocols.snmp.values import Missing, Value

Read: TypeAlias = Callable[[], Value]
Commit: TypeAlias = Callable[[], None]
Prepare: TypeAlias = Callable[[Value], Commit | ErrorStatus]
"""Looks whether a value may be written: gives what writes it, or why not. Changes nothing."""


class Instance(msgspec.Struct, frozen=True):
    """One variable: the index that ends its identifier, and how it is read and written."""

    index: Oid
    read: Read
    prepare: Prepare | None = None


class MibObject(msgspec.Struct, frozen=True):
    """A scalar or a column, with the instances there are now."""

    oid: Oid
    instances: tuple[Instance, ...]


class MibView:
    """All variables in lexicographic order (RFC 3416 section 4.2.2).

    It is built once for a set of instances and thrown away when that set changes; values are
    read at each request. Finding a variable or a successor costs one binary search.
    """

    def __init__(self, objects: Iterable[MibObject]) -> None:
        known = list(objects)
        self._objects = sorted(entry.oid for entry in known)
        rows = sorted(
            (
                ((*entry.oid, *instance.index), instance)
                for entry in known
                for instance in entry.instances
            ),
            key=itemgetter(0),
        )
        self._oids = [oid for oid, _ in rows]
        self._instances = [instance for _, instance in rows]
        self._by_oid = dict(rows)

    def __len__(self) -> int:
        """How many variables there are."""
        return len(self._oids)

    def find(self, oid: Oid) -> Instance | Missing:
        """Give the variable of this very name, or which of the two ways it is missing."""
        instance = self._by_oid.get(oid)
        if instance is not None:
            return instance
        at = bisect_right(self._objects, oid) - 1
        if at >= 0 and oid[: len(self._objects[at])] == self._objects[at]:
            return Missing.NO_SUCH_INSTANCE
        return Missing.NO_SUCH_OBJECT

    def position_after(self, oid: Oid) -> int:
        """Give the position of the first variable after `oid`, which need not exist itself."""
        return bisect_right(self._oids, oid)

    def at(self, position: int) -> tuple[Oid, Instance] | None:
        """Give the variable at a position, None past the last."""
        if position >= len(self._oids):
            return None
        return self._oids[position], self._instances[position]
