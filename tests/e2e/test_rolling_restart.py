"""SIGHUP starts every process anew; nobody who speaks with them notices."""

import asyncio
import contextlib
import signal

import msgspec
import psycopg
import pytest

from demarc.platform.secrets import KeyRing
from demarc.platform.secrets.tokens import new_token
from support.certificates import anybody, pair
from support.eventually import eventually
from support.running import Running, state

RESTARTS = 2


class Tally(msgspec.Struct):
    """What the clients met.

    Attributes:
        answered: calls that were answered as they should be.
        told: answers that said that their connection ends.
        wrong: what else happened.
    """

    answered: int = 0
    told: int = 0
    wrong: list[str] = []


class Line:
    """A connection, used as HTTP/1.1 says: not again once its end was announced."""

    tls = None

    def __init__(self, port, tally):
        self._port = port
        self._tally = tally
        self._streams = None

    async def open(self):
        self._streams = await asyncio.open_connection("127.0.0.1", self._port, ssl=self.tls)

    async def call(self, path, *, last=False):
        if self._streams is None:
            await self.open()
        reader, writer = self._streams
        closing = "Connection: close\r\n" if last else ""
        writer.write(f"GET {path} HTTP/1.1\r\nHost: test\r\n{closing}\r\n".encode())
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower().split("\r\n")
        headers = dict(line.split(": ", 1) for line in head[1:] if line)
        await reader.readexactly(int(headers["content-length"]))
        status = int(head[0].split()[1])
        if status != {"/healthz": 200}.get(path, 401):
            self._tally.wrong.append(f"{path}: {status}")
        self._tally.answered += 1
        if headers.get("connection") == "close":
            self._tally.told += not last
            await self.close()

    async def close(self):
        if self._streams is not None:
            _, writer = self._streams
            self._streams = None
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()


async def at_once(port, tally, over):
    """Connect and ask, again and again."""
    while not over.is_set():
        line = Line(port, tally)
        await line.call("/services", last=True)
        await line.close()


async def hesitantly(port, tally, over):
    """Connect, and ask only after a while, as over a slow network."""
    while not over.is_set():
        line = Line(port, tally)
        await line.open()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(over.wait(), 0.3)
        await line.call("/healthz", last=True)
        await line.close()


async def again_and_again(port, tally, over, pause):
    """Keep a connection for as long as it may be kept."""
    line = Line(port, tally)
    while not over.is_set():
        await line.call("/services")
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(over.wait(), pause)
    await line.close()


async def met(client, tally):
    try:
        await client
    except (OSError, EOFError) as wrong:
        tally.wrong.append(f"{client.__name__}: {wrong!r}")


@pytest.fixture
async def serve(database_url, tmp_path):
    KeyRing.open(tmp_path / "data/keys.toml", create=True)
    started = []

    async def serve(**settings):
        demarc = Running(
            tmp_path / "data", None, database_url=database_url, log_level="info", **settings
        )
        started.append(demarc)
        await demarc.start()
        return demarc

    try:
        yield serve
        for demarc in started:
            assert await demarc.end() == 0, demarc.log_text()
            assert not demarc.processes()
    finally:
        for demarc in started:
            demarc.kill_all()


async def restart(demarc):
    roles = ("radius", "worker", "web", "web-1")
    before = {role: demarc.pid(role) for role in roles}
    demarc.process.send_signal(signal.SIGHUP)
    for role, pid in before.items():
        await demarc.successor(role, pid)
    for pid in before.values():
        await eventually(lambda pid=pid: state(pid) in ("", "Z"), within=30)


@pytest.mark.parametrize("secure", [False, True], ids=["http", "https"])
async def test_no_client_is_cut_off_by_a_restart(serve, secure, tmp_path, monkeypatch):
    given = {}
    if secure:
        files = pair(tmp_path)
        given = {"tls_cert": files.cert, "tls_key": files.key}
        monkeypatch.setattr(Line, "tls", anybody())
    running = await serve(web_processes=2, **given)
    port = running.ports[0]
    over = asyncio.Event()
    tally = Tally()
    clients = [
        *(at_once(port, tally, over) for _ in range(3)),
        *(hesitantly(port, tally, over) for _ in range(8)),
        *(again_and_again(port, tally, over, pause) for pause in (0.001, 0.05, 0.3, 0.9)),
    ]
    calling = asyncio.gather(*(met(client, tally) for client in clients))
    for _ in range(RESTARTS):
        await restart(running)
    over.set()
    await calling
    assert tally.wrong == []
    assert tally.answered > 200
    # those who kept a connection learnt that it ends
    assert tally.told >= RESTARTS


async def test_a_call_under_way_is_finished(serve, database_url):
    """The call waits for a lock that is given up only when its process is about to end."""
    running = await serve()
    old = running.pid("web")
    async with await psycopg.AsyncConnection.connect(database_url) as holder:
        await holder.execute("LOCK TABLE api_token IN ACCESS EXCLUSIVE MODE")
        reader, writer = await asyncio.open_connection("127.0.0.1", running.ports[0])
        head = f"GET /services HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer {new_token()}"
        writer.write(f"{head}\r\n\r\n".encode())
        await waits_for_a_lock(database_url)
        running.process.send_signal(signal.SIGHUP)

        def ending():
            return [line for line in running.log("Shutting down") if line["pid"] == old]

        await eventually(ending, within=30)
        await holder.rollback()
    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 20)
    assert head.startswith(b"HTTP/1.1 401")
    assert b"connection: close" in head
    writer.close()
    assert state(running.pid("web")) not in ("", "Z")


async def waits_for_a_lock(database_url):
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as conn:

        async def waiting():
            found = await conn.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
                " AND application_name LIKE 'demarc/web%' AND datname = current_database()"
            )
            return (await found.fetchone())[0]

        await eventually(waiting)
