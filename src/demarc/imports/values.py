"""Values of columns, taken strictly: what could mean two things is refused."""

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from demarc.domains.aaa.macs import canonical
from demarc.imports.entry import Refused
from demarc.platform.clock import day_start

_DECIMAL = re.compile(r"[+-]?[0-9]{1,14}(?:\.[0-9]{1,10})?")
_INTEGER = re.compile(r"[0-9]{1,18}")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?"
    r"(?P<offset>Z|[+-][0-9]{2}:?[0-9]{2}|[+-][0-9]{2})?"
)
_SPEED = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)\s*([kKmMgGtT]?)(?:bps|bit/s)?")
_FACTOR = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}
_FASTEST = 10**15


def decimal(field: str, text: str) -> Decimal:
    """Take a decimal with a point; "1.234,50" and "1,5" could mean two things.

    Raises:
        Refused: it is none.
    """
    if not _DECIMAL.fullmatch(text):
        raise Refused(field, f"{text!r} is no decimal", "write it with a point: 1234.50")
    return Decimal(text)


def degrees(field: str, text: str) -> float:
    """Take a coordinate.

    Raises:
        Refused: it is none.
    """
    return float(decimal(field, text))


def integer(field: str, text: str) -> int:
    """Take a whole number, not below 0.

    Raises:
        Refused: it is none.
    """
    if not _INTEGER.fullmatch(text):
        raise Refused(field, f"{text!r} is no whole number")
    return int(text)


def speed(field: str, text: str) -> int:
    """Take a speed, bit/s: a number, or such as "100M", "2.5G", "512k" (powers of 1000).

    Raises:
        Refused: it is none, or not a whole number of bit/s.
    """
    found = _SPEED.fullmatch(text.strip())
    value = Decimal(found[1]) * _FACTOR[found[2].lower()] if found else Decimal(0)
    if value != int(value) or not 1 <= value <= _FASTEST:
        raise Refused(field, f"{text!r} is no speed", 'write bit/s, or "100M", "2.5G", "512k"')
    return int(value)


def moment(field: str, text: str, zone: ZoneInfo) -> datetime:
    """Take a day or a time of ISO 8601, as UTC.

    Args:
        field: the column, for what is wrong.
        text: a day, which begins at its midnight, or a time; without an offset from UTC both are
            of the zone.
        zone: the ISP's.

    Raises:
        Refused: it is neither ("03/04/2026" could mean two days).
    """
    try:
        if _DATE.fullmatch(text):
            return day_start(date.fromisoformat(text), zone)
        found = _TIME.fullmatch(text)
        if found:
            read = datetime.fromisoformat(text)
            return (read.replace(tzinfo=zone) if read.tzinfo is None else read).astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise Refused(
        field, f"{text!r} is no time", "write 2026-01-31 or 2026-01-31T12:00:00-03:00 (ISO 8601)"
    )


def mac(field: str, text: str) -> str:
    """Take a MAC address in any of its usual forms; give it in the one it is compared in.

    Raises:
        Refused: it is none.
    """
    found = canonical(text)
    if found is None:
        raise Refused(field, f"{text!r} is no MAC address")
    return found


__all__ = ["decimal", "degrees", "integer", "mac", "moment", "speed"]
