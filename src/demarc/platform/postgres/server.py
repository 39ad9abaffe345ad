"""The private server's supervisor: starts it, watches it, starts it again, ends it."""

import asyncio
import contextlib
import fcntl
import os
import signal
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import msgspec
import psycopg
import structlog
from psycopg import sql
from psycopg.conninfo import make_conninfo

from demarc.platform.postgres import account as accounts
from demarc.platform.postgres import cluster, configuration, leftovers, place
from demarc.platform.postgres.account import Account
from demarc.platform.postgres.binaries import Binaries
from demarc.platform.postgres.errors import (
    AlreadyRunning,
    NotRunning,
    ServerProblem,
    StartFailed,
)
from demarc.platform.postgres.launch import launch
from demarc.platform.postgres.place import Home

_log = structlog.get_logger(__name__)

DATABASE = "demarc"
"""The database made with the server."""

_LOOK = 0.02
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 30.0
# Having run this long, a server that ends is a new trouble, not the old one going on.
_HEALTHY = 60.0
# So many starts in vain are no accident.
_LASTING = 3
_START_LOG_LIMIT = 1_000_000


class _State(msgspec.Struct):
    host: str
    user: str
    # as an earlier version wrote it, which knew but one
    roles: tuple[str, ...] = (configuration.SUPERUSER,)


class PrivateServer:
    """A PostgreSQL of our own, reached by a socket in a private folder and by nothing else.

    It lets in, as the roles ``demarc`` (its superuser) and ``demarc_login``, the user it runs as and
    the user of this process; the kernel says who that is, so there is no password. `start` must be called from a thread that
    lives as long as the server should: when that is gone, the server shuts down by itself.
    """

    def __init__(
        self,
        folder: Path,
        binaries: Binaries,
        *,
        settings: Mapping[str, str] | None = None,
        refuge: Path = place.REFUGE,
        start_within: float = 600.0,
    ) -> None:
        """Prepare; nothing is done yet.

        Args:
            folder: where the data are kept; made if missing, and then for the server alone.
            binaries: what `locate` found.
            settings: of postgresql.conf, above our choice.
            refuge: where root's data go whose folder the server's user cannot enter.
            start_within: seconds until it must answer; recovery after a crash takes its time.
        """
        self.folder = folder
        self._binaries = binaries
        self._settings = dict(settings or {})
        self._refuge = refuge
        self._start_within = start_within
        self._process: asyncio.subprocess.Process | None = None
        self._changing = asyncio.Lock()
        self._stopping = asyncio.Event()
        self._lock: int | None = None
        self._home: Home | None = None
        self._account: Account | None = None
        self._sockets: Path | None = None
        self._started_at = 0.0
        self.restarts = 0

    @property
    def pid(self) -> int | None:
        """The server's process id while it runs."""
        running = self._process is not None and self._process.returncode is None
        return self._process.pid if self._process is not None and running else None

    def conninfo(self, dbname: str = DATABASE, *, role: str = configuration.SUPERUSER) -> str:
        """Give the connection string of one of its databases.

        Args:
            dbname: the database.
            role: as whom to log in: the server's owner, or ``demarc_login``.

        Raises:
            NotRunning: it was never started.
        """
        if self._sockets is None or self._account is None:
            raise NotRunning(f"the server of {self.folder} was not started")
        return _conninfo(_state(self._sockets, self._account), dbname, role)

    async def start(self) -> None:
        """Start the server and see that its database is there; returns when it answers.

        Raises:
            ServerProblem: it cannot be; the kinds are in `errors`.
        """
        self._stopping.clear()
        async with self._changing:
            home, account = await asyncio.to_thread(place.settle, self.folder, self._refuge)
            self._hold(home)
            try:
                await self._prepare(home, account)
                await self._run()
            except BaseException:
                await self._end()
                self._release()
                raise

    async def watch(self) -> None:
        """Start the server again whenever it ends, with growing pauses; returns after `stop`."""
        pause, failures = _FIRST_PAUSE, 0
        while self._process is not None and not self._stopping.is_set():
            process = self._process
            code = await process.wait()
            if self._stopping.is_set():
                return
            if time.monotonic() - self._started_at > _HEALTHY:
                pause = _FIRST_PAUSE
            _log.error("PostgreSQL ended", code=code, again_in=pause)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), pause)
                return
            pause = min(pause * 2, _LONGEST_PAUSE)
            async with self._changing:
                if self._stopping.is_set():
                    return
                try:
                    await self._run()
                except (ServerProblem, OSError, psycopg.Error) as problem:
                    failures += 1
                    lasting = failures >= _LASTING
                    event = (
                        "PostgreSQL does not come back" if lasting else "PostgreSQL failed again"
                    )
                    _log.error(event, in_a_row=failures, reason=str(problem))
                    await self._end()
                else:
                    failures = 0
                    self.restarts += 1
                    _log.info("PostgreSQL runs again", pid=self.pid)

    async def stop(self, *, within: float = 60.0) -> None:
        """Shut down: open transactions are rolled back, the data are written; idempotent.

        Args:
            within: seconds a fast shutdown may take before an immediate one, which loses nothing
                either, but has the next start recover.
        """
        self._stopping.set()
        async with self._changing:
            await self._end(within)
            self._release()

    # -- start ---------------------------------------------------------------------------------

    def _hold(self, home: Home) -> None:
        """Take the home's lock, or say who has it."""
        handle = os.open(home.lock, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(handle, 32).decode(errors="replace").strip()
            os.close(handle)
            raise AlreadyRunning(
                f"a server on {self.folder} is run by process {holder or 'unknown'} already"
            ) from None
        os.ftruncate(handle, 0)
        os.write(handle, f"{os.getpid()}\n".encode())
        self._lock = handle
        self._home = home

    def _release(self) -> None:
        if self._lock is None or self._home is None:
            return
        self._home.state.unlink(missing_ok=True)
        if self._sockets is not None and self._sockets.parent != self._home.root:
            with contextlib.suppress(OSError):
                self._sockets.rmdir()
        os.close(self._lock)
        self._lock = None

    async def _prepare(self, home: Home, account: Account) -> None:
        self._account = account
        self._binaries = await asyncio.to_thread(
            place.runnable, self._binaries, account, self._refuge
        )
        last = _read_state(home)
        self._sockets = place.socket_folder(home, account, Path(last.host) if last else None)
        await leftovers.clear(home.cluster, self._sockets)
        await cluster.ensure(
            home, self._binaries, account, sync=self._settings.get("fsync", "on") != "off"
        )
        files = home.files
        place.replace(files.access, configuration.access())
        users = [account.name, accounts.current().name]
        place.replace(files.names, configuration.names(users))
        place.replace(
            files.main, configuration.main(files, self._sockets, home.log, self._settings)
        )

    async def _run(self) -> None:
        """Start the process and wait until it answers."""
        home, account, sockets = self._home, self._account, self._sockets
        if home is None or account is None or sockets is None or self._lock is None:
            raise NotRunning(f"the server of {self.folder} was not started")
        await leftovers.clear(home.cluster, sockets)
        mode: Literal["ab", "wb"] = "ab"
        if home.start_log.exists() and home.start_log.stat().st_size > _START_LOG_LIMIT:
            mode = "wb"
        with home.start_log.open(mode) as output:
            self._process = await launch(
                [
                    str(self._binaries.bin_dir / "postgres"),
                    "-D",
                    str(home.cluster),
                    "-c",
                    f"config_file={home.files.main}",
                ],
                account,
                output,
            )
        self._started_at = time.monotonic()
        await self._answering(home, self._process)
        await self._ensure_database()
        state = _state(sockets, account)
        place.replace(home.state, msgspec.json.encode(state).decode() + "\n")

    async def _answering(self, home: Home, process: asyncio.subprocess.Process) -> None:
        """Wait until the server says in its lock file that it is ready (its eighth line)."""
        until = time.monotonic() + self._start_within
        while True:
            if process.returncode is not None:
                raise StartFailed(
                    f"PostgreSQL ended with code {process.returncode} instead of starting:"
                    f" {self._last_words(home)}"
                )
            if _ready(home.cluster, process.pid):
                return
            if self._stopping.is_set():
                raise StartFailed("PostgreSQL was told to stop while it started")
            if time.monotonic() > until:
                raise StartFailed(
                    f"PostgreSQL was not ready within {self._start_within:.0f} s:"
                    f" {self._last_words(home)}"
                )
            await asyncio.sleep(_LOOK)

    def _last_words(self, home: Home) -> str:
        logs = [home.start_log, *home.log.glob("*.log")]
        newest = max(
            (log for log in logs if log.exists()), key=lambda log: log.stat().st_mtime, default=None
        )
        return cluster.last_words(newest) if newest else "it left no word"

    async def _ensure_database(self) -> None:
        conn = await psycopg.AsyncConnection.connect(
            self.conninfo("postgres"), autocommit=True, connect_timeout=30
        )
        async with conn:
            found = await (
                await conn.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE])
            ).fetchone()
            if found is None:
                await conn.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))

    # -- end -----------------------------------------------------------------------------------

    async def _end(self, within: float = 60.0) -> None:
        process = self._process
        if process is None:
            return
        steps = ((signal.SIGINT, within), (signal.SIGQUIT, 15.0), (signal.SIGKILL, 15.0))
        for number, limit in steps:
            if process.returncode is not None:
                break
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(number)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), limit)
        await process.wait()


def conninfo_of(
    folder: Path, dbname: str = DATABASE, *, role: str = configuration.SUPERUSER
) -> str:
    """Give the connection string of the server that some process runs on a folder.

    Args:
        folder: as given to `PrivateServer`.
        dbname: which of its databases.
        role: as whom to log in; as its superuser where an earlier version runs it.

    Raises:
        NotRunning: none is run there.
        NotOurs: the folder names a home that is not to be trusted.
    """
    state = _read_state(place.find(folder))
    if state is None:
        raise NotRunning(f"no server runs on {folder}: start Demarc (demarc serve) first")
    return _conninfo(state, dbname, role)


def _state(sockets: Path, account: Account) -> _State:
    roles = (configuration.SUPERUSER, configuration.LOGIN)
    return _State(str(sockets), account.name, roles)


def _conninfo(state: _State, dbname: str, role: str) -> str:
    # Explicit where the environment might say otherwise; and the kernel tells us, too, who
    # is at the other end of the socket.
    return make_conninfo(
        host=state.host,
        port=configuration.PORT,
        user=role if role in state.roles else configuration.SUPERUSER,
        dbname=dbname,
        requirepeer=state.user,
    )


def _read_state(home: Home) -> _State | None:
    try:
        return msgspec.json.decode(home.state.read_bytes(), type=_State)
    except (FileNotFoundError, msgspec.DecodeError):
        return None


def _ready(data: Path, pid: int) -> bool:
    try:
        lines = (data / "postmaster.pid").read_text(encoding="utf-8").split("\n")
    except FileNotFoundError:
        return False
    return len(lines) > 7 and lines[0] == str(pid) and lines[7].strip() == "ready"  # noqa: PLR2004
