"""Answered Access-Requests recorded in batches, after their replies."""

import asyncio
from collections import deque
from collections.abc import Sequence

import structlog

from demarc.domains.aaa.logins import AnsweredAttempt, record_attempts
from demarc.platform.database import Database
from demarc.platform.telemetry.counters import count
from demarc.southbound.radius.limits import Limits
from demarc.southbound.radius.outage import is_outage, within, write_isolating

_log = structlog.get_logger(__name__)

_AT_ONCE = 500
# a batch gathers for so long, seconds: a log-in is shown soon enough
_GATHER = 0.05
_PAUSE = 1.0
_WRITE_WITHIN = 10.0


class Attempts:
    """The queue of attempts to record.

    Args:
        db: where they are recorded.
        limits: how many may wait. When the database is away for long the oldest are lost: a
            log-in matters more than its record.
    """

    def __init__(self, db: Database, limits: Limits) -> None:
        self._db = db
        self._waiting: deque[AnsweredAttempt] = deque()
        self._most = limits.attempts_waiting
        self._some = asyncio.Event()
        self._under_way = 0
        self._stopping = False
        self._away = False

    def add(self, attempt: AnsweredAttempt) -> None:
        """Have an attempt recorded soon."""
        if len(self._waiting) >= self._most:
            self._waiting.popleft()
            count("radius_attempts_lost")
        self._waiting.append(attempt)
        self._some.set()

    async def run(self) -> None:
        """Record what comes, until cancelled or, after ``stop``, all is recorded."""
        while not (self._stopping and not self._waiting):
            await self._some.wait()
            if not self._stopping:
                await asyncio.sleep(_GATHER)
            self._some.clear()
            while self._waiting:
                if not await self._record_some():
                    if self._stopping:
                        count("radius_attempts_lost", len(self._waiting))
                        return
                    await asyncio.sleep(_PAUSE)

    async def _record_some(self) -> bool:
        batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), _AT_ONCE))]
        self._under_way = len(batch)
        try:
            poisoned = await within(_WRITE_WITHIN, write_isolating(batch, self._write))
        except Exception as error:
            if not is_outage(error):
                raise
            if not self._away:
                _log.warning("attempts wait for the database", reason=str(error).partition("\n")[0])
            self._away = True
            room = self._most - len(self._waiting)
            kept = batch[-room:] if room else []
            count("radius_attempts_lost", len(batch) - len(kept))
            self._waiting.extendleft(reversed(kept))
            return False
        finally:
            self._under_way = 0
        self._away = False
        if poisoned:
            count("radius_attempts_lost", len(poisoned))
            _log.warning("attempts cannot be recorded", reason=str(poisoned[0][1]).split("\n")[0])
        return True

    async def _write(self, batch: Sequence[AnsweredAttempt]) -> None:
        async with self._db.system() as tx:
            await record_attempts(tx, batch)

    async def stop(self) -> None:
        """Have ``run`` end once all is recorded, or the database is away."""
        self._stopping = True
        self._some.set()

    @property
    def waiting(self) -> int:
        """How many are not recorded yet."""
        return len(self._waiting) + self._under_way


__all__ = ["Attempts"]
