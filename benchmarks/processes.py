"""CPU and memory of the processes under test, read from Linux's /proc."""

import os
from collections.abc import Mapping
from pathlib import Path

import msgspec

_TICK = os.sysconf("SC_CLK_TCK")
_PROC = Path("/proc")


class Memory(msgspec.Struct, frozen=True):
    """Memory of a process, MiB.

    Attributes:
        rss: resident, shared pages counted whole.
        pss: resident, shared pages counted by share.
    """

    rss: float
    pss: float


def family(root: int) -> dict[str, list[int]]:
    """Give the processes below one, by what they do: parent, radius, web, worker, postgres."""
    children: dict[int, list[int]] = {}
    for entry in _PROC.iterdir():
        if entry.name.isdecimal() and (fields := _fields(int(entry.name))) is not None:
            children.setdefault(int(fields[1]), []).append(int(entry.name))
    found: dict[str, list[int]] = {}
    waiting = [root]
    while waiting:
        pid = waiting.pop()
        waiting += children.get(pid, [])
        found.setdefault(_role(pid, root), []).append(pid)
    return found


def _role(pid: int, root: int) -> str:
    if pid == root:
        return "parent"
    try:
        words = (_PROC / str(pid) / "cmdline").read_bytes().split(b"\0")
    except OSError:
        return "other"
    if b"postgres" in words[0]:
        return "postgres"
    if b"demarc.app.child" in words:
        return words[words.index(b"demarc.app.child") + 1].decode()
    return "other"


def cpu(root: int) -> dict[str, float]:
    """Give the seconds of CPU that each kind of process has used, those that ended included."""
    used: dict[str, float] = {}
    for role, pids in family(root).items():
        ticks = 0
        for pid in pids:
            fields = _fields(pid)
            if fields is not None:
                # its own, and for the server those of the backends it has outlived
                ticks += sum(map(int, fields[11:15] if role == "postgres" else fields[11:13]))
        used[role] = ticks / _TICK
    return used


def difference(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    """Give what was used between two measures, kinds that used nothing left out."""
    return {
        role: round(after[role] - before.get(role, 0.0), 2)
        for role in sorted(after)
        if after[role] - before.get(role, 0.0) >= 1 / _TICK
    }


def memory(pid: int) -> Memory:
    """Give the memory of one process."""
    found = {"Rss:": 0, "Pss:": 0}
    for line in (_PROC / str(pid) / "smaps_rollup").read_text(encoding="ascii").splitlines():
        words = line.split()
        if words[0] in found:
            found[words[0]] = int(words[1])
    return Memory(round(found["Rss:"] / 1024, 1), round(found["Pss:"] / 1024, 1))


def busy() -> float:
    """Give the seconds of CPU this machine has spent working, on all its cores."""
    line = (_PROC / "stat").read_text(encoding="ascii").partition("\n")[0]
    ticks = list(map(int, line.split()[1:9]))
    idle, waiting, stolen = ticks[3], ticks[4], ticks[7]
    return (sum(ticks) - idle - waiting - stolen) / _TICK


def _fields(pid: int) -> list[str] | None:
    """Give the fields of stat from the state on (field 3 of proc(5))."""
    try:
        text = (_PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    return text.rpartition(")")[2].split()
