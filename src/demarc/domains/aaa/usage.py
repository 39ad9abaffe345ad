"""When something happened, and on which local days what was counted falls."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec

from demarc.platform.clock import days

# A session first heard of when it is old: its octets are spread over no more days than these.
_LONGEST_SPREAD = timedelta(days=31)
_FURTHEST_AHEAD = timedelta(minutes=5)
_FURTHEST_BACK = timedelta(days=7)


class Octets(msgspec.Struct, gc=False):
    """Octets of a service on a day, IPv6 within the totals."""

    down: int = 0
    up: int = 0
    ipv6_down: int = 0
    ipv6_up: int = 0

    def add(self, other: "Octets") -> None:
        """Add another's octets to these."""
        self.down += other.down
        self.up += other.up
        self.ipv6_down += other.ipv6_down
        self.ipv6_up += other.ipv6_up

    def __bool__(self) -> bool:
        return bool(self.down or self.up or self.ipv6_down or self.ipv6_up)


def spread(
    octets: Octets, start: datetime, end: datetime, zone: ZoneInfo
) -> list[tuple[date, Octets]]:
    """Spread octets over the local days of a span, by time; the parts add up to the whole.

    Args:
        octets: what was counted in the span.
        start: of the span, aware; not before a month ago counts.
        end: of the span, aware; where it is not after the start all is of its day.
        zone: whose days.
    """
    start = max(start, end - _LONGEST_SPREAD)
    last = end.astimezone(zone).date()
    if start >= end or start.astimezone(zone).date() == last:
        return [(last if start < end else max(start, end).astimezone(zone).date(), octets)]
    whole = (end - start) // timedelta(microseconds=1)
    given = Octets()
    parts = []
    for day, _, until in days(start, end, zone):
        passed = (until - start) // timedelta(microseconds=1)
        upto = Octets(
            down=octets.down * passed // whole,
            up=octets.up * passed // whole,
            ipv6_down=octets.ipv6_down * passed // whole,
            ipv6_up=octets.ipv6_up * passed // whole,
        )
        parts.append(
            (
                day,
                Octets(
                    down=upto.down - given.down,
                    up=upto.up - given.up,
                    ipv6_down=upto.ipv6_down - given.ipv6_down,
                    ipv6_up=upto.ipv6_up - given.ipv6_up,
                ),
            )
        )
        given = upto
    return parts


def event_time(
    received: datetime, event_timestamp: int | None, delay_seconds: int | None
) -> tuple[datetime, bool]:
    """Tell when something happened, and whether the NAS said so.

    Args:
        received: when its packet came, UTC.
        event_timestamp: Event-Timestamp (RFC 2869, 5.3), seconds since 1970; believed if it lies
            within a week back and five minutes ahead.
        delay_seconds: Acct-Delay-Time (RFC 2866, 5.2), since when the NAS has tried to tell.
    """
    if event_timestamp is not None:
        stated = datetime.fromtimestamp(event_timestamp, UTC)
        if received - _FURTHEST_BACK <= stated <= received + _FURTHEST_AHEAD:
            return stated, True
    if delay_seconds is not None and 0 <= delay_seconds <= _FURTHEST_BACK.total_seconds():
        return received - timedelta(seconds=delay_seconds), True
    return received, False


__all__ = ["Octets", "event_time", "spread"]
