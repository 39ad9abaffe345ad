"""What the benchmarks find, and under which conditions."""

import os
import platform
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import psycopg

_ROOT = Path(__file__).parent.parent


class Figure(msgspec.Struct, frozen=True):
    """One figure.

    Attributes:
        what: in words, for the table.
        unit: of the value.
        goal: where it is to go, as the design says; empty where it gives none.
        beside: what the same run found of others, or of other settings, by name.
        conditions: concurrency, loop, what is on.
        load: cores used by each kind of process, as far as known.
        wrong: answers that were lost or not right; figures with some are not to be believed.
        detail: all that was measured.
    """

    case: str
    what: str
    value: float
    unit: str
    goal: str = ""
    beside: dict[str, Any] = {}
    conditions: str = ""
    load: dict[str, float] = {}
    wrong: int = 0
    detail: dict[str, Any] = {}


class Machine(msgspec.Struct, frozen=True):
    """Where and with what it was measured.

    Attributes:
        load_before: the machine's load average when the run began: others' work disturbs.
        version: of the source, "+" with uncommitted changes.
    """

    at: datetime
    cores: int
    processor: str
    memory_gib: float
    kernel: str
    python: str
    postgres: str
    version: str
    load_before: float


def machine(postgres: str) -> Machine:
    """Describe this machine.

    Args:
        postgres: the server's version.
    """
    cpus = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    names = [line.partition(":")[2].strip() for line in cpus if line.startswith("model name")]
    octets = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return Machine(
        at=datetime.now(UTC).replace(microsecond=0),
        cores=len(os.sched_getaffinity(0)),
        processor=names[0] if names else platform.machine(),
        memory_gib=round(octets / 2**30, 1),
        kernel=platform.release(),
        python=platform.python_version(),
        postgres=postgres,
        version=_version(),
        load_before=round(os.getloadavg()[0], 2),
    )


def postgres_version(conninfo: str) -> str:
    """Give the server's version, and whether a commit is durable on it."""
    with psycopg.connect(conninfo) as conn:
        found = [
            str((conn.execute(f"SHOW {name}").fetchone() or ("?",))[0])
            for name in ("server_version", "fsync", "synchronous_commit", "shared_buffers")
        ]
    return "{} (fsync {}, synchronous_commit {}, shared_buffers {})".format(*found)


def _version() -> str:
    def git(*words: str) -> str:
        done = subprocess.run(
            ["git", "-C", _ROOT, *words], capture_output=True, text=True, check=False
        )
        return done.stdout.strip()

    return git("rev-parse", "--short", "HEAD") + (
        "+" if git("status", "--porcelain", "src") else ""
    )
