"""Accounting as a state machine without I/O: sessions and records in, sessions and usage out.

Packets are lost, doubled and overtaken; NASes use one Acct-Session-Id for all or use an old one
anew; counters run backwards or are zero at the end. What comes out depends on none of that as
far as it can be told apart: a session's counters are the highest that were reported for it, and
the usage of days is the sum of their increases. So a packet that is told twice counts once.

Which session a record means is told by NAS, Acct-Session-Id and station, and then by time: a
session that began (time of the event less Acct-Session-Time) after another was last heard of is
a new one under an old id; an event before a session's beginning is of an older one.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from enum import IntEnum
from typing import Literal
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import msgspec

from demarc.platform.clock import days

SUPERSEDED = "Superseded"
STALE = "Stale"
NAS_REBOOT = "NAS-Reboot"

PROVISIONAL = frozenset({SUPERSEDED, STALE, NAS_REBOOT})
"""Causes of an end that we concluded ourselves; a Stop corrects it, an interim takes it back."""

# Times are whole seconds, and a NAS takes both of an event within one or two.
_SLACK = timedelta(seconds=2)
# How far the beginning, reckoned from Acct-Session-Time, may be off: the session's time begins
# with the line, the Start is sent when the session is complete.
_RECKONED = timedelta(seconds=5)
# Without a time stamp of the NAS an event is placed by its receipt, a retransmission's too.
_RECEIVED = timedelta(seconds=60)
# A session first heard of when it is old: its octets are spread over no more days than these.
_LONGEST_SPREAD = timedelta(days=31)


class Kind(IntEnum):
    """Acct-Status-Type (RFC 2866, 5.1) of records that belong to a session."""

    START = 1
    STOP = 2
    INTERIM = 3


class Subscriber(msgspec.Struct, frozen=True):
    """To whom a session is booked.

    Attributes:
        timezone: its midnights part the days of usage.
    """

    credential_id: UUID
    tenant_id: UUID
    owner_id: UUID
    service_id: UUID
    timezone: str


class Record(msgspec.Struct, frozen=True):
    """What one Accounting-Request says, counters 64 bits wide and the right way round.

    Attributes:
        at: when it happened, UTC.
        exact: the NAS said when (Event-Timestamp or Acct-Delay-Time); else it is the receipt.
        session_seconds: None when it was not told, or as zero.
        input_octets: from the subscriber; 0 when not told. The others likewise.
        station: Calling-Station-Id.
        terminate_cause: of a Stop.
    """

    kind: Kind
    nas_id: UUID
    nas_address: str
    acct_session_id: str
    username: str
    at: datetime
    exact: bool
    session_seconds: int | None = None
    input_octets: int = 0
    output_octets: int = 0
    ipv6_input_octets: int = 0
    ipv6_output_octets: int = 0
    framed_ipv4: str | None = None
    framed_ipv6_prefix: str | None = None
    delegated_ipv6_prefix: str | None = None
    station: str | None = None
    nas_port_id: str | None = None
    terminate_cause: str = "Unknown"

    @property
    def began(self) -> datetime | None:
        """When its session began, as far as it tells."""
        if self.kind is Kind.START:
            return self.at
        if not self.session_seconds:
            return None
        return self.at - timedelta(seconds=self.session_seconds)


class SessionRow(msgspec.Struct):
    """A session as it is stored: live without ``ended_at``, closed with it."""

    id: UUID
    tenant_id: UUID
    owner_id: UUID
    service_id: UUID
    credential_id: UUID
    nas_id: UUID
    nas_address: str
    acct_session_id: str
    username: str
    framed_ipv4: str | None
    framed_ipv6_prefix: str | None
    delegated_ipv6_prefix: str | None
    calling_station_id: str | None
    nas_port_id: str | None
    started_at: datetime
    updated_at: datetime
    session_seconds: int
    input_octets: int
    output_octets: int
    ipv6_input_octets: int
    ipv6_output_octets: int
    ended_at: datetime | None = None
    terminate_cause: str | None = None


class Octets(msgspec.Struct):
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


class Kept(msgspec.Struct):
    """A session in the hands of the state machine.

    Attributes:
        stored: where it stands in the database, "" nowhere yet.
        stored_end: its ``ended_at`` there.
        changed: whether it differs from what stands there.
    """

    row: SessionRow
    stored: Literal["", "live", "closed"] = ""
    stored_end: datetime | None = None
    changed: bool = False


class SubscriberBook:
    """The sessions of one credential, and what records make of them.

    Args:
        subscriber: to whom they are booked.
        live: its live sessions, all of them.
        closed: its closed sessions that the records may still mean (see ``wants_closed``).
    """

    def __init__(
        self,
        subscriber: Subscriber,
        live: Iterable[SessionRow] = (),
        closed: Iterable[SessionRow] = (),
    ) -> None:
        self._subscriber = subscriber
        self._zone = ZoneInfo(subscriber.timezone)
        self._kept = [Kept(row, "live") for row in live]
        self._kept += [Kept(row, "closed", row.ended_at) for row in closed]
        self.usage: dict[date, Octets] = {}

    @property
    def changes(self) -> list[Kept]:
        """The sessions that differ from what is stored."""
        return [kept for kept in self._kept if kept.changed]

    def apply(self, records: Sequence[Record]) -> None:
        """Take records in the order they were received."""
        for record in records:
            self._take(record)

    def _take(self, record: Record) -> None:
        found, overtaken = self._find(record)
        if found is not None:
            self._merge(found, record)
        elif record.kind is not Kind.START or not overtaken:
            self._open(record, overtaken=overtaken)
        # else: the Start of a session that was followed by another has nothing to tell

    def _find(self, record: Record) -> tuple[Kept | None, bool]:
        """Find the session a record means, and whether a later one was met on the way."""
        overtaken = False
        just_begun = None
        same_id = [kept for kept in self._kept if _may_be(kept.row, record)]
        same_id.sort(key=lambda kept: kept.row.started_at, reverse=True)
        for kept in same_id:
            relation = _relation(kept.row, record)
            if relation == 0:
                return kept, overtaken
            if relation > 0:
                break
            overtaken = True
            if record.at >= kept.row.started_at:
                just_begun = kept
        # no session before it is known that the record could be of: then it is of this one,
        # whatever time the NAS says it has lasted (people who try a server out make that up)
        return just_begun, overtaken and just_begun is None

    def _merge(self, kept: Kept, record: Record) -> None:
        row = kept.row
        self._count(row, record)
        if record.kind is Kind.START and record.at < row.started_at:
            row.started_at = record.at
        _describe(row, record)
        row.updated_at = max(row.updated_at, record.at)
        if record.kind is Kind.STOP:
            if row.ended_at is None or row.terminate_cause in PROVISIONAL:
                row.ended_at = max(record.at, row.started_at)
                row.terminate_cause = record.terminate_cause
        elif (
            row.terminate_cause in PROVISIONAL
            and row.ended_at is not None
            and record.at > row.ended_at
        ):
            if record.kind is Kind.INTERIM and not self._has_live(row):
                row.ended_at = row.terminate_cause = None
            else:
                row.ended_at = record.at
        kept.changed = True

    def _open(self, record: Record, *, overtaken: bool) -> None:
        began = min(record.began or record.at, record.at)
        row = SessionRow(
            id=uuid4(),
            tenant_id=self._subscriber.tenant_id,
            owner_id=self._subscriber.owner_id,
            service_id=self._subscriber.service_id,
            credential_id=self._subscriber.credential_id,
            nas_id=record.nas_id,
            nas_address=record.nas_address,
            acct_session_id=record.acct_session_id,
            username=record.username,
            framed_ipv4=None,
            framed_ipv6_prefix=None,
            delegated_ipv6_prefix=None,
            calling_station_id=None,
            nas_port_id=None,
            started_at=began,
            updated_at=began,
            session_seconds=0,
            input_octets=0,
            output_octets=0,
            ipv6_input_octets=0,
            ipv6_output_octets=0,
        )
        self._count(row, record)
        _describe(row, record)
        row.updated_at = record.at
        if record.kind is Kind.STOP:
            row.ended_at, row.terminate_cause = record.at, record.terminate_cause
        elif overtaken:
            row.ended_at, row.terminate_cause = record.at, SUPERSEDED
        if not overtaken:
            self._supersede(row, record)
        self._kept.append(Kept(row, changed=True))

    def _supersede(self, row: SessionRow, record: Record) -> None:
        """End live sessions that cannot live beside one that has just begun."""
        for kept in self._kept:
            old = kept.row
            if old.ended_at is not None:
                continue
            replaced = _may_be(old, record)
            if not replaced:
                same_line = (
                    row.calling_station_id is not None
                    and old.calling_station_id == row.calling_station_id
                    and (old.nas_id, old.nas_address) == (row.nas_id, row.nas_address)
                )
                same_address = row.framed_ipv4 is not None and old.framed_ipv4 == row.framed_ipv4
                replaced = (same_line or same_address) and old.updated_at <= (
                    row.started_at + _SLACK
                )
            if replaced:
                old.ended_at, old.terminate_cause = old.updated_at, SUPERSEDED
                kept.changed = True

    def _has_live(self, row: SessionRow) -> bool:
        return any(
            kept.row is not row
            and kept.row.ended_at is None
            and kept.row.acct_session_id == row.acct_session_id
            and (kept.row.nas_id, kept.row.nas_address) == (row.nas_id, row.nas_address)
            and kept.row.calling_station_id == row.calling_station_id
            and kept.row.framed_ipv4 == row.framed_ipv4
            for kept in self._kept
        )

    def _count(self, row: SessionRow, record: Record) -> None:
        """Raise a session's counters to a record's, and book the increase."""
        row.session_seconds = max(row.session_seconds, record.session_seconds or 0)
        increase = Octets(
            down=max(0, record.output_octets - row.output_octets),
            up=max(0, record.input_octets - row.input_octets),
            ipv6_down=max(0, record.ipv6_output_octets - row.ipv6_output_octets),
            ipv6_up=max(0, record.ipv6_input_octets - row.ipv6_input_octets),
        )
        if not increase:
            return
        row.output_octets += increase.down
        row.input_octets += increase.up
        row.ipv6_output_octets += increase.ipv6_down
        row.ipv6_input_octets += increase.ipv6_up
        for day, octets in spread(increase, row.updated_at, record.at, self._zone):
            booked = self.usage.get(day)
            if booked is None:
                self.usage[day] = octets
            else:
                booked.add(octets)


def _may_be(row: SessionRow, record: Record) -> bool:
    """Tell whether a session has the names that a record gives."""
    if (
        row.acct_session_id != record.acct_session_id
        or row.nas_id != record.nas_id
        or row.nas_address != record.nas_address
    ):
        return False
    if row.calling_station_id is not None and record.station is not None:
        return row.calling_station_id == record.station
    return (
        row.framed_ipv4 is None
        or record.framed_ipv4 is None
        or row.framed_ipv4 == record.framed_ipv4
    )


def _relation(row: SessionRow, record: Record) -> int:
    """Tell whether a record is of a session (0), of a newer (1) or of an older one (-1)."""
    began = record.began
    slack = _SLACK if record.exact else _RECEIVED
    # what has really ended tells nothing later
    over = row.ended_at if row.terminate_cause not in PROVISIONAL else None
    late = over is not None and record.at > over + slack
    if late and record.exact:
        return 1
    if over is not None and not record.exact and _is_repeated_stop(row, record):
        return 0
    if began is None:
        return -1 if record.at < row.started_at else int(late)
    tolerance = _RECEIVED
    if record.exact:
        tolerance = _SLACK if record.kind is Kind.START else _RECKONED
    if began < row.started_at - max(tolerance, _RECKONED) and _is_before(row, record):
        return -1
    last_heard = row.ended_at or row.updated_at
    if began > row.started_at + tolerance and began >= last_heard - _SLACK:
        return 1
    return 0


def _is_before(row: SessionRow, record: Record) -> bool:
    """Tell whether what a record tells was over when the session began.

    A Stop of the very second in which a session began, of which nothing more is known yet, may
    be that of the session before it. Anything else from then on is of the session that is up.
    """
    if record.at < row.started_at:
        return True
    untold = row.session_seconds == 0 and row.updated_at <= row.started_at + _SLACK
    return (
        record.exact
        and record.kind is Kind.STOP
        and untold
        and record.at <= row.started_at + _SLACK
    )


def _is_repeated_stop(row: SessionRow, record: Record) -> bool:
    """Tell a Stop that is sent again, unchanged, long after the first."""
    return (
        record.kind is Kind.STOP
        and (record.session_seconds or 0) == row.session_seconds
        and record.input_octets == row.input_octets
        and record.output_octets == row.output_octets
    )


def _describe(row: SessionRow, record: Record) -> None:
    """Take over what a record tells of its session, if it is the newest or the first to tell."""
    newest = record.at >= row.updated_at
    if record.framed_ipv4 is not None and (newest or row.framed_ipv4 is None):
        row.framed_ipv4 = record.framed_ipv4
    if record.framed_ipv6_prefix is not None and (newest or row.framed_ipv6_prefix is None):
        row.framed_ipv6_prefix = record.framed_ipv6_prefix
    if record.delegated_ipv6_prefix is not None and (newest or row.delegated_ipv6_prefix is None):
        row.delegated_ipv6_prefix = record.delegated_ipv6_prefix
    if row.calling_station_id is None:
        row.calling_station_id = record.station
    if row.nas_port_id is None:
        row.nas_port_id = record.nas_port_id


def wants_closed(record: Record, live: Iterable[SessionRow]) -> bool:
    """Tell whether closed sessions must be at hand to place a record.

    They need not when it is of a live session, as most are.
    """
    return not any(_may_be(row, record) and _relation(row, record) == 0 for row in live)


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


_FURTHEST_AHEAD = timedelta(minutes=5)
_FURTHEST_BACK = timedelta(days=7)


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


__all__ = [
    "NAS_REBOOT",
    "PROVISIONAL",
    "STALE",
    "SUPERSEDED",
    "Kept",
    "Kind",
    "Octets",
    "Record",
    "SessionRow",
    "Subscriber",
    "SubscriberBook",
    "event_time",
    "spread",
    "wants_closed",
]
