"""Demarc as its users run it: ``demarc serve`` on a data folder, with its private PostgreSQL."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import msgspec
import psycopg

from demarc.app.parts import opened
from demarc.domains.services.model import Service
from demarc.platform.clock import now
from demarc.platform.postgres import conninfo_of
from demarc.platform.settings import PREFIX, Settings
from support.eventually import eventually
from support.house import House, build
from support.postgres import BINARIES

ROLES = ("radius", "worker", "web")

_OF_TESTS = "DEMARC_TEST_"


class Line(msgspec.Struct, frozen=True):
    """A service and how its subscriber logs in."""

    service_id: str
    username: str
    password: str


class Estate(msgspec.Struct, frozen=True):
    """What was there before Demarc was started: the small house with subscribers in it."""

    lines: list[Line]
    isp_token: str
    fno_token: str
    customer_id: str
    product_id: str
    premise_id: str


def settings_of(data: Path, **more: Any) -> Settings:
    """Give the settings of a private installation."""
    return Settings.load(
        {}, data=data, pg_bin=os.environ.get(BINARIES), log_level="warning", **more
    )


async def prepare(data: Path, lines: int) -> Estate:
    """Make a database with a house and its subscribers in a new data folder, and shut it down."""
    data.mkdir(mode=0o711)
    async with opened(settings_of(data)) as parts:
        house = await build(parts.db, data)
        made = [await house.service() for _ in range(lines)]
        return Estate(
            lines=[await _line(house, service) for service in made],
            isp_token=await _token(house, house.isp.id, "aex"),
            fno_token=await _token(house, house.fno.id, "fno"),
            customer_id=str(made[0].customer_id),
            product_id=str(house.product.id),
            premise_id=str(house.premise_id),
        )


async def _line(house: House, service: Service) -> Line:
    async with house.as_isp() as tx:
        status = await house.aaa.radius_status(tx, service.id)
    return Line(str(service.id), status.username, status.password)


async def _token(house: House, tenant_id: Any, api: str) -> str:
    async with house.db.system() as tx:
        client = await house.identity.put_client(tx, tenant_id=tenant_id, api=api, name="test")
        token, _ = await house.identity.issue_token(tx, client, now=now())
    return token


class Running:
    """A ``demarc serve``, its processes and its database.

    Args:
        data: the data folder.
        estate: what is in it.
        more: further settings, by field name.
    """

    def __init__(self, data: Path, estate: Estate, **more: Any) -> None:
        self.data = data
        self.estate = estate
        self.more = more
        self.ports = (0, 0, 0)
        self.https_port = self.metrics_port = 0
        self.process: asyncio.subprocess.Process | None = None
        self.environ: dict[str, str] = {}
        self._log = data.parent / f"{data.name}.log"
        self._starts = 0

    # -- its life ------------------------------------------------------------------------------

    async def start(self) -> None:
        """Start it; after an earlier start, on the same ports."""
        http, auth, acct = self.ports
        chosen = {
            "data": self.data,
            "http_port": http,
            "radius_auth_port": auth,
            "radius_acct_port": acct,
            "log_format": "json",
            "pg_bin": os.environ.get(BINARIES),
            **self.more,
        }
        before = len(self.log("serving"))
        with self._log.open("ab") as output:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "demarc.cli",
                "serve",
                env={
                    **{name: value for name, value in os.environ.items() if _not_ours(name)},
                    **self.environ,
                    **{
                        PREFIX + name.upper(): str(value)
                        for name, value in chosen.items()
                        if value is not None
                    },
                },
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                # what interrupts the tests ends it by its fixture
                start_new_session=True,
            )

        async def serving() -> bool:
            if self.process is None or self.process.returncode is not None:
                raise AssertionError(f"demarc serve did not start:\n{self.log_text()}")
            return len(self.log("serving")) > before

        await eventually(serving, within=60)
        line = self.log("serving")[-1]
        # a machine without a role has no port for it
        auth, acct = map(int, line.get("radius", ":0/0").rpartition(":")[2].split("/"))
        self.ports = (int(line.get("http", ":0").rpartition(":")[2]), auth, acct)
        self.https_port = int(line.get("https", ":0").rpartition(":")[2])
        self.metrics_port = int(line.get("metrics", ":0").rpartition(":")[2])

    async def end(self) -> int:
        """Have it end in order; give its exit code."""
        assert self.process is not None
        with contextlib.suppress(ProcessLookupError):
            self.process.terminate()
        return await asyncio.wait_for(self.process.wait(), 60)

    def processes(self) -> dict[int, str]:
        """Give the processes of this installation that live, those of PostgreSQL too."""
        return dict(_processes(self.data))

    async def all_gone(self) -> None:
        """Wait until no process of it is left."""

        async def look() -> dict[int, str]:
            return self.processes()

        await eventually(look, lambda left: not left, within=30)

    def kill_all(self) -> None:
        """Leave nothing behind, whatever happened."""
        for pid in self.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
                os.kill(pid, signal.SIGKILL)

    # -- what it says --------------------------------------------------------------------------

    def log(self, event: str | None = None) -> list[dict[str, Any]]:
        """Give the lines of its log, those of one event if asked."""
        lines = []
        for line in self.log_text().splitlines():
            with contextlib.suppress(msgspec.DecodeError):
                read = msgspec.json.decode(line)
                if event in (None, read.get("event")):
                    lines.append(read)
        return lines

    def log_text(self) -> str:
        try:
            return self._log.read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return ""

    def pid(self, role: str) -> int:
        """Give the process that had a role last."""
        ready = [line for line in self.log("a child is ready") if line["child"] == role]
        return int(ready[-1]["pid"])

    async def kill(self, role: str) -> None:
        """Kill the process of a role, and wait until it is dead."""
        await kill(self.pid(role))

    async def successor(self, role: str, of: int) -> int:
        """Wait for the process that follows another in a role."""

        async def look() -> int:
            return self.pid(role)

        return await eventually(look, lambda pid: pid != of, within=30)

    # -- how it is reached ---------------------------------------------------------------------

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.ports[0]}"

    @property
    def auth(self) -> tuple[str, int]:
        return "127.0.0.1", self.ports[1]

    @property
    def acct(self) -> tuple[str, int]:
        return "127.0.0.1", self.ports[2]

    def client(self, token: str) -> httpx.AsyncClient:
        """Give an HTTP client that keeps no connection open."""
        return httpx.AsyncClient(
            base_url=self.url,
            headers={"Authorization": f"Bearer {token}"},
            limits=httpx.Limits(max_keepalive_connections=0),
            timeout=30,
            trust_env=False,
        )

    def unread(self) -> int:
        """Give how many octets wait in the socket for accounting, read by nobody yet."""
        here = f"0100007F:{self.ports[2]:04X}"
        for line in Path("/proc/net/udp").read_text(encoding="utf-8").splitlines():
            words = line.split()
            if words[1] == here:
                return int(words[4].partition(":")[2], 16)
        return 0

    # -- its database --------------------------------------------------------------------------

    @property
    def postgres_folder(self) -> Path:
        return self.data / "postgres"

    def postmaster(self) -> int:
        """Give the process of its PostgreSQL."""
        lines = (self.postgres_folder / "cluster/postmaster.pid").read_text().split("\n")
        return int(lines[0])

    def postgres_processes(self) -> list[int]:
        """Give all processes of its PostgreSQL."""
        return [
            pid
            for pid, words in self.processes().items()
            if words.partition(" ")[0].rpartition("/")[2] in ("postgres", "postgres:")
        ]

    def conninfo(self) -> str:
        return conninfo_of(self.postgres_folder)

    async def connect(self) -> psycopg.AsyncConnection[Any]:
        """Connect to its database, which sees everything."""
        return await psycopg.AsyncConnection.connect(self.conninfo(), autocommit=True)

    async def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """Ask its database, on a connection of its own."""
        async with await self.connect() as conn:
            return await (await conn.execute(query, values or None)).fetchall()

    async def value(self, query: str, *values: Any) -> Any:
        """Ask its database for one value."""
        ((found,),) = await self.rows(query, *values)
        return found

    @contextlib.asynccontextmanager
    async def holding(self, table: str) -> AsyncIterator[None]:
        """Let nobody write to a table for as long as the block lasts; all may read it."""
        conn = await self.connect()
        try:
            await conn.execute("BEGIN")
            await conn.execute(f"LOCK TABLE {table} IN EXCLUSIVE MODE".encode())
            yield
        finally:
            # where the server was killed meanwhile nothing is held any more
            await conn.close()

    async def waits_for_lock(self, role: str, number: int = 1) -> None:
        """Wait until so many connections of a role wait for a lock."""

        async def waiting() -> int:
            return await self.value(
                "SELECT count(*) FROM pg_stat_activity"
                " WHERE application_name LIKE %s AND wait_event_type = 'Lock'",
                f"demarc/{role}/%",
            )

        await eventually(waiting, lambda found: found >= number)


async def kill(pid: int, number: signal.Signals = signal.SIGKILL) -> None:
    """Signal a process, and wait until it is dead."""
    os.kill(pid, number)

    async def dead() -> bool:
        return state(pid) in ("", "Z")

    await eventually(dead)


def state(pid: int) -> str:
    """Give a process's state as the kernel writes it ("T" stopped, "Z" dead), "" if it is gone."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return ""
    return text.rpartition(")")[2].split()[0]


def _processes(data: Path) -> list[tuple[int, str]]:
    found = []
    marker = os.fsencode(data)
    for entry in Path("/proc").iterdir():
        if not entry.name.isdecimal() or int(entry.name) == os.getpid():
            continue
        try:
            # PostgreSQL's stand in its folder; the others were told of it
            ours = (entry / "cwd").readlink().is_relative_to(data)
            ours = ours or marker in (entry / "environ").read_bytes()
            if ours and state(int(entry.name)) not in ("", "Z"):
                words = (entry / "cmdline").read_bytes().replace(b"\0", b" ")
                found.append((int(entry.name), words.decode(errors="replace")))
        except OSError:
            continue
    return found


def _not_ours(name: str) -> bool:
    return not name.startswith(PREFIX) or name.startswith(_OF_TESTS)


async def quietly(ask: Callable[[], Any], *errors: type[Exception]) -> Any:
    """Ask, where being cut off is one of the answers: then None."""
    try:
        return await ask()
    except errors:
        return None
