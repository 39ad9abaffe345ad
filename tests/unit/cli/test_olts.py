"""OLTs, one of them simulated, which answers real SNMP."""

import asyncio
import threading

import pytest

from demarc.lab.olt.device import Olt


@pytest.fixture
def lab_olt():
    """An OLT with two ONUs, in a loop of its own; gives it and its UDP port."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    def there(coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, loop).result(30)

    olt = Olt("olt-1", community="testing-community")
    for port in (1, 2):
        olt.add_onu(1, port, f"HWTC0000000{port}", "HG8310M", 1000)
    _, port = there(olt.start("127.0.0.1", 0))
    yield olt, port
    there(olt.stop())
    loop.call_soon_threadsafe(loop.stop)
    thread.join(30)
    loop.close()


def add(house, port, name="olt-1"):
    return house(
        *("olt", "add", name, "127.0.0.1", "--port", str(port), "--pop", "CTR"),
        typed="testing-community\n",
    )


def test_an_olt_is_added_and_its_community_not_shown(house):
    assert "testing-community" not in add(house, 161).out
    (listed,) = house("olt", "list", "--json").json
    assert (listed["name"], listed["last_polled_at"], listed["last_fault"]) == ("olt-1", None, None)
    assert (
        "there is an OLT olt-1"
        in house("olt", "add", "olt-1", "127.0.0.1", typed="x\n", code=1).err
    )


def test_a_poll_reads_every_onu(house, lab_olt):
    _, port = lab_olt
    add(house, port)
    polled = house("olt", "poll", "olt-1", "--json").json
    assert polled["last_fault"] is None
    assert polled["last_polled_at"] is not None
    onus = house("olt", "onus", "olt-1", "--json").json
    assert [one["serial"] for one in onus] == ["HWTC00000001", "HWTC00000002"]
    assert all(one["state"] == "online" for one in onus)
    assert all(-30 < one["rx_dbm"] < -8 for one in onus)


def test_a_silent_olt_is_told_by_its_fault_and_the_exit_code(house, lab_olt):
    olt, port = lab_olt
    add(house, port)
    olt.unreachable(True)
    polled = house("olt", "poll", "olt-1", "--json", code=1)
    assert polled.json["last_fault"]
    assert house("olt", "list", "--json").json[0]["last_fault"] == polled.json["last_fault"]


def test_an_olt_of_another_reach_is_not_polled_from_here(house):
    house(
        *("olt", "add", "far", "192.0.2.9", "--reach", "vrf-7"),
        typed="testing-community\n",
    )
    assert "vrf-7" in house("olt", "poll", "far", code=1).err


def test_what_is_no_address_and_what_is_no_olt_is_said(house):
    assert "is no IP address" in house("olt", "add", "o", "olt.example", typed="x\n", code=1).err
    assert "there is no olt o" in house("olt", "onus", "o", code=1).err
    assert (
        "there is no pop XX"
        in house("olt", "add", "o", "192.0.2.9", "--pop", "XX", typed="x\n", code=1).err
    )
