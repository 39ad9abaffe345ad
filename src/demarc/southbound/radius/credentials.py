"""Credentials in memory: read in batches, dropped when they change, never older than an age."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from uuid import UUID

import msgspec
import structlog

from demarc.domains.aaa import logins
from demarc.domains.aaa.logins import Login, LoginKey
from demarc.platform.clock import Monotonic
from demarc.platform.database import Database
from demarc.platform.telemetry.counters import count
from demarc.southbound.radius.limits import Limits
from demarc.southbound.radius.outage import is_outage, within

_log = structlog.get_logger(__name__)

Key = LoginKey
"""Place, name and kind."""

Name = tuple[UUID, str]
"""Realm and username."""

_AT_ONCE = 200
_READERS = 2


class Entry(msgspec.Struct, eq=False, gc=False):
    """What is known of a log-in.

    Attributes:
        login: None when there is no such log-in.
        fetched: when it was read, monotonic seconds.
        password: decrypted at its first use.
    """

    login: Login | None
    fetched: float
    password: bytes | None = None


Waiter = Callable[[Entry | None], None]
"""Called with what was found; with None when the database cannot be asked."""


class Credentials:
    """The log-ins of this process.

    Args:
        db: where they are read.
        limits: ages and sizes.
        clock: monotonic seconds.
    """

    def __init__(self, db: Database, limits: Limits, clock: Monotonic) -> None:
        self._db = db
        self._limits = limits
        self._clock = clock
        self._known: OrderedDict[Key, Entry] = OrderedDict()
        self._unknown: OrderedDict[Key, Entry] = OrderedDict()
        self._keys: dict[UUID, Key] = {}
        self._waiting: dict[Key, list[Waiter]] = {}
        self._waiters = 0
        self._reading: set[asyncio.Task[None]] = set()
        # what changed while readings were under way, which may have missed it
        self._changed: dict[asyncio.Task[None], set[UUID]] = {}
        # of what is read; what was asked in an earlier one is not kept
        self._era = 0
        self._away = False

    def find(self, key: Key) -> Entry | None:
        """Give what is known and young enough to be trusted; None to have it read (``want``)."""
        now = self._clock()
        entry = self._known.get(key)
        if entry is None:
            entry = self._unknown.get(key)
            if entry is not None and now - entry.fetched <= self._limits.unknown_age:
                return entry
            return None
        age = now - entry.fetched
        if age <= self._limits.max_age:
            self._known.move_to_end(key)
            return entry
        if self._away and age <= self._limits.max_age + self._limits.stale_grace:
            # nobody waits for a database that is away; it is asked all the same
            if key not in self._waiting:
                self._enqueue(key)
            count("radius_stale_answers")
            return entry
        return None

    def by_id(self, credential_id: UUID) -> Login | None:
        """Give a log-in that is in memory, however old: to whom it belongs does not change."""
        key = self._keys.get(credential_id)
        entry = None if key is None else self._known.get(key)
        return None if entry is None else entry.login

    def by_name(self, name: Name) -> Login | None:
        """Give a log-in that is in memory and young enough to be trusted."""
        entry = self._known.get((*name, "pppoe"))
        if entry is None or self._clock() - entry.fetched > self._limits.max_age:
            return None
        return entry.login

    def want(self, key: Key, waiter: Waiter) -> bool:
        """Have a log-in read, with others that are wanted now, and be called with it.

        Returns:
            False when too many wait already; the waiter is not called then.
        """
        if self._waiters >= self._limits.waiting:
            return False
        self._waiters += 1
        waiting = self._waiting.get(key)
        if waiting is not None:
            waiting.append(waiter)
            return True
        self._enqueue(key).append(waiter)
        return True

    def _enqueue(self, key: Key) -> list[Waiter]:
        waiters = self._waiting[key] = []
        # all that arrives in this turn of the loop is read together
        if len(self._waiting) == 1 and len(self._reading) < _READERS:
            asyncio.get_running_loop().call_soon(self._read_soon)
        return waiters

    def _read_soon(self) -> None:
        while self._waiting and len(self._reading) < _READERS:
            keys = list(self._waiting)[:_AT_ONCE]
            batch = {key: self._waiting.pop(key) for key in keys}
            task = asyncio.get_running_loop().create_task(self._read(batch))
            self._reading.add(task)
            self._changed[task] = set()
            task.add_done_callback(self._read_done)

    def _read_done(self, task: "asyncio.Task[None]") -> None:
        self._reading.discard(task)
        self._changed.pop(task, None)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("reading log-ins failed", exc_info=error)
        self._read_soon()

    async def _read(self, batch: dict[Key, list[Waiter]]) -> None:
        asked, era = self._clock(), self._era
        try:
            found = await within(self._limits.database_patience, self._fetch(list(batch)))
        except Exception as error:
            if not is_outage(error):
                self._tell(batch, {})
                raise
            if not self._away:
                _log.warning("log-ins cannot be read", reason=str(error) or type(error).__name__)
            self._away = True
            self._tell(batch, {key: self._stale(key) for key in batch})
            return
        if self._away:
            self._away = False
            _log.info("log-ins can be read again")
        task = asyncio.current_task()
        changed = self._changed.get(task, set()) if task is not None else set()
        entries: dict[Key, Entry | None] = {}
        for login in found:
            key = login.key
            # one that changed meanwhile is right for who asked before, but is not kept
            entries[key] = entry = Entry(login, asked)
            if login.id not in changed and era == self._era:
                self._keep(key, entry)
        for key in batch:
            if key not in entries:
                entries[key] = entry = Entry(None, asked)
                if not changed and era == self._era:
                    self._keep_unknown(key, entry)
        self._tell(batch, entries)

    async def _fetch(self, keys: list[Key]) -> list[Login]:
        async with self._db.system() as tx:
            return await logins.logins_by_name(tx, keys)

    def _stale(self, key: Key) -> Entry | None:
        entry = self._known.get(key)
        if entry is None:
            return None
        longest = self._limits.max_age + self._limits.stale_grace
        return entry if self._clock() - entry.fetched <= longest else None

    def _tell(self, batch: dict[Key, list[Waiter]], entries: dict[Key, Entry | None]) -> None:
        for key, waiters in batch.items():
            self._waiters -= len(waiters)
            entry = entries.get(key)
            for waiter in waiters:
                waiter(entry)

    def _keep(self, key: Key, entry: Entry) -> None:
        if entry.login is None:
            return
        self._unknown.pop(key, None)
        self._known[key] = entry
        self._known.move_to_end(key)
        self._keys[entry.login.id] = key
        while len(self._known) > self._limits.credentials:
            _, oldest = self._known.popitem(last=False)
            if oldest.login is not None:
                self._keys.pop(oldest.login.id, None)

    def _keep_unknown(self, key: Key, entry: Entry) -> None:
        old = self._known.pop(key, None)
        if old is not None and old.login is not None:
            self._keys.pop(old.login.id, None)
        self._unknown[key] = entry
        self._unknown.move_to_end(key)
        while len(self._unknown) > self._limits.unknown_size:
            self._unknown.popitem(last=False)

    def changed(self, credential_id: UUID) -> None:
        """Drop what is known of a credential that changed, or of one that is new."""
        for ids in self._changed.values():
            ids.add(credential_id)
        key = self._keys.pop(credential_id, None)
        if key is None:
            # a new one, or one by a new name: its name may be among those remembered as unknown
            self._unknown.clear()
        else:
            self._known.pop(key, None)

    def forget(self) -> None:
        """Drop all that is known: anything may have changed."""
        self._era += 1
        self._known.clear()
        self._unknown.clear()
        self._keys.clear()

    @property
    def away(self) -> bool:
        """Whether the database did not answer the last time."""
        return self._away

    def __len__(self) -> int:
        return len(self._known)

    async def settle(self) -> None:
        """Wait until nobody waits for a log-in any more."""
        while self._reading:
            await asyncio.wait(list(self._reading))

    async def close(self) -> None:
        """Stop reading."""
        for task in list(self._reading):
            task.cancel()
        await asyncio.gather(*self._reading, return_exceptions=True)


__all__ = ["Credentials", "Entry", "Key", "Name", "Waiter"]
