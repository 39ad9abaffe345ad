"""What other RADIUS processes on the same database do to the sessions this one knows of.

A session that began or ended elsewhere is heard of by the log of changes and read at once. What is
not told, that a session goes on, is read in slices: all of it every few minutes, which is sooner
than a session counts as gone. Alone, a process does none of that.
"""

import asyncio
from time import monotonic
from uuid import UUID, uuid4

import structlog

from demarc.domains.aaa import nodes
from demarc.platform.database import Database
from demarc.southbound.radius.live_sessions import LiveSessions
from demarc.southbound.radius.outage import is_outage, within

_log = structlog.get_logger(__name__)

_BEAT_EVERY = 2.0
_BEAT_WITHIN = 4.0
_LEAVE_WITHIN = 2.0
_READ_WITHIN = 10.0
_PAUSE = 1.0
_AT_ONCE = 500
_SLICES_A_BEAT = 2
# after such a silence others may have thought us gone, and told us nothing
_MISSED_AFTER = nodes.GONE_AFTER - _BEAT_EVERY


class Neighbours:
    """The other nodes, as far as they matter here.

    Args:
        db: where they are met.
        sessions: reads what they tell of.
        name: what people call this node.
    """

    def __init__(self, db: Database, sessions: LiveSessions, name: str) -> None:
        self._db = db
        self._sessions = sessions
        self._name = name
        self._id = uuid4()
        self._others = 0
        self._beaten: float | None = None
        self._slice = 0
        # slices to be read as soon as possible
        self._behind = 0
        self._told: dict[UUID, None] = {}
        self._some = asyncio.Event()

    @property
    def others(self) -> int:
        """How many other nodes live."""
        return self._others

    async def beat(self) -> None:
        """Say that this node lives, and see who else does.

        Raises:
            psycopg.Error, TimeoutError: the database cannot be asked.
        """
        at = monotonic()
        others = await within(_BEAT_WITHIN, self._beat())
        missed = self._beaten is not None and at - self._beaten > _MISSED_AFTER
        if others and (missed or not self._others):
            # whoever came, or we were away: what nobody told is read
            self._behind = nodes.SLICES
            self._some.set()
        if others != self._others:
            _log.info("other RADIUS nodes", nodes=others)
        self._others, self._beaten = others, at

    async def _beat(self) -> int:
        async with self._db.system() as tx:
            return await nodes.beat(tx, self._id, self._name)

    def told(self, credential_id: UUID) -> None:
        """Note that a credential's sessions changed."""
        self._told[credential_id] = None
        self._some.set()

    def missed(self) -> None:
        """Note that changes were missed for good."""
        if self._others:
            self._behind = nodes.SLICES
            self._some.set()

    async def run(self) -> None:
        """Say for good that this node lives."""
        while True:
            await asyncio.sleep(_BEAT_EVERY)
            try:
                await self.beat()
                if self._others:
                    for _ in range(_SLICES_A_BEAT):
                        await self._read_slice()
            except Exception as error:
                if not is_outage(error):
                    raise

    async def read(self) -> None:
        """Read for good what others told of."""
        while True:
            await self._some.wait()
            self._some.clear()
            try:
                await self._read_told()
                while self._behind and not self._told:
                    self._behind -= 1
                    await self._read_slice()
            except Exception as error:
                if not is_outage(error):
                    raise
                await asyncio.sleep(_PAUSE)
            if self._told or self._behind:
                self._some.set()

    async def _read_told(self) -> None:
        while self._told:
            batch = list(self._told)[:_AT_ONCE]
            # what is told from here on is read again
            for credential_id in batch:
                del self._told[credential_id]
            try:
                await within(_READ_WITHIN, self._sessions.refresh(batch))
            except BaseException:
                self._told.update(dict.fromkeys(batch))
                raise

    async def _read_slice(self) -> None:
        number = self._slice = (self._slice + 1) % nodes.SLICES
        await within(_READ_WITHIN, self._sessions.refresh_slice(number))

    async def leave(self) -> None:
        """Say that this node ends; if it cannot be said, others notice."""
        try:
            await within(_LEAVE_WITHIN, self._leave())
        except Exception as error:
            if not is_outage(error):
                raise

    async def _leave(self) -> None:
        async with self._db.system() as tx:
            await nodes.leave(tx, self._id)


__all__ = ["Neighbours"]
