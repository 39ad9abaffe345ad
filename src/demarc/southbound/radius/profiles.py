"""Profiles in memory: one object each, that all its log-ins share, brought up to date in place."""

import asyncio
from uuid import UUID

from demarc.domains.aaa.logins import refresh_profiles
from demarc.platform.database import Database
from demarc.southbound.radius.credentials import Credentials
from demarc.southbound.radius.limits import Limits
from demarc.southbound.radius.outage import is_outage, within

_PAUSE = 1.0


class Profiles:
    """Reads profiles again when they change.

    A change that goes unheard is noticed with the next log-in that is read.

    Args:
        db: where they are.
        credentials: the log-ins in memory.
        limits: how long the database is waited for.
    """

    def __init__(self, db: Database, credentials: Credentials, limits: Limits) -> None:
        self._db = db
        self._credentials = credentials
        self._limits = limits
        self._changed: set[UUID] = set()
        self._some = asyncio.Event()

    def changed(self, profile_id: UUID) -> None:
        """Have a profile read again."""
        self._changed.add(profile_id)
        self._some.set()

    def missed(self) -> None:
        """Forget what is to be read: all log-ins are read again, and their profiles with them."""
        self._changed.clear()

    async def run(self) -> None:
        """Read what changed, for good."""
        while True:
            await self._some.wait()
            self._some.clear()
            wanted, self._changed = self._changed, set()
            if not wanted:
                continue
            try:
                if await within(self._limits.database_patience, self._read(list(wanted))):
                    self._credentials.forget()
            except Exception as error:
                if not is_outage(error):
                    raise
                self._changed |= wanted
                self._some.set()
                await asyncio.sleep(_PAUSE)

    async def _read(self, ids: list[UUID]) -> bool:
        async with self._db.system() as tx:
            return await refresh_profiles(tx, ids)


__all__ = ["Profiles"]
