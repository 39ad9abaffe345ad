"""Textual conventions of SNMP that are octets inside an OCTET STRING (RFC 2579)."""

from __future__ import annotations

import struct
from datetime import UTC, datetime, timedelta, timezone
from typing import Final

from demarc.protocols.snmp.ber import Malformed

_WITHOUT_ZONE: Final = struct.Struct(">HBBBBBB")
_LEAP_SECOND: Final = 60
_DECISECONDS: Final = 9


def encode_date_and_time(moment: datetime | None) -> bytes:
    """Encode a moment as the 8 octets of DateAndTime without a zone, in UTC.

    Args:
        moment: an aware moment, or None, which becomes eight zeros as devices write "never".
    """
    if moment is None:
        return bytes(_WITHOUT_ZONE.size)
    utc = moment.astimezone(UTC)
    return _WITHOUT_ZONE.pack(
        utc.year,
        utc.month,
        utc.day,
        utc.hour,
        utc.minute,
        utc.second,
        utc.microsecond // 100_000,
    )


def decode_date_and_time(octets: bytes) -> datetime | None:
    """Decode DateAndTime: 8 octets, or 11 with the distance from UTC.

    Returns:
        The moment, aware. Without a zone it is read as UTC, which is right only for a device
        whose clock runs in UTC. None for an empty string and for a date outside the calendar
        (all zeros, all ones), which is how devices say "never".

    Raises:
        Malformed: neither 0, 8 nor 11 octets, or a zone that is none.
    """
    if not octets:
        return None
    if len(octets) not in (_WITHOUT_ZONE.size, _WITHOUT_ZONE.size + 3):
        raise Malformed(f"a DateAndTime has {len(octets)} octets, not 8 or 11")
    year, month, day, hour, minute, second, tenth = _WITHOUT_ZONE.unpack_from(octets)
    # A leap second is written 60, which datetime has no place for.
    leap = second == _LEAP_SECOND
    try:
        moment = datetime(year, month, day, hour, minute, 59 if leap else second, tzinfo=UTC)
        moment += timedelta(seconds=leap, milliseconds=100 * min(tenth, _DECISECONDS))
        if len(octets) > _WITHOUT_ZONE.size:
            moment = moment.replace(tzinfo=_zone(octets[_WITHOUT_ZONE.size :])).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return moment


def _zone(octets: bytes) -> timezone:
    direction, hours, minutes = octets
    distance = timedelta(hours=hours, minutes=minutes)
    if direction not in b"+-" or distance >= timedelta(days=1):
        raise Malformed("the zone of a DateAndTime is none")
    return timezone(distance if direction == ord("+") else -distance)
