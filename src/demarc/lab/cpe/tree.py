"""One device's parameters: what differs from its make's tree, and what CWMP asks of them."""

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Final

from demarc.lab.cpe.schema import Leaf, Schema, generic, number
from demarc.protocols.cwmp import errors
from demarc.protocols.cwmp.messages import (
    AttributeChange,
    Fault,
    ParameterAttribute,
    ParameterInfo,
    ParameterValue,
    SetFault,
)

_ASKED: Final = re.compile(r"\{([^{}]+)\}")
_NUMBER: Final = re.compile(r"-?\d{1,20}")
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)?")
_MOST: Final = {"unsignedInt": 2**32 - 1, "int": 2**31 - 1, "unsignedLong": 2**64 - 1}
_LEAST: Final = {"unsignedInt": 0, "int": -(2**31), "unsignedLong": 0}
_TRUE: Final = frozenset({"1", "true"})
_FALSE: Final = frozenset({"0", "false"})
_HIGHEST_NOTIFICATION: Final = 6
_LONGEST: Final = 65_536

Facts = Callable[[str], str | None]
Entry = tuple[Leaf | None, Facts, list[str]]


def _nothing(_: str) -> None:
    """Know nothing of what is asked."""


class Refusal(Exception):
    """A request cannot be carried out; carries the fault to answer with."""

    def __init__(self, code: int, parameters: tuple[SetFault, ...] = ()) -> None:
        super().__init__(errors.CPE_FAULTS[code])
        self.fault = Fault(code, errors.CPE_FAULTS[code], parameters)


class Tree:
    """A device's parameters.

    Args:
        schema: of its make.
        ask: gives what stands in braces in a value.
        strict: a value is to be given with its own type, not merely as a string.
        truths: how it writes no and yes.
    """

    def __init__(
        self,
        schema: Schema,
        ask: Callable[[str], str],
        *,
        strict: bool = False,
        truths: tuple[str, str] = ("0", "1"),
    ) -> None:
        self._schema = schema
        self._ask = ask
        self._strict = strict
        self._truths = truths
        self._values: dict[str, str] = {}
        self._gone: set[str] = set()
        # instances that are no part of the make's tree, their objects with None for a leaf
        self._extra: dict[str, Entry] = {}
        self._highest: dict[str, int] = {}
        self._notifications: dict[str, int] = {}
        self._access: dict[str, tuple[str, ...]] = {}

    @property
    def root(self) -> str:
        """Where it begins."""
        return self._schema.root

    # reading

    def find(self, path: str) -> Leaf | None:
        """Give how a parameter is made; None if there is none."""
        extra = self._extra.get(path)
        if extra is not None:
            return extra[0]
        leaf = self._schema.leaves.get(path)
        return None if leaf is None or self._is_gone(path) else leaf

    def get(self, path: str) -> str:
        """Give a parameter's value, a hidden one too.

        Raises:
            KeyError: there is none of this name.
        """
        leaf = self.find(path)
        if leaf is None:
            raise KeyError(path)
        own = self._values.get(path)
        if own is not None:
            return own
        value = leaf.value
        if "{" in value:
            extra = self._extra.get(path)
            facts = _nothing if extra is None else extra[1]
            if extra is not None:
                value = number(value, extra[2])
            value = _ASKED.sub(lambda match: self._fact(match[1], facts), value)
        if leaf.type == "boolean" and value in {"0", "1"}:
            return self._truths[int(value)]
        return value

    def _fact(self, name: str, facts: Facts) -> str:
        if name.startswith("count "):
            return str(len(self.instances(self.root + name[6:] + ".")))
        own = facts(name)
        return self._ask(name) if own is None else own

    def shown(self, path: str) -> ParameterValue:
        """Give a parameter as an ACS reads it."""
        leaf = self.find(path)
        if leaf is None:
            raise KeyError(path)
        return ParameterValue(path, "" if leaf.hidden else self.get(path), leaf.type)

    def values(self, names: Sequence[str]) -> tuple[ParameterValue, ...]:
        """Answer GetParameterValues.

        Raises:
            Refusal: a name is not known.
        """
        found: list[ParameterValue] = []
        for name in names:
            if name and not name.endswith("."):
                if self.find(name) is None:
                    raise Refusal(errors.INVALID_PARAMETER_NAME)
                found.append(self.shown(name))
                continue
            found += [
                self.shown(each) for each in self._below(name or self.root) if each[-1] != "."
            ]
        return tuple(found)

    def names(self, path: str, *, next_level: bool) -> tuple[ParameterInfo, ...]:
        """Answer GetParameterNames.

        Raises:
            Refusal: the path is not known, or the question makes no sense.
        """
        if path and not path.endswith("."):
            if next_level:
                raise Refusal(errors.INVALID_ARGUMENTS)
            leaf = self.find(path)
            if leaf is None:
                raise Refusal(errors.INVALID_PARAMETER_NAME)
            return (ParameterInfo(path, leaf.writable),)
        if not path and next_level:
            return (ParameterInfo(self.root, False),)
        start = path or self.root
        below = self._below(start)
        if next_level:
            depth = len(start)
            below = (
                each
                for each in below
                if each != start and each.find(".", depth) in {-1, len(each) - 1}
            )
        return tuple(ParameterInfo(each, self._writable(each)) for each in below)

    def _writable(self, name: str) -> bool:
        if not name.endswith("."):
            leaf = self.find(name)
            return leaf is not None and leaf.writable
        holder = _holder(name) if name[:-1].rpartition(".")[2].isdigit() else name
        table = self._schema.tables.get(generic(holder))
        return table is not None and table.writable

    def _below(self, path: str) -> Iterator[str]:
        """Give all names that begin with an object's, its own first.

        Raises:
            Refusal: there is no such object.
        """
        place = self._schema.ranges.get(path)
        known = place is not None and not self._is_gone(path)
        if not known and path not in self._extra:
            raise Refusal(errors.INVALID_PARAMETER_NAME)
        return self._walk(path, place if known else None)

    def _walk(self, path: str, place: tuple[int, int] | None) -> Iterator[str]:
        if place is not None:
            entries = self._schema.entries[place[0] : place[1]]
            if self._gone:
                entries = [each for each in entries if not self._is_gone(each)]
            yield from entries
        yield from [each for each in self._extra if each.startswith(path)]

    def _is_gone(self, path: str) -> bool:
        return bool(self._gone) and any(path.startswith(each) for each in self._gone)

    def exists(self, path: str) -> bool:
        """Tell whether there is such an object or parameter."""
        if path in self._extra:
            return True
        known = path in self._schema.ranges or path in self._schema.leaves
        return known and not self._is_gone(path)

    def instances(self, table: str) -> list[int]:
        """Give the numbers of the instances of an object; none for one that there is not."""
        try:
            below = self._below(table)
        except Refusal:
            return []
        found = {each[len(table) :].partition(".")[0] for each in below if each != table}
        return sorted(int(each) for each in found if each.isdigit())

    # writing, by an ACS

    def set(self, parameters: Sequence[ParameterValue]) -> list[str]:
        """Carry out SetParameterValues, all or none; give the paths whose values are new.

        Raises:
            Refusal: one of them is not to be set so; it names each.
        """
        if len({each.name for each in parameters}) != len(parameters):
            raise Refusal(errors.INVALID_ARGUMENTS)
        faults = []
        wanted: list[tuple[str, str]] = []
        for each in parameters:
            try:
                wanted.append((each.name, self._judge(each)))
            except Refusal as refusal:
                faults.append(SetFault(each.name, refusal.fault.code, refusal.fault.text))
        if faults:
            raise Refusal(errors.INVALID_ARGUMENTS, tuple(faults))
        changed = [path for path, value in wanted if self.get(path) != value]
        self._values.update(wanted)
        return changed

    def _judge(self, given: ParameterValue) -> str:
        """Give the value as the device keeps it."""
        leaf = self.find(given.name)
        if leaf is None:
            raise Refusal(errors.INVALID_PARAMETER_NAME)
        if not leaf.writable:
            raise Refusal(errors.NON_WRITABLE_PARAMETER)
        if given.type != leaf.type and (self._strict or given.type != "string"):
            numeric = {given.type, leaf.type} <= set(_MOST)
            if self._strict or not numeric:
                raise Refusal(errors.INVALID_PARAMETER_TYPE)
        return _fit(leaf, given.value, self._truths)

    def add(self, table: str) -> int:
        """Carry out AddObject; give the instance's number.

        Raises:
            Refusal: there is no such object, or none can be made.
        """
        known = self._schema.tables.get(generic(table))
        if not table.endswith(".") or known is None or not self.exists(table):
            raise Refusal(errors.INVALID_PARAMETER_NAME)
        if not known.writable:
            raise Refusal(errors.REQUEST_DENIED)
        return self.put_instance(table, _nothing)

    def delete(self, instance: str) -> None:
        """Carry out DeleteObject.

        Raises:
            Refusal: there is no such instance, or it cannot be deleted.
        """
        if not instance.endswith(".") or not self.exists(instance):
            raise Refusal(errors.INVALID_PARAMETER_NAME)
        holder = _holder(instance)
        table = self._schema.tables.get(generic(holder))
        if table is None or not instance[len(holder) : -1].isdigit():
            raise Refusal(errors.INVALID_PARAMETER_NAME)
        if not table.writable:
            raise Refusal(errors.REQUEST_DENIED)
        self.drop(instance)

    # attributes

    def attributes(self, names: Sequence[str]) -> tuple[ParameterAttribute, ...]:
        """Answer GetParameterAttributes.

        Raises:
            Refusal: a name is not known.
        """
        return tuple(
            ParameterAttribute(each, self.notification(each), self._access.get(each, ()))
            for name in names
            for each in self._leaves(name)
        )

    def notification(self, path: str) -> int:
        """Give how a change is told of: 0 not at all, 1 with the next Inform, 2 at once."""
        leaf = self.find(path)
        if leaf is not None and leaf.tells:
            return 2
        return self._notifications.get(path, 0)

    def set_attributes(self, changes: Sequence[AttributeChange]) -> None:
        """Carry out SetParameterAttributes, all or none.

        Raises:
            Refusal: a name is not known, or a change of it cannot be told of so.
        """
        wanted = [(each, list(self._leaves(each.name))) for each in changes]
        if any(
            change.notification is not None
            and not 0 <= change.notification <= _HIGHEST_NOTIFICATION
            for change in changes
        ):
            raise Refusal(errors.INVALID_ARGUMENTS)
        for change, paths in wanted:
            for path in paths:
                if change.notification is not None:
                    self._notifications[path] = change.notification
                if change.access_list is not None:
                    self._access[path] = change.access_list

    def told_of(self) -> list[str]:
        """Give the paths of parameters changes of which are told."""
        tells = [path for path, leaf in self._schema.leaves.items() if leaf.tells]
        asked = [path for path, how in self._notifications.items() if how]
        return [path for path in dict.fromkeys([*tells, *asked]) if self.find(path) is not None]

    def _leaves(self, name: str) -> Iterator[str]:
        if name and not name.endswith("."):
            if self.find(name) is None:
                raise Refusal(errors.INVALID_PARAMETER_NAME)
            return iter([name])
        return (each for each in self._below(name or self.root) if not each.endswith("."))

    # writing, by the device itself

    def put(self, path: str, value: str) -> bool:
        """Set a value whoever may; tell whether there is such a parameter."""
        if self.find(path) is None:
            return False
        self._values[path] = value
        return True

    def put_instance(self, table: str, facts: Facts, instance: int | None = None) -> int:
        """Make an instance whoever may; give its number.

        Args:
            table: the object's path; where there is no such table nothing is made.
            facts: asked for what stands in braces, before the device is.
            instance: its number; by default one that was not used before.
        """
        kind = generic(table)
        known = self._schema.tables.get(kind)
        if known is None:
            return 0
        if instance is None:
            highest = max([self._highest.get(table, 0), *self.instances(table)])
            instance = highest + 1
        self._highest[table] = max(instance, self._highest.get(table, 0))
        start = f"{table}{instance}."
        self.drop(start)
        numbers = [part for part in start.split(".") if part.isdigit()]
        entry: Entry = (None, facts, numbers)
        self._extra[start] = entry
        for rest, leaf in known.leaves.items():
            place = rest.find(".") + 1
            while place:
                self._extra.setdefault(start + rest[:place], entry)
                place = rest.find(".", place) + 1
            self._extra[start + rest] = (leaf, facts, numbers)
        inner = kind + "*."
        for each in self._schema.tables:
            if each.startswith(inner) and "*" not in each[len(inner) :]:
                self._extra.setdefault(start + each[len(inner) :], entry)
        return instance

    def drop(self, instance: str) -> None:
        """Take an instance away whoever may; its number is not given again."""
        holder, last = _holder(instance), instance[:-1].rpartition(".")[2]
        if last.isdigit() and self.exists(instance):
            self._highest[holder] = max(int(last), self._highest.get(holder, 0))
        for each in [each for each in self._extra if each.startswith(instance)]:
            del self._extra[each]
        if instance in self._schema.ranges:
            self._gone.add(instance)
        for kept in (self._values, self._notifications, self._access):
            for each in [each for each in kept if each.startswith(instance)]:
                del kept[each]

    def clear(self, table: str) -> None:
        """Take all instances of an object away."""
        for each in self.instances(table):
            self.drop(f"{table}{each}.")

    def forget(self) -> None:
        """Be as it came from the factory."""
        for kept in (self._values, self._extra, self._highest, self._notifications, self._access):
            kept.clear()
        self._gone.clear()

    def reset(self, path: str) -> None:
        """Let a parameter have the value it has by itself."""
        self._values.pop(path, None)


def _holder(instance: str) -> str:
    return instance[: instance[:-1].rfind(".") + 1]


def _fit(leaf: Leaf, value: str, truths: tuple[str, str]) -> str:
    """Give a value as it is kept.

    Raises:
        Refusal: it is none that the parameter may have.
    """
    if leaf.type == "boolean":
        word = value.strip().lower()
        _insist(word in _TRUE | _FALSE)
        return truths[word in _TRUE]
    if leaf.type in _MOST:
        _insist(_NUMBER.fullmatch(value.strip()) is not None)
        low = _LEAST[leaf.type] if leaf.low is None else leaf.low
        high = _MOST[leaf.type] if leaf.high is None else leaf.high
        _insist(low <= int(value) <= high)
        return str(int(value))
    if leaf.type == "dateTime":
        _insist(_is_time(value))
        return value
    _insist(not leaf.words or value in leaf.words)
    _insist((leaf.low or 0) <= len(value) <= (_LONGEST if leaf.high is None else leaf.high))
    return value


def _insist(right: bool) -> None:
    if not right:
        raise Refusal(errors.INVALID_PARAMETER_VALUE)


def _is_time(value: str) -> bool:
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return False
    return _TIME.fullmatch(value) is not None


__all__ = ["Facts", "Refusal", "Tree"]
