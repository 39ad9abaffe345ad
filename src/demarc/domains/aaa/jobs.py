"""Background work: upkeep of sessions and addresses."""

from demarc.domains.aaa import addresses, ledger
from demarc.platform.database import Database
from demarc.platform.jobs import Task


class Housekeeping:
    """Closes sessions nobody tells of any more, takes idle addresses back.

    Args:
        db: where they are.
    """

    _AT_ONCE = 1000

    def __init__(self, db: Database) -> None:
        self._db = db

    def tasks(self) -> list[Task]:
        """Give the periodic tasks."""
        return [
            Task("aaa.close_stale", self.close_stale, attempts=1, cron="*/2 * * * *"),
            Task("aaa.reclaim_addresses", self.reclaim_addresses, attempts=1, cron="17 * * * *"),
        ]

    async def close_stale(self) -> None:
        """Close the sessions whose NAS has fallen silent about them, in portions."""
        closed = self._AT_ONCE
        while closed >= self._AT_ONCE:
            async with self._db.system() as tx:
                closed = await ledger.close_stale(tx)

    async def reclaim_addresses(self) -> None:
        """Take back further addresses of credentials that were idle for a day."""
        async with self._db.system() as tx:
            await addresses.reclaim(tx)


__all__ = ["Housekeeping"]
