"""The device of a service: as the last poll found it, and as its OLT says it now."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from demarc.domains.network.commands import CommandWaiter
from support.aex import open_office
from support.plant import SERIAL, running_plant

KEYS = [
    "network",
    "pop",
    "serial_number",
    "gpon_status",
    "cpe",
    "model",
    "last_updated",
    "service",
    "pop_name",
    "alerts",
    "alarms",
    "populated_ports",
    "olt_port",
    "distance",
    "rx_status",
    "rx_power",
    "sfp_status",
    "sfp_power",
    "sfp_rx_status",
    "sfp_rx_power",
    "tx_power",
    "tx_status",
    "switch",
    "sfp_sync_speed",
    "switch_port",
]
NOT_THERE = [
    "populated_ports",
    "sfp_status",
    "sfp_power",
    "sfp_rx_status",
    "sfp_rx_power",
    "switch",
    "sfp_sync_speed",
    "switch_port",
]


@pytest.fixture
async def plant(house):
    async with running_plant(house) as running:
        yield running


@pytest.fixture
async def office(house):
    waiter = CommandWaiter(house.db)
    waiting = asyncio.create_task(waiter.run())
    yield await open_office(house, waiter=waiter)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)


async def connected(office, plant):
    """A service whose ONU has been assigned by the network's owner, and polled."""
    service_id = await office.new_service()
    assigned = await office.fno.put(
        f"/fno/services/{service_id}/device",
        json={"serial_number": SERIAL.lower(), "model": "EG8145V5"},
    )
    assert assigned.json() == {"service": service_id, "serial_number": SERIAL}
    await plant.poll()
    return service_id


async def test_device_status_1_has_a_cached_and_a_live_endpoint(office, plant):
    service_id = await connected(office, plant)
    for path in ("status", "status/live"):
        answer = await office.isp.get(f"/services/{service_id}/device/{path}")
        assert answer.status_code == 200
        assert answer.json()["serial_number"] == SERIAL


async def test_device_status_2_gives_what_the_last_poll_found(office, plant):
    service_id = await connected(office, plant)
    light = plant.lab.onu(SERIAL).light
    first = (await office.isp.get(f"/services/{service_id}/device/status")).json()
    assert first["rx_power"] == round(light.onu_rx_dbm, 2)
    assert first["tx_power"] == round(light.onu_tx_dbm, 2)
    assert (first["distance"], first["gpon_status"]) == (2300, "online")
    assert (first["rx_status"], first["tx_status"]) == ("ok", "ok")
    assert (first["alerts"], first["alarms"]) == ([], [])
    assert (first["network"], first["olt_port"]) == ("Metro", "0/1/3")
    assert first["cpe"] == "ONU 0 on olt-1 0/1/3"
    assert (first["model"], first["service"]) == ("EG8145V5", service_id)
    read_at = datetime.fromisoformat(first["last_updated"])
    assert first["last_updated"].endswith("Z")
    assert datetime.now(UTC) - read_at < timedelta(minutes=2)

    plant.lab.fail(SERIAL, "los")
    assert (await office.isp.get(f"/services/{service_id}/device/status")).json() == first
    await plant.poll()
    second = (await office.isp.get(f"/services/{service_id}/device/status")).json()
    assert (second["gpon_status"], second["rx_power"]) == ("offline", None)
    assert second["alarms"] == ["ONU is offline: loss of signal (fibre cut or unplugged)"]
    assert second["last_updated"] > first["last_updated"]


async def test_device_status_3_has_the_same_payload_cached_and_live(office, plant):
    service_id = await connected(office, plant)
    cached = (await office.isp.get(f"/services/{service_id}/device/status")).json()
    live = (await office.isp.get(f"/services/{service_id}/device/status/live")).json()
    assert list(cached) == list(live) == KEYS
    assert live.pop("last_updated") > cached.pop("last_updated")
    assert live == cached
    assert {name: cached[name] for name in NOT_THERE} == dict.fromkeys(NOT_THERE)


async def test_device_status_4_is_of_the_service_named(office, plant):
    service_id = await connected(office, plant)
    without_device = await office.new_service()
    for path in ("status", "status/live"):
        answer = await office.isp.get(f"/services/{without_device}/device/{path}")
        assert answer.status_code == 404
        answer = await office.isp.get(f"/services/{service_id}/device/{path}")
        assert answer.json()["service"] == service_id


async def test_device_status_live_1_is_asked_for_within_the_call(office, plant):
    service_id = await connected(office, plant)
    before = (await office.isp.get(f"/services/{service_id}/device/status")).json()
    plant.lab.fail(SERIAL, "dying-gasp")
    live = (await office.isp.get(f"/services/{service_id}/device/status/live")).json()
    assert live["gpon_status"] == "offline"
    assert live["alarms"] == ["ONU is offline: dying gasp (power lost at the subscriber)"]
    # what is asked within a call is not the poll's: the cached answer stays
    assert (await office.isp.get(f"/services/{service_id}/device/status")).json() == before


async def test_an_olt_that_is_down_is_504_and_the_cached_answer_keeps_its_age(office, plant):
    service_id = await connected(office, plant)
    before = (await office.isp.get(f"/services/{service_id}/device/status")).json()
    await plant.lab.stop()
    silent = await office.isp.get(f"/services/{service_id}/device/status/live")
    assert silent.status_code == 504
    assert silent.headers["content-type"] == "application/problem+json"
    assert silent.json()["title"] == "Gateway Timeout"
    # where the OLT is is the owner's to know
    assert "127.0.0.1" not in silent.text
    silent = await office.fno.get(f"/fno/services/{service_id}/device/status/live")
    assert (silent.status_code, "127.0.0.1" in silent.text) == (504, True)
    await plant.poll()
    assert (await office.isp.get(f"/services/{service_id}/device/status")).json() == before


async def test_the_owner_asks_for_the_same(office, plant):
    service_id = await connected(office, plant)
    cached = await office.fno.get(f"/fno/services/{service_id}/device/status")
    live = await office.fno.get(f"/fno/services/{service_id}/device/status/live")
    assert (cached.status_code, live.status_code) == (200, 200)
    assert cached.json() == (await office.isp.get(f"/services/{service_id}/device/status")).json()
    assert live.json()["rx_power"] == cached.json()["rx_power"]


async def test_head_asks_no_device(office, plant):
    service_id = await connected(office, plant)
    asked = plant.lab.agent.counters.received
    refused = await office.isp.head(f"/services/{service_id}/device/status/live")
    assert refused.status_code == 405
    assert plant.lab.agent.counters.received == asked


async def test_a_device_serves_one_service_and_is_moved_by_hand(office, plant):
    first = await connected(office, plant)
    second = await office.new_service()
    taken = await office.fno.put(f"/fno/services/{second}/device", json={"serial_number": SERIAL})
    assert taken.status_code == 409
    other = await office.fno.put(
        f"/fno/services/{first}/device", json={"serial_number": "HWTC0A0B0C99"}
    )
    assert other.status_code == 200
    moved = await office.fno.put(f"/fno/services/{second}/device", json={"serial_number": SERIAL})
    assert moved.status_code == 200
    wrong = await office.fno.put(f"/fno/services/{first}/device", json={"serial_number": "x"})
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (400, "serial_number")
