"""What commands answer: JSON for programs, lines and tables for people."""

import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec


class Shown(msgspec.Struct, frozen=True):
    """An answer whose text says it better than its fields in a table do.

    Attributes:
        data: for JSON.
        text: for people.
        code: the exit code that goes with it.
    """

    data: Any
    text: str
    code: int = 0


def write(answer: object, *, as_json: bool) -> int:
    """Write an answer to standard output and give the exit code."""
    out = sys.stdout
    if as_json:
        data = answer.data if isinstance(answer, Shown) else answer
        out.write(msgspec.json.format(msgspec.json.encode(data), indent=2).decode() + "\n")
    else:
        out.write(as_text(answer))
    out.flush()
    return answer.code if isinstance(answer, Shown) else 0


def as_text(answer: object) -> str:
    """Give an answer as people read it, with the line's end."""
    if isinstance(answer, Shown):
        return answer.text + "\n" if answer.text else ""
    if isinstance(answer, list):
        return _table(answer)
    if isinstance(answer, msgspec.Struct):
        return _card(answer)
    return f"{answer}\n"


def _table(rows: Sequence[msgspec.Struct]) -> str:
    if not rows:
        return "none\n"
    names = [
        name
        for name in rows[0].__struct_fields__
        if any(getattr(row, name) is not msgspec.UNSET for row in rows)
    ]
    cells = [
        [name.replace("_", " ") for name in names],
        *([cell(getattr(row, name)) for name in names] for row in rows),
    ]
    widths = [max(len(line[at]) for line in cells) for at in range(len(names))]
    numeric = [
        all(isinstance(getattr(row, name), int | float | None) for row in rows)
        and any(getattr(row, name) is not None for row in rows)
        for name in names
    ]
    return "".join(
        "  ".join(
            text.rjust(width) if right else text.ljust(width)
            for text, width, right in zip(line, widths, numeric, strict=True)
        ).rstrip()
        + "\n"
        for line in cells
    )


def _card(thing: msgspec.Struct) -> str:
    names = [name for name in thing.__struct_fields__ if getattr(thing, name) is not msgspec.UNSET]
    width = max(len(name) for name in names)
    return "".join(
        f"{name.replace('_', ' ').ljust(width)}  {cell(getattr(thing, name))}".rstrip() + "\n"
        for name in names
    )


def cell(value: object) -> str:
    """Give a value as it stands in a table."""
    if value is None or value is msgspec.UNSET:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S%z").replace("+0000", "Z")
    if isinstance(value, msgspec.Struct):
        value = {name: getattr(value, name) for name in value.__struct_fields__}
    if isinstance(value, dict):
        return " ".join(f"{key}={cell(one)}" for key, one in value.items()) or "-"
    if isinstance(value, Iterable) and not isinstance(value, str):
        return " ".join(cell(one) for one in value) or "-"
    # what others wrote must not steer the terminal
    return "".join(one if one.isprintable() else "�" for one in str(value))


__all__ = ["Shown", "as_text", "cell", "write"]
