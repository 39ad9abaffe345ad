"""Quotas: counted from days of usage, by local days, months and what was bought."""

from datetime import UTC, date, datetime, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given as drawn
from hypothesis import strategies as st

from demarc.domains.aaa.enforcement import Enforcer
from demarc.domains.aaa.live import LiveSessions
from demarc.domains.aaa.policy_queries import QuotaOf
from demarc.domains.aaa.profiles import Settings
from demarc.domains.aaa.quotas import QuotaCounter, next_count, period
from demarc.domains.errors import Invalid
from demarc.platform.clock import day_start
from support.house import build
from support.live import Driver, begin, given

GB = 10**9
THERE = ZoneInfo("Africa/Johannesburg")
days = st.dates(date(2023, 1, 1), date(2028, 12, 31))


@drawn(days, st.integers(1, 28))
def test_a_month_of_a_quota_has_each_day_once(today, billing_day):
    settings = Settings(quota=GB, billing_day=billing_day)
    first, until = period(settings, today, None)
    assert first <= today < until
    assert first.day == until.day == billing_day
    assert 28 <= (until - first).days <= 31
    assert period(settings, first, None) == period(settings, until - timedelta(days=1), None)
    assert period(settings, until, None)[0] == until


@drawn(days)
def test_a_day_is_a_day_and_what_is_prepaid_has_no_end(today):
    assert period(Settings(quota=GB, quota_period="day"), today, None) == (
        today,
        today + timedelta(days=1),
    )
    prepaid = Settings(quota=GB, quota_period="prepaid")
    assert period(prepaid, today, None) == (today, None)
    assert period(prepaid, today, date(2022, 5, 1)) == (date(2022, 5, 1), None)


@drawn(st.integers(0, 10**13), st.integers(10**3, 10**10), st.sampled_from(["down", "up", "both"]))
def test_it_cannot_be_used_up_before_it_is_counted_again(left, bps, counts):
    of = QuotaOf(uuid4(), uuid4(), uuid4(), "UTC", bps, bps // 2 or 1, None, None, False)
    moment = datetime(2024, 5, 1, tzinfo=UTC)
    settings = Settings(quota=GB, quota_counts=counts)
    wait = (next_count(settings, of, left, moment) - moment).total_seconds()
    assert 60 <= wait <= 6 * 3600
    fastest = {"down": bps, "up": bps // 2 or 1, "both": bps + (bps // 2 or 1)}[counts]
    if wait > 60:
        # times are whole microseconds
        assert (wait - 0.000_001) * fastest / 8 <= left + 1


@pytest.fixture
async def house(db, tmp_path):
    return await build(db, tmp_path)


class Clock:
    """A clock that goes, and is put forward when it is told to."""

    def __init__(self):
        self.ahead = timedelta()

    def __call__(self):
        return datetime.now(UTC) + self.ahead

    def put(self, moment):
        self.ahead = moment - datetime.now(UTC)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def counter(house, clock):
    return QuotaCounter(house.db, clock=clock)


async def with_quota(house, **settings):
    async with house.as_isp() as tx:
        await house.aaa.put_profile(
            tx,
            tenant_id=house.isp.id,
            name="home",
            settings=Settings(**{"quota": 10 * GB, "throttle_download": 1_000_000, **settings}),
            is_default=True,
        )
    service = await house.service()
    await begin(house, service)
    return service


async def use(house, service, octets, day, *, up=0):
    async with house.db.system() as tx:
        await tx.conn.execute(
            """
            INSERT INTO usage_daily AS u (service_id, day, tenant_id, owner_id, down_octets,
                                          up_octets)
            VALUES (%s, %s, %s, %s, %s, %s)
            ON CONFLICT (service_id, day) DO UPDATE
                SET down_octets = u.down_octets + excluded.down_octets
            """,
            [service.id, day, house.isp.id, house.fno.id, octets, up],
        )


def local(clock):
    """The day it is at the premise."""
    return clock().astimezone(THERE).date()


async def at_work(house, counter, clock, driver):
    """What the workers do in a minute."""
    await counter.count()
    enforcer = Enforcer(house.db, clock=clock, patience=0)
    await enforcer.turn()
    worker = LiveSessions(house.db, house.aaa, driver, clock=clock)
    async with house.db.system() as tx:
        found = await tx.conn.execute("SELECT id FROM command WHERE state = 'queued'")
        queued = await found.fetchall()
    for (command_id,) in queued:
        await worker.change(command_id=str(command_id))


async def due_now(house):
    async with house.db.system() as tx:
        await tx.conn.execute("UPDATE quota_use SET count_at = now()")


async def test_a_quota_used_up_throttles_and_a_new_day_frees(house, counter, clock):
    service = await with_quota(house, quota_period="day")
    driver = Driver()
    await at_work(house, counter, clock, driver)
    assert driver.asked == []
    await use(house, service, 11 * GB, local(clock))
    await due_now(house)
    await at_work(house, counter, clock, driver)
    assert [each["terms"].kind for each in driver.asked] == ["throttled"]
    assert await given(house) == ["1000000/25000000 throttled"]
    # the next day begins at the premise's midnight
    clock.put(day_start(local(clock) + timedelta(days=1), THERE) + timedelta(seconds=1))
    await at_work(house, counter, clock, driver)
    assert [each["terms"].kind for each in driver.asked] == ["throttled", "full"]
    assert await given(house) == ["50000000/25000000"]


async def test_what_is_bought_beside_frees_at_once(house, counter, clock):
    service = await with_quota(house, quota_period="prepaid")
    await counter.count()
    await use(house, service, 10 * GB, local(clock))
    driver = Driver()
    await counter.count_one(service_id=str(service.id))
    await at_work(house, counter, clock, driver)
    assert [each["terms"].kind for each in driver.asked] == ["throttled"]
    async with house.as_isp() as tx:
        await house.aaa.top_up(tx, service.id, 5 * GB, note="card 1")
    await counter.count_one(service_id=str(service.id))
    await at_work(house, counter, clock, driver)
    assert [each["terms"].kind for each in driver.asked] == ["throttled", "full"]
    async with house.as_isp() as tx:
        quota = await house.aaa.quota(tx, service.id)
    assert (quota.used, quota.allowance, quota.period_until) == (10 * GB, 15 * GB, None)


@pytest.mark.parametrize(("counts", "used"), [("both", 5 * GB), ("down", 3 * GB), ("up", 2 * GB)])
async def test_only_what_counts_is_counted(house, counter, clock, counts, used):
    service = await with_quota(house, quota_counts=counts)
    await use(house, service, 3 * GB, local(clock), up=2 * GB)
    await use(house, service, 7 * GB, local(clock) - timedelta(days=40))
    await counter.count()
    async with house.as_isp() as tx:
        assert (await house.aaa.quota(tx, service.id)).used == used


async def test_a_quota_taken_back_holds_nobody(house, counter, clock):
    service = await with_quota(house)
    await use(house, service, 10 * GB, local(clock))
    driver = Driver()
    await at_work(house, counter, clock, driver)
    async with house.as_isp() as tx:
        one = await house.aaa.put_profile(
            tx, tenant_id=house.isp.id, name="home", settings=Settings(), is_default=True
        )
    await Enforcer(house.db, clock=clock, patience=0).profile_changed(
        profile_id=str(one.id), tenant_id=str(one.tenant_id), is_default=True
    )
    await counter.count()
    async with house.as_isp() as tx:
        assert await house.aaa.quota(tx, service.id) is None
        assert (await house.aaa.standing(tx, service.id)).terms == "50000000/25000000"


async def test_another_profile_has_its_quota_counted_at_once(house, counter, clock):
    service = await with_quota(house)
    await use(house, service, 10 * GB, local(clock))
    driver = Driver()
    await at_work(house, counter, clock, driver)
    async with house.as_isp() as tx:
        more = await house.aaa.put_profile(
            tx,
            tenant_id=house.isp.id,
            name="more",
            settings=Settings(quota=100 * GB, throttle_download=1_000_000),
        )
        await house.aaa.set_profile(tx, service.id, more)
    await at_work(house, counter, clock, driver)
    assert await given(house) == ["50000000/25000000"]
    async with house.as_isp() as tx:
        assert (await house.aaa.quota(tx, service.id)).allowance == 100 * GB


async def test_nothing_is_bought_beside_for_nothing(house):
    service = await with_quota(house)
    async with house.as_isp() as tx:
        with pytest.raises(Invalid):
            await house.aaa.top_up(tx, service.id, 0)
