"""``demarc serve``: the database, the sockets, and a process for each role."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncGenerator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import psycopg

from demarc.app.child import CONNINFO, SETTINGS
from demarc.app.https import certificate_of
from demarc.app.listening import Listeners, handed_to
from demarc.app.metrics import telling
from demarc.app.parts import Hosted, hosted, keys_of, migrated
from demarc.app.upkeep import Upkeep
from demarc.platform.database import Database
from demarc.platform.processes import Parent, Role, Systemd
from demarc.platform.settings import PREFIX, Settings
from demarc.platform.telemetry import configure_logs, get_logger
from demarc.southbound.radius.known import knows_nases

# Started in this order, and ended in the reverse one: the web first, RADIUS last.
_ORDER = ("radius", "worker", "acs", "web")
_READS_DATAGRAMS = ("radius",)
_REACHED_WITHIN = 10.0
_LOOK = 2.0

_log = get_logger(__name__)


class Serving:
    """What runs.

    Attributes:
        settings: with the ports really taken.
        parent: keeps the children.
    """

    def __init__(
        self, settings: Settings, parent: Parent, watching: asyncio.Task[None] | None = None
    ) -> None:
        self.settings = settings
        self.parent = parent
        self._watching = watching

    async def wait(self) -> None:
        """Wait for good, or until the children or the private database cannot be kept."""
        keeping = {asyncio.create_task(self.parent.wait())}
        watching = {self._watching} if self._watching is not None else set()
        try:
            done, _ = await asyncio.wait(keeping | watching, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in keeping:
                task.cancel()
        for task in done:
            task.result()


@asynccontextmanager
async def serving(settings: Settings) -> AsyncGenerator[Serving]:
    """Run everything for as long as the block lasts, and end it in order.

    Order of the end: calls and packets under way are answered, jobs handed back, what was
    accounted for is written, and last the private database is shut down.

    Raises:
        OSError: an address cannot be listened on; the text names it.
        ServerProblem: the private database cannot be started.
        ChangedMigration, MigrationFailed: the database is not, or cannot be, of this version.
        KeyFileError: the keys cannot be read.
        TlsProblem: the certificate for HTTPS cannot be used.
        ChildFailed: a role cannot start.
    """
    certificate_of(settings)  # what is wrong with it is better known now
    listeners = Listeners.open(settings)
    settings = listeners.settings
    try:
        async with hosted(settings) as database:
            later = await _prepared(settings, database)
            parent = Parent(_roles(settings, database.conninfo), listeners.of_children())
            await parent.start()
            try:
                async with telling(listeners.get("metrics"), parent, settings):
                    yield Serving(settings, parent, database.watching)
            finally:
                # with our copies gone, clients are refused as soon as the web processes accept no
                # more, instead of waiting for an answer that will not come
                listeners.close("web")
                listeners.close("acs")
                await parent.stop()
                if later is not None:
                    later.cancel()
    finally:
        listeners.close()


async def _prepared(settings: Settings, database: Hosted) -> "asyncio.Task[None] | None":
    """Have the database and the keys as this version needs them.

    A node for RADIUS alone that has run before can begin while the database is away: it keeps
    accounting on disk (docs/adr/0031).

    Returns:
        What does the rest once the database is back, or None if all is done.
    """
    try:
        await _reach(database)
    except (psycopg.OperationalError, TimeoutError) as error:
        known = settings.accounting_spool_size and knows_nases(settings.accounting_spool)
        if settings.roles != ("radius",) or not known:
            raise
        keys_of(settings, may_create=False)
        _log.warning("the database is away", reason=str(error).partition("\n")[0])
        return asyncio.create_task(_prepare_later(settings, database))
    await _prepare(settings, database)
    return None


async def _reach(database: Hosted) -> None:
    async with (
        asyncio.timeout(_REACHED_WITHIN),
        await psycopg.AsyncConnection.connect(database.owner),
    ):
        pass


async def _prepare(settings: Settings, database: Hosted) -> None:
    await migrated(settings, database.owner)
    keys_of(settings, may_create=False)
    await _make_ready(database.conninfo)


async def _prepare_later(settings: Settings, database: Hosted) -> None:
    while True:
        await asyncio.sleep(_LOOK)
        try:
            await _reach(database)
            await _prepare(settings, database)
        except (psycopg.OperationalError, TimeoutError):
            continue
        except Exception:  # noqa: BLE001 - logged; what runs goes on as it is
            _log.exception("the database cannot be brought to this version")
        return


async def _make_ready(conninfo: str) -> None:
    """Have partitions for what the children write, also after months of standing still."""
    db = await Database.open(conninfo, tenant_pool=1, system_pool=1, name="demarc/start")
    try:
        # what goes wrong is in the log, and tried again by the worker
        await Upkeep(db).make_partitions()
    finally:
        await db.close()


def _roles(settings: Settings, conninfo: str) -> list[Role]:
    env = {
        **{name: value for name, value in os.environ.items() if not name.startswith(PREFIX)},
        SETTINGS: settings.to_json(),
        CONNINFO: conninfo,
    }

    def role(kind: str, number: int = 0) -> Role:
        return Role(
            name=f"{kind}-{number}" if number else kind,
            argv=[sys.executable, "-m", "demarc.app.child", kind],
            sockets=handed_to(kind),
            env=env,
            overlap=kind not in _READS_DATAGRAMS,
        )

    return [
        role(kind, number)
        for kind in _ORDER
        if kind in settings.roles and (kind != "acs" or settings.cwmp_port is not None)
        for number in range(settings.web_processes if kind == "web" else 1)
    ]


async def until_told(work: Coroutine[Any, Any, None], *signals: signal.Signals) -> None:
    """Run something until it ends, or one of the signals ends it, at whatever point it is.

    It is cancelled then, and may take its time to end in order.
    """
    loop = asyncio.get_running_loop()
    told = asyncio.Event()
    for number in signals:
        loop.add_signal_handler(number, told.set)
    working, waiting = asyncio.create_task(work), asyncio.create_task(told.wait())
    try:
        await asyncio.wait({working, waiting}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        waiting.cancel()
        if not working.done():
            working.cancel()
    try:
        await working
    except asyncio.CancelledError:
        if not told.is_set():  # it is we who are cancelled
            raise


async def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT; SIGHUP starts every process anew without a lost connection.

    On a terminal SIGHUP ends it too: there it says that the terminal is gone.

    Raises:
        OSError, ServerProblem, ChangedMigration, MigrationFailed, KeyFileError, TlsProblem,
            ChildFailed: as `serving`.
    """
    configure_logs(settings, "parent")
    systemd = Systemd.inherit()
    ends = [signal.SIGINT, signal.SIGTERM]
    if on_terminal():
        ends.append(signal.SIGHUP)
    await until_told(_serve(settings, systemd, renewable=not on_terminal()), *ends)
    _log.info("ended")


async def _serve(settings: Settings, systemd: Systemd, *, renewable: bool) -> None:
    loop = asyncio.get_running_loop()
    if renewable:
        # there is nothing to renew before all is up, and no reason to die of it
        loop.add_signal_handler(signal.SIGHUP, lambda: None)
    async with serving(settings) as running:
        bound = running.settings
        where = _where(bound)
        works = ", ".join(f"{name} {place}" for name, place in where.items())
        beside = {asyncio.create_task(systemd.keep_alive())}

        async def renew_all() -> None:
            systemd.reloading()
            try:
                await running.parent.restart()
            finally:
                systemd.ready(works)

        def renew() -> None:
            task = asyncio.create_task(renew_all())
            beside.add(task)
            task.add_done_callback(beside.discard)

        if renewable:
            loop.add_signal_handler(signal.SIGHUP, renew)
        _log.info("serving", roles=list(bound.roles), **where)
        systemd.ready(works)
        try:
            await running.wait()
        finally:
            systemd.stopping()
            for task in tuple(beside):
                task.cancel()
            _log.info("ending")


def _where(settings: Settings) -> dict[str, str]:
    """Say where what runs here can be reached."""
    found = {}
    if "web" in settings.roles:
        found["http"] = settings.public_url
        if settings.https_port is not None:
            found["https"] = f"{settings.http_host}:{settings.https_port}"
    if "acs" in settings.roles and settings.cwmp_port is not None:
        found["cwmp"] = f"{settings.cwmp_host}:{settings.cwmp_port}"
        if settings.cwmp_https_port is not None:
            found["cwmps"] = f"{settings.cwmp_host}:{settings.cwmp_https_port}"
    if "radius" in settings.roles:
        ports = f"{settings.radius_auth_port}/{settings.radius_acct_port}"
        found["radius"] = f"{settings.radius_host}:{ports}"
    if settings.metrics_port is not None:
        found["metrics"] = f"{settings.metrics_host}:{settings.metrics_port}"
    return found


def on_terminal() -> bool:
    """Tell whether somebody started this on a terminal, whose end is then the end of it."""
    return os.isatty(0) or os.isatty(1)
