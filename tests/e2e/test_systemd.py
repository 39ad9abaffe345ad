"""``demarc serve`` under a service manager that wants to hear of it, as systemd does."""

import asyncio
import signal
import socket

import pytest

from demarc.platform.processes import Systemd
from demarc.platform.secrets import KeyRing
from support.eventually import eventually
from support.running import Running


class Manager:
    """Hears what a service tells of itself."""

    def __init__(self, path):
        self.address = str(path)
        self._sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._sock.setblocking(False)
        self._sock.bind(self.address)
        self.heard = []

    def listen(self):
        while True:
            try:
                told = self._sock.recv(4096).decode()
            except BlockingIOError:
                return self.heard
            self.heard.append(dict(line.split("=", 1) for line in told.split("\n")))

    def close(self):
        self._sock.close()

    async def hears(self, name, times=1):
        await eventually(
            self.listen, lambda heard: sum(name in one for one in heard) >= times, within=60
        )


@pytest.fixture
def manager(tmp_path):
    manager = Manager(tmp_path / "notify")
    yield manager
    manager.close()


async def test_systemd_hears_of_the_whole_life(database_url, tmp_path, manager):
    KeyRing.open(tmp_path / "data/keys.toml", create=True)
    running = Running(tmp_path / "data", None, database_url=database_url)
    running.environ = {"NOTIFY_SOCKET": manager.address, "WATCHDOG_USEC": "200000"}
    try:
        await running.start()
        await manager.hears("READY")
        await manager.hears("WATCHDOG", 3)
        web = running.pid("web")
        running.process.send_signal(signal.SIGHUP)
        await manager.hears("RELOADING")
        await manager.hears("READY", 2)
        # it was told when all was renewed, not before
        assert running.pid("web") != web
        assert await running.end() == 0
        await manager.hears("STOPPING")
    finally:
        running.kill_all()
    told = [name for one in manager.heard for name in one if name.isupper()]
    first = [name for name in dict.fromkeys(told) if name not in ("STATUS", "WATCHDOG")]
    assert first == ["READY", "RELOADING", "MONOTONIC_USEC", "STOPPING"]
    assert any("radius 127.0.0.1:" in one.get("STATUS", "") for one in manager.heard)


async def test_without_a_manager_nothing_is_told(monkeypatch):
    for name in ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"):
        monkeypatch.delenv(name, raising=False)
    systemd = Systemd.inherit()
    systemd.ready("works")
    systemd.stopping()
    alive = asyncio.create_task(systemd.keep_alive())
    await asyncio.sleep(0)
    assert not alive.done()
    alive.cancel()


def test_what_was_asked_of_another_process_is_not_ours(monkeypatch, manager):
    monkeypatch.setenv("NOTIFY_SOCKET", manager.address)
    monkeypatch.setenv("WATCHDOG_USEC", "1000000")
    monkeypatch.setenv("WATCHDOG_PID", "1")
    systemd = Systemd.inherit()
    systemd.ready("works")
    assert manager.listen() == [{"READY": "1", "STATUS": "works"}]
    assert systemd._watchdog is None


def test_a_manager_that_is_gone_is_no_reason_to_end(manager):
    manager.close()
    Systemd(manager.address).ready("works")
