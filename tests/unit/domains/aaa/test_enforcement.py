"""Live sessions are kept to what their log-ins should have, in portions, whatever the time does."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from demarc.domains.aaa.enforcement import Enforcer
from demarc.domains.aaa.live import LiveSessions
from demarc.domains.aaa.policy_queries import StoredProfile
from demarc.domains.aaa.ports import NoAnswer
from demarc.domains.aaa.profiles import Settings
from demarc.domains.network import commands
from support.house import build
from support.live import Driver, begin, given

SILENCE = NoAnswer("no answer")


@pytest.fixture
async def house(db, tmp_path):
    return await build(db, tmp_path)


class Clock:
    """A clock that moves when it is told to, with what the database keeps of the time."""

    def __init__(self, house):
        self.house = house
        self.ahead = timedelta()

    def __call__(self):
        return datetime.now(UTC) + self.ahead

    def pass_(self, **time):
        self.ahead += timedelta(**time)


@pytest.fixture
def clock(house):
    return Clock(house)


@pytest.fixture
def enforcer(house, clock):
    return Enforcer(house.db, clock=clock, patience=0)


async def profile(house, *, is_default=True, **settings) -> StoredProfile:
    async with house.as_isp() as tx:
        return await house.aaa.put_profile(
            tx,
            tenant_id=house.isp.id,
            name="home",
            settings=Settings(**settings),
            is_default=is_default,
        )


async def asked(house):
    """The kinds of all commands, in the order they were given."""
    async with house.db.system() as tx:
        found = await tx.conn.execute("SELECT kind FROM command ORDER BY created_at, id")
        return [kind for (kind,) in await found.fetchall()]


async def carry_out(house, driver, clock=None):
    """Carry out what is queued, as workers do."""
    worker = LiveSessions(
        house.db, house.aaa, driver, **({} if clock is None else {"clock": clock})
    )
    tasks = {task.name: task.run for task in worker.tasks()}
    async with house.db.system() as tx:
        found = await tx.conn.execute("SELECT id, kind FROM command WHERE state = 'queued'")
        queued = await found.fetchall()
    for command_id, kind in queued:
        await tasks[kind](command_id=str(command_id))


async def left(house):
    async with house.db.system() as tx:
        found = await tx.conn.execute("SELECT count(*) FROM terms_due")
        return (await found.fetchone())[0]


async def put_product(house, speed):
    async with house.db.system() as tx:
        await house.catalog.put_product(
            tx,
            network=house.network,
            code="f50",
            name="Fibre 50",
            download_bps=speed,
            upload_bps=speed // 2,
            areas=[house.area.id],
        )
        found = await tx.conn.execute(
            "SELECT args -> 'body' FROM procrastinate_jobs"
            " WHERE args ->> 'name' = 'ProductOfferChanged' ORDER BY id DESC LIMIT 1"
        )
        (body,) = await found.fetchone()
    import msgspec

    from demarc.domains.catalog.model import ProductOfferChanged

    async with house.db.system() as tx:
        await house.services.product_changed(tx, msgspec.convert(body, ProductOfferChanged))


async def test_a_products_new_speed_reaches_all_its_live_sessions(house, enforcer):
    for number in range(3):
        service = await house.service(first_name=f"Nomsa{number}")
        await begin(house, service, session=f"s{number}", address=f"100.64.0.{number + 1}")
    await put_product(house, 80_000_000)
    await enforcer.enforce()
    assert await asked(house) == ["radius.change"] * 3
    driver = Driver()
    await carry_out(house, driver)
    assert {each["terms"].download_bps for each in driver.asked} == {80_000_000}
    assert await given(house) == ["80000000/40000000"] * 3


async def test_of_many_sessions_a_nas_is_asked_only_so_many_at_a_time(house, clock):
    enforcer = Enforcer(house.db, clock=clock, at_once=2, patience=0)
    for number in range(5):
        service = await house.service(first_name=f"Nomsa{number}")
        await begin(house, service, session=f"s{number}", address=f"100.64.0.{number + 1}")
    await put_product(house, 80_000_000)
    driver = Driver()
    seen = []
    for _ in range(3):
        await enforcer.enforce()
        async with house.db.system() as tx:
            seen.append((len(await asked(house)), await house.aaa.waiting(tx)))
        await carry_out(house, driver)
        clock.pass_(seconds=3)
    assert seen == [(2, 3), (4, 1), (5, 0)]
    # it goes on by itself, by one worker
    async with house.db.system() as tx:
        found = await tx.conn.execute(
            "SELECT count(*) FROM procrastinate_jobs"
            " WHERE task_name = 'aaa.enforce' AND status = 'todo'"
        )
        assert (await found.fetchone())[0] == 1


async def test_what_a_nas_did_not_do_is_asked_again_later_and_later(house, enforcer, clock):
    service = await house.service()
    await begin(house, service)
    async with house.as_isp() as tx:
        await house.services.suspend(tx, service.id, reason="unpaid")
    silent = Driver(ended=SILENCE)
    numbers = []
    for minutes in (0, 1, 1, 1, 2, 4, 5):
        clock.pass_(minutes=minutes, seconds=1)
        await enforcer.turn()
        numbers.append(len(await asked(house)))
        await carry_out(house, silent)
    # the suspension's own disconnect has its time first
    assert numbers == [1, 2, 3, 3, 4, 4, 5]
    assert set(await asked(house)) == {"radius.disconnect"}


async def test_a_session_told_of_late_of_a_suspended_service_is_ended(house, enforcer, clock):
    service = await house.service()
    async with house.as_isp() as tx:
        await house.services.suspend(tx, service.id, reason="unpaid")
    async with house.db.system() as tx:
        await tx.conn.execute("DELETE FROM terms_due")
    await begin(house, service)
    await enforcer.turn()
    await enforcer.enforce()
    assert await asked(house) == ["radius.disconnect"]


async def test_the_list_is_empty_in_the_end(house, enforcer, clock):
    service = await house.service()
    await begin(house, service)
    async with house.as_isp() as tx:
        await house.services.change_product(tx, service.id, house.fast_product.id)
    await carry_out(house, Driver())
    assert await left(house) == 1
    for minutes in (1, 10):
        clock.pass_(minutes=minutes, seconds=1)
        await enforcer.turn()
    assert await left(house) == 0
    assert await asked(house) == ["radius.change"]


async def test_a_session_let_in_on_old_terms_is_found(house, enforcer, clock):
    service = await house.service()
    async with house.as_isp() as tx:
        await house.services.change_product(tx, service.id, house.fast_product.id)
    # by a process that had not heard of it yet
    await begin(house, service)
    async with house.db.system() as tx:
        await tx.conn.execute("UPDATE session_terms SET terms = '50000000/25000000'")
    clock.pass_(minutes=1, seconds=1)
    await enforcer.turn()
    assert await asked(house) == ["radius.change"]


async def test_a_changed_profile_reaches_live_sessions(house, enforcer):
    one = await profile(house, session_timeout=86_400)
    service = await house.service()
    await begin(house, service)
    await profile(house, session_timeout=86_400, filter="gold")
    await enforcer.profile_changed(
        profile_id=str(one.id), tenant_id=str(one.tenant_id), is_default=True
    )
    driver = Driver()
    await carry_out(house, driver)
    (change,) = driver.asked
    assert change["terms"].extras.filter == "gold"


async def test_who_passes_its_time_goes_into_the_garden_or_out(house, enforcer, clock):
    await profile(house, expired="garden", garden_download=256_000)
    service = await house.service()
    await begin(house, service)
    async with house.as_isp() as tx:
        commands_made = await house.aaa.set_expiry(
            tx, service.id, datetime.now(UTC) + timedelta(minutes=30)
        )
    assert len(commands_made) == 1
    driver = Driver()
    await carry_out(house, driver, clock)
    await enforcer.turn()
    assert len(await asked(house)) == 1  # not yet
    clock.pass_(minutes=31)
    await enforcer.turn()
    await carry_out(house, driver, clock)
    assert [each["terms"].kind for each in driver.asked] == ["garden"]
    assert driver.asked[0]["terms"].why == "service expired"


async def test_hours_begin_and_end_for_sessions_that_live(house, enforcer, clock):
    # the house is in Johannesburg, two hours ahead all year
    there = datetime.now(UTC) + timedelta(hours=2)
    soon = there + timedelta(hours=1)
    soon = soon.replace(minute=0, second=0)
    day = soon.strftime("%a").lower()
    until = (soon.hour + 1) % 24 or 24
    await profile(
        house,
        hours=(f"{day} {soon.hour:02d}:00-{until:02d}:00",),
        outside="throttle",
        throttle_download=1_000_000,
    )
    service = await house.service()
    await begin(house, service)
    driver = Driver()
    for step in (timedelta(), soon - there, timedelta(minutes=59), timedelta(minutes=2)):
        clock.ahead += step + timedelta(seconds=1)
        await enforcer.turn()
        await carry_out(house, driver, clock)
    assert [each["terms"].kind for each in driver.asked] == ["full", "throttled"]


async def test_a_suspension_by_the_networks_owner_follows_the_isps_profile(house):
    await profile(house, suspended="garden")
    service = await house.service()
    await begin(house, service)
    async with house.as_fno() as tx:
        await house.services.suspend(tx, service.id, reason="unpaid")
        (command,) = await commands.of_service(tx, service.id)
    assert command.kind == "radius.change"


async def test_a_nas_that_takes_no_requests_is_sent_none(house, enforcer, clock):
    async with house.as_fno() as tx:
        await house.aaa.change_nas(tx, house.nas, coa="none")
    service = await house.service()
    await begin(house, service)
    await put_product(house, 80_000_000)
    for minutes in (0, 1, 10):
        clock.pass_(minutes=minutes, seconds=1)
        await enforcer.turn()
    assert await asked(house) == []
    assert await left(house) == 0


async def test_a_job_goes_on_by_itself_while_much_is_to_do(house):
    for number in range(3):
        service = await house.service(first_name=f"Nomsa{number}")
        await begin(house, service, session=f"s{number}", address=f"100.64.0.{number + 1}")
    await put_product(house, 80_000_000)
    enforcer = Enforcer(house.db, at_once=1)
    driver = Driver()

    async def work():
        while len(driver.asked) < 3:
            await carry_out(house, driver)

    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        group.create_task(enforcer.enforce())
        group.create_task(work())
    assert len(driver.asked) == 3
