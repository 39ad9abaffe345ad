"""The RADIUS process put together: sockets, what is kept in memory, and what feeds it."""

import asyncio
import contextlib
import socket
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from time import monotonic
from typing import Any

import msgspec
import structlog

from demarc.domains.aaa import logins, nas_clients, proxying
from demarc.domains.aaa.stations import Stations
from demarc.platform import changes
from demarc.platform.clock import Clock, Monotonic, now
from demarc.platform.database import Database
from demarc.platform.secrets.keys import KeyRing
from demarc.platform.telemetry.counters import count
from demarc.protocols.radius.packet import Code
from demarc.southbound.radius.accounting import Accountant
from demarc.southbound.radius.attempts import Attempts
from demarc.southbound.radius.authentication import Authenticator
from demarc.southbound.radius.clients import Clients
from demarc.southbound.radius.credentials import Credentials
from demarc.southbound.radius.eap.tls import Files as EapFiles
from demarc.southbound.radius.exchange import Exchange
from demarc.southbound.radius.known import Known
from demarc.southbound.radius.limits import Limits
from demarc.southbound.radius.listener import Listener
from demarc.southbound.radius.live_sessions import LiveSessions
from demarc.southbound.radius.neighbours import Neighbours
from demarc.southbound.radius.outage import is_outage
from demarc.southbound.radius.profiles import Profiles
from demarc.southbound.radius.proxy.proxy import Proxy
from demarc.southbound.radius.radsec import RadsecListener
from demarc.southbound.radius.sightings import Sightings
from demarc.southbound.radius.spool import Spool
from demarc.southbound.radius.tls import TlsFiles

_log = structlog.get_logger(__name__)

_SWEEP_EVERY = 30.0
_PORTION = 2000
_PAUSE = 1.0
_STOP_WITHIN = 8.0
_COLD_AFTER = 4.0
_REACHED_WITHIN = 30.0
_FOLLOWED = ["credential", "nas", "nas_client", "realm", "session", "radius_profile"]


class Status(msgspec.Struct, frozen=True):
    """How the process stands.

    Attributes:
        clients: NASes known.
        other_nodes: other RADIUS processes on the same database.
        clients_signing: addresses that have sent a valid Message-Authenticator.
        credentials: log-ins in memory.
        logged_in: those that are logged in, on this node or another.
        radsec_connections: open ones that came to us.
        proxied: requests under way to home servers.
        home_servers_dead: ports of home servers that do not answer.
        accounting_waiting: packets not booked yet.
        attempts_waiting: answered attempts not recorded yet.
        database_away: whether log-ins could not be read the last time.
    """

    clients: int
    other_nodes: int
    clients_signing: int
    credentials: int
    logged_in: int
    radsec_connections: int
    proxied: int
    home_servers_dead: int
    accounting_waiting: int
    attempts_waiting: int
    database_away: bool


class RadiusServer:
    """Authentication and accounting on given sockets.

    Args:
        db: transactions of the system are opened on it.
        keyring: decrypts passwords and secrets.
        limits: sizes and ages.
        tls: our certificate for RadSec.
        spool: keeps accounting while the database is away; the server closes it.
        node: what people call this node.
        eap: the certificate for EAP methods with TLS; without it they are not offered.
        clock: the time.
        monotonic_clock: seconds that never run backwards.
    """

    def __init__(
        self,
        db: Database,
        keyring: KeyRing,
        limits: Limits | None = None,
        *,
        tls: TlsFiles | None = None,
        spool: Spool | None = None,
        node: str = "radius",
        eap: EapFiles | None = None,
        clock: Clock = now,
        monotonic_clock: Monotonic = monotonic,
    ) -> None:
        limits = limits or Limits()
        self._db = db
        self._keyring = keyring
        self._limits = limits
        self._clock = clock
        self._monotonic = monotonic_clock
        self._clients = Clients()
        self._sightings = Sightings(db, self._clients, clock)
        self._stations = Stations()
        self._sessions = LiveSessions(db, self._stations, clock, monotonic_clock)
        self._neighbours = Neighbours(db, self._sessions, node)
        self._credentials = Credentials(db, limits, monotonic_clock)
        self._profiles = Profiles(db, self._credentials, limits)
        self._attempts = Attempts(db, limits)
        self._authenticator = Authenticator(
            db=db,
            keyring=keyring,
            clients=self._clients,
            credentials=self._credentials,
            stations=self._stations,
            attempts=self._attempts,
            limits=limits,
            clock=monotonic_clock,
            eap=eap,
        )
        self._accountant = Accountant(
            db=db,
            clients=self._clients,
            credentials=self._credentials,
            stations=self._stations,
            limits=limits,
            clock=monotonic_clock,
            spool=spool,
        )
        self._spool = spool
        self._known = None if spool is None else Known(spool.folder, keyring)
        self._equipment_changed = asyncio.Event()
        self._broken = asyncio.Event()
        self._tls = tls
        self._proxy = Proxy(self._clients, limits, self._accountant.take, tls)
        self._listeners: list[Listener] = []
        self._radsec: list[RadsecListener] = []
        self._writers: list[asyncio.Task[None]] = []
        self._upkeep: list[asyncio.Task[None]] = []

    async def serve(
        self,
        auth_sockets: Sequence[socket.socket],
        acct_sockets: Sequence[socket.socket],
        radsec_sockets: Sequence[socket.socket] = (),
    ) -> None:
        """Begin to answer on bound sockets, once what is needed is in memory.

        If the database is away and there is a spool that knows the NASes, accounting is answered
        at once, and all else as soon as the database is back.

        Args:
            auth_sockets: for Access-Requests, usually port 1812.
            acct_sockets: for Accounting-Requests, usually port 1813.
            radsec_sockets: listening TCP sockets for both, usually port 2083; they need ``tls``.

        Raises:
            psycopg.Error: the database cannot be read.
            TimeoutError: it cannot be reached, and the NASes are not known.
            OSError: the certificate for RadSec cannot.
        """
        followed = asyncio.Event()
        self._upkeep = [
            self._task(self._follow(followed)),
            self._task(self._reload_clients()),
            self._task(self._sweep()),
            self._task(self._profiles.run()),
            self._task(self._sightings.run()),
            self._task(self._neighbours.run()),
            self._task(self._neighbours.read()),
        ]
        reading = asyncio.create_task(self._read_all(followed))
        self._upkeep.append(reading)
        cold = await self._begins_cold(reading)
        self._writers = [self._task(self._attempts.run()), self._task(self._accountant.run())]
        takes: dict[int, Callable[[Exchange], None]] = {
            Code.ACCESS_REQUEST: partial(_proxy_or_take, self._proxy, self._authenticator.take),
            Code.ACCOUNTING_REQUEST: partial(_proxy_or_take, self._proxy, self._accountant.take),
        }
        self._listen(acct_sockets, takes, Code.ACCOUNTING_REQUEST, alive=Code.ACCOUNTING_RESPONSE)
        if cold:
            for listener in self._all:
                listener.start()
            self._upkeep.append(
                self._task(self._warm_up(reading, followed, auth_sockets, radsec_sockets, takes))
            )
            return
        self._listen(auth_sockets, takes, Code.ACCESS_REQUEST, alive=Code.ACCESS_ACCEPT)
        self._listen_for_tls(radsec_sockets, takes)
        for listener in self._all:
            listener.start()

    async def _read_all(self, followed: asyncio.Event) -> None:
        # from here on no change is missed, so that what is read now stays true
        await followed.wait()
        await self._neighbours.beat()
        await self._load_clients()
        await self._sessions.load()

    async def _begins_cold(self, reading: "asyncio.Task[None]") -> bool:
        """Wait for what is read, or else take the NASes kept on disk; tell whether it is so."""
        kept = None if self._known is None else await asyncio.to_thread(self._known.read)
        await asyncio.wait({reading}, timeout=_REACHED_WITHIN if kept is None else _COLD_AFTER)
        if reading.done() and (error := reading.exception()) is not None:
            if kept is None or not is_outage(error):
                raise error
        elif reading.done():
            return False
        if kept is None:
            raise TimeoutError("the database cannot be reached, and no NASes are kept on disk")
        nases, realms = kept
        await self._clients.replace(nases, realms, self._keyring)
        self._accountant.turn_to_spool()
        _log.warning("begins without the database: accounting is kept on disk", nases=len(nases))
        return True

    async def _warm_up(
        self,
        reading: "asyncio.Task[None]",
        followed: asyncio.Event,
        auth_sockets: Sequence[socket.socket],
        radsec_sockets: Sequence[socket.socket],
        takes: Mapping[int, Callable[[Exchange], None]],
    ) -> None:
        """Answer all that was left out when it began without the database, once that is back."""
        while True:
            try:
                await reading
            except Exception as error:
                if not is_outage(error):
                    raise
                await asyncio.sleep(_PAUSE)
                reading = asyncio.create_task(self._read_all(followed))
                self._upkeep.append(reading)
            else:
                break
        answering = self._all
        self._listen(auth_sockets, takes, Code.ACCESS_REQUEST, alive=Code.ACCESS_ACCEPT)
        self._listen_for_tls(radsec_sockets, takes)
        for listener in self._all:
            if listener not in answering:
                listener.start()
        _log.info("the database is back: log-ins are answered")

    def _listen(
        self,
        sockets: Sequence[socket.socket],
        takes: Mapping[int, Callable[[Exchange], None]],
        code: Code,
        *,
        alive: Code,
    ) -> None:
        for sock in sockets:
            self._listeners.append(
                Listener(
                    sock,
                    self._clients,
                    self._limits,
                    code=code,
                    take=partial(_answer_or_take, takes[code], alive),
                    clock=self._clock,
                    monotonic=self._monotonic,
                )
            )

    def _listen_for_tls(
        self, sockets: Sequence[socket.socket], takes: Mapping[int, Callable[[Exchange], None]]
    ) -> None:
        if self._tls is None:
            return
        for sock in sockets:
            self._radsec.append(
                RadsecListener(
                    sock,
                    self._clients,
                    self._limits,
                    files=self._tls,
                    takes={**takes, Code.STATUS_SERVER: partial(_answer, Code.ACCESS_ACCEPT)},
                    clock=self._clock,
                    monotonic=self._monotonic,
                )
            )

    async def stop(self) -> None:
        """Take no more, answer and record what was taken, and end.

        Packets that come meanwhile stay in the sockets for whoever listens next.
        """
        for listener in self._all:
            listener.pause()
        await self._proxy.settled()
        await self._credentials.settle()
        await self._authenticator.stop()
        await self._attempts.stop()
        await self._accountant.stop()
        if self._writers:
            _, late = await asyncio.wait(self._writers, timeout=_STOP_WITHIN)
            if late:
                _log.warning("not all was recorded before the end", tasks=len(late))
        for task in (*self._writers, *self._upkeep):
            task.cancel()
        await asyncio.gather(*self._writers, *self._upkeep, return_exceptions=True)
        await self._sightings.write()
        await self._neighbours.leave()
        await self._credentials.close()
        await self._proxy.close()
        await asyncio.gather(*(listener.close() for listener in self._radsec))
        if self._spool is not None:
            self._spool.close()
        self._listeners.clear()
        self._radsec.clear()

    @property
    def _all(self) -> list[Listener | RadsecListener]:
        return [*self._listeners, *self._radsec]

    def status(self) -> Status:
        """Tell how the process stands."""
        return Status(
            clients=len(self._clients),
            other_nodes=self._neighbours.others,
            clients_signing=self._clients.signing,
            credentials=len(self._credentials),
            logged_in=len(self._stations),
            radsec_connections=sum(map(len, self._radsec)),
            proxied=self._proxy.outstanding,
            home_servers_dead=self._proxy.dead,
            accounting_waiting=self._accountant.waiting,
            attempts_waiting=self._attempts.waiting,
            database_away=self._credentials.away,
        )

    def _task(self, work: Any) -> "asyncio.Task[None]":
        task: asyncio.Task[None] = asyncio.get_running_loop().create_task(work)
        task.add_done_callback(self._report)
        return task

    def _report(self, task: "asyncio.Task[None]") -> None:
        if task.cancelled() or (error := task.exception()) is None:
            return
        _log.error("a part of the RADIUS process failed", exc_info=error)
        self._broken.set()

    async def broken(self) -> None:
        """Wait until a part of the process has failed, so that it should be started anew."""
        await self._broken.wait()

    async def _follow(self, followed: asyncio.Event) -> None:
        while True:
            try:
                async for batch in changes.follow(self._db, _FOLLOWED):
                    if batch is None:
                        self._begin_to_follow(followed)
                    else:
                        self._take_over(batch)
            except Exception:  # noqa: BLE001 - logged; until it is back, what is kept grows old
                _log.exception("following the changes failed")
                await asyncio.sleep(_PAUSE)

    def _begin_to_follow(self, followed: asyncio.Event) -> None:
        if followed.is_set():
            # away for longer than the log of changes reaches back
            self._credentials.forget()
            self._equipment_changed.set()
            self._neighbours.missed()
            self._profiles.missed()
        followed.set()

    def _take_over(self, batch: Sequence[changes.Change]) -> None:
        for change in batch:
            if change.kind == "credential":
                self._credentials.changed(change.key)
            elif change.kind == "session":
                self._neighbours.told(change.key)
            elif change.kind == "radius_profile":
                self._profiles.changed(change.key)
            else:
                self._equipment_changed.set()

    async def _reload_clients(self) -> None:
        """Read the NASes and realms again when one changed, as soon as the database lets us.

        Like credentials they are read again, too, when they get old: a change may go unheard.
        """
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._equipment_changed.wait(), self._limits.max_age)
            self._equipment_changed.clear()
            try:
                await self._load_clients()
            except Exception as error:
                if not is_outage(error):
                    raise
                self._equipment_changed.set()
                await asyncio.sleep(_PAUSE)

    async def _load_clients(self) -> None:
        async with self._db.system() as tx:
            nases = await logins.all_nases(tx)
            realms = await logins.all_realms(tx)
            signers = await nas_clients.signers(tx)
            proxies = await proxying.all_proxies(tx)
            servers = await proxying.all_servers(tx)
        await self._clients.replace(nases, realms, self._keyring, signers)
        if self._known is not None:
            await asyncio.to_thread(self._known.keep, nases, realms)
        self._proxy.replace(proxies, servers, self._keyring)

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(_SWEEP_EVERY)
            credentials = self._stations.credentials()
            for start in range(0, len(credentials), _PORTION):
                self._stations.sweep(credentials[start : start + _PORTION], self._monotonic())
                await asyncio.sleep(0)


def _answer_or_take(take: Callable[[Exchange], None], alive: Code, exchange: Exchange) -> None:
    """Answer Status-Server (RFC 5997) at once; hand everything else on."""
    if exchange.packet.code == Code.STATUS_SERVER:
        _answer(alive, exchange)
    else:
        take(exchange)


def _proxy_or_take(proxy: Proxy, take: Callable[[Exchange], None], exchange: Exchange) -> None:
    """Send on what an ISP answers itself; take everything else."""
    if not proxy.takes(exchange):
        take(exchange)


def _answer(alive: Code, exchange: Exchange) -> None:
    exchange.reply(alive)
    count("radius_replies", kind="status")


__all__ = ["RadiusServer", "Status"]
