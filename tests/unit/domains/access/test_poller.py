"""Polls and live readings on a real database, with drivers that do what a test wants."""

import asyncio
import gc
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from demarc.domains.access.jobs import READ_ONU, Poller
from demarc.domains.access.ports import OltUnreachable, OltUnusable, OnuNotFound
from demarc.domains.network import commands
from demarc.platform.secrets import KeyRing
from support.eventually import eventually
from support.fibre import PON_0, reading

ONE, TWO, THREE = "HWTC00000001", "HWTC00000002", "HWTC00000003"


class Driver:
    """Gives what it was told to, batch by batch; an exception is raised in its turn."""

    def __init__(self, *script):
        self.script = script
        self.polls = 0

    async def read_all(self, target):
        assert target.community == "a-community-of-tests"
        self.polls += 1
        for step in self.script:
            if isinstance(step, Exception):
                raise step
            if isinstance(step, asyncio.Event):
                await step.wait()
            else:
                yield step

    async def read_onu(self, target, if_index, onu_index):
        assert (if_index, onu_index) == (PON_0, 0)
        [step] = self.script
        if isinstance(step, Exception):
            raise step
        return step


def poller(fibre, driver, **more):
    access = more.get("access", fibre.house.access)
    drivers = {"huawei": driver} if driver else {}
    return Poller(fibre.house.db, access, drivers, 60)


async def poll(fibre, driver, **more):
    await poller(fibre, driver, **more).poll(olt_id=str(fibre.olt_id))
    olt = await fibre.olt()
    return olt.last_fault, olt.last_polled_at is not None


async def test_a_poll_that_goes_well_has_no_fault(fibre):
    assert await poll(fibre, Driver([reading(ONE)], [reading(TWO, port=1)])) == (None, True)
    assert len(await fibre.onus()) == 2


async def test_an_olt_without_onus_has_been_polled(fibre):
    assert await poll(fibre, Driver()) == (None, True)


async def test_silence_in_the_middle_keeps_what_came_before(fibre):
    driver = Driver([reading(ONE)], OltUnreachable("olt did not answer within 4 s"))
    assert await poll(fibre, driver) == ("olt did not answer within 4 s", True)
    assert len(await fibre.onus()) == 1
    # what was wrong once is gone with the next poll that goes well
    assert await poll(fibre, Driver([reading(ONE)])) == (None, True)


async def test_an_olt_that_was_never_heard_was_never_polled(fibre):
    assert await poll(fibre, Driver(OltUnreachable("silent"))) == ("silent", False)


@pytest.mark.parametrize(
    "odd",
    [
        {"distance_m": 2**40},  # more than the column holds
        {"serial": "hwtc00000002"},
        {"state": "dozing"},
        {"last_down_cause": "nul \0"},
    ],
)
async def test_a_pon_that_cannot_be_kept_does_not_stop_those_after_it(fibre, odd):
    wrong = reading(**{"serial": TWO, "port": 1, **odd})
    driver = Driver([reading(ONE)], [wrong], [reading(THREE, port=2)])
    fault, polled = await poll(fibre, driver)
    assert fault.startswith("PON 0/1/1 could not be kept: ")
    assert polled
    assert [serial for serial, *_ in await fibre.onus()] == [ONE, THREE]


async def test_a_serial_number_heard_twice_is_told_of(fibre):
    fault, _ = await poll(fibre, Driver([reading(ONE)], [reading(ONE, port=2)]))
    assert fault == f"PON 0/1/2: ONU {ONE} is online twice"


async def test_a_driver_that_breaks_is_a_fault_of_this_olt(fibre):
    assert await poll(fibre, Driver([reading(ONE)], IndexError("boom"))) == (
        "the driver failed: IndexError",
        True,
    )


async def test_many_faults_are_cut_short(fibre):
    batches = [[reading(f"HWTC0000000{port}", port=port, state="dozing")] for port in range(9)]
    fault, _ = await poll(fibre, Driver(*batches, OltUnusable("odd")))
    assert fault.count("could not be kept") == 5


async def test_an_olt_of_an_unknown_vendor_has_a_fault(fibre):
    assert await poll(fibre, None) == ("there is no driver for huawei OLTs", False)


async def test_a_community_of_another_key_is_a_fault(fibre, tmp_path):
    elsewhere = type(fibre.house.access)(KeyRing.open(tmp_path / "other.toml"))
    driver = Driver([reading(ONE)])
    fault, polled = await poll(fibre, driver, access=elsewhere)
    assert fault.startswith("the OLT's community cannot be read: ")
    assert (polled, driver.polls) == (False, 0)


async def test_an_olt_deleted_since_the_poll_was_queued_is_no_error(fibre):
    driver = Driver([reading(ONE)])
    await poller(fibre, driver).poll(olt_id=str(uuid4()))
    assert driver.polls == 0


async def test_an_olt_deleted_during_its_poll_is_no_error(fibre):
    gate = asyncio.Event()
    driver = Driver([reading(ONE)], gate, [reading(TWO, port=1)])
    polling = asyncio.create_task(poller(fibre, driver).poll(olt_id=str(fibre.olt_id)))
    await eventually(fibre.onus)
    async with fibre.house.db.system() as tx:
        await tx.conn.execute("DELETE FROM olt")
    gate.set()
    await polling
    assert await fibre.rows("SELECT serial FROM onu") == [(ONE,)]


async def test_a_poll_asked_for_while_one_goes_on_comes_after_it(fibre):
    gate = asyncio.Event()
    driver = Driver([reading(ONE)], gate)
    one = poller(fibre, driver)
    first = asyncio.create_task(one.poll(olt_id=str(fibre.olt_id)))
    await eventually(lambda: driver.polls)
    async with fibre.house.db.system() as tx:
        await tx.conn.execute("UPDATE olt SET next_poll_at = now() + interval '1 day'")
    await one.poll(olt_id=str(fibre.olt_id))
    assert driver.polls == 1
    gate.set()
    await first
    assert (await fibre.olt()).next_poll_at <= datetime.now(UTC)
    await one.poll(olt_id=str(fibre.olt_id))
    assert driver.polls == 2


async def test_a_poll_that_is_cancelled_closes_its_driver_and_may_begin_again(fibre):
    closed = []

    class Endless(Driver):
        async def read_all(self, target):
            try:
                yield [reading(ONE)]
                self.polls += 1
                await asyncio.Event().wait()
            finally:
                closed.append(target.port)

    driver = Endless()
    one = poller(fibre, driver)
    for times in (1, 2):
        polling = asyncio.create_task(one.poll(olt_id=str(fibre.olt_id)))
        await eventually(lambda: driver.polls, lambda polls, wanted=times: polls == wanted)
        polling.cancel()
        with pytest.raises(asyncio.CancelledError):
            await polling
        assert len(closed) == times
    gc.collect()


async def read_onu(fibre, driver, **more):
    """Carry out a command to read the ONU at 0/1/0, number 0; give how it ended."""
    service = await fibre.house.service()
    async with fibre.house.db.system() as tx:
        command = await commands.create(
            tx,
            tenant_id=service.tenant_id,
            owner_id=fibre.house.fno.id,
            kind=READ_ONU,
            target_kind="olt",
            target_id=more.get("olt_id", fibre.olt_id),
            request={"serial": ONE, "if_index": PON_0, "onu_index": 0},
            within=timedelta(seconds=30),
        )
    await poller(fibre, driver, **more).read_onu(command_id=str(command.id))
    async with fibre.house.db.system() as tx:
        return await commands.find(tx, command.id)


async def test_a_reading_is_the_commands_answer(fibre):
    ended = await read_onu(fibre, Driver(reading(ONE)))
    assert (ended.state, ended.fault) == ("done", None)
    assert ended.answer["reading"]["rx_dbm"] == -18.5


async def test_the_light_of_another_onu_is_never_the_answer(fibre):
    ended = await read_onu(fibre, Driver(reading(TWO)))
    assert (ended.state, ended.fault) == ("failed", f"ONU {ONE} is no longer where it was")
    assert TWO not in repr(ended)


@pytest.mark.parametrize(
    ("step", "fault", "unreachable"),
    [
        (OltUnreachable("silent"), "silent", True),
        (OltUnusable("gen_err"), "gen_err", True),
        (OnuNotFound("not there"), "not there", False),
        (IndexError("boom"), "the driver failed: IndexError", False),
    ],
)
async def test_why_there_is_no_reading_is_the_commands_fault(fibre, step, fault, unreachable):
    ended = await read_onu(fibre, Driver(step))
    assert (ended.state, ended.fault) == ("failed", fault)
    assert ended.answer == {"unreachable": unreachable}


async def test_a_command_that_nobody_can_carry_out_fails_at_once(fibre, tmp_path):
    assert (await read_onu(fibre, None)).fault == "there is no driver for huawei OLTs"
    gone = UUID(int=0)
    ended = await read_onu(fibre, Driver(reading(ONE)), olt_id=gone)
    assert (ended.state, ended.fault) == ("failed", f"there is no olt {gone}")
    elsewhere = type(fibre.house.access)(KeyRing.open(tmp_path / "other.toml"))
    ended = await read_onu(fibre, Driver(reading(ONE)), access=elsewhere)
    assert ended.fault.startswith("the OLT's community cannot be read: ")


async def test_a_command_that_is_final_is_not_carried_out_again(fibre):
    ended = await read_onu(fibre, Driver(reading(ONE)))
    await poller(fibre, Driver(OltUnreachable("late"))).read_onu(command_id=str(ended.id))
    async with fibre.house.db.system() as tx:
        assert await commands.find(tx, ended.id) == ended
