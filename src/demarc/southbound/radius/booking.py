"""A batch of accounting packets booked in one transaction, and then acknowledged.

A packet that cannot be booked is put aside durably and acknowledged, since sending it again would
not help; one poisoned packet never holds the others.
"""

import asyncio
from collections.abc import Sequence
from functools import partial
from sys import intern
from uuid import UUID

import msgspec
import structlog

from demarc.domains.aaa import ledger
from demarc.domains.aaa.model import Nas
from demarc.domains.aaa.stations import Heard, Stations
from demarc.platform.clock import Monotonic
from demarc.platform.database import Database, Tx
from demarc.platform.telemetry.counters import count
from demarc.protocols.radius.packet import Code
from demarc.southbound.radius.allowance import Allowance
from demarc.southbound.radius.clients import Clients
from demarc.southbound.radius.credentials import Credentials
from demarc.southbound.radius.limits import Limits
from demarc.southbound.radius.outage import is_outage, write_isolating
from demarc.southbound.radius.records import NasRestart
from demarc.southbound.radius.spool import Spooled
from demarc.southbound.radius.subscribers import Item, subscribers_of

_log = structlog.get_logger(__name__)

_PORTION = 2000
_WARN_EVERY = 60.0

UNKNOWN = "unknown user"
REMOVED = "its NAS was removed meanwhile"


class Replay(msgspec.Struct, frozen=True):
    """What a batch out of a spool moves on, in the transaction that books it.

    Attributes:
        spool: which one.
        ends: the position behind each item, by its ``id()``.
    """

    spool: UUID
    ends: dict[int, int]


class _Booked(msgspec.Struct):
    """What a transaction did, to be taken over once it has committed."""

    sessions: list[ledger.Standing] = []
    restarted: Item | None = None


class Booking:
    """Books batches.

    Args:
        db: where they are booked.
        clients: knows NASes.
        credentials: the log-ins in memory.
        stations: told of sessions that begin and end.
        limits: sizes.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        *,
        db: Database,
        clients: Clients,
        credentials: Credentials,
        stations: Stations,
        limits: Limits,
        clock: Monotonic,
    ) -> None:
        self._db = db
        self._clients = clients
        self._credentials = credentials
        self._stations = stations
        self._clock = clock
        self._quarantine = Allowance(limits.quarantine_hourly)
        self._warned = -_WARN_EVERY
        self._unwarned = 0

    async def book(self, batch: Sequence[Item], replay: Replay | None = None) -> None:
        """Book a batch; what is booked, or put aside, is acknowledged.

        Args:
            batch: in order.
            replay: for packets out of a spool, which were acknowledged before.

        Raises:
            psycopg.Error: the database is away; some of the batch may be booked, and is settled.
        """
        if replay is None:
            await self._isolating(batch, None)
            return
        try:
            await self._book(replay, batch)
        except Exception as error:
            if is_outage(error):
                raise
            # one by one, so that the position never passes what is not booked
            for item in batch:
                await self._isolating([item], replay)

    async def _isolating(self, batch: Sequence[Item], replay: Replay | None) -> None:
        poisoned = await write_isolating(batch, partial(self._book, replay))
        for item, error in poisoned:
            first_line = str(error).partition("\n")[0].replace("\0", "")
            reason = f"{type(error).__name__}: {first_line}"
            async with self._db.system() as tx:
                kept = await self._put_aside(tx, item, reason, replay)
                await _move_on(tx, replay, item)
            if kept:
                self._warn(reason)
                count("radius_accounting", kind="quarantined")
                item.exchange.reply(Code.ACCOUNTING_RESPONSE)
            else:
                _refuse(item)

    async def _book(self, replay: Replay | None, batch: Sequence[Item]) -> None:
        """Book a batch in one transaction; when it has committed, acknowledge."""
        done: list[_Booked] = []
        refused: set[int] = set()
        aside = 0
        async with self._db.system() as tx:
            subscribers = await subscribers_of(tx, batch, self._credentials)
            entries: list[ledger.Entry] = []
            for item in batch:
                told = item.told
                if isinstance(told, NasRestart):
                    # what came before it is of before it
                    done.append(_Booked(await ledger.book(tx, entries)))
                    entries = []
                    await ledger.close_sessions_of_nas(
                        tx, item.exchange.client.nas.id, item.exchange.host, told.at
                    )
                    done.append(_Booked(restarted=item))
                    continue
                subscriber = subscribers.get(id(item))
                if told is None or subscriber is None:
                    if await self._put_aside(tx, item, item.reason or UNKNOWN, replay):
                        aside += 1
                    else:
                        refused.add(id(item))
                else:
                    entries.append(ledger.Entry(subscriber, told))
            done.append(_Booked(await ledger.book(tx, entries)))
            await _move_on(tx, replay, batch[-1])
        # durable now: nothing that goes wrong from here on may have it booked again
        for item in batch:
            if refused and id(item) in refused:
                _refuse(item)
            else:
                item.exchange.reply(Code.ACCOUNTING_RESPONSE)
        count("radius_accounting", len(batch) - aside - len(refused), kind="booked")
        count("radius_accounting", aside, kind="quarantined")
        try:
            await self._take_over(done)
        except Exception:  # noqa: BLE001 - logged
            _log.exception("what was booked could not be taken over")

    async def keep_orphan(self, packet: Spooled, replay: Replay, end: int) -> None:
        """Put a packet out of a spool aside whose NAS was removed meanwhile."""
        async with self._db.system() as tx:
            await ledger.quarantine(
                tx, owner_id=None, nas_id=packet.nas_id, reason=REMOVED, packet=packet.raw
            )
            await ledger.move_spool_on(tx, replay.spool, end)
        self._warn(REMOVED)
        count("radius_accounting", kind="quarantined")

    async def _put_aside(self, tx: Tx, item: Item, reason: str, replay: Replay | None) -> bool:
        """Keep a packet for a person to see; False when its NAS has had too many kept.

        What was acknowledged out of a spool is kept in any case: the spool has its own limit.
        """
        nas = item.exchange.client.nas
        if replay is None and not self._quarantine.take(nas.id, self._clock()):
            return False
        await ledger.quarantine(
            tx,
            owner_id=nas.owner_id,
            nas_id=nas.id,
            reason=reason,
            packet=item.exchange.packet.raw,
        )
        return True

    def _warn(self, reason: str) -> None:
        """Say that packets are put aside, once a minute however many there are."""
        now = self._clock()
        self._unwarned += 1
        if now - self._warned >= _WARN_EVERY:
            _log.warning(
                "accounting packets were put aside", number=self._unwarned, last_reason=reason
            )
            self._warned, self._unwarned = now, 0

    async def _take_over(self, done: Sequence[_Booked]) -> None:
        now = self._clock()
        for booked in done:
            for row in booked.sessions:
                client = self._clients.by_id(row.nas_id)
                if client is not None:
                    lasts = ledger.stale_after(client.nas.interim_interval)
                    self._stations.note(_heard(row, client.nas), now, lasts)
            item = booked.restarted
            if item is not None and isinstance(item.told, NasRestart):
                credentials = self._stations.credentials()
                for start in range(0, len(credentials), _PORTION):
                    self._stations.forget_nas(
                        credentials[start : start + _PORTION],
                        item.exchange.client.nas.id,
                        item.exchange.host,
                        item.told.at,
                        now,
                    )
                    await asyncio.sleep(0)


async def _move_on(tx: Tx, replay: Replay | None, item: Item) -> None:
    if replay is not None:
        await ledger.move_spool_on(tx, replay.spool, replay.ends[id(item)])


def _heard(row: ledger.Standing, nas: Nas) -> Heard:
    # what many sessions have in common is kept once
    return Heard(
        network_id=nas.network_id,
        credential_id=row.credential_id,
        session=(nas.id, intern(row.nas_address), row.acct_session_id),
        station=row.calling_station_id,
        address=row.framed_ipv4,
        at=row.updated_at,
        over=row.over,
        prefixes=row.prefixes,
        lasted=row.lasted,
    )


def _refuse(item: Item) -> None:
    count("radius_dropped", reason="quarantine full")
    item.exchange.drop()


__all__ = ["Booking", "Replay"]
