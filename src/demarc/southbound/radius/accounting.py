"""Accounting-Requests booked in batches, and acknowledged once that is durable.

While one batch commits the next gathers (group commit). A packet that cannot be booked is put
aside durably and acknowledged, since sending it again would not help; while the database is away
nothing is acknowledged, and what waits is booked when it is back.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from sys import intern

import msgspec
import structlog

from demarc.domains.aaa import ledger
from demarc.domains.aaa.accounting import Record
from demarc.domains.aaa.model import Nas
from demarc.domains.aaa.stations import Heard, Stations
from demarc.platform.clock import Monotonic
from demarc.platform.database import Database, Tx
from demarc.platform.telemetry.counters import count
from demarc.protocols.radius.errors import Malformed
from demarc.protocols.radius.packet import Code
from demarc.southbound.radius.allowance import Allowance
from demarc.southbound.radius.clients import Clients
from demarc.southbound.radius.credentials import Credentials
from demarc.southbound.radius.exchange import Exchange
from demarc.southbound.radius.limits import Limits
from demarc.southbound.radius.outage import is_outage, within, write_isolating
from demarc.southbound.radius.records import NasRestart, read
from demarc.southbound.radius.replies import CLASS, credential_of
from demarc.southbound.radius.subscribers import Item, subscribers_of

_log = structlog.get_logger(__name__)

_WRITE_WITHIN = 10.0
_PAUSE = 0.5
_PORTION = 2000

UNKNOWN = "unknown user"


class _Booked(msgspec.Struct):
    """What a transaction did, to be taken over once it has committed."""

    sessions: list[ledger.Standing] = []
    restarted: Item | None = None


class Accountant:
    """Books Accounting-Requests.

    Args:
        db: where they are booked.
        clients: knows realms.
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
        self._limits = limits
        self._clock = clock
        self._quarantine = Allowance(limits.quarantine_hourly)
        self._waiting: deque[Item] = deque()
        self._under_way = 0
        self._some = asyncio.Event()
        self._stopping = False
        self._away = False

    def take(self, exchange: Exchange) -> None:
        """Put a request among those to be booked; overload is met with silence."""
        if len(self._waiting) >= self._limits.accounting_waiting:
            count("radius_dropped", reason="overload")
            exchange.drop()
            return
        item = self._read(exchange)
        if item.told is None and item.reason is None:
            # nothing to book: tunnels and the like
            exchange.reply(Code.ACCOUNTING_RESPONSE)
            count("radius_accounting", kind="ignored")
            return
        self._waiting.append(item)
        self._some.set()

    def _read(self, exchange: Exchange) -> Item:
        packet, client = exchange.packet, exchange.client
        try:
            told = read(packet, client.nas, exchange.host, exchange.received)
        except Malformed as reason:
            return Item(exchange, None, reason=reason.reason)
        if not isinstance(told, Record):
            return Item(exchange, told)
        return Item(
            exchange,
            told,
            key=self._clients.resolve(told.username, client) if told.username else None,
            credential_id=credential_of(packet.value(CLASS)),
        )

    async def run(self) -> None:
        """Book what comes, until cancelled or, after ``stop``, all is booked."""
        while not (self._stopping and not self._waiting):
            await self._some.wait()
            self._some.clear()
            while self._waiting:
                if not await self._book_some():
                    if self._stopping:
                        return
                    await asyncio.sleep(_PAUSE)

    async def _book_some(self) -> bool:
        most = min(len(self._waiting), self._limits.accounting_batch)
        batch = [self._waiting.popleft() for _ in range(most)]
        self._under_way += most
        try:
            await within(_WRITE_WITHIN, self._book_all(batch))
        except Exception as error:  # noqa: BLE001 - logged; what waits is tried again
            # nothing of it was acknowledged that is not booked; booking twice changes nothing
            self._waiting.extendleft(item for item in reversed(batch) if not item.exchange.settled)
            if not is_outage(error):
                _log.exception("accounting cannot be booked")
            elif not self._away:
                _log.warning("accounting waits for the database", reason=str(error).split("\n")[0])
            self._away = True
            return False
        finally:
            self._under_way -= most
        self._away = False
        return True

    async def _book_all(self, batch: Sequence[Item]) -> None:
        poisoned = await write_isolating(batch, self._book)
        for item, error in poisoned:
            first_line = str(error).partition("\n")[0].replace("\0", "")
            reason = f"{type(error).__name__}: {first_line}"
            async with self._db.system() as tx:
                kept = await self._put_aside(tx, item, reason)
            if kept:
                _log.warning("an accounting packet was put aside", reason=reason)
                count("radius_accounting", kind="quarantined")
                item.exchange.reply(Code.ACCOUNTING_RESPONSE)
            else:
                _refuse(item)

    async def _book(self, batch: Sequence[Item]) -> None:
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
                    if await self._put_aside(tx, item, item.reason or UNKNOWN):
                        aside += 1
                    else:
                        refused.add(id(item))
                else:
                    entries.append(ledger.Entry(subscriber, told))
            done.append(_Booked(await ledger.book(tx, entries)))
        # durable now: nothing that goes wrong from here on may have it booked again
        for item in batch:
            if id(item) in refused:
                _refuse(item)
            else:
                item.exchange.reply(Code.ACCOUNTING_RESPONSE)
        count("radius_accounting", len(batch) - aside - len(refused), kind="booked")
        count("radius_accounting", aside, kind="quarantined")
        try:
            await self._take_over(done)
        except Exception:  # noqa: BLE001 - logged
            _log.exception("what was booked could not be taken over")

    async def _put_aside(self, tx: Tx, item: Item, reason: str) -> bool:
        """Keep a packet for a person to see; False when its NAS has had too many kept."""
        nas = item.exchange.client.nas
        if not self._quarantine.take(nas.id, self._clock()):
            return False
        await ledger.quarantine(
            tx,
            owner_id=nas.owner_id,
            nas_id=nas.id,
            reason=reason,
            packet=item.exchange.packet.raw,
        )
        return True

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

    async def stop(self) -> None:
        """Have ``run`` end once all is booked, or the database is away."""
        self._stopping = True
        self._some.set()

    @property
    def waiting(self) -> int:
        """How many are not booked yet."""
        return len(self._waiting) + self._under_way


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


__all__ = ["Accountant"]
