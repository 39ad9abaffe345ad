"""What a make's parameter tree is like, shared by all devices of it.

A tree is written as lines. ``@ path`` begins an object; ``1-4`` and ``1,5`` in it stand for several
instances, ``*`` for those that are made later, and a ``+`` behind it lets an ACS make and delete
them. Below it stands a parameter a line: its name, what may be done with it, its type and value::

    @ LANDevice.1.WLANConfiguration.1-4,* +
    SSID         w  s1:32         {ssid}-{#}
    Channel      w  u0:13         6
    BSSID        r  s             {mac+#}

"r" is read alone, "w" is written too, "h" is written and reads back empty; "!" behind it has the
device tell of a change by itself. Types are s (string), u, i, l (long), b, t (time), x (base64) and
``e:one|two`` for a string that is one of these; two numbers are its least and most, or a string's
lengths. What stands in braces is asked of the device; ``{#}`` is the instance's number, ``{##}``
that of the instance around it. ``- path`` takes away what a tree it is like has.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import product
from typing import Final

import msgspec

_TOKEN: Final = re.compile(r"\{([^{}]*#[^{}]*)\}")
_TYPE: Final = re.compile(r"([suilbtx])(?:(-?\d+)?:?(-?\d+)?)?")
_TYPES: Final = {
    "s": "string",
    "u": "unsignedInt",
    "i": "int",
    "l": "unsignedLong",
    "b": "boolean",
    "t": "dateTime",
    "x": "base64",
}
_INSTANCE: Final = re.compile(r"\.\d+(?=\.)")
_WORDS: Final = 4


class BadTree(Exception):
    """A tree cannot be read; its text says which line."""


class Leaf(msgspec.Struct, frozen=True, gc=False):
    """A parameter as its make has it.

    Attributes:
        type: of XML Schema.
        writable: by the ACS.
        hidden: reads back empty.
        low: least number, or a string's least length; None for any.
        high: likewise the most.
        words: one of these, if there are any.
        value: from the factory; what is in braces is asked of the device.
        tells: the device tells of changes by itself, whatever the ACS set.
    """

    type: str
    writable: bool
    hidden: bool
    low: int | None
    high: int | None
    words: tuple[str, ...]
    value: str
    tells: bool = False


class Table(msgspec.Struct):
    """An object that there are several of.

    Attributes:
        writable: the ACS may make and delete them.
        leaves: of an instance, by the rest of their path.
    """

    writable: bool = False
    leaves: dict[str, Leaf] = {}


class Schema:
    """A make's tree.

    Attributes:
        root: "Device." or "InternetGatewayDevice.".
        leaves: parameters by whole path.
        entries: names of all objects and parameters, those of an object in one piece.
        ranges: an object's place in ``entries``, itself first.
        tables: objects there are several of, by their path with "*" for instances.
    """

    def __init__(self, root: str, leaves: Mapping[str, Leaf], tables: Mapping[str, Table]) -> None:
        self.root = root
        self.leaves = dict(leaves)
        self.tables = dict(tables)
        names = {root}
        for path in self.leaves:
            place = path.find(".") + 1
            while place:
                names.add(path[:place])
                place = path.find(".", place) + 1
        names |= {path for path in self.tables if "*" not in path}
        for path in self.tables:
            # empty tables within instances that are there from the beginning
            holder, star, rest = path.rpartition(".*.")
            if star:
                pattern = re.compile(re.escape(holder).replace(r"\*", r"\d+") + r"\.\d+\.")
                names |= {each + rest for each in names if pattern.fullmatch(each)}
        self.entries = sorted(names | self.leaves.keys(), key=natural)
        self.ranges: dict[str, tuple[int, int]] = {}
        open_: list[tuple[str, int]] = []
        for at, name in enumerate(self.entries):
            while open_ and not name.startswith(open_[-1][0]):
                closed, began = open_.pop()
                self.ranges[closed] = (began, at)
            if name.endswith("."):
                open_.append((name, at))
        for closed, began in open_:
            self.ranges[closed] = (began, len(self.entries))


def natural(path: str) -> tuple[tuple[int, str], ...]:
    """Give what paths are ordered by: numbers as numbers."""
    return tuple((int(part), "") if part.isdigit() else (-1, part) for part in path.split("."))


def generic(path: str) -> str:
    """Give a path with "*" for each instance's number."""
    return _INSTANCE.sub(".*", path)


class Draft:
    """A tree being put together out of texts, each on top of what is there.

    Args:
        root: "Device." or "InternetGatewayDevice.".
    """

    def __init__(self, root: str) -> None:
        self._root = root
        self._leaves: dict[str, Leaf] = {}
        self._tables: dict[str, Table] = {}

    def add(self, text: str) -> None:
        """Read a text.

        Raises:
            BadTree: a line of it cannot be read.
        """
        objects: list[str] = []
        for number, whole in enumerate(text.splitlines(), 1):
            line = whole.strip()
            if not line or line.startswith("#"):
                continue
            try:
                if line.startswith("@ "):
                    objects = self._objects(line[2:].strip())
                elif line.startswith("- "):
                    self._take_away(self._root + line[2:].strip())
                else:
                    name, leaf = _leaf(line)
                    for each in objects:
                        self._put(each, name, leaf)
            except (ValueError, KeyError) as error:
                raise BadTree(f"line {number}, {line!r}: {error}") from error

    def schema(self) -> Schema:
        """Give what has been put together."""
        return Schema(self._root, self._leaves, self._tables)

    def _objects(self, written: str) -> list[str]:
        writable = written.endswith(" +")
        path = written.removesuffix(" +").strip().rstrip(".")
        if not path:
            return [self._root]
        found = []
        for parts in product(*(_alternatives(part) for part in path.split("."))):
            one = self._root + ".".join(parts) + "."
            table = self._register(one)
            if table is not None and writable:
                table.writable = True
            found.append(one)
        return found

    def _register(self, path: str) -> Table | None:
        """Have tables for all instances in a path; give the innermost if the path ends in it."""
        parts = path[:-1].split(".")
        last = None
        for at, part in enumerate(parts):
            if part == "*" or part.isdigit():
                name = generic(".".join(parts[:at]) + ".")
                last = self._tables.setdefault(name, Table(leaves={}))
        return last if parts[-1] == "*" or parts[-1].isdigit() else None

    def _put(self, path: str, name: str, leaf: Leaf) -> None:
        head, star, rest = path.rpartition("*.")
        if star:
            self._tables[generic(head)].leaves[rest + name] = leaf
            return
        numbers = [part for part in path.split(".") if part.isdigit()]
        self._leaves[path + name] = msgspec.structs.replace(leaf, value=number(leaf.value, numbers))

    def _take_away(self, path: str) -> None:
        self._leaves = {k: v for k, v in self._leaves.items() if not k.startswith(path)}
        table = generic(path)
        self._tables = {k: v for k, v in self._tables.items() if not k.startswith(table)}


def number(value: str, numbers: list[str]) -> str:
    """Put instances' numbers in the place of ``#`` in what is asked of a device."""

    def put(match: "re.Match[str]") -> str:
        inside = match[1]
        if len(numbers) > 1:
            inside = inside.replace("##", numbers[-2])
        inside = inside.replace("#", numbers[-1] if numbers else "0")
        return inside if inside.isdigit() else f"{{{inside}}}"

    return _TOKEN.sub(put, value) if "#" in value else value


def _alternatives(part: str) -> Iterator[str]:
    if not part[:1].isdigit() and part[:1] != "*":
        yield part
        return
    for piece in part.split(","):
        low, dash, high = piece.partition("-")
        if dash:
            yield from (str(each) for each in range(int(low), int(high) + 1))
        else:
            yield piece


def _leaf(line: str) -> tuple[str, Leaf]:
    name, mode, kind, *rest = line.split(None, _WORDS - 1)
    return name, _make(mode, kind, rest[0] if rest else "")


@cache
def _make(mode: str, kind: str, value: str) -> Leaf:
    may = mode.rstrip("!")
    if may not in {"r", "w", "h"}:
        raise ValueError(f"{mode!r} is none of r, w and h")
    low = high = None
    words: tuple[str, ...] = ()
    if kind.startswith("e:"):
        type_, words = "string", tuple(kind[2:].replace("_", " ").split("|"))
    else:
        match = _TYPE.fullmatch(kind)
        if match is None:
            raise ValueError(f"{kind!r} is no type")
        type_ = _TYPES[match[1]]
        numbers = [int(each) for each in match.groups()[1:] if each is not None]
        if numbers:
            low, high = (None, numbers[0]) if len(numbers) == 1 else (numbers[0], numbers[1])
    return Leaf(
        type=type_,
        writable=may != "r",
        hidden=may == "h",
        low=low,
        high=high,
        words=words,
        value=value,
        tells=mode.endswith("!"),
    )


__all__ = ["BadTree", "Draft", "Leaf", "Schema", "Table", "generic", "natural", "number"]
