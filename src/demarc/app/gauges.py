"""The worker looks how the whole installation stands, for those who read its metrics.

It looks by itself, and what it saw last is told: whoever reads waits for no database.
"""

import asyncio
import time
from collections.abc import Callable, Sequence

import psycopg
import psycopg_pool

from demarc.platform.database import Database
from demarc.platform.telemetry import get_logger, metrics
from demarc.views import gauges

_EVERY = 15.0
_WITHIN = 10.0
_DAY = 86_400

_log = get_logger(__name__)


class Gauges:
    """What was seen last.

    Args:
        db: looked at as the system.
        queues: told of even while there is no job in them.
    """

    def __init__(self, db: Database, queues: Sequence[str] = ()) -> None:
        self._db = db
        self._none = dict.fromkeys(queues, 0.0)
        self._up = False
        self._offset = 0.0
        self._standing: gauges.Standing | None = None
        self._ahead: list[gauges.Ahead] = []
        self._queues: list[gauges.Queue] = []

    def tell(self) -> None:
        """Have it told to those who read."""
        metrics.ask("database_up", lambda: float(self._up))
        metrics.ask(
            "partitions_ahead_seconds",
            lambda: {one.table: one.days * _DAY for one in self._ahead},
            by="table",
        )
        queued: dict[str, Callable[[gauges.Queue], float]] = {
            "jobs_waiting": lambda queue: queue.waiting,
            "jobs_running": lambda queue: queue.running,
            "jobs_failed": lambda queue: queue.failed,
            "jobs_oldest_seconds": lambda queue: queue.oldest,
        }
        for name, of in queued.items():
            metrics.ask(name, self._by_queue(of), by="queue")

    def _by_queue(self, of: Callable[[gauges.Queue], float]) -> Callable[[], dict[str, float]]:
        return lambda: {**self._none, **{queue.queue: of(queue) for queue in self._queues}}

    def _tell_of(self, standing: gauges.Standing) -> None:
        """Tell what is known only once it has been seen: no value is better than a wrong one."""
        first = self._standing is None
        self._standing = standing
        if first:
            told: dict[str, Callable[[gauges.Standing], float]] = {
                "database_size_bytes": lambda seen: seen.size,
                "change_log_rows": lambda seen: seen.changes,
                "accounting_quarantine_rows": lambda seen: seen.quarantined,
                "sessions_live": lambda seen: seen.sessions,
                "olts": lambda seen: seen.olts,
                "olts_failing": lambda seen: seen.olts_failing,
                "olt_poll_oldest_seconds": lambda seen: seen.olt_poll_oldest or 0.0,
            }
            for name, of in told.items():
                metrics.ask(name, self._of_standing(of))
            metrics.ask("database_clock_offset_seconds", lambda: self._offset)

    def _of_standing(self, of: Callable[[gauges.Standing], float]) -> Callable[[], float]:
        def give() -> float:
            return 0.0 if self._standing is None else of(self._standing)

        return give

    async def look(self) -> None:
        """Look once.

        Raises:
            psycopg.Error, TimeoutError, OSError: the database does not answer.
        """
        async with asyncio.timeout(_WITHIN), self._db.system() as tx:
            before = time.time()
            standing = await gauges.standing(tx)
            self._offset = standing.clock - (before + time.time()) / 2
            self._ahead = await gauges.ahead(tx)
            self._queues = await gauges.queues(tx)
        self._tell_of(standing)

    async def watch(self) -> None:
        """Look again and again, for good."""
        while True:
            try:
                await self.look()
                self._up = True
            except (psycopg.Error, psycopg_pool.PoolTimeout, OSError) as away:
                if self._up:
                    _log.warning("the database cannot be looked at", reason=str(away))
                self._up = False
            await asyncio.sleep(_EVERY)


__all__ = ["Gauges"]
