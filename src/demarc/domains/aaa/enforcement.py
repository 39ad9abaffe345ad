"""Live sessions kept to what their log-ins should have now, in portions.

Whatever changes what a log-in is given puts it on a list (``terms_due``), by a trigger. Here the
list is worked off: a session that was given something else gets a command. No NAS is asked more at
a time than it can answer, and one that did not answer is asked again later.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from demarc.domains.aaa import hours, logins, terms_queries
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
_AGAIN = timedelta(seconds=2)
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
    """

    def __init__(self, db: Database, *, clock: Clock = now, at_once: int = AT_ONCE) -> None:
        self._db = db
        self._clock = clock
        self._at_once = at_once

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
        await self.enforce()

    async def enforce(self) -> None:
        """Work off what is due; where NASes have enough to do for now, go on in a moment."""
        held = False
        while True:
            async with self._db.system() as tx:
                due = await terms_queries.TAKE_DUE.all(tx, now=self._clock(), most=_PORTION)
                if due:
                    held = await self._work(tx, due) or held
                if held and len(due) < _PORTION:
                    await again(tx, at=self._clock() + _AGAIN)
            if len(due) < _PORTION:
                return

    async def waiting(self) -> int:
        """Give how many log-ins with live sessions wait for their turn now."""
        async with self._db.system() as tx:
            found = await terms_queries.WAITING.one(tx)
        return 0 if found is None else int(found.value)

    async def _work(self, tx: Tx, due: list[Due]) -> bool:
        """Command what differs, put the rest off or let go of it; tell whether NASes are full."""
        ids = [each.credential_id for each in due]
        sessions: dict[UUID, list[Target]] = {}
        for target in await terms_queries.TARGETS_OF_CREDENTIALS.all(tx, credentials=ids):
            sessions.setdefault(target.credential_id, []).append(target)
        known = await logins.logins_by_id(tx, list(sessions))
        counted = await terms_queries.OPEN_COMMANDS.one(tx)
        portion = _Portion(self._clock(), {} if counted is None else counted.value, self._at_once)
        for each in due:
            login = known.get(each.credential_id)
            wanted = None if login is None else terms_now(login, portion.moment)
            targets = sessions.get(each.credential_id, [])
            wrong = [] if wanted is None else _wrong(targets, each, wanted)
            if portion.take(each, wrong):
                kind = DISCONNECT if isinstance(wanted, Denied) else CHANGE
                await command(tx, kind, wrong, each.reason)
        if portion.settled:
            await terms_queries.SETTLED.run(tx, credentials=portion.settled)
        if portion.later:
            await terms_queries.PUT_OFF.run(
                tx,
                credentials=[place for place, _, _ in portion.later],
                times=[at for _, at, _ in portion.later],
                tries=[tries for _, _, tries in portion.later],
            )
        return portion.held


class _Portion:
    """Decides of log-ins on the list, one after the other.

    Args:
        moment: now.
        asked: requests that NASes have to answer, by their ids as text.
        at_once: how many they may.

    Attributes:
        settled: log-ins that need not be on the list any more.
        later: the others, when they are next looked at, and how often they were tried.
        held: whether some NAS had enough to do.
    """

    def __init__(self, moment: datetime, asked: Mapping[str, int], at_once: int) -> None:
        self.moment = moment
        self.settled: list[UUID] = []
        self.later: list[tuple[UUID, datetime, int]] = []
        self.held = False
        self._asked = Counter(asked)
        self._at_once = at_once

    def take(self, due: Due, wrong: Sequence[Target]) -> bool:
        """Decide of one, and tell whether its sessions are to be commanded now."""
        if not wrong:
            look = next((at for at in _LOOKS if due.since + at > self.moment), None)
            if look is None:
                self.settled.append(due.credential_id)
            else:
                self.later.append((due.credential_id, due.since + look, due.tries))
            return False
        if self.moment - due.since > _LONGEST:
            self.settled.append(due.credential_id)
            return False
        if any(self._asked[str(each.nas_id)] >= self._at_once for each in wrong):
            self.held = True
            self.later.append((due.credential_id, self.moment + _AGAIN, due.tries))
            return False
        self._asked.update(str(each.nas_id) for each in wrong)
        pause = _PAUSES[min(due.tries, len(_PAUSES) - 1)]
        self.later.append((due.credential_id, self.moment + pause, due.tries + 1))
        return True


async def again(tx: Tx, at: datetime | None = None) -> None:
    """Have the list worked off, by one worker.

    Args:
        tx: it is, if this commits.
        at: not before.
    """
    await defer(tx, task=ENFORCE, queue=UPKEEP, args={}, run_at=at, waiting_lock=ENFORCE)


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
