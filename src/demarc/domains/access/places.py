"""Where an ONU is when an OLT, or two, name its serial number in several places: rules without I/O.

An ONU that was moved often stays configured where it was, and is offline there. Serial numbers
are copied, too: then two ONUs of one number are online at once.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import msgspec

from demarc.domains.access.ports import OnuReading

FORGET_AFTER: Final = timedelta(days=2)
"""A place not confirmed for so long is given up; longer than any two polls are apart."""


class Standing(msgspec.Struct, frozen=True):
    """Where an ONU is known to hang, and what was last read of it.

    Attributes:
        state: "online" or "offline"; None if it was never read.
    """

    serial: str
    olt_id: UUID
    if_index: int
    onu_index: int
    state: str | None
    read_at: datetime | None


def once_each(readings: Iterable[OnuReading]) -> list[OnuReading]:
    """Leave one reading of each ONU and of each place; what is online counts more."""
    by_serial: dict[str, OnuReading] = {}
    for reading in sorted(readings, key=lambda reading: reading.state == "online"):
        by_serial[reading.serial] = reading
    by_place = {(reading.if_index, reading.onu_index): reading for reading in by_serial.values()}
    return list(by_place.values())


def credible(
    olt_id: UUID,
    readings: Sequence[OnuReading],
    standing: Iterable[Standing],
    *,
    since: datetime,
    read_at: datetime,
) -> tuple[list[OnuReading], list[OnuReading]]:
    """Tell readings of ONUs where they are from those where they only seem to be.

    A reading elsewhere than where the ONU is known to hang counts if it is online there, unless
    this very poll has found it online at its place; one that is offline there counts only once
    its place has not been confirmed for `FORGET_AFTER`.

    Args:
        olt_id: whose readings they are.
        readings: of one poll, one of each ONU.
        standing: what is known of these ONUs; those never seen are left out.
        since: when the poll began.
        read_at: when the readings were made.

    Returns:
        The readings to keep, and those of ONUs that are online in two places at once.
    """
    known = {each.serial: each for each in standing}
    kept: list[OnuReading] = []
    doubles: list[OnuReading] = []
    for reading in readings:
        there = known.get(reading.serial)
        if there is None or there.read_at is None or _is_at(there, olt_id, reading):
            kept.append(reading)
        elif reading.state == "offline":
            if read_at - there.read_at > FORGET_AFTER:
                kept.append(reading)
        elif there.state == "online" and there.read_at >= since:
            doubles.append(reading)
        else:
            kept.append(reading)
    return kept, doubles


def _is_at(there: Standing, olt_id: UUID, reading: OnuReading) -> bool:
    return (there.olt_id, there.if_index, there.onu_index) == (
        olt_id,
        reading.if_index,
        reading.onu_index,
    )
