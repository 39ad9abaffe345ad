"""What each process tells of itself: its pools, its loop, the memory and time it takes."""

import asyncio
import os
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path

from demarc.platform.database import Database
from demarc.platform.telemetry import metrics

_STARTED = time.time()
_EVERY = 1.0
_PAGE = resource.getpagesize()
_STATM = Path("/proc/self/statm")
_FDS = Path("/proc/self/fd")
# Linux tells kibibytes, macOS octets
_UNIT = 1 if sys.platform == "darwin" else 1024


def tell_of_process() -> None:
    """Tell what the process takes."""
    metrics.ask("process_cpu_seconds_total", time.process_time)
    metrics.ask("process_resident_memory_bytes", _resident)
    metrics.ask("process_start_time_seconds", lambda: _STARTED)
    if _FDS.exists():
        metrics.ask("process_open_fds", lambda: len(os.listdir(_FDS)))  # noqa: PTH208 - far cheaper


_POOL = {
    "pool_size": "database_pool_size",
    "pool_available": "database_pool_available",
    "requests_waiting": "database_pool_waiting",
    "requests_num": "database_pool_requests_total",
    "requests_errors": "database_pool_errors_total",
    "connections_lost": "database_pool_lost_total",
}
_WAITED = "requests_wait_ms"


def tell_of_pools(db: Database) -> None:
    """Tell how the connections to the database are used."""

    def every(name: str, unit: float = 1) -> Callable[[], dict[str, float]]:
        return lambda: {pool: stats.get(name, 0) / unit for pool, stats in db.stats().items()}

    for name, metric in _POOL.items():
        metrics.ask(metric, every(name), by="pool")
    metrics.ask("database_pool_wait_seconds_total", every(_WAITED, 1000), by="pool")


async def watch_loop() -> None:
    """Take notice, once a second and for good, of how late the loop is."""
    late = metrics.histogram("event_loop_lag_seconds")
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + _EVERY
        await asyncio.sleep(_EVERY)
        late.observe(max(0.0, loop.time() - due))


def _resident() -> float:
    try:
        return int(_STATM.read_text(encoding="ascii").split()[1]) * _PAGE
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _UNIT


__all__ = ["tell_of_pools", "tell_of_process", "watch_loop"]
