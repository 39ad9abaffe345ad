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
from datetime import date, datetime
from typing import Literal
from uuid import uuid4
from zoneinfo import ZoneInfo

import msgspec

from demarc.domains.aaa.placement import may_be, not_heard_since, relation, wants_closed
from demarc.domains.aaa.sessions import (
    NAS_REBOOT,
    PROVISIONAL,
    STALE,
    SUPERSEDED,
    Kind,
    Record,
    SessionRow,
    Subscriber,
)
from demarc.domains.aaa.usage import Octets, event_time, spread


class Kept(msgspec.Struct, gc=False):
    """A session in the hands of the state machine.

    Attributes:
        stored: where it stands in the database, "" nowhere yet.
        stored_end: its ``ended_at`` there.
        changed: whether it differs from what stands there.
        described: whether more than its counters differs.
    """

    row: SessionRow
    stored: Literal["", "live", "closed"] = ""
    stored_end: datetime | None = None
    changed: bool = False
    described: bool = False


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
        same_id = [kept for kept in self._kept if may_be(kept.row, record)]
        same_id.sort(key=lambda kept: _newness(kept.row), reverse=True)
        for kept in same_id:
            related = relation(kept.row, record)
            if related == 0:
                return kept, overtaken
            if related > 0:
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
        kept.described |= _describe(row, record)
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
            start_told=record.kind is Kind.START,
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
            replaced = may_be(old, record)
            if not replaced:
                same_line = (
                    row.calling_station_id is not None
                    and old.calling_station_id == row.calling_station_id
                    and (old.nas_id, old.nas_address) == (row.nas_id, row.nas_address)
                )
                same_address = row.framed_ipv4 is not None and old.framed_ipv4 == row.framed_ipv4
                replaced = (same_line or same_address) and not_heard_since(old, row.started_at)
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


def _newness(row: SessionRow) -> tuple[object, ...]:
    # what began at once is in an order all the same, so that nothing hangs on that of the rows
    return (row.started_at, row.updated_at, row.calling_station_id or "", row.framed_ipv4 or "")


def _describe(row: SessionRow, record: Record) -> bool:
    """Take over what a record tells of its session, if it is the newest or the first to tell.

    Returns:
        Whether that was anything new.
    """
    before = _description(row)
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
    if record.kind is Kind.START:
        row.start_told = True
        row.started_at = min(row.started_at, record.at)
    return _description(row) != before


def _description(row: SessionRow) -> tuple[object, ...]:
    return (
        row.framed_ipv4,
        row.framed_ipv6_prefix,
        row.delegated_ipv6_prefix,
        row.calling_station_id,
        row.nas_port_id,
        row.start_told,
        row.started_at,
    )


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
