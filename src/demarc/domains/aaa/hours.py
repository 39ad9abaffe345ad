"""Hours of the week, by the clock on the wall of a place: when a service may be used.

Written as ``mon-fri 18:00-24:00``, ``sat,sun 00:00-24:00`` or ``daily 22:00-06:00``: days, a
beginning and an end. Hours that end at or before they begin go on into the next day.
"""

import re
from bisect import bisect_right
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

import msgspec

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_LINE = re.compile(r"([a-z,-]+)\s+(\d{1,2}):(\d{2})\s*-\s*(\d{1,2}):(\d{2})")
_DAY_MINUTES = 1440
_WEEK = 7
_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)
# Beginnings and ends repeat every week: what lies further ahead is none.
_AHEAD = timedelta(days=8)


class Hours(msgspec.Struct, frozen=True):
    """The same hours of some days of every week.

    Attributes:
        days: on which they begin, 0 is Monday.
        start: minutes of the day.
        end: minutes of the same day, above the start; of the next where more than 1440.
    """

    days: tuple[int, ...]
    start: int
    end: int


def read(line: str) -> Hours:
    """Read hours as they are written.

    Raises:
        ValueError: they are none; the text says why.
    """
    match = _LINE.fullmatch(line.strip().lower())
    if match is None:
        raise ValueError(f'{line!r} is not of the form "mon-fri 08:00-18:00"')
    start, end = (int(match[at]) * 60 + int(match[at + 1]) for at in (2, 4))
    if start >= _DAY_MINUTES or end > _DAY_MINUTES or max(int(match[3]), int(match[5])) > 59:  # noqa: PLR2004
        raise ValueError(f"{line!r} has a time that is not from 00:00 to 24:00")
    return Hours(_days(match[1], line), start, end if end > start else end + _DAY_MINUTES)


def _days(text: str, line: str) -> tuple[int, ...]:
    if text == "daily":
        return tuple(range(_WEEK))
    found: set[int] = set()
    for part in text.split(","):
        first, dash, last = part.partition("-")
        if first not in _DAYS or (dash and last not in _DAYS):
            raise ValueError(f"{line!r} has a day that is none of daily, {', '.join(_DAYS)}")
        begin = _DAYS.index(first)
        length = (_DAYS.index(last) - begin) % _WEEK if dash else 0
        found.update((begin + step) % _WEEK for step in range(length + 1))
    return tuple(sorted(found))


def at(lines: tuple[str, ...], zone: str, now: datetime) -> tuple[bool, datetime | None]:
    """Tell whether a time lies within the hours, and when that changes next.

    Args:
        lines: as they are written; read once.
        zone: IANA name of the place's zone.
        now: aware, in UTC.

    Returns:
        Whether it does, and the instant, in UTC, at which it is no longer so; None where that
        never happens.
    """
    starts, ends = _spans(lines, zone, now.date())
    place = bisect_right(starts, now) - 1
    inside = place >= 0 and now < ends[place]
    if inside:
        border: datetime | None = ends[place]
    else:
        border = starts[place + 1] if place + 1 < len(starts) else None
    return inside, None if border is None or border - now > _AHEAD else border


@lru_cache(maxsize=4096)
def _spans(
    lines: tuple[str, ...], zone: str, day: date
) -> tuple[tuple[datetime, ...], tuple[datetime, ...]]:
    """Give beginnings and ends of the hours around a day, in UTC; those that touch are one."""
    tz = ZoneInfo(zone)
    hours = [read(line) for line in lines]
    spans = []
    # a zone's date differs from that of UTC by one at most; hours may have begun the day before
    for offset in range(-2, 11):
        local = day + offset * _DAY
        for each in hours:
            if local.weekday() in each.days:
                start = _instant(local, each.start, tz)
                end = _instant(local, each.end, tz)
                if start < end:
                    spans.append((start, end))
    spans.sort()
    starts: list[datetime] = []
    ends: list[datetime] = []
    for start, end in spans:
        if ends and start <= ends[-1]:
            ends[-1] = max(ends[-1], end)
        else:
            starts.append(start)
            ends.append(end)
    return tuple(starts), tuple(ends)


def _instant(day: date, minutes: int, tz: tzinfo) -> datetime:
    """Give the first instant at which a clock there shows this time or, if skipped, a later one."""
    wall = datetime.combine(day, time()) + timedelta(minutes=minutes)
    first = wall.replace(tzinfo=tz).astimezone(UTC)
    if first.astimezone(tz).replace(tzinfo=None) == wall:
        return first
    # in a gap: with the offset after it the time lies before the change, with the one before it
    # after; the change itself is found in between
    before, after = wall.replace(tzinfo=tz, fold=1).astimezone(UTC), first
    while after - before > _SECOND:
        middle = before + timedelta(seconds=(after - before) // _SECOND // 2)
        if middle.astimezone(tz).replace(tzinfo=None) < wall:
            before = middle
        else:
            after = middle
    return after


__all__ = ["Hours", "at", "read"]
