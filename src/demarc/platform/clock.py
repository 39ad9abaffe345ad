"""The time, and how a span of it falls on local days.

Code that depends on the time takes a `Clock` (or a `Monotonic` for measuring how long something
lasts), so that a test can give it one that stands still.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, tzinfo

Clock = Callable[[], datetime]
"""Gives the present as an aware datetime in UTC."""

Monotonic = Callable[[], float]
"""Gives seconds that never run backwards, from an arbitrary start."""

_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)


def now() -> datetime:
    """Give the present, aware, in UTC."""
    return datetime.now(UTC)


def day_start(day: date, tz: tzinfo) -> datetime:
    """Give the instant a local day begins, in UTC.

    That is the first instant at which the local calendar shows this day or a later one. It is
    usually midnight, but a clock put forward may skip midnight or, at the date line, a whole day
    (which then begins and ends in the same instant), and one put back may show midnight twice
    (the first one counts).

    Args:
        day: the local day.
        tz: the zone whose calendar is meant.
    """
    midnight = datetime(day.year, day.month, day.day, tzinfo=tz)
    first = midnight.astimezone(UTC)
    if first.astimezone(tz).replace(tzinfo=None) == midnight.replace(tzinfo=None):
        return first
    # Midnight is in a gap. Read with the offset after the gap it lies before the change, read
    # with the one before the gap it lies after it; the change itself is found in between.
    before, after = midnight.replace(fold=1).astimezone(UTC), first
    while after - before > _SECOND:
        middle = before + timedelta(seconds=(after - before) // _SECOND // 2)
        if middle.astimezone(tz).date() < day:
            before = middle
        else:
            after = middle
    return after


def days(start: datetime, end: datetime, tz: tzinfo) -> list[tuple[date, datetime, datetime]]:
    """Split a span of time at the beginnings of local days.

    Args:
        start: aware; the first instant of the span.
        end: aware; the instant the span ends, not part of it.
        tz: the zone whose days are meant.

    Returns:
        (local day, start, end) in order, in UTC, touching one another, together the whole span.
        None is empty, so that an empty span gives an empty list and a day that the zone skipped
        is not there.

    Raises:
        ValueError: a time is naive, or the end lies before the start.
    """
    if start.tzinfo is None or end.tzinfo is None:
        raise ValueError("a span of time needs aware datetimes")
    if end < start:
        raise ValueError("a span of time cannot end before it starts")
    at, end = start.astimezone(UTC), end.astimezone(UTC)
    day = at.astimezone(tz).date()
    pieces: list[tuple[date, datetime, datetime]] = []
    while at < end:
        border = day_start(day + _DAY, tz)
        # not later where the clock was put back over midnight: the next day has begun already
        if border > at:
            pieces.append((day, at, min(border, end)))
            at = border
        day += _DAY
    return pieces


__all__ = ["Clock", "Monotonic", "day_start", "days", "now"]
