"""Records whose session is beyond doubt, booked without reading it: nearly all there are.

Reading a session, giving it to the state machine of ``accounting`` and writing it back costs ten
times what the packet itself does. So the records go to the database as columns, and one statement
books those that the state machine could book in one way only (see ``certain_queries``); the others
are left to it. What is booked is the same either way.
"""

import struct
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime, timedelta, tzinfo
from socket import AF_INET6, inet_aton, inet_pton
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import msgspec

from demarc.domains.aaa import certain_queries as queries
from demarc.domains.aaa.accounting import Kind, Record, SessionRow, Subscriber
from demarc.domains.aaa.certain_queries import BookedAt
from demarc.domains.aaa.placement import RECEIVED_SLACK, RECKONED_SLACK
from demarc.domains.aaa.session_queries import as_json
from demarc.platform import arrays
from demarc.platform.arrays import BinaryArray
from demarc.platform.clock import day_start
from demarc.platform.database import Tx

_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_EPOCH_DAY = date(2000, 1, 1)
_MICROSECOND = timedelta(microseconds=1)
_QUARTER = timedelta(minutes=15)
_DAY = timedelta(days=1)
# before anything, and within what a timestamp can be
_LONG_AGO = -(10**17)
_MOST = (1 << 63) - 1
_RECKONED = RECKONED_SLACK // _MICROSECOND
_RECEIVED = RECEIVED_SLACK // _MICROSECOND
# Closed sessions that ended so long before a Start are not meant by it.
LOOK_BACK = timedelta(days=1)


class Entry(msgspec.Struct, frozen=True, gc=False):
    """A record and to whom it is booked."""

    subscriber: Subscriber
    record: Record


class Standing(msgspec.Struct, frozen=True, gc=False):
    """How a session stands once a record of it is booked.

    Attributes:
        updated_at: its newest event.
        over: whether it has ended.
        prefixes: IPv6, packed; None where it has none, or nothing new was told of them.
        lasted: seconds from its beginning to its newest event; None where that was not asked.
    """

    id: UUID
    credential_id: UUID
    nas_id: UUID
    nas_address: str
    acct_session_id: str
    calling_station_id: str | None
    framed_ipv4: str | None
    updated_at: datetime
    over: bool
    prefixes: bytes | None = None
    lasted: float | None = None


class LocalDay(msgspec.Struct, frozen=True, gc=False):
    """A local day, every instant of which shows its date: so not one that a clock cuts in two.

    Attributes:
        begin: its first instant.
        end: the first that is no longer of it.
        midnight: ``begin`` as microseconds since 2000.
        day: days since 2000-01-01.
    """

    begin: datetime
    end: datetime
    midnight: int
    day: int


_days: dict[str, tuple[LocalDay, ...]] = {}
_KEPT_DAYS = 3


def local_day(zone: str, at: datetime) -> LocalDay | None:
    """Give the local day of an instant, None where the calendar runs back or skips there."""
    known = _days.get(zone, ())
    for day in known:
        if day.begin <= at < day.end:
            return day
    found = _plain_day(ZoneInfo(zone), at)
    if found is not None:
        # of days that are asked for in turn, as around midnight, none is worked out twice
        _days[zone] = (found, *known[: _KEPT_DAYS - 1])
    return found


def _plain_day(zone: tzinfo, at: datetime) -> LocalDay | None:
    day = at.astimezone(zone).date()
    begin, end = day_start(day, zone), day_start(day + _DAY, zone)
    moment = begin
    while moment < end:
        if moment.astimezone(zone).date() != day:
            return None
        moment += _QUARTER
    if not begin <= at < end:
        return None
    return LocalDay(begin, end, (begin - _EPOCH) // _MICROSECOND, (day - _EPOCH_DAY).days)


async def book_certain(tx: Tx, entries: Sequence[Entry]) -> tuple[list[Standing], list[Entry]]:
    """Book what is beyond doubt.

    Of each credential that is its first record at most, since what follows may depend on it.

    Args:
        tx: of the system; nothing is booked unless it commits.
        entries: in order for each credential.

    Returns:
        The sessions that were booked, and the records that were not, in their order.
    """
    begin, count, end = _first_of_each(entries)
    keys = sorted(lock_key(entries[place].subscriber.credential_id) for place in begin)
    await queries.LOCK.one(tx, keys=arrays.numbers(keys))
    booked: dict[int, UUID] = {}
    for row in await _begin(tx, [entries[place] for place in begin]):
        booked[begin[row.place]] = row.id
    for which, places in ((queries.COUNT_CERTAIN, count), (queries.END_CERTAIN, end)):
        told = _Columns()
        given = [place for place in places if told.add(entries[place])]
        columns = told.columns()
        if columns is None:
            continue
        if which is queries.END_CERTAIN:
            columns["causes"] = arrays.texts([entries[at].record.terminate_cause for at in given])
        for row in await which.all(tx, **columns):
            booked[given[row.place - 1]] = row.id
    stand = [_standing(booked[place], entries[place]) for place in booked]
    return stand, [entry for place, entry in enumerate(entries) if place not in booked]


def _first_of_each(entries: Sequence[Entry]) -> tuple[list[int], list[int], list[int]]:
    """Give the places of each credential's first record: Starts, interims, Stops."""
    begin: list[int] = []
    count: list[int] = []
    end: list[int] = []
    seen: set[int] = set()
    for place, entry in enumerate(entries):
        key = entry.subscriber.credential_id.int
        if key in seen:
            continue
        seen.add(key)
        record = entry.record
        if record.kind is Kind.INTERIM:
            count.append(place)
        elif record.kind is Kind.STOP:
            end.append(place)
        elif not _counts(record):
            begin.append(place)
    return begin, count, end


def lock_key(credential_id: UUID) -> int:
    """Give what stands for a credential among PostgreSQL's advisory locks."""
    key = credential_id.int >> 64
    return key - (1 << 64) if key >> 63 else key


def _standing(session_id: UUID, entry: Entry) -> Standing:
    record = entry.record
    return Standing(
        session_id,
        entry.subscriber.credential_id,
        record.nas_id,
        record.nas_address,
        record.acct_session_id,
        record.station,
        record.framed_ipv4,
        record.at,
        record.kind is Kind.STOP,
    )


def _counts(record: Record) -> bool:
    return bool(
        record.input_octets
        or record.output_octets
        or record.ipv6_input_octets
        or record.ipv6_output_octets
    )


async def _begin(tx: Tx, entries: Sequence[Entry]) -> Iterable[BookedAt]:
    """Book Starts; a place is counted from 0."""
    if not entries:
        return []
    rows = [_begun(entry) for entry in entries]
    places = {row.id: place for place, row in enumerate(rows)}
    since = min(row.started_at for row in rows) - LOOK_BACK
    found = await queries.BEGIN_CERTAIN.all(tx, rows=as_json(rows), since=since)
    return [BookedAt(places[row.id], row.id) for row in found]


def _begun(entry: Entry) -> SessionRow:
    subscriber, record = entry.subscriber, entry.record
    return SessionRow(
        id=uuid4(),
        tenant_id=subscriber.tenant_id,
        owner_id=subscriber.owner_id,
        service_id=subscriber.service_id,
        credential_id=subscriber.credential_id,
        nas_id=record.nas_id,
        nas_address=record.nas_address,
        acct_session_id=record.acct_session_id,
        username=record.username,
        framed_ipv4=record.framed_ipv4,
        framed_ipv6_prefix=record.framed_ipv6_prefix,
        delegated_ipv6_prefix=record.delegated_ipv6_prefix,
        calling_station_id=record.station,
        nas_port_id=record.nas_port_id,
        started_at=record.at,
        updated_at=record.at,
        session_seconds=record.session_seconds or 0,
        input_octets=0,
        output_octets=0,
        ipv6_input_octets=0,
        ipv6_output_octets=0,
        start_told=True,
    )


class _Columns:
    """Records as the columns of a statement."""

    def __init__(self) -> None:
        self._rows: list[tuple[object, ...]] = []

    def add(self, entry: Entry) -> bool:
        """Take a record; False for one that the statement cannot take."""
        subscriber, record = entry.subscriber, entry.record
        day = local_day(subscriber.timezone, record.at)
        if day is None or max(record.input_octets, record.output_octets) > _MOST:
            return False
        at = _microseconds(record.at)
        began = begins = _LONG_AGO
        if record.session_seconds:
            began = at - record.session_seconds * 1_000_000
            begins = began - (_RECKONED if record.exact else _RECEIVED)
        address = record.framed_ipv4
        self._rows.append(
            (
                subscriber.credential_id.bytes,
                record.nas_id.bytes,
                _inet(record.nas_address),
                record.acct_session_id,
                record.station,
                None if address is None else arrays.inet4(inet_aton(address)),
                _prefix(record.framed_ipv6_prefix),
                _prefix(record.delegated_ipv6_prefix),
                int(record.nas_port_id is not None),
                at,
                began,
                begins,
                day.midnight,
                day.day,
                record.session_seconds or 0,
                record.input_octets,
                record.output_octets,
                record.ipv6_input_octets,
                record.ipv6_output_octets,
            )
        )
        return True

    def columns(self) -> dict[str, BinaryArray] | None:
        """Give them by the statement's names; None if there are none, or none that fit."""
        if not self._rows:
            return None
        try:
            return {
                name: make(column)
                for (name, make), column in zip(
                    _MAKERS.items(), zip(*self._rows, strict=True), strict=True
                )
            }
        except struct.error:
            return None


_MAKERS: dict[str, Callable[[Any], BinaryArray]] = {
    "credentials": arrays.uuids,
    "nases": arrays.uuids,
    "nas_addresses": arrays.inets,
    "session_ids": arrays.texts,
    "stations": arrays.texts,
    "addresses": arrays.inets,
    "prefixes": arrays.inets,
    "delegated": arrays.inets,
    "ports": arrays.numbers,
    "at": arrays.moments,
    "began": arrays.moments,
    "begins": arrays.moments,
    "midnight": arrays.moments,
    "day": arrays.dates,
    "seconds": arrays.numbers,
    "input": arrays.numbers,
    "output": arrays.numbers,
    "ipv6_input": arrays.numbers,
    "ipv6_output": arrays.numbers,
}


def _microseconds(at: datetime) -> int:
    since = at - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


_MOST_REMEMBERED = 65_536
_hosts: dict[str, bytes] = {}


def _inet(host: str) -> bytes:
    """Give the address of a NAS, of which there are few."""
    try:
        return _hosts[host]
    except KeyError:
        packed = (
            arrays.inet6(inet_pton(AF_INET6, host))
            if ":" in host
            else arrays.inet4(inet_aton(host))
        )
        if len(_hosts) < _MOST_REMEMBERED:
            _hosts[host] = packed
        return packed


def _prefix(text: str | None) -> bytes | None:
    if text is None:
        return None
    address, _, length = text.partition("/")
    return arrays.inet6(inet_pton(AF_INET6, address), int(length or 128))


__all__ = ["LOOK_BACK", "Entry", "Standing", "book_certain", "local_day", "lock_key"]
