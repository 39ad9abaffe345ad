"""Accounting records booked in the database, many in one transaction.

The state machine of ``accounting`` says what becomes of the sessions; here they are read, locked,
given to it and written back. What is booked is durable with the commit and not before.
"""

import asyncio
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from uuid import UUID

from demarc.domains.aaa import nat
from demarc.domains.aaa import session_queries as queries
from demarc.domains.aaa.accounting import (
    NAS_REBOOT,
    STALE,
    Kept,
    Record,
    SessionRow,
    Subscriber,
    SubscriberBook,
    wants_closed,
)
from demarc.domains.aaa.certain import LOOK_BACK, Entry, Standing, book_certain, lock_key
from demarc.domains.aaa.prefixes import pack
from demarc.domains.aaa.session_queries import Counted, LiveUse, UsedOnDay, as_json
from demarc.platform.database import Tx

# The event loop is given back between portions of work of so many subscribers.
_PORTION = 50
_STALE_INTERVALS = 3
_STALE_MORE = timedelta(minutes=10)
_KEEP_SPOOLS = timedelta(days=400)


def stale_after(interim_interval: int) -> float:
    """Give the seconds of silence after which a session counts as gone.

    Args:
        interim_interval: seconds between the interims its NAS was told to send.
    """
    return _STALE_INTERVALS * interim_interval + _STALE_MORE.total_seconds()


async def book(tx: Tx, entries: Sequence[Entry]) -> list[Standing]:
    """Book records, in their order for each credential.

    Args:
        tx: of the system; nothing is booked unless it commits.
        entries: records that belong to sessions.

    Returns:
        The sessions that changed, as they stand now.

    Raises:
        psycopg.DataError: some record holds what cannot be stored.
    """
    if not entries:
        return []
    await nat.note(tx, [(one.subscriber, one.record) for one in entries if one.record.nat])
    stand, others = await book_certain(tx, entries)
    if others:
        stand += [_standing(row) for row in await book_by_reading(tx, others)]
    return stand


async def book_by_reading(tx: Tx, entries: Sequence[Entry]) -> list[SessionRow]:
    """Book records whose session must be looked for; as ``book``, which this is a part of.

    Returns:
        The sessions that changed, as they are now.
    """
    by_credential: dict[UUID, list[Record]] = {}
    subscribers: dict[UUID, Subscriber] = {}
    for entry in entries:
        key = entry.subscriber.credential_id
        subscribers[key] = entry.subscriber
        by_credential.setdefault(key, []).append(entry.record)

    await queries.LOCK_CREDENTIALS.one(tx, keys=sorted(map(lock_key, by_credential)))
    live = await _live(tx, list(by_credential))
    closed = await _closed(tx, by_credential, live)
    changes: list[Kept] = []
    usage: dict[tuple[UUID, date], UsedOnDay] = {}
    for at, (key, records) in enumerate(by_credential.items()):
        if at % _PORTION == _PORTION - 1:
            await asyncio.sleep(0)
        subscriber = subscribers[key]
        booked = SubscriberBook(subscriber, live.get(key, ()), closed.get(key, ()))
        booked.apply(records)
        changes += booked.changes
        for day, octets in booked.usage.items():
            place = (subscriber.service_id, day)
            used = usage.get(place)
            if used is None:
                used = usage[place] = UsedOnDay(
                    subscriber.service_id, day, subscriber.tenant_id, subscriber.owner_id
                )
            # a service may have several credentials; a row may be written once
            used.down += octets.down
            used.up += octets.up
            used.ipv6_down += octets.ipv6_down
            used.ipv6_up += octets.ipv6_up
    await _write(tx, changes)
    if usage:
        await queries.ADD_USAGE.run(tx, rows=as_json(list(usage.values())))
    return [kept.row for kept in changes]


def _standing(row: SessionRow) -> Standing:
    return Standing(
        row.id,
        row.credential_id,
        row.nas_id,
        row.nas_address,
        row.acct_session_id,
        row.calling_station_id,
        row.framed_ipv4,
        row.updated_at,
        row.ended_at is not None,
        pack(row.framed_ipv6_prefix, row.delegated_ipv6_prefix),
        (row.updated_at - row.started_at).total_seconds(),
    )


async def _live(tx: Tx, credentials: list[UUID]) -> dict[UUID, list[SessionRow]]:
    found: dict[UUID, list[SessionRow]] = {}
    for row in await queries.LIVE_OF_CREDENTIALS.all(tx, credentials=credentials):
        found.setdefault(row.credential_id, []).append(row)
    return found


async def _closed(
    tx: Tx, by_credential: dict[UUID, list[Record]], live: dict[UUID, list[SessionRow]]
) -> dict[UUID, list[SessionRow]]:
    """Read the closed sessions that some record may mean; mostly there are none to read."""
    wanted: set[tuple[UUID, str, UUID]] = set()
    oldest: datetime | None = None
    for credential_id, records in by_credential.items():
        alive = live.get(credential_id, ())
        for record in records:
            if wants_closed(record, alive):
                wanted.add((record.nas_id, record.acct_session_id, credential_id))
                began = record.began or record.at
                oldest = began if oldest is None else min(oldest, began)
    found: dict[UUID, list[SessionRow]] = {}
    if oldest is None:
        return found
    nases, session_ids, credentials = zip(*sorted(wanted), strict=True)
    for row in await queries.CLOSED_OF_KEYS.all(
        tx,
        nases=list(nases),
        session_ids=list(session_ids),
        credentials=list(credentials),
        since=oldest - LOOK_BACK,
    ):
        found.setdefault(row.credential_id, []).append(row)
    return found


async def _write(tx: Tx, changes: list[Kept]) -> None:
    living = [k for k in changes if k.stored == "live" and k.row.ended_at is None]
    counted = [_counted(k.row) for k in living if not k.described]
    updated = [k.row for k in living if k.described]
    opened = [k.row for k in changes if k.stored != "live" and k.row.ended_at is None]
    ended = [k.row.id for k in changes if k.stored == "live" and k.row.ended_at is not None]
    # a closed session that changes is written anew: its end decides where it stands
    gone = [k for k in changes if k.stored == "closed"]
    closed = [k.row for k in changes if k.row.ended_at is not None]
    if counted:
        await queries.COUNT_LIVE.run(tx, rows=as_json(counted))
    if updated:
        await queries.UPDATE_LIVE.run(tx, rows=as_json(updated))
    if ended:
        await queries.DELETE_LIVE.run(tx, ids=ended)
    if gone:
        await queries.DELETE_CLOSED.run(
            tx, ids=[k.row.id for k in gone], ends=[k.stored_end for k in gone]
        )
    if opened:
        await queries.INSERT_LIVE.run(tx, rows=as_json(opened))
    if closed:
        await queries.INSERT_CLOSED.run(tx, rows=as_json(closed))


def _counted(row: SessionRow) -> Counted:
    return Counted(
        row.id,
        row.updated_at,
        row.session_seconds,
        row.input_octets,
        row.output_octets,
        row.ipv6_input_octets,
        row.ipv6_output_octets,
    )


async def close_sessions_of_nas(tx: Tx, nas_id: UUID, nas_address: str, at: datetime) -> int:
    """Close the sessions of a NAS that said it has restarted (or shuts down); give how many.

    Args:
        tx: of the system.
        nas_id: the NAS.
        nas_address: which one of its prefix.
        at: when; sessions it told of later are not touched.
    """
    return await queries.CLOSE_OF_NAS.run(
        tx, nas_id=nas_id, nas_address=nas_address, at=at, cause=NAS_REBOOT
    )


async def quarantine(
    tx: Tx, *, owner_id: UUID | None, nas_id: UUID | None, reason: str, packet: bytes
) -> None:
    """Keep a packet that cannot be booked, for a person to see."""
    await queries.QUARANTINE.run(tx, owner_id=owner_id, nas_id=nas_id, reason=reason, packet=packet)


async def spool_position(tx: Tx, spool: UUID) -> int:
    """Give up to where a spool of accounting is booked; 0 for one of which nothing is."""
    found = await queries.SPOOL_POSITION.one(tx, id=spool)
    return 0 if found is None else int(found.value)


async def move_spool_on(tx: Tx, spool: UUID, position: int) -> None:
    """Note that a spool is booked up to a position, with what books it."""
    await queries.MOVE_SPOOL_ON.run(tx, id=spool, position=position)


async def forget_spool(tx: Tx, spool: UUID) -> None:
    """Forget a spool whose file is removed, and those of nodes that never came back."""
    await queries.FORGET_SPOOL.run(tx, id=spool, age=_KEEP_SPOOLS)


async def live_uses(tx: Tx) -> list[LiveUse]:
    """Give all live sessions, as the index of stations takes them."""
    return await queries.LIVE_USES.all(tx)


async def close_stale(tx: Tx) -> int:
    """Close sessions that were not told of for long, a thousand at most; give how many."""
    closed = await queries.CLOSE_STALE.one(
        tx,
        intervals=_STALE_INTERVALS,
        more=int(_STALE_MORE.total_seconds()),
        cause=STALE,
    )
    return 0 if closed is None else int(closed.value)


__all__ = [
    "Entry",
    "Standing",
    "book",
    "book_by_reading",
    "close_sessions_of_nas",
    "close_stale",
    "forget_spool",
    "live_uses",
    "move_spool_on",
    "quarantine",
    "spool_position",
    "stale_after",
]
