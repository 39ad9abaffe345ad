"""A private server's life: started, killed, restarted, ended."""

import asyncio
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from structlog.testing import capture_logs

from demarc.platform.postgres import AlreadyRunning, NotRunning, StartFailed, conninfo_of
from support.eventually import eventually
from support.postgres import ask


async def answers(server):
    try:
        return await ask(server.conninfo(), "SELECT 'yes'")
    except psycopg.OperationalError:
        return None


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def sockets_of(pid):
    handles = [handle.readlink().name for handle in Path(f"/proc/{pid}/fd").iterdir()]
    return {name for name in handles if name.startswith("socket:")}


def sockets_on_networks():
    return {
        f"socket:[{line.split()[9]}]"
        for table in ("tcp", "tcp6", "udp", "udp6")
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]
    }


def is_private_folder(path):
    return path.is_dir() and stat.S_IMODE(path.stat().st_mode) == 0o700


async def test_what_was_written_is_there_after_a_restart(private):
    server = private()
    await server.start()
    await ask(server.conninfo(), "CREATE TABLE kept AS SELECT 'words' AS said")
    await server.stop()
    assert server.pid is None
    await server.start()
    assert await ask(server.conninfo(), "SELECT said FROM kept") == "words"


async def test_it_is_set_up_for_names_in_any_language_and_found_by_bytes_order(private):
    server = private()
    await server.start()
    assert await ask(server.conninfo(), "SELECT lower('AÇÃO')") == "ação"
    assert await ask(server.conninfo(), "SELECT 'Z' < 'a' AND 'z' < 'á'")
    assert await ask(server.conninfo(), "SHOW server_encoding") == "UTF8"
    assert await ask(server.conninfo(), "SHOW data_checksums") == "on"
    assert await ask(server.conninfo(), "SHOW synchronous_commit") == "on"
    assert await ask(server.conninfo(), "SHOW timezone") == "UTC"


async def test_nothing_listens_on_a_network(private):
    server = private()
    await server.start()
    assert await ask(server.conninfo(), "SHOW listen_addresses") == ""
    own, on_networks = sockets_of(server.pid), sockets_on_networks()
    assert own
    assert not own & on_networks


async def test_another_command_finds_the_running_server_by_its_folder(private, place):
    server = private()
    with pytest.raises(NotRunning, match="demarc serve"):
        conninfo_of(place / "server")
    await server.start()
    assert conninfo_of(place / "server") == server.conninfo()
    assert await ask(conninfo_of(place / "server", "postgres"), "SELECT 1") == 1
    await server.stop()
    with pytest.raises(NotRunning):
        conninfo_of(place / "server")


async def test_a_killed_server_runs_again(private):
    server = private()
    await server.start()
    watching = asyncio.create_task(server.watch())
    first = server.pid
    os.kill(first, signal.SIGKILL)
    await eventually(lambda: server.restarts == 1)
    assert server.pid not in (None, first)
    assert await answers(server)
    await server.stop()
    await asyncio.wait_for(watching, 10)


async def test_a_killed_server_runs_again_though_one_of_its_processes_is_busy(private):
    server = private()
    await server.start()
    watching = asyncio.create_task(server.watch())
    busy = await psycopg.AsyncConnection.connect(server.conninfo(), autocommit=True)
    counting = asyncio.create_task(
        busy.execute("SELECT count(*) FROM generate_series(1, 100000000000)")
    )
    await eventually(
        lambda: ask(
            server.conninfo(),
            "SELECT count(*) FROM pg_stat_activity"
            f" WHERE pid = {busy.info.backend_pid} AND state = 'active'",
        )
    )
    os.kill(server.pid, signal.SIGKILL)
    await eventually(lambda: server.restarts == 1)
    with pytest.raises(psycopg.OperationalError):
        await counting
    await busy.close()
    assert await answers(server)
    await server.stop()
    await watching


async def test_a_server_that_cannot_start_again_is_tried_until_it_can(private, place):
    server = private()
    await server.start()
    watching = asyncio.create_task(server.watch())
    configuration = place / "server/postgresql.conf"
    right = configuration.read_text()
    configuration.write_text("nonsense = on\n")
    first = server.pid
    os.kill(first, signal.SIGKILL)
    await eventually(lambda: "nonsense" in (place / "server/start.log").read_text())
    configuration.write_text(right)
    assert await eventually(lambda: answers(server))
    await server.stop()
    await watching


async def test_why_it_does_not_start_is_said(private):
    server = private(settings={"shared_buffers": "plenty"})
    with pytest.raises(StartFailed, match="shared_buffers"):
        await server.start()
    assert server.pid is None


async def test_a_second_server_on_a_folder_is_refused_and_the_first_goes_on(private):
    first, second = private(), private()
    await first.start()
    with pytest.raises(AlreadyRunning, match=str(os.getpid())):
        await second.start()
    assert await answers(first)
    await first.stop()
    await second.start()
    assert await answers(second)


async def test_after_a_stop_no_process_and_no_socket_is_left(private, place):
    server = private()
    await server.start()
    pid = server.pid
    await server.stop()
    await server.stop()
    assert not alive(pid)
    assert list((place / "server/socket").iterdir()) == []


async def test_a_long_path_is_no_hindrance(private, place):
    folder = place / ("a-long-name-for-a-folder/" * 6) / "server"
    server = private(folder)
    await server.start()
    sockets = Path(psycopg.conninfo.conninfo_to_dict(server.conninfo())["host"])
    assert len(str(sockets)) < 80
    assert not sockets.is_relative_to(place)
    assert is_private_folder(sockets)
    assert await answers(server)
    watching = asyncio.create_task(server.watch())
    os.kill(server.pid, signal.SIGKILL)
    await eventually(lambda: server.restarts == 1)
    assert await answers(server)
    await server.stop()
    await watching
    assert not is_private_folder(sockets)


_SUPERVISOR = """
import asyncio, sys
from pathlib import Path
from demarc.platform.postgres import Binaries, PrivateServer

async def run():
    folder, bin_dir, major = sys.argv[1:]
    server = PrivateServer(Path(folder), Binaries(Path(bin_dir), (int(major), 0)),
                           settings={"fsync": "off"})
    await server.start()
    print("\\npid", server.pid, flush=True)
    await server.watch()

asyncio.run(run())
"""


async def test_a_server_ends_when_who_runs_it_is_killed(place, binaries, private):
    command = [sys.executable, "-c", _SUPERVISOR, place / "server", binaries.bin_dir]
    supervisor = await asyncio.create_subprocess_exec(
        *command, str(binaries.version[0]), stdout=subprocess.PIPE
    )
    said = await asyncio.wait_for(supervisor.stdout.readuntil(b"\npid "), 60)
    assert said
    pid = int(await supervisor.stdout.readline())
    supervisor.kill()
    await supervisor.wait()
    if sys.platform == "linux":
        await eventually(lambda: not alive(pid))
    server = private()
    await server.start()
    assert await answers(server)


async def test_settings_with_quotes_are_values_and_nothing_else(private):
    server = private(settings={"cluster_name": "it's a \\ name'"})
    await server.start()
    assert await ask(server.conninfo(), "SHOW cluster_name") == "it's a \\ name'"


async def test_one_that_cannot_come_back_is_told_of_and_comes_back_when_it_can(private):
    server = private()
    await server.start()
    version = server.folder / "cluster/PG_VERSION"
    with capture_logs() as lines:
        watching = asyncio.create_task(server.watch())
        version.rename(version.with_name("hidden"))
        os.kill(server.pid, signal.SIGKILL)

        def told():
            return [line for line in lines if line["event"] == "PostgreSQL does not come back"]

        await eventually(told, within=30)
        assert told()[0]["log_level"] == "error"
        assert told()[0]["in_a_row"] == 3
        assert "PG_VERSION" in told()[0]["reason"]
        version.with_name("hidden").rename(version)
        assert await eventually(lambda: answers(server), within=30) == "yes"
    await server.stop()
    await asyncio.wait_for(watching, 10)
