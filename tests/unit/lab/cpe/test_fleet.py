"""Many devices in one process: each itself, called through one door, and small."""

import gc
import tracemalloc

from demarc.lab.cpe import Fleet, Home, model
from demarc.southbound.cwmp.calling import HttpCaller
from support.scripted_acs import ScriptedAcs
from support.simulated_cpes import PATIENCE


async def test_a_fleet_informs_and_each_is_called_by_its_path() -> None:
    async with ScriptedAcs().serve() as acs:
        fleet = Fleet(acs.url, patience=PATIENCE)
        await fleet.start(15, over=0.1)
        for cpe in fleet.cpes:
            await cpe.sessions_done(1)
        assert len({each.device.serial_number for each in acs.informs}) == 15
        called = fleet.cpes[7]
        url = called.tree.get(f"{called.management}ConnectionRequestURL")
        before = [each.sessions.done for each in fleet.cpes]
        await HttpCaller(["127.0.0.0/8"]).call(url=url, username="", password="")
        await called.sessions_done(2)
        after = [each.sessions.done for each in fleet.cpes]
        await fleet.stop()

    assert [b - a for a, b in zip(before, after, strict=True)] == [0] * 7 + [1] + [0] * 7


async def test_a_device_takes_less_than_a_megabyte() -> None:
    async with ScriptedAcs().serve() as acs:
        fleet = Fleet(acs.url, patience=PATIENCE)
        await fleet.start(5)
        for cpe in fleet.cpes:
            await cpe.sessions_done(1)
        acs.informs.clear()
        gc.collect()
        tracemalloc.start()
        before, _ = tracemalloc.get_traced_memory()
        await fleet.start(50)
        for cpe in fleet.cpes:
            await cpe.sessions_done(1)
        acs.informs.clear()
        gc.collect()
        after, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        await fleet.stop()

    assert (after - before) / 50 < 200_000


def test_the_same_seed_is_the_same_home_and_another_number_is_not() -> None:
    def ways(number: int, seed: str = "lab") -> list[str]:
        home = Home(model("zte-f670l"), number, seed=seed)
        return [home.ask(each) for each in ("serial", "mac", "ssid", "passphrase", "ppp_password")]

    assert ways(1) == ways(1)
    assert not set(ways(1)) & set(ways(2))
    assert ways(1, "other")[3] != ways(1)[3]


def test_addresses_of_devices_do_not_overlap() -> None:
    first, second = (Home(model("zte-f670l"), number) for number in (1, 2))

    assert first.mac(15) < second.mac()
    assert first.mac().startswith("D0:15:4A:")
