"""Times as XML Schema writes them, and as devices do."""

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Final

UNKNOWN: Final = "0001-01-01T00:00:00Z"
"""The standard's unknown time (TR-106, 3.2.1)."""

_FORM: Final = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9})\d*)?\s*"
    r"(Z|[+-]\d\d:?\d\d)?",
    re.IGNORECASE,
)


def read_time(text: str) -> datetime | None:
    """Read a dateTime; None for the unknown time and for what is none.

    A time without a zone is taken for UTC: devices that leave it out have no other.
    """
    match = _FORM.fullmatch(text.strip())
    if match is None or match[1] == "0001":
        return None
    zone = UTC
    if match[8] is not None and match[8] not in {"Z", "z"}:
        digits = match[8][1:].replace(":", "")
        offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
        if offset >= timedelta(hours=24):
            return None
        zone = timezone(-offset if match[8][0] == "-" else offset)
    micros = int((match[7] or "0").ljust(6, "0")[:6])
    try:
        year, month, day, hour, minute, second = (int(match[place]) for place in range(1, 7))
        read = datetime(year, month, day, hour, minute, min(second, 59), micros, tzinfo=zone)
        return read.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def write_time(moment: datetime | None) -> str:
    """Write a time, in UTC and to the second; None as the unknown time."""
    if moment is None:
        return UNKNOWN
    return moment.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat() + "Z"


__all__ = ["UNKNOWN", "read_time", "write_time"]
