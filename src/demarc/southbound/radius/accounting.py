"""Accounting-Requests booked in batches, and acknowledged once that is durable.

While some batches commit the next gather (group commit). Packets of one log-in go through one
lane, in their order; a NAS that restarts waits for what came before it, and what comes after waits
for it. While the database is away nothing is acknowledged for a few seconds; from then on packets
go to the spool on disk, are acknowledged once they are safe there, and are booked in their order
when the database is back, before anything that came later.
"""

import asyncio
from collections import deque
from collections.abc import Sequence

import structlog

from demarc.domains.aaa import ledger
from demarc.domains.aaa.accounting import Record
from demarc.domains.aaa.stations import Stations
from demarc.platform.clock import Monotonic
from demarc.platform.database import Database
from demarc.platform.telemetry.counters import count
from demarc.protocols.radius.errors import Malformed
from demarc.protocols.radius.packet import Code, decode
from demarc.southbound.radius.booking import Booking, Replay
from demarc.southbound.radius.clients import Clients
from demarc.southbound.radius.credentials import Credentials
from demarc.southbound.radius.exchange import Exchange
from demarc.southbound.radius.limits import Limits
from demarc.southbound.radius.outage import is_outage, within
from demarc.southbound.radius.records import NasRestart, read
from demarc.southbound.radius.replies import CLASS, credential_of
from demarc.southbound.radius.spool import Spool, Spooled, SpoolFull, append
from demarc.southbound.radius.subscribers import Item

_log = structlog.get_logger(__name__)

_WRITE_WITHIN = 5.0
_PAUSE = 0.5
_SPOOLED_AT_ONCE = 1_000
_REPLAYED_AT_ONCE = 500


class Accountant:
    """Books Accounting-Requests.

    Args:
        db: where they are booked.
        clients: knows realms.
        credentials: the log-ins in memory.
        stations: told of sessions that begin and end.
        limits: sizes.
        clock: monotonic seconds.
        spool: where packets go while the database is away; None has them unacknowledged.
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
        spool: Spool | None = None,
    ) -> None:
        self._db = db
        self._clients = clients
        self._limits = limits
        self._clock = clock
        self._spool = spool
        self._booking = Booking(
            db=db,
            clients=clients,
            credentials=credentials,
            stations=stations,
            limits=limits,
            clock=clock,
        )
        self._lanes: list[deque[Item]] = [deque() for _ in range(limits.accounting_lanes)]
        # a NAS that restarted and all that came after it, until what came before is booked
        self._held: deque[Item] = deque()
        self._waiting = 0
        self._some = [asyncio.Event() for _ in self._lanes]
        self._idle = asyncio.Event()
        self._busy = 0
        self._stopping = False
        self._away_since: float | None = None
        # packets go to the spool as long as there is anything in it
        self._spooling = spool is not None and spool.exists
        self._to_spool: deque[Item] = deque()
        self._some_to_spool = asyncio.Event()
        self._full = False
        # held while the file grows or goes
        self._file = asyncio.Lock()
        if self._spooling:
            self._some_to_spool.set()

    def take(self, exchange: Exchange) -> None:
        """Put a request among those to be booked; overload is met with silence."""
        if self._waiting >= self._limits.accounting_waiting:
            count("radius_dropped", reason="overload")
            exchange.drop()
            return
        item = self._read(exchange)
        if item.told is None and item.reason is None:
            # nothing to book: tunnels and the like
            exchange.reply(Code.ACCOUNTING_RESPONSE)
            count("radius_accounting", kind="ignored")
            return
        self._waiting += 1
        self._route(item)

    def _route(self, item: Item) -> None:
        if self._spooling:
            self._to_spool.append(item)
            self._some_to_spool.set()
        elif self._held or isinstance(item.told, NasRestart):
            self._held.append(item)
            self._look()
        else:
            self._put(item)

    def _put(self, item: Item) -> None:
        told = item.told
        lane = hash(told.username) % len(self._lanes) if isinstance(told, Record) else 0
        self._lanes[lane].append(item)
        self._some[lane].set()

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
        """Book what comes, until cancelled or, after ``stop``, all is booked or kept."""
        async with asyncio.TaskGroup() as group:
            lanes = [group.create_task(self._run_lane(at)) for at in range(len(self._lanes))]
            restarts = group.create_task(self._run_restarts())
            spooling = None if self._spool is None else group.create_task(self._run_spool())
            await asyncio.wait(lanes)
            restarts.cancel()
            if spooling is not None:
                await self._end_spooling(spooling)

    async def _run_lane(self, at: int) -> None:
        lane, some = self._lanes[at], self._some[at]
        while not (self._stopping and not lane and not self._held):
            await some.wait()
            some.clear()
            while lane and not self._spooling:
                most = min(len(lane), self._limits.accounting_batch)
                batch = [lane.popleft() for _ in range(most)]
                if not await self._book(batch):
                    lane.extendleft(item for item in reversed(batch) if not item.exchange.settled)
                    if self._stopping and self._spool is None:
                        return
                    await self._pause()
            self._look()

    async def _run_restarts(self) -> None:
        """Book restarts of NASes, each when all that came before it is booked."""
        while True:
            await self._idle.wait()
            self._idle.clear()
            while self._held and not self._spooling and not self._unbooked:
                first = self._held[0]
                if isinstance(first.told, NasRestart) and not await self._book([first]):
                    if self._stopping and self._spool is None:
                        self._held.clear()
                        break
                    await self._pause()
                    continue
                if not self._held or self._held[0] is not first:
                    # it has gone to the spool with all the others
                    break
                self._held.popleft()
                if not isinstance(first.told, NasRestart):
                    self._put(first)
                while self._held and not isinstance(self._held[0].told, NasRestart):
                    self._put(self._held.popleft())
            for some in self._some if self._stopping else ():
                some.set()

    @property
    def _unbooked(self) -> bool:
        return bool(self._busy) or any(self._lanes)

    def _look(self) -> None:
        if self._held and not self._unbooked:
            self._idle.set()

    async def _book(self, batch: Sequence[Item], replay: Replay | None = None) -> bool:
        """Book a batch; False when the database is away."""
        begun = self._clock()
        self._busy += 1
        try:
            await within(_WRITE_WITHIN, self._booking.book(batch, replay))
        except Exception as error:  # noqa: BLE001 - logged; what waits is tried again
            # nothing of it was acknowledged that is not booked; booking twice changes nothing
            if not is_outage(error):
                _log.exception("accounting cannot be booked")
            elif self._away_since is None:
                _log.warning("accounting waits for the database", reason=str(error).split("\n")[0])
            if self._away_since is None:
                self._away_since = begun
            return False
        else:
            self._away_since = None
            return True
        finally:
            self._busy -= 1
            if replay is None:
                self._waiting -= sum(item.exchange.settled for item in batch)

    async def _pause(self) -> None:
        """Wait for the database; when that takes long, turn to the spool."""
        since = self._away_since
        long = since is not None and self._clock() - since >= self._limits.spool_after
        if self._spool is not None and (long or self._stopping or self._spooling):
            self.turn_to_spool()
        else:
            await asyncio.sleep(_PAUSE)

    def turn_to_spool(self) -> None:
        """Have what waits, and what comes, go to the spool until the database is back."""
        if not self._spooling:
            _log.warning("accounting is kept on disk until the database is back")
        self._spooling = True
        # before what has come since
        waited = [item for lane in self._lanes for item in lane]
        waited += self._held
        self._to_spool.extendleft(reversed(waited))
        for each in (*self._lanes, self._held):
            each.clear()
        self._some_to_spool.set()

    async def _run_spool(self) -> None:
        while True:
            await self._some_to_spool.wait()
            self._some_to_spool.clear()
            if not self._spooling:
                continue
            replaying = asyncio.create_task(self._replay())
            try:
                while not replaying.done():
                    await self._keep_some()
                    some = asyncio.create_task(self._some_to_spool.wait())
                    await asyncio.wait({some, replaying}, return_when=asyncio.FIRST_COMPLETED)
                    some.cancel()
                    self._some_to_spool.clear()
            finally:
                replaying.cancel()
                await asyncio.wait({replaying})
            if not replaying.cancelled():
                replaying.result()

    async def _keep_some(self) -> None:
        """Append to the spool all that waits for it, and acknowledge what is safe there."""
        spool = self._spool
        while self._to_spool and spool is not None:
            most = min(len(self._to_spool), _SPOOLED_AT_ONCE)
            group = [self._to_spool.popleft() for _ in range(most)]
            # what was under way when the others turned to the spool may have been booked
            group = [item for item in group if not item.exchange.settled]
            try:
                async with self._file:
                    if not self._spooling:
                        # all is booked meanwhile
                        for item in group:
                            self._route(item)
                        continue
                    await append(spool, [_spooled(item.exchange) for item in group])
            except (SpoolFull, OSError) as error:
                if not self._full:
                    _log.error("accounting cannot be kept on disk", reason=str(error))
                self._full = True
                for item in group:
                    count("radius_dropped", reason="spool full")
                    item.exchange.drop()
            else:
                self._full = False
                count("radius_accounting", len(group), kind="spooled")
                for item in group:
                    item.exchange.reply(Code.ACCOUNTING_RESPONSE)
            self._waiting -= len(group)

    async def _replay(self) -> None:
        """Book the spool in its order until there is nothing left of it; then end spooling."""
        spool = self._spool
        if spool is None:
            return
        position: int | None = None
        while self._spooling:
            try:
                if position is None:
                    position = await within(_WRITE_WITHIN, self._position(spool))
                packets = await asyncio.to_thread(spool.read, position, _REPLAYED_AT_ONCE)
                if not len(self._clients):
                    # nothing is known yet of whose packets they are
                    await asyncio.sleep(_PAUSE)
                elif packets:
                    position = await self._book_spooled(spool, packets) or position
                elif await self._leave_spool(spool, position):
                    position = None
            except Exception as error:
                if not is_outage(error):
                    raise
                await asyncio.sleep(_PAUSE)

    async def _position(self, spool: Spool) -> int:
        async with self._db.system() as tx:
            return max(spool.begin, await ledger.spool_position(tx, spool.id))

    async def _book_spooled(
        self, spool: Spool, packets: Sequence[tuple[Spooled, int]]
    ) -> int | None:
        """Book packets out of the spool; give up to where, None when the database is away."""
        items: list[Item] = []
        ends: dict[int, int] = {}
        position = 0
        for packet, end in packets:
            item = self._revived(packet)
            if item is None:
                break
            items.append(item)
            ends[id(item)] = position = end
        if not items:
            (packet, position), *_ = packets
            await within(
                _WRITE_WITHIN, self._booking.keep_orphan(packet, Replay(spool.id, {}), position)
            )
        elif not await self._book(items, Replay(spool.id, ends)):
            await asyncio.sleep(_PAUSE)
            return None
        return position

    def _revived(self, kept: Spooled) -> Item | None:
        """Make a packet out of the spool an item again; None if its NAS was removed meanwhile."""
        client = self._clients.by_id(kept.nas_id)
        if client is None:
            return None
        # it was acknowledged before
        packet = decode(kept.raw)
        return self._read(
            Exchange(packet, client, kept.host, kept.received, send=_nothing, forget=_nothing)
        )

    async def _leave_spool(self, spool: Spool, position: int) -> bool:
        """Remove the spool if all of it is booked, and book at once again; tell whether."""
        async with self._file:
            if spool.exists and position < spool.size:
                return False
            spool_id = spool.id
            if spool.exists:
                await asyncio.to_thread(spool.remove)
            self._spooling = False
            self._away_since = None
            came, self._to_spool = self._to_spool, deque()
            for item in came:
                self._route(item)
            _log.info("accounting is booked at once again")
        async with self._db.system() as tx:
            await ledger.forget_spool(tx, spool_id)
        return True

    async def _end_spooling(self, spooling: "asyncio.Task[None]") -> None:
        while self._to_spool:
            self._some_to_spool.set()
            await asyncio.sleep(_PAUSE / 50)
        async with self._file:
            spooling.cancel()

    async def stop(self) -> None:
        """Have ``run`` end once all is booked or kept, or the database is away."""
        self._stopping = True
        for some in self._some:
            some.set()

    @property
    def waiting(self) -> int:
        """How many are not booked yet."""
        return self._waiting


def _spooled(exchange: Exchange) -> Spooled:
    return Spooled(exchange.received, exchange.client.nas.id, exchange.host, exchange.packet.raw)


def _nothing(*_: object) -> None:
    """Have nobody told."""


__all__ = ["Accountant"]
