"""Commands for live sessions carried out, against a NAS that answers as it is told."""

import psycopg
import pytest

from demarc.domains.aaa.live import LiveSessions
from demarc.domains.aaa.ports import NoAnswer, Untellable
from demarc.domains.aaa.profiles import Settings
from demarc.domains.network import commands
from support.house import build
from support.live import Driver, begin, given, nak

SILENCE = NoAnswer("no answer from 127.0.0.1:3799")
NO_SESSION = (503, "Session-Context-Not-Found")
UNSUPPORTED = (401, "Unsupported-Attribute")


@pytest.fixture
async def house(db, tmp_path):
    return await build(db, tmp_path)


async def online(house, **more):
    service = await house.service()
    await begin(house, service, **more)
    return service


async def carry_out(house, command, driver):
    worker = LiveSessions(house.db, house.aaa, driver)
    tasks = {task.name: task.run for task in worker.tasks()}
    await tasks[command.kind](command_id=str(command.id))
    async with house.as_isp() as tx:
        return await commands.find(tx, command.id)


async def disconnect(house, driver):
    """Ask for it as an ISP does, carry it out as a worker does."""
    service = await online(house)
    async with house.as_isp() as tx:
        (command,) = await house.aaa.disconnect(tx, service.id, "suspended")
    assert (command.kind, command.state) == ("radius.disconnect", "queued")
    return await carry_out(house, command, driver)


async def change_product(house, driver, service=None):
    """Sell it another speed, and carry the command out."""
    service = service or await online(house)
    async with house.as_isp() as tx:
        await house.services.change_product(tx, service.id, house.fast_product.id)
        (command,) = await commands.of_service(tx, service.id)
    assert (command.kind, command.state) == ("radius.change", "queued")
    return await carry_out(house, command, driver)


async def test_the_nass_own_answer_stands_on_the_command(house):
    driver = Driver()
    command = await disconnect(house, driver)
    assert command.state == "done"
    assert command.answer["code"] == "Disconnect-ACK"
    (asked,) = driver.asked
    assert asked["nas"].coa_port == 3799
    assert asked["secret"] == b"a-secret-of-tests"
    assert asked["keys"].nas_address == "127.0.0.1"
    assert asked["keys"].acct_session_id == "s1"
    assert asked["keys"].framed_ipv4 == "100.64.0.1"


async def test_no_secret_is_in_the_command(house):
    command = await disconnect(house, Driver())
    assert "a-secret" not in str(command)


async def test_a_refusal_is_a_fault_as_the_nas_gave_it(house):
    command = await disconnect(house, Driver(ended=nak("Disconnect-NAK", *NO_SESSION)))
    assert command.state == "failed"
    assert command.fault == "Disconnect-NAK: Session-Context-Not-Found"
    assert command.answer["error_cause"] == 503


async def test_silence_is_a_fault(house):
    command = await disconnect(house, Driver(ended=SILENCE))
    assert (command.state, command.fault) == ("failed", "no answer from 127.0.0.1:3799")


async def test_each_live_session_has_a_command_in_the_queue_of_its_reach(house):
    async with house.as_fno() as tx:
        await house.aaa.change_nas(tx, house.nas, reach="north")
    service = await online(house)
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
    driver = Driver()
    command = await disconnect(house, driver)
    await carry_out(house, command, driver)
    assert len(driver.asked) == 1


async def test_a_session_is_changed_to_the_new_products_speed_and_lives_on(house):
    driver = Driver()
    command = await change_product(house, driver)
    assert command.state == "done"
    assert command.answer["code"] == "CoA-ACK"
    (asked,) = driver.asked
    assert asked["what"] == "change"
    assert (asked["terms"].download_bps, asked["terms"].upload_bps) == (200_000_000, 100_000_000)
    assert await given(house) == ["200000000/100000000"]


@pytest.mark.parametrize(
    "refusal", [nak("CoA-NAK", *UNSUPPORTED), SILENCE, Untellable("no words for it")]
)
async def test_a_session_that_cannot_be_changed_is_ended_and_begins_anew(house, refusal):
    driver = Driver(changed=refusal)
    command = await change_product(house, driver)
    assert driver.whats == ["change", "disconnect"]
    assert (command.state, command.answer["code"]) == ("done", "Disconnect-ACK")
    # what it said to the change is kept too
    if isinstance(refusal, Exception):
        assert command.answer["change"] == str(refusal)
    else:
        assert command.answer["change"]["error_cause_name"] == "Unsupported-Attribute"
    assert await given(house) == ["50000000/25000000"]


async def test_a_session_the_nas_does_not_have_is_not_asked_for_twice(house):
    driver = Driver(changed=nak("CoA-NAK", *NO_SESSION))
    command = await change_product(house, driver)
    assert driver.whats == ["change"]
    assert command.fault == "CoA-NAK: Session-Context-Not-Found"


@pytest.mark.parametrize(
    ("coa", "asked", "state"), [("disconnect", ["disconnect"], "done"), ("none", [], "failed")]
)
async def test_a_nas_is_asked_only_what_it_takes(house, coa, asked, state):
    async with house.as_fno() as tx:
        await house.aaa.change_nas(tx, house.nas, coa=coa)
    driver = Driver()
    command = await change_product(house, driver)
    assert driver.whats == asked
    assert command.state == state


async def test_of_several_changes_in_a_row_the_last_one_is_told_and_only_once(house):
    driver = Driver()
    service = await online(house)
    async with house.as_isp() as tx:
        await house.services.change_product(tx, service.id, house.fast_product.id)
        await house.services.change_product(tx, service.id, house.product.id)
        await house.services.change_product(tx, service.id, house.fast_product.id)
        waiting = await commands.of_service(tx, service.id)
    for command in waiting:
        assert (await carry_out(house, command, driver)).state == "done"
    (asked,) = driver.asked
    assert asked["terms"].download_bps == 200_000_000


async def test_a_session_that_has_ended_meanwhile_needs_no_change(house):
    driver = Driver()
    service = await online(house)
    async with house.as_isp() as tx:
        (command,) = await house.aaa.renew(tx, service.id, "test")
    async with house.db.system() as tx:
        await tx.conn.execute("DELETE FROM session_live")
    assert (await carry_out(house, command, driver)).state == "done"
    assert driver.asked == []


async def test_a_nas_that_is_silent_does_not_keep_the_others_waiting(house):
    driver = Driver(ended=SILENCE)
    service = await online(house)
    worker = LiveSessions(house.db, house.aaa, driver, monotonic_clock=lambda: 100.0)
    faults = []
    for _ in range(5):
        async with house.as_isp() as tx:
            (command,) = await house.aaa.disconnect(tx, service.id, "test")
        await worker.disconnect(command_id=str(command.id))
        async with house.as_isp() as tx:
            faults.append((await commands.find(tx, command.id)).fault)
    assert len(driver.asked) == 3
    assert "left alone" in faults[-1]


async def garden(house, **more):
    async with house.as_isp() as tx:
        return await house.aaa.put_profile(
            tx,
            tenant_id=house.isp.id,
            name="home",
            settings=Settings(suspended="garden", garden_download=256_000, **more),
            is_default=True,
        )


async def suspended_and_resumed(house, driver):
    service = await online(house)
    async with house.as_fno() as tx:
        await house.services.suspend(tx, service.id, reason="unpaid")
        (command,) = await commands.of_service(tx, service.id)
    inside = await carry_out(house, command, driver)
    assert inside.state == "done"
    assert any("garden" in terms for terms in await given(house))
    async with house.as_isp() as tx:
        await house.services.resume(tx, service.id, reason="paid")
        back = (await commands.of_service(tx, service.id))[0]
    assert back.id != command.id
    await carry_out(house, back, driver)
    return service


async def test_a_suspended_service_is_led_into_its_garden_and_back(house):
    await garden(house)
    driver = Driver()
    await suspended_and_resumed(house, driver)
    assert driver.whats == ["change", "change"]
    into, back = (each["terms"] for each in driver.asked)
    assert (into.kind, into.download_bps, into.why) == ("garden", 256_000, "service suspended")
    assert (back.kind, back.download_bps) == ("full", 50_000_000)
    assert await given(house) == ["50000000/25000000"]


async def test_a_wall_that_no_change_takes_down_ends_the_session(house):
    await garden(house, garden_filter="unpaid")
    driver = Driver()
    await suspended_and_resumed(house, driver)
    assert driver.whats == ["change", "disconnect"]


async def test_a_filter_of_its_own_takes_the_wall_down(house):
    await garden(house, garden_filter="unpaid", filter="open")
    driver = Driver()
    await suspended_and_resumed(house, driver)
    assert driver.whats == ["change", "change"]
    assert driver.asked[1]["terms"].extras.filter == "open"
