"""Login-Time, as FreeRADIUS writes hours of the week: ``Wk0855-2305,Sa,Su2305-1655``."""

import re

_DAYS = {
    "mo": "mon",
    "tu": "tue",
    "we": "wed",
    "th": "thu",
    "fr": "fri",
    "sa": "sat",
    "su": "sun",
    "wk": "mon-fri",
    "any": "daily",
    "al": "daily",
}
_DAY = re.compile(r"(wk|any|al|mo|tu|we|th|fr|sa|su)(?:-(mo|tu|we|th|fr|sa|su))?")


def hours_of(text: str) -> tuple[str, ...] | None:
    """Give the hours as profiles write them.

    Returns:
        Empty where there is no limit at all; None if it cannot be read.
    """
    lines: list[str] = []
    for part in re.split(r"[,|]", text.strip().lower()):
        days, clock = _split(part.strip())
        if days is None or clock is None:
            return None
        if days == ["daily"] and clock == "00:00-24:00":
            return ()
        lines.append(f"{'daily' if 'daily' in days else ','.join(days)} {clock}")
    return tuple(lines)


def _split(part: str) -> tuple[list[str] | None, str | None]:
    days: list[str] = []
    at = 0
    while (found := _DAY.match(part, at)) is not None:
        first = _DAYS[found[1]]
        days.append(first if found[2] is None else f"{first}-{_DAYS[found[2]]}")
        at = found.end()
    clock = re.fullmatch(r"([0-2][0-9])([0-5][0-9])-([0-2][0-9])([0-5][0-9])", part[at:])
    if not days or (clock is None and part[at:]):
        return None, None
    if clock is None:
        return days, "00:00-24:00"
    if (clock[1], clock[2]) == (clock[3], clock[4]) or clock[1] > "23" or clock[3] > "24":
        return None, None
    end = "24:00" if clock[3] + clock[4] in ("2359", "2400") else f"{clock[3]}:{clock[4]}"
    return days, f"{clock[1]}:{clock[2]}-{end}"


__all__ = ["hours_of"]
