"""Disconnect commands carried out, and upkeep."""

from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from demarc.domains.aaa.accounting import Kind, Record, Subscriber
from demarc.domains.aaa.jobs import Disconnector, Housekeeping
from demarc.domains.aaa.ledger import Entry, book
from demarc.domains.aaa.ports import DisconnectAnswer, NoAnswer
from demarc.domains.network import commands
from support.house import build


@pytest.fixture
async def house(db, tmp_path):
    return await build(db, tmp_path)


class Driver:
    """A NAS that answers as it is told, and remembers what it was asked."""

    def __init__(self, answer):
        self.answer, self.asked = answer, []

    async def disconnect(self, **asked):
        self.asked.append(asked)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


async def live_service(house, at=None):
    service = await house.service()
    async with house.as_isp() as tx:
        (credential,) = await house.aaa.credentials_of(tx, service.id)
    record = Record(
        kind=Kind.START,
        nas_id=house.nas.id,
        nas_address="127.0.0.1",
        acct_session_id="s1",
        username="u0001@acme",
        at=at or datetime.now(UTC),
        exact=True,
        framed_ipv4="100.64.0.1",
        station="AA-01",
    )
    subscriber = Subscriber(credential.id, house.isp.id, house.fno.id, service.id, "UTC")
    async with house.db.system() as tx:
        await book(tx, [Entry(subscriber, record)])
    return service


async def disconnect(house, driver):
    """Ask for it as an ISP does, carry it out as a worker does."""
    service = await live_service(house)
    async with house.as_isp() as tx:
        (command,) = await house.aaa.disconnect(tx, service.id, "suspended")
    assert (command.kind, command.state) == ("radius.disconnect", "queued")
    worker = Disconnector(house.db, house.aaa, driver)
    await worker.disconnect(command_id=str(command.id))
    async with house.as_isp() as tx:
        return await commands.find(tx, command.id)


ACK = DisconnectAnswer(True, None, None, 1, 3.0)


async def test_the_nass_own_answer_stands_on_the_command(house):
    driver = Driver(ACK)
    command = await disconnect(house, driver)
    assert command.state == "done"
    assert command.answer["code"] == "Disconnect-ACK"
    (asked,) = driver.asked
    assert (asked["address"], asked["port"]) == ("127.0.0.1", 3799)
    assert asked["secret"] == b"a-secret-of-tests"
    assert asked["keys"].acct_session_id == "s1"
    assert asked["keys"].framed_ipv4 == "100.64.0.1"


async def test_no_secret_is_in_the_command(house):
    command = await disconnect(house, Driver(ACK))
    assert "a-secret" not in str(command)


async def test_a_refusal_is_a_fault_as_the_nas_gave_it(house):
    refusal = DisconnectAnswer(False, 503, "Session-Context-Not-Found", 1, 2.0)
    command = await disconnect(house, Driver(refusal))
    assert command.state == "failed"
    assert command.fault == "Disconnect-NAK: Session-Context-Not-Found"
    assert command.answer["error_cause"] == 503


async def test_silence_is_a_fault(house):
    command = await disconnect(house, Driver(NoAnswer("no answer from 127.0.0.1:3799")))
    assert (command.state, command.fault) == ("failed", "no answer from 127.0.0.1:3799")


async def test_each_live_session_has_a_command_in_the_queue_of_its_reach(house):
    async with house.as_fno() as tx:
        await house.aaa.change_nas(tx, house.nas, reach="north")
    service = await live_service(house)
    async with house.as_isp() as tx:
        assert len(await house.aaa.disconnect(tx, service.id, "test")) == 1
    async with await psycopg.AsyncConnection.connect(house.db.conninfo) as conn:
        found = await conn.execute(
            "SELECT queue_name FROM procrastinate_jobs WHERE task_name = 'radius.disconnect'"
        )
        assert await found.fetchall() == [("reach-north",)]


async def test_a_service_without_session_needs_no_command(house):
    service = await house.service()
    async with house.as_isp() as tx:
        assert await house.aaa.disconnect(tx, service.id, "test") == []


async def test_a_final_command_is_not_carried_out_again(house):
    driver = Driver(ACK)
    command = await disconnect(house, driver)
    await Disconnector(house.db, house.aaa, driver).disconnect(command_id=str(command.id))
    assert len(driver.asked) == 1


async def test_a_session_of_a_suspended_service_is_asked_to_end_again_after_a_while(house):
    driver = Driver(NoAnswer("no answer"))
    worker = Disconnector(house.db, house.aaa, driver)
    service = await live_service(house)
    async with house.as_isp() as tx:
        await house.aaa.set_access(tx, service.id, "suspended")

    async def commands_after_a_look():
        await worker.end_unwanted()
        async with house.as_isp() as tx:
            return len(await commands.of_service(tx, service.id))

    async def later(minutes):
        async with house.db.system() as tx:
            await tx.conn.execute(
                "UPDATE credential SET updated_at = updated_at - make_interval(mins => %s)",
                [minutes],
            )
            await tx.conn.execute(
                "UPDATE command SET created_at = created_at - make_interval(mins => %s)",
                [minutes],
            )

    # the suspension's own disconnect has its time first
    assert await commands_after_a_look() == 0
    await later(2)
    assert await commands_after_a_look() == 1
    assert await commands_after_a_look() == 1
    await later(11)
    assert await commands_after_a_look() == 2


async def test_upkeep_closes_what_nobody_tells_of(house):
    service = await live_service(house, datetime.now(UTC) - timedelta(hours=2))
    for task in Housekeeping(house.db).tasks():
        assert task.cron is not None
        await task.run()
    async with house.as_isp() as tx:
        (session,) = (await house.aaa.radius_status(tx, service.id)).sessions
    assert session.terminate_cause == "Stale"
