"""Reading a network file: strictly, and with every mistake told at once."""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from difflib import get_close_matches
from typing import Any

import msgspec

from demarc.apply import values
from demarc.apply.document import TABLES, Document, OnNetwork, Table
from demarc.apply.values import Hidden, Place

_HEADER = re.compile(r"\s*\[\[\s*([A-Za-z0-9_-]+)\s*\]\]")
_ANY_HEADER = re.compile(r"\s*\[")
_KEY = re.compile(r"\s*(?:\"([^\"]+)\"|'([^']+)'|([A-Za-z0-9_-]+))\s*[=.]")
_LONG_QUOTES = ('"""', "'''")
_PATH = re.compile(r" - at `\$(.*)`$")
_ENV = "_env"


class Mistake(msgspec.Struct, frozen=True):
    """One thing that is wrong with a file.

    Attributes:
        line: from 1; None where it cannot be told.
        table: the table, as ``[[nas]] bng-1``; empty where it is the file itself.
        key: the key; None where the table as a whole is meant.
        reason: what is wrong, never with a secret in it.
    """

    line: int | None
    table: str
    key: str | None
    reason: str

    def __str__(self) -> str:
        where = f"line {self.line}: " if self.line is not None else ""
        table = f"{self.table}: " if self.table else ""
        key = f"{self.key} " if self.key is not None else ""
        return f"{where}{table}{key}{self.reason}"


class Mistaken(Exception):
    """A file cannot be taken; nothing was changed.

    Attributes:
        mistakes: all of them, in the file's order.
    """

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        self.mistakes = sorted(mistakes, key=lambda mistake: mistake.line or 0)
        super().__init__("\n".join(map(str, self.mistakes)))


def about(table: Table, key: str | None, reason: str) -> Mistake:
    """Make the mistake of a table that was read."""
    place = table.place
    line = place.line if key is None else place.keys.get(key, place.line)
    return Mistake(line, f"[[{table.section}]] {table.label}", key, reason)


def parse(text: str, environment: Mapping[str, str]) -> Document:
    """Read a network file.

    Args:
        text: TOML.
        environment: where ``secret_env`` and its like are looked up.

    Raises:
        Mistaken: with everything that is wrong in it.
    """
    try:
        # prices are exact, so that no number of the file goes through binary fractions
        found = tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        raise Mistaken([Mistake(None, "", None, f"this is not TOML: {error}")]) from error
    mistakes: list[Mistake] = []
    sections: dict[str, list[Table]] = {}
    places = _places(text)
    for name, given in found.items():
        kind = TABLES.get(name)
        if kind is None:
            reason = "is not a section of a network file" + _meant(name, TABLES)
            line = places[name][0].line if name in places else None
            mistakes.append(Mistake(line, "", f"[[{name}]]", reason))
        elif not isinstance(given, list) or not all(isinstance(one, dict) for one in given):
            reason = f"is written [[{name}]], once for each {name}"
            mistakes.append(Mistake(None, "", f"[{name}]", reason))
        else:
            sections[name] = list(_tables(kind, given, places.get(name, []), mistakes))
    sections = {name: _resolved(tables, environment, mistakes) for name, tables in sections.items()}
    networks = found.get("network")
    _name_networks(sections, len(networks) if isinstance(networks, list) else 0, mistakes)
    mistakes.extend(_repeated(sections))
    if mistakes:
        raise Mistaken(mistakes)
    taken: dict[str, Any] = sections
    return Document(**taken)


def _tables(
    kind: type[Table],
    given: list[dict[str, Any]],
    places: list[Place],
    mistakes: list[Mistake],
) -> Iterator[Table]:
    # tables written inline have no header to find: better no line than a wrong one
    if len(places) != len(given):
        places = [Place(number) for number in range(1, len(given) + 1)]
    for place, keys in zip(places, given, strict=True):
        table = _table(kind, keys, place, mistakes)
        if table is not None:
            yield table


def _table(
    kind: type[Table], given: dict[str, Any], place: Place, mistakes: list[Mistake]
) -> Table | None:
    fields = {field.name: field for field in msgspec.structs.fields(kind) if field.name != "place"}
    shown = given.get(kind.identity[-1])
    label = shown if isinstance(shown, str) else f"number {place.number}"
    before = len(mistakes)

    def wrong(key: str | None, reason: str) -> None:
        line = place.line if key is None else place.keys.get(key, place.line)
        mistakes.append(Mistake(line, f"[[{kind.section}]] {label}", key, reason))

    taken: dict[str, Any] = {"place": place}
    for key, value in given.items():
        field = fields.get(key)
        if field is None:
            wrong(key, f"is not a key of [[{kind.section}]]" + _meant(key, fields))
            continue
        try:
            taken[key] = msgspec.convert(value, field.type, dec_hook=values.read)
        except msgspec.ValidationError as error:
            wrong(key, _said(str(error)))
    for key, field in fields.items():
        if field.required and key not in given:
            wrong(key, "is missing")
    if len(mistakes) > before:
        return None
    table = kind(**taken)
    for fault in table.faults():
        wrong(*fault)
    return table if len(mistakes) == before else None


def _said(error: str) -> str:
    """Put msgspec's words the way a file's author speaks."""
    found = _PATH.search(error)
    inside = f" (at {found[1].lstrip('.')})" if found and found[1] else ""
    text = _PATH.sub("", error)
    text = text.replace("`str`", "text").replace("`int`", "a whole number")
    text = text.replace("`float`", "a number").replace("`bool`", "true or false")
    text = text.replace("`array`", "a list").replace("`object`", "a table").replace(" | null", "")
    text = text.replace("Invalid enum value", "knows no").replace("`null`", "nothing")
    return text[:1].lower() + text[1:] + inside


def _meant(name: str, known: Iterable[str]) -> str:
    close = get_close_matches(name, [one for one in known if one != "place"], n=1)
    return f"; did you mean {close[0]}?" if close else ""


def _resolved(
    tables: list[Table], environment: Mapping[str, str], mistakes: list[Mistake]
) -> list[Table]:
    """Put the secrets that stand in the environment into the tables that name them."""
    resolved = []
    for table in tables:
        found, missing = _secrets(table, environment)
        for key in table.__struct_fields__:
            value = getattr(table, key)
            # tables within a table
            if isinstance(value, tuple) and value and isinstance(value[0], msgspec.Struct):
                inner = []
                for one in value:
                    its, lacking = _secrets(one, environment)
                    inner.append(msgspec.structs.replace(one, **its))
                    if lacking:
                        missing[key] = "; ".join(lacking.values())
                found[key] = tuple(inner)
        mistakes.extend(about(table, key, why) for key, why in missing.items())
        resolved.append(msgspec.structs.replace(table, **found) if found else table)
    return resolved


def _secrets(
    table: msgspec.Struct, environment: Mapping[str, str]
) -> tuple[dict[str, Any], dict[str, str]]:
    """Give the secrets a table has in the environment, and by key what is missing there."""
    found: dict[str, Any] = {}
    missing: dict[str, str] = {}
    for key in table.__struct_fields__:
        variable = getattr(table, key) if key.endswith(_ENV) else None
        if variable is None:
            continue
        secret = environment.get(variable)
        if secret:
            found[key.removesuffix(_ENV)] = Hidden(secret)
        else:
            missing[key] = f"names {variable}, which is not set"
    return found, missing


def _name_networks(
    sections: dict[str, list[Table]], described: int, mistakes: list[Mistake]
) -> None:
    """Let what names no network be of the only one there is.

    Args:
        sections: tables by section; changed in place.
        described: networks in the file, those that cannot be taken included.
        mistakes: are added to.
    """
    taken = [table.label for table in sections.get("network", [])]
    for tables in sections.values():
        for at, table in enumerate(tables):
            if not isinstance(table, OnNetwork) or table.network is not None:
                continue
            if described != 1:
                reason = "is missing; it may be left out where the file describes one network"
                mistakes.append(about(table, "network", reason))
            elif taken:
                tables[at] = msgspec.structs.replace(table, network=taken[0])


def _repeated(sections: Mapping[str, list[Table]]) -> Iterator[Mistake]:
    for tables in sections.values():
        known: dict[tuple[str, ...], Table] = {}
        for table in tables:
            key = tuple(str(part).lower() for part in table.key)
            first = known.setdefault(key, table)
            if first is not table:
                line = f" in line {first.place.line}" if first.place.line else ""
                yield about(table, None, f"is described already{line}")


def _places(text: str) -> dict[str, list[Place]]:
    """Find the lines of tables and keys; tomllib does not tell them."""
    places: dict[str, list[Place]] = {}
    keys: dict[str, int] = {}
    inside = ""
    for number, line in enumerate(text.splitlines(), 1):
        if inside:
            if line.count(inside) % 2:
                inside = ""
            continue
        if header := _HEADER.match(line):
            keys = {}
            known = places.setdefault(header[1], [])
            known.append(Place(len(known) + 1, number, keys))
        elif _ANY_HEADER.match(line):
            keys = {}
        elif found := _KEY.match(line):
            keys.setdefault(found[1] or found[2] or found[3], number)
        for quotes in _LONG_QUOTES:
            if line.count(quotes) % 2:
                inside = quotes
    return places


__all__ = ["Mistake", "Mistaken", "about", "parse"]
