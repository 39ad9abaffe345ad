"""Quotas: how much a service may use in a period, counted from its days of usage.

Nothing is counted a packet: usage is booked by local days as accounting comes, and a quota is
looked at again when it could be used up at the earliest, going by the service's speed.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from demarc.domains.aaa import policy_queries as queries
from demarc.domains.aaa.enforcement import again
from demarc.domains.aaa.policy_queries import Counted, QuotaOf, Sums
from demarc.domains.aaa.profiles import Settings, read_settings
from demarc.platform.clock import Clock, day_start, now
from demarc.platform.database import Database, Tx
from demarc.platform.jobs import Task

COUNT = "aaa.count_quotas"
COUNT_ONE = "aaa.count_quota"

FOREVER = datetime(9999, 12, 31, tzinfo=UTC)
"""Until when a prepaid quota that is used up stays so, unless more is bought."""

_NEVER = date(9999, 12, 31)
_AT_ONCE = 500
_SOONEST = timedelta(minutes=1)
_LATEST = timedelta(hours=6)
_DAY = timedelta(days=1)


def period(settings: Settings, today: date, since: date | None) -> tuple[date, date | None]:
    """Give the local days a quota counts now: the first, and the first that no longer counts.

    Args:
        settings: with a quota.
        today: local day.
        since: the first day of a prepaid quota; None where it begins today.
    """
    if settings.quota_period == "prepaid":
        return since or today, None
    if settings.quota_period == "day":
        return today, today + _DAY
    first = today.replace(day=settings.billing_day)
    if first > today:
        first = _month(first, -1)
    return first, _month(first, 1)


def _month(day: date, step: int) -> date:
    months = day.year * 12 + day.month - 1 + step
    return day.replace(year=months // 12, month=months % 12 + 1)


def used(settings: Settings, sums: Sums) -> int:
    """Give the octets that count."""
    if settings.quota_counts == "down":
        return sums.down
    return sums.up if settings.quota_counts == "up" else sums.down + sums.up


def next_count(settings: Settings, of: QuotaOf, left: int, moment: datetime) -> datetime:
    """Give when it is to be counted again: it cannot be used up before.

    Args:
        settings: with a quota.
        of: whose speed it is used with.
        left: octets.
        moment: now.
    """
    bps = {
        "down": of.download_bps,
        "up": of.upload_bps,
        "both": of.download_bps + of.upload_bps,
    }[settings.quota_counts]
    seconds = min(max(left, 0) * 8 / bps, _LATEST.total_seconds())
    return moment + max(timedelta(seconds=seconds), _SOONEST)


class QuotaCounter:
    """Counts quotas that could be used up, and marks the log-ins of those that are.

    Args:
        db: where they are.
        clock: the time.
    """

    def __init__(self, db: Database, *, clock: Clock = now) -> None:
        self._db = db
        self._clock = clock

    def tasks(self) -> list[Task]:
        """Give the tasks: every minute those that are due, and one at once."""
        return [
            Task(COUNT, self.count, attempts=1, cron="* * * * *"),
            Task(COUNT_ONE, self.count_one),
        ]

    async def count(self) -> None:
        """Count those that are due, in portions."""
        moment = self._clock()
        seen: set[UUID] = set()
        while True:
            async with self._db.system() as tx:
                due = await queries.QUOTAS_DUE.all(tx, now=moment, most=_AT_ONCE)
                # what is counted is due later; should it not be, it is not gone round in circles
                services = [each.value for each in due if each.value not in seen]
                if services:
                    await self._count(tx, services, moment)
            if not services:
                return
            seen.update(services)

    async def count_one(self, *, service_id: str) -> None:
        """Count a service's quota now: more was bought."""
        async with self._db.system() as tx:
            await self._count(tx, [UUID(service_id)], self._clock())

    async def _count(self, tx: Tx, services: Sequence[UUID], moment: datetime) -> None:
        found = await queries.QUOTAS_OF.all(tx, services=list(services))
        wanted: list[tuple[QuotaOf, Settings, date, date | None]] = []
        for each in found:
            settings = None if each.settings is None else read_settings(each.settings)
            if settings is not None and settings.quota is not None:
                today = moment.astimezone(ZoneInfo(each.timezone)).date()
                first, until = period(settings, today, each.period_from if each.prepaid else None)
                wanted.append((each, settings, first, until))
        sums = {
            each.service_id: each
            for each in await queries.SUMS.all(
                tx,
                services=[each.service_id for each, *_ in wanted],
                since=[first for *_, first, _ in wanted],
                until=[until or _NEVER for *_, until in wanted],
            )
        }
        rows = [
            _counted(each, settings, first, until, sums[each.service_id], moment)
            for each, settings, first, until in wanted
        ]
        changed = 0
        if rows:
            changed = await queries.PUT_COUNTED.run(tx, rows=msgspec.json.encode(rows).decode())
        rest = set(services) - {row.service_id for row in rows}
        if rest:
            changed += await queries.DROP_COUNTED.run(tx, services=list(rest))
        if changed:
            await queries.QUOTAS_CHANGED.run(tx, services=list(services))
            await again(tx)


def _counted(  # noqa: PLR0917 - what a count is made of
    of: QuotaOf,
    settings: Settings,
    first: date,
    until: date | None,
    sums: Sums,
    moment: datetime,
) -> Counted:
    allowance = (settings.quota or 0) + sums.bought
    spent = used(settings, sums)
    end = FOREVER if until is None else day_start(until, ZoneInfo(of.timezone))
    over = spent >= allowance
    due = next_count(settings, of, allowance - spent, moment)
    return Counted(
        service_id=of.service_id,
        tenant_id=of.tenant_id,
        owner_id=of.owner_id,
        period_from=first,
        period_until=until,
        used=spent,
        allowance=allowance,
        counted_at=moment,
        # nothing changes before its end where it is used up, unless more is bought
        count_at=min(end, moment + _LATEST) if over else min(end, due),
        until=end if over else None,
    )


__all__ = ["COUNT", "COUNT_ONE", "FOREVER", "QuotaCounter", "next_count", "period", "used"]
