"""One private PostgreSQL for a whole run of the tests, and a fresh database for each test.

Under pytest-xdist each worker is a run of its own. The server belongs to a keeper, a process of its
own, so that it ends with the run however that ends. The run's folder has two locks: ``run.lock`` is held by pytest for as long as it lives, and the keeper ends the server when it
can have it; ``start.lock`` makes one at a time look whether there is a server and a template.
"""

import asyncio
import contextlib
import fcntl
import itertools
import os
import secrets
import shutil
import sys
import tempfile
import threading
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import psycopg
import structlog
from psycopg import sql
from psycopg.conninfo import make_conninfo

from demarc.platform.migrations import migrate
from demarc.platform.postgres import PrivateServer, conninfo_of, locate

FOLDER = "DEMARC_TEST_RUN"
"""Names the run's folder to workers."""

BINARIES = "DEMARC_TEST_PG_BIN"
"""Names the PostgreSQL to test with; the bundled one if left out."""

TEMPLATE = "template_demarc"

# What is lost in a power cut does not matter here.
SETTINGS = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "max_connections": "300",
    "shared_buffers": "128MB",
    "log_min_duration_statement": "-1",
}


@contextlib.contextmanager
def run_folder() -> Generator[None]:
    """Hold a folder for the whole run; the server in it, if one was started, ends with it."""
    folder = Path(tempfile.mkdtemp(prefix="demarc-tests-"))
    # the server may have to run as another user, who must be able to pass
    folder.chmod(0o711)
    os.environ[FOLDER] = str(folder)
    run = _lock(folder / "run.lock")
    try:
        yield
    finally:
        del os.environ[FOLDER]
        os.close(run)
        # the keeper holds this until its server is down
        os.close(_lock(folder / "keeper.lock"))
        shutil.rmtree(folder, ignore_errors=True)  # a keeper that failed may still leave


class Server:
    """The run's server, as the tests see it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._names = itertools.count(1)

    def conninfo(self, dbname: str) -> str:
        """Give the connection string of one of its databases."""
        return conninfo_of(self.folder / "server", dbname)

    def template(self) -> None:
        """Make the migrated database that the others are copied from, if nobody has yet."""
        done = self.folder / "template.done"
        with locked(self.folder / "start.lock"):
            if done.exists():
                return
            self.drop(TEMPLATE)
            self._administer(sql.SQL("CREATE DATABASE {}"), TEMPLATE)
            in_thread(lambda: asyncio.run(migrate(self.conninfo(TEMPLATE))))
            done.touch()

    @contextlib.contextmanager
    def database(self, template: str = TEMPLATE) -> Iterator[str]:
        """Give the connection string of a fresh copy of the template, for as long as needed."""
        name = f"test_{os.getpid()}_{next(self._names)}_{secrets.token_hex(2)}"
        self._administer(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY"), name, template
        )
        try:
            yield self.conninfo(name)
        finally:
            self.drop(name)

    def drop(self, name: str) -> None:
        """Remove a database, whoever is connected to it."""
        self._administer(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)"), name)

    def _administer(self, statement: sql.SQL, *names: str) -> None:
        conninfo = make_conninfo(
            self.conninfo("postgres"), options="-c client_min_messages=warning"
        )
        with psycopg.connect(conninfo, autocommit=True) as conn:
            conn.execute(statement.format(*map(sql.Identifier, names)))


def server() -> Server:
    """Give the run's server; the first to ask starts it."""
    folder = Path(os.environ[FOLDER])
    with locked(folder / "start.lock"):
        if not (folder / "started").exists():
            _start_keeper(folder)
            (folder / "started").touch()
    return Server(folder)


def _start_keeper(folder: Path) -> None:
    reading, writing = os.pipe()
    # not subprocess: it outlives this worker, and nobody waits for it
    os.posix_spawn(
        sys.executable,
        [sys.executable, __file__, str(folder)],
        os.environ,
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_DUP2, writing, 1),
        ],
        setsid=True,
    )
    os.close(writing)
    with os.fdopen(reading, encoding="utf-8") as answers:
        if answers.read(6) != "ready\n":
            raise RuntimeError("no PostgreSQL for the tests; the keeper said why on standard error")


async def keep(folder: Path) -> None:
    """Run the server until the run is over."""
    # standard output is for one word
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    keeper = _lock(folder / "keeper.lock")
    setting = os.environ.get(BINARIES)
    private = PrivateServer(
        folder / "server", locate(Path(setting) if setting else None), settings=SETTINGS
    )
    await private.start()
    watching = asyncio.create_task(private.watch())
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    try:
        over = await asyncio.to_thread(_lock, folder / "run.lock")
        os.close(over)
    finally:
        await private.stop(within=5)
        await watching
        os.close(keeper)


async def ask(conninfo: str, question: str) -> Any:
    """Run a statement on a connection of its own; give the first value it answers, if any."""
    async with await psycopg.AsyncConnection.connect(conninfo, autocommit=True) as conn:
        answer = await conn.execute(question)
        row = await answer.fetchone() if answer.description else None
        return row[0] if row else None


def in_thread(work: object) -> None:
    """Run something that needs an event loop of its own, beside the one a test may have."""
    failed: list[BaseException] = []

    def run() -> None:
        try:
            work()  # type: ignore[operator]
        except BaseException as error:  # noqa: BLE001 - raised again by the caller's thread
            failed.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if failed:
        raise failed[0]


def _lock(path: Path) -> int:
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(handle, fcntl.LOCK_EX)
    return handle


@contextlib.contextmanager
def locked(path: Path) -> Generator[None]:
    handle = _lock(path)
    try:
        yield
    finally:
        os.close(handle)


if __name__ == "__main__":
    asyncio.run(keep(Path(sys.argv[1])))
