"""What an earlier server left behind: a process, or a lock file that names one.

After a crash or a power cut the number in ``postmaster.pid`` may be gone, may be our server living
on without us, or may by now be somebody else's process. PostgreSQL itself cannot tell the last two
apart and refuses to start. Here a process counts as ours only if it runs ``postgres`` in our data
folder; only such a process is ever signalled, through a handle that cannot change its meaning
between the look and the signal.
"""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import structlog

_log = structlog.get_logger(__name__)

_PROC = Path("/proc")
# A fast shutdown writes a checkpoint; a quick one only lets go.
_FAST, _QUICK = 60.0, 10.0
_LOOK = 0.05


class Survivor(msgspec.Struct, frozen=True):
    """A process of PostgreSQL that works on our data."""

    pid: int
    handle: int
    """A pidfd; -1 where the system has none."""

    def send(self, number: signal.Signals) -> None:
        """Signal it, unless it is gone."""
        with contextlib.suppress(ProcessLookupError):
            if self.handle >= 0:
                signal.pidfd_send_signal(self.handle, number)
            else:
                os.kill(self.pid, number)

    def close(self) -> None:
        """Give the handle back."""
        if self.handle >= 0:
            os.close(self.handle)


def recorded_pid(cluster: Path) -> int | None:
    """Give the process id that the lock file of a data folder names."""
    try:
        first = (cluster / "postmaster.pid").read_text(encoding="utf-8").split("\n", 1)[0]
        return abs(int(first))
    except (FileNotFoundError, ValueError):
        return None


async def clear(cluster: Path, sockets: Path) -> None:
    """End what still runs on the data, then take stale lock files away.

    To be called only by who holds the home's lock: then whatever runs is nobody's.

    Args:
        cluster: the data folder.
        sockets: the folder of the socket.
    """
    leader = recorded_pid(cluster)
    # The server itself first, and gently: it takes its own processes along. What is left of a
    # server that was killed only holds its memory, and has nothing to save.
    steps = ((signal.SIGINT, _FAST), (signal.SIGQUIT, _QUICK), (signal.SIGKILL, _QUICK))
    for number, limit in steps:
        with _survivors(cluster, leader) as found:
            if not found:
                break
            aimed = (
                [one for one in found if one.pid == leader] if number == signal.SIGINT else found
            )
            for one in aimed:
                _log.warning("ending a PostgreSQL left running", pid=one.pid, signal=number.name)
                one.send(number)
            if not aimed:
                continue
        await _gone(cluster, leader, {one.pid for one in aimed}, limit)
    with _survivors(cluster, leader) as found:
        if found:
            return  # not to be ended; PostgreSQL will say why it does not start
    for stale in (
        cluster / "postmaster.pid",
        sockets / ".s.PGSQL.5432",
        sockets / ".s.PGSQL.5432.lock",
    ):
        stale.unlink(missing_ok=True)


async def _gone(cluster: Path, leader: int | None, pids: set[int], limit: float) -> None:
    until = time.monotonic() + limit
    while time.monotonic() < until:
        with _survivors(cluster, leader) as found:
            if pids.isdisjoint(one.pid for one in found):
                return
        await asyncio.sleep(_LOOK)


@contextlib.contextmanager
def _survivors(cluster: Path, leader: int | None) -> Iterator[list[Survivor]]:
    if sys.platform == "linux":
        found = [one for pid in _numbers() if (one := _verified(pid, cluster)) is not None]
    elif leader is not None and _claims(leader, cluster):
        found = [Survivor(leader, -1)]
    else:
        found = []
    try:
        yield found
    finally:
        for one in found:
            one.close()


def _numbers() -> list[int]:
    return [int(entry) for entry in os.listdir(_PROC) if entry.isdecimal()]  # noqa: PTH208


def _verified(pid: int, cluster: Path) -> Survivor | None:
    if not _works_on(pid, cluster):
        return None
    handle = -1
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return None
    except OSError:  # an old kernel, or a sandbox
        return Survivor(pid, -1)
    # Looked at again now that the number cannot pass to another process unnoticed.
    if _works_on(pid, cluster):
        return Survivor(pid, handle)
    os.close(handle)
    return None


def _works_on(pid: int, cluster: Path) -> bool:
    process = _PROC / str(pid)
    try:
        program = (process / "exe").readlink().name  # "postgres (deleted)" after an upgrade
        return program.split(" ")[0] == "postgres" and (process / "cwd").samefile(cluster)
    except OSError:  # gone, or another user's and so not ours
        return False


def _claims(pid: int, cluster: Path) -> bool:
    """Ask where there is no /proc: our servers carry their folder on their command line."""
    answer = subprocess.run(  # noqa: S603 - a fixed command
        ["/bin/ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return "postgres" in answer.stdout and f"-D {cluster}" in answer.stdout
