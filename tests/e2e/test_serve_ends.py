"""``demarc serve`` as its operator sees it end: told to, left by its terminal, or unable to start."""

import asyncio
import contextlib
import fcntl
import os
import signal
import socket
import subprocess
import sys
import termios
from pathlib import Path

import pytest

from demarc.platform.secrets import KeyRing
from support.eventually import eventually
from support.postgres import BINARIES


class Command:
    """A ``demarc`` command on a data folder, and what it says."""

    def __init__(self, data: Path, **environment: str) -> None:
        self.data = data
        self.log = data.with_name("log")
        self.environment = {
            **{name: value for name, value in os.environ.items() if "DEMARC" not in name},
            "DEMARC_DATA": str(data),
            "DEMARC_HTTP_PORT": "0",
            "DEMARC_RADIUS_AUTH_PORT": "0",
            "DEMARC_RADIUS_ACCT_PORT": "0",
            "DEMARC_LOG_FORMAT": "json",
            **({"DEMARC_PG_BIN": os.environ[BINARIES]} if BINARIES in os.environ else {}),
            **environment,
        }

    async def start(self, *words: str, terminal: int | None = None) -> None:
        """Start it, as the leader of a terminal if there is one."""
        with self.log.open("ab") as output:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "demarc.cli", *(words or ("serve",)),
                env=self.environment,
                stdin=subprocess.DEVNULL if terminal is None else terminal,
                stdout=output,
                stderr=output,
                start_new_session=True,
                preexec_fn=None if terminal is None else take_terminal,
            )  # fmt: skip

    @property
    def said(self) -> str:
        return self.log.read_text()

    async def says(self, words: str) -> None:
        async def said() -> bool:
            assert self.process.returncode is None, self.said
            return words in self.said

        await eventually(said, within=60)

    async def ended(self) -> int:
        return await asyncio.wait_for(self.process.wait(), 60)

    def left(self) -> list[int]:
        """Give the processes that were told of the data folder, or stand in it."""
        found = []
        for entry in Path("/proc").iterdir():
            with contextlib.suppress(OSError, ValueError):
                pid = int(entry.name)
                told = os.fsencode(self.data) in (entry / "environ").read_bytes()
                if (told or (entry / "cwd").readlink().is_relative_to(self.data)) and (
                    entry / "stat"
                ).read_text().rpartition(")")[2].split()[0] != "Z":
                    found.append(pid)
        return found


def take_terminal() -> None:
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


@pytest.fixture
async def demarc(place):
    made = []

    def command(**environment: str) -> Command:
        made.append(Command(place / "data", **environment))
        return made[-1]

    yield command
    for each in made:
        for pid in each.left():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        await each.process.wait()
        await eventually(lambda each=each: not each.left())


@pytest.fixture
def given(database_url, place):
    """A given database, and the keys that belong to it."""
    KeyRing.open(place / "data/keys.toml", create=True)
    return {"DEMARC_DATABASE_URL": database_url}


async def test_told_to_end_while_it_starts_it_ends_at_once_and_starts_the_next_time(demarc):
    first = demarc()
    await first.start()
    await first.says("making the database")
    first.process.terminate()
    assert await first.ended() == 0
    assert '"serving"' not in first.said
    assert "a child is ready" not in first.said
    assert first.left() == []
    second = demarc()
    await second.start()
    await second.says('"serving"')
    second.process.terminate()
    assert await second.ended() == 0
    assert second.left() == []


async def test_it_ends_with_its_terminal(demarc, given):
    keyboard, terminal = os.openpty()
    try:
        command = demarc(**given)
        await command.start(terminal=terminal)
        await command.says('"serving"')
    finally:
        os.close(terminal)
        os.close(keyboard)
    assert await command.ended() == 0
    assert '"ended"' in command.said
    assert command.left() == []


async def test_the_demo_ends_with_its_terminal(demarc, given):
    keyboard, terminal = os.openpty()
    try:
        command = demarc(**given, DEMARC_SUBSCRIBERS="2")
        await command.start("demo", terminal=terminal)
        await command.says("Demarc is up")
    finally:
        os.close(terminal)
        os.close(keyboard)
    assert await command.ended() == 0
    assert command.left() == []


async def refused(command: Command) -> str:
    await command.start()
    assert await command.ended() == 1
    lines = command.said.splitlines()
    assert len(lines) == 1, command.said
    assert command.left() == []
    return lines[0]


@pytest.mark.parametrize("setting", ["HTTP_PORT", "RADIUS_AUTH_PORT", "RADIUS_ACCT_PORT"])
async def test_a_port_that_is_taken_is_named(demarc, given, setting):
    kind = socket.SOCK_STREAM if setting == "HTTP_PORT" else socket.SOCK_DGRAM
    with socket.socket(socket.AF_INET, kind) as taken:
        taken.bind(("127.0.0.1", 0))
        if kind == socket.SOCK_STREAM:
            taken.listen()
        port = taken.getsockname()[1]
        line = await refused(demarc(**given, **{f"DEMARC_{setting}": str(port)}))
    assert f"127.0.0.1:{port}" in line
    assert "in use" in line
    assert "Errno" not in line


async def test_a_data_folder_that_is_a_file_is_named(demarc, place):
    (place / "data").write_text("not a folder")
    assert f"{place}/data" in await refused(demarc())


async def test_lost_keys_are_not_replaced(demarc, given, place):
    (place / "data/keys.toml").unlink()
    line = await refused(demarc(**given))
    assert f"{place}/data/keys.toml" in line
    assert not (place / "data/keys.toml").exists()


async def test_a_database_that_is_not_there_is_told(demarc, place):
    url = f"postgresql://nobody@/nothing?host={place}"
    assert "database cannot be reached" in await refused(demarc(DEMARC_DATABASE_URL=url))


async def test_two_started_at_once_on_an_empty_database_both_serve(demarc, postgres):
    with postgres.database("template1") as empty:
        both = [demarc(DEMARC_DATABASE_URL=empty), demarc(DEMARC_DATABASE_URL=empty)]
        for number, command in enumerate(both):
            command.log = command.log.with_name(f"log-{number}")
            await command.start()
        for command in both:
            await command.says('"serving"')
        for command in both:
            command.process.terminate()
            assert await command.ended() == 0


async def test_a_data_folder_whose_server_runs_already_is_left_to_it(demarc):
    first = demarc()
    await first.start()
    await first.says('"serving"')
    second = demarc()
    second.log = second.log.with_name("second")
    await second.start()
    assert await second.ended() == 1
    [line] = second.said.splitlines()
    assert f"process {first.process.pid}" in line
    first.process.terminate()
    assert await first.ended() == 0
