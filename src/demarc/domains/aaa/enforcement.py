"""Live sessions kept to what their log-ins should have now, in portions.

Whatever changes what a log-in is given puts it on a list (``terms_due``), by a trigger. Here the
list is worked off: a session that was given something else gets a command. No NAS is asked more at
a time than it can answer, and one that did not answer is asked again later.
"""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from time import monotonic
from uuid import UUID

import msgspec

from demarc.domains.aaa import hours, logins, policy_queries, terms_queries
from demarc.domains.aaa.authorisation import Denied, Terms, terms_now
from demarc.domains.aaa.commanding import CHANGE, DISCONNECT, command
from demarc.domains.aaa.terms_queries import Due, Target
from demarc.platform.clock import Clock, now
from demarc.platform.database import Database, Tx
from demarc.platform.jobs import UPKEEP, Task, defer

ENFORCE = "aaa.enforce"
PROFILE_CHANGED = "aaa.profile_changed"

AT_ONCE = 64
"""Requests a NAS may have to answer at a time."""

_PORTION = 200
_AGAIN = timedelta(seconds=1)
# What is due so soon is waited for, what is due later is worked off by the next minute's turn. No
# job is put off: one that waits would keep another from coming at once.
_SOON = timedelta(seconds=5)
_PATIENCE = 50.0
# when a log-in whose sessions are right is looked at again: some may just have begun
_LOOKS = (timedelta(minutes=1), timedelta(minutes=10))
# until a session is asked again whose NAS did not do it
_PAUSES = tuple(timedelta(minutes=minutes) for minutes in (1, 2, 5, 10))
_LONGEST = timedelta(days=7)


class Enforcer:
    """Works the list off.

    Args:
        db: where it is.
        clock: the time.
        at_once: requests a NAS may have to answer at a time.
        patience: seconds a job may last before it leaves the rest to another one.
    """

    def __init__(
        self,
        db: Database,
        *,
        clock: Clock = now,
        at_once: int = AT_ONCE,
        patience: float = _PATIENCE,
    ) -> None:
        self._db = db
        self._clock = clock
        self._at_once = at_once
        self._patience = patience

    def tasks(self) -> list[Task]:
        """Give the tasks: the list every minute, and whenever somebody put much on it."""
        return [
            Task("aaa.turn", self.turn, attempts=1, cron="* * * * *"),
            Task(ENFORCE, self.enforce, attempts=1),
            Task(PROFILE_CHANGED, self.profile_changed),
        ]

    async def turn(self) -> None:
        """Put on the list what the time has changed, and who should not be logged in; work it."""
        moment = self._clock()
        async with self._db.system() as tx:
            await terms_queries.DUE_UNWANTED.run(tx)
            # another worker may be at it
            since = await terms_queries.CLOCK.one(tx)
            if since is not None and since.value < moment:
                await self._turn(tx, since.value, moment)
                await terms_queries.SET_CLOCK.run(tx, now=moment)
        await self.enforce()

    async def _turn(self, tx: Tx, since: datetime, until: datetime) -> None:
        for profile in await terms_queries.TIMED_PROFILES.all(tx):
            _, border = hours.at(tuple(profile.hours), profile.timezone, since)
            if border is not None and border <= until:
                await terms_queries.DUE_OF_ZONE.run(
                    tx, profile_id=profile.id, timezone=profile.timezone
                )
        await terms_queries.DUE_EXPIRED.run(tx, since=since, until=until)
        await terms_queries.RENEW_QUOTAS.run(tx, now=until)

    async def profile_changed(self, *, profile_id: str, tenant_id: str, is_default: bool) -> None:
        """Put on the list the log-ins a changed profile holds for, and work it off."""
        async with self._db.system() as tx:
            await terms_queries.DUE_OF_PROFILE.run(
                tx,
                profile_id=UUID(profile_id),
                tenant_id=UUID(tenant_id),
                is_default=is_default,
                reason="profile changed",
            )
            await policy_queries.COUNT_PROFILE_NOW.run(tx, profile_id=UUID(profile_id))
        await self.enforce()

    async def enforce(self) -> None:
        """Work off what is due, and what is due in a moment; leave the rest to another job."""
        until = monotonic() + self._patience
        while True:
            await self._work_off()
            async with self._db.system() as tx:
                found = await terms_queries.NEXT_DUE.one(tx)
                if found is None or found.value is None:
                    return
                left = max(found.value - self._clock(), _AGAIN)
                if left > _SOON:
                    return
                if monotonic() + left.total_seconds() > until:
                    await again(tx)
                    return
            await asyncio.sleep(left.total_seconds())

    async def _work_off(self) -> None:
        queue: Counter[str] = Counter()
        while True:
            async with self._db.system() as tx:
                due = await terms_queries.TAKE_DUE.all(tx, now=self._clock(), most=_PORTION)
                if due:
                    await self._work(tx, due, queue)
            if len(due) < _PORTION:
                return

    async def _work(self, tx: Tx, due: list[Due], queue: Counter[str]) -> None:
        """Command what differs, put the rest off or let go of it."""
        ids = [each.credential_id for each in due]
        sessions: dict[UUID, list[Target]] = {}
        for target in await terms_queries.TARGETS_OF_CREDENTIALS.all(tx, credentials=ids):
            sessions.setdefault(target.credential_id, []).append(target)
        known = await logins.logins_by_id(tx, list(sessions))
        deaf = {each.value for each in await terms_queries.DEAF_NASES.all(tx)}
        counted = await terms_queries.OPEN_COMMANDS.one(tx)
        asked = {} if counted is None else counted.value
        portion = _Portion(self._clock(), asked, self._at_once, queue)
        for each in due:
            login = known.get(each.credential_id)
            wanted = None if login is None else terms_now(login, portion.moment)
            targets = [t for t in sessions.get(each.credential_id, ()) if t.nas_id not in deaf]
            wrong = [] if wanted is None else _wrong(targets, each, wanted)
            if portion.take(each, wrong):
                kind = DISCONNECT if isinstance(wanted, Denied) else CHANGE
                await command(tx, kind, wrong, each.reason)
        if portion.settled:
            await terms_queries.SETTLED.run(tx, credentials=portion.settled)
        if portion.later:
            await terms_queries.PUT_OFF.run(
                tx,
                credentials=[each.credential_id for each in portion.later],
                times=[each.at for each in portion.later],
                tries=[each.tries for each in portion.later],
                held=[each.held for each in portion.later],
            )


class _Later(msgspec.Struct, frozen=True):
    """When a log-in is next looked at, how often it was tried, whether it waits for its NAS."""

    credential_id: UUID
    at: datetime
    tries: int
    held: bool = False


class _Portion:
    """Decides of log-ins on the list, one after the other.

    Args:
        moment: now.
        asked: requests that NASes have to answer, by their ids as text.
        at_once: how many they may.
        queue: sessions that wait for their NAS's turn, by its id as text.

    Attributes:
        settled: log-ins that need not be on the list any more.
        later: the others.
    """

    def __init__(
        self, moment: datetime, asked: Mapping[str, int], at_once: int, queue: Counter[str]
    ) -> None:
        self.moment = moment
        self.settled: list[UUID] = []
        self.later: list[_Later] = []
        self._asked = Counter(asked)
        self._at_once = at_once
        self._queue = queue

    def take(self, due: Due, wrong: Sequence[Target]) -> bool:
        """Decide of one, and tell whether its sessions are to be commanded now."""
        if not wrong:
            look = next((at for at in _LOOKS if due.since + at > self.moment), None)
            if look is None:
                self.settled.append(due.credential_id)
            else:
                self.later.append(_Later(due.credential_id, due.since + look, due.tries))
            return False
        if self.moment - due.since > _LONGEST:
            self.settled.append(due.credential_id)
            return False
        full = [
            str(each.nas_id) for each in wrong if self._asked[str(each.nas_id)] >= self._at_once
        ]
        if full:
            # each when its turn comes: the whole queue is not gone through every time
            self._queue.update(full)
            turns = 1 + max(self._queue[nas] for nas in full) // self._at_once
            at = self.moment + turns * _AGAIN
            self.later.append(_Later(due.credential_id, at, due.tries, held=True))
            return False
        self._asked.update(str(each.nas_id) for each in wrong)
        pause = _PAUSES[min(due.tries, len(_PAUSES) - 1)]
        self.later.append(_Later(due.credential_id, self.moment + pause, due.tries + 1))
        return True


async def again(tx: Tx) -> None:
    """Have the list worked off, by one worker.

    Args:
        tx: it is, if this commits.
    """
    await defer(tx, task=ENFORCE, queue=UPKEEP, args={}, waiting_lock=ENFORCE)


def _wrong(targets: Sequence[Target], due: Due, wanted: Terms | Denied) -> list[Target]:
    """Give the sessions that were given something else than they should have now.

    Of one that began after the change, and whose Accept is not noted, the best is hoped.
    """
    if isinstance(wanted, Denied):
        return list(targets)
    return [
        each
        for each in targets
        if each.terms != wanted.label and (each.terms is not None or each.started_at < due.since)
    ]


__all__ = ["AT_ONCE", "ENFORCE", "PROFILE_CHANGED", "Enforcer", "again"]
