"""Each make against the real ACS: met, adopted, learned, called, commanded, reset."""

from datetime import UTC, datetime

import pytest

from demarc.domains.cpe.ports import Unreached
from demarc.lab.cpe import MODELS, model
from support.simulated_cpes import Field


@pytest.mark.parametrize("make", MODELS)
async def test_each_make_is_met_adopted_learned_and_commanded(field: Field, make: str) -> None:
    device = await field.adopted(make)

    cpe = await field.known(device)
    assert cpe.tenant_id == field.house.isp.id
    assert device.tree.get(f"{device.management}Username") == cpe.acs_username
    learned = await field.tree(device)
    told = device.tree.values([device.tree.root])
    assert {each.name for each in told} <= learned.keys()
    network = model(make).places.networks[0]
    assert learned[network.ssid].value == device.tree.get(network.ssid)
    assert learned[network.ssid].writable is True

    read = await field.carried_out(device, "cpe.get", names=[network.ssid])
    assert read.state == "done", read
    assert read.answer["values"] == {network.ssid: device.tree.get(network.ssid)}

    wanted = [{"name": network.ssid, "value": "A new name", "type": "string"}]
    written = await field.carried_out(device, "cpe.set", values=wanted)
    assert written.state == "done", written
    assert device.tree.get(network.ssid) == "A new name"
    assert (await field.tree(device))[network.ssid].value == "A new name"


@pytest.mark.parametrize("make", [make for make in MODELS if not model(make).habits.periodic_only])
async def test_a_reboot_is_told_of_by_the_next_boot(field: Field, make: str) -> None:
    device = await field.adopted(make)
    before = device.home.booted

    rebooted = await field.carried_out(device, "cpe.reboot")

    assert rebooted.state == "done", rebooted
    assert device.home.booted > before
    assert device.home.uptime() < 5


async def test_a_reset_device_has_forgotten_all_and_bootstraps(field: Field) -> None:
    async with field.house.as_isp() as tx:
        await field.cpes.put_bootstrap(
            tx, tenant_id=field.house.isp.id, username="acme-cpe", password="from the factory"
        )
    device = field.device("nokia-g1425g", credential=("acme-cpe", "from the factory"))
    await device.start()
    await device.sessions_done(1)
    network = device.home.make.places.networks[0]
    name = device.tree.get(network.ssid)
    device.change(network.ssid, "Changed")

    reset = await field.carried_out(device, "cpe.factory_reset")

    assert reset.state == "done", reset
    assert device.tree.get(network.ssid) == name


async def test_a_value_the_device_refuses_fails_the_command_with_its_words(field: Field) -> None:
    device = await field.adopted("huawei-eg8145v5")
    path = device.home.make.places.networks[0].ssid

    refused = await field.carried_out(
        device, "cpe.set", values=[{"name": path, "value": "x" * 33, "type": "string"}]
    )

    assert refused.state == "failed", refused
    assert refused.answer["fault_code"] == 9003
    assert refused.answer["parameters"][0]["code"] == 9007


async def test_a_device_is_called_with_its_own_password_alone(field: Field) -> None:
    device = await field.adopted("tplink-xc220")
    cpe = await field.known(device)
    url = device.tree.get(f"{device.management}ConnectionRequestURL")
    before = device.sessions.done

    with pytest.raises(Unreached, match="password"):
        await field.caller.call(url=url, username=cpe.request_username, password="another")
    assert device.sessions.done == before

    await field.call(device)
    await device.sessions_done(before + 1)


async def test_a_device_in_a_session_is_busy(field: Field) -> None:
    device = await field.adopted("zte-f670l")
    before = device.sessions.done

    async def called_meanwhile() -> None:
        device.trouble.late = None
        with pytest.raises(Unreached, match="busy"):
            await field.call(device)

    device.trouble.late = called_meanwhile
    await field.call(device)
    await device.sessions_done(before + 1)


async def test_a_device_whose_line_is_cut_comes_again_and_tells_again(field: Field) -> None:
    device = field.device("huawei-eg8145v5")
    device.trouble.cut_after = 1
    await device.start()
    await device.sessions_failed(3)
    assert device.sessions.done == 0

    device.trouble.cut_after = None
    await device.sessions_done(1)

    cpe = await field.known(device)
    assert cpe.bootstrap_at is not None


async def test_a_device_that_loses_its_cookie_gets_nowhere_and_recovers(field: Field) -> None:
    device = await field.adopted("huawei-eg8145v5")
    done = device.sessions.done
    device.trouble.wrong_cookie = True
    await field.call(device)
    await device.sessions_done(done + 1)
    device.trouble.wrong_cookie = False

    read = await field.carried_out(device, "cpe.get", names=["InternetGatewayDevice.DeviceSummary"])

    assert read.state == "done"
    await device.sessions_done(done + 2)


async def test_a_device_with_two_sessions_at_once_is_served_in_one(field: Field) -> None:
    device = await field.adopted("tplink-xc220")
    device.trouble.twice = True

    read = await field.carried_out(device, "cpe.get", names=["Device.RootDataModelVersion"])

    assert read.state == "done", read
    assert read.answer["values"] == {"Device.RootDataModelVersion": "2.12"}


async def test_a_device_whose_clock_is_at_1970_is_met_all_the_same(field: Field) -> None:
    device = field.device("zte-f670l")
    device.home.clock_offset = datetime(1970, 1, 1, tzinfo=UTC) - datetime.now(UTC)
    await device.start()
    await device.sessions_done(1)

    cpe = await field.known(device)
    assert device.home.now().year == 1970
    assert cpe.boot_at.year > 1970
