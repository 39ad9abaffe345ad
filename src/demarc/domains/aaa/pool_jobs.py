"""Background work on pools: filled up, moved out of, watched."""

from uuid import UUID

import structlog

from demarc.domains.aaa import moving, prefixes
from demarc.domains.aaa import pool_queries as queries
from demarc.domains.aaa.events import PoolsNearlyFull
from demarc.platform.database import Database
from demarc.platform.events import emit
from demarc.platform.jobs import Task

_log = structlog.get_logger(__name__)

NEARLY_FULL = 0.9
"""The part of a pool that may be used before somebody is told."""

_CALM = 0.85
_AT_ONCE = 200


class PoolKeeping:
    """Gives prefixes to those of before a pool, moves what is drained, says when pools fill up.

    Args:
        db: where they are.
    """

    def __init__(self, db: Database) -> None:
        self._db = db

    def tasks(self) -> list[Task]:
        """Give the periodic tasks."""
        return [
            Task("aaa.fill_up", self.fill_up, attempts=1, cron="*/5 * * * *"),
            Task("aaa.move_drained", self.move_drained, attempts=1, cron="* * * * *"),
            Task("aaa.watch_pools", self.watch, attempts=1, cron="*/15 * * * *"),
        ]

    async def fill_up(self) -> None:
        """Lease prefixes to credentials that were made before there was a pool of them."""
        async with self._db.system() as tx:
            pools = await prefixes.pools_to_fill_from(tx)
        for pool in pools:
            after: UUID | None = UUID(int=0)
            while after is not None:
                async with self._db.system() as tx:
                    after = await prefixes.backfill(tx, pool, after, _AT_ONCE)

    async def move_drained(self) -> None:
        """Move what is leased of drained pools to others, as far as those have room."""
        for what in moving.WHAT:
            after: moving.Place | None = moving.Place()
            moved = left = 0
            while after is not None:
                async with self._db.system() as tx:
                    portion = await moving.move(tx, what, after, _AT_ONCE)
                moved, left, after = moved + portion.moved, left + portion.left, portion.next
                if portion.left == _AT_ONCE:
                    # there is no room: the others would find none either
                    break
            if moved:
                _log.info("leases moved out of drained pools", what=what, number=moved)
            if left:
                _log.warning("no room for leases of drained pools", what=what, number=left)

    async def watch(self) -> None:
        """Note how full pools are, and tell of those that have become nearly full."""
        async with self._db.system() as tx:
            await queries.NOTE_DAY.run(tx)
            await queries.FORGET_DAYS.run(tx)
            await queries.CALM.run(tx, below=_CALM)
            full = await queries.ALARM.all(tx, above=NEARLY_FULL)
            if full:
                await emit(tx, PoolsNearlyFull([pool.id for pool in full]))
        for pool in full:
            _log.warning("a pool is nearly full", pool=pool.name, used=pool.used, total=pool.total)
        async with self._db.system() as tx:
            await prefixes.forget_rested(tx)


__all__ = ["NEARLY_FULL", "PoolKeeping"]
