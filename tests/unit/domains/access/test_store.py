"""What an OLT said, kept in a real database: places, readings, series, who came online."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from demarc.domains.errors import Conflict, NotFound
from support.fibre import Fibre, reading

ONE, TWO = "HWTC00000001", "HWTC00000002"


async def test_a_reading_is_kept_with_its_place_and_its_series(fibre):
    at = datetime.now(UTC)
    await fibre.store(reading(ONE, port=3, number=7), reading(TWO, state="offline", port=3), at=at)
    assert await fibre.onus() == [(TWO, 3, 0, "offline"), (ONE, 3, 7, "online")]
    later = at + timedelta(minutes=5)
    await fibre.store(reading(ONE, port=3, number=7, rx_dbm=-25.0), at=later)
    assert await fibre.rows(
        "SELECT u.serial, m.at, m.online, m.rx_dbm, m.distance_m FROM onu_metric m"
        " JOIN onu u ON u.id = m.onu_id ORDER BY u.serial, m.at"
    ) == [
        (ONE, at, True, -18.5, 2300),
        (ONE, later, True, -25.0, 2300),
        (TWO, at, False, None, None),
    ]
    assert await fibre.rows(
        "SELECT r.read_at, r.rx_dbm FROM onu_reading r JOIN onu u ON u.id = r.onu_id"
        f" WHERE u.serial = '{ONE}'"
    ) == [(later, -25.0)]


async def test_those_that_came_online_are_told_of_and_nobody_else(fibre):
    services = [await fibre.house.service(first_name=name) for name in ("Ana", "Bia", "Caio")]
    for number, service in enumerate(services):
        await fibre.assign(service, f"HWTC0000000{number}")

    async def poll(*states):
        await fibre.store(
            *(
                reading(f"HWTC0000000{number}", number=number, state=state)
                for number, state in enumerate(states)
            ),
            reading("HWTC000000FF", number=9),  # of nobody
        )

    ana, bia, caio = [service.id for service in services]
    await poll("online", "online", "offline")
    assert await fibre.came_online() == [sorted([ana, bia])]
    await poll("online", "offline", "offline")
    assert len(await fibre.came_online()) == 1
    await poll("online", "online", "online")
    assert await fibre.came_online() == [sorted([ana, bia]), sorted([bia, caio])]


async def test_an_onu_that_is_online_when_it_is_assigned_is_told_of(fibre):
    await fibre.store(reading(ONE))
    service = await fibre.house.service()
    await fibre.assign(service, ONE)
    await fibre.assign(service, ONE)  # again: nothing new
    assert await fibre.came_online() == [[service.id]]


async def test_an_assignment_during_a_poll_misses_nothing(fibre):
    services = [await fibre.house.service(first_name=name) for name in ("Ana", "Bia", "Caio")]
    serials = [f"HWTC0000000{number}" for number in range(len(services))]
    readings = [reading(serial, number=number) for number, serial in enumerate(serials)]
    await asyncio.gather(
        fibre.store(*readings),
        *(fibre.assign(service, serial) for service, serial in zip(services, serials, strict=True)),
    )
    told = [service_id for event in await fibre.came_online() for service_id in event]
    assert sorted(told) == sorted(service.id for service in services)


async def test_an_onu_moved_to_another_pon_is_there_at_once(fibre):
    service = await fibre.house.service()
    await fibre.assign(service, ONE)
    await fibre.store(reading(ONE, port=0))
    await fibre.store(reading(ONE, port=2, number=5))
    assert await fibre.onus() == [(ONE, 2, 5, "online")]
    device = await fibre.device(service)
    assert (device.port, device.onu_index) == ("0/1/2", 5)
    places = await fibre.rows("SELECT until IS NULL FROM onu_port ORDER BY id")
    assert places == [(False,), (True,)]
    # it was online before, so nobody came online
    assert len(await fibre.came_online()) == 1


@pytest.mark.parametrize("order", [(0, 2), (2, 0)])
async def test_what_stays_configured_where_an_onu_was_changes_nothing(fibre, order):
    service = await fibre.house.service()
    await fibre.assign(service, ONE)
    await fibre.store(reading(ONE, port=0))
    for _ in range(3):
        since = datetime.now(UTC)
        for port in order:  # moved from PON 0 to PON 2, polled in either order
            state = "online" if port == 2 else "offline"
            await fibre.store(reading(ONE, port=port, state=state), since=since)
    assert await fibre.onus() == [(ONE, 2, 0, "online")]
    assert len(await fibre.rows("SELECT FROM onu_port")) == 2
    # once when first seen; once more at most, where its old place was read as offline first
    assert len(await fibre.came_online()) == (2 if order == (0, 2) else 1)


async def test_two_onus_of_one_serial_number_do_not_take_turns(fibre):
    for _ in range(3):
        since = datetime.now(UTC)
        assert await fibre.store(reading(ONE, port=0), since=since) == []
        assert await fibre.store(reading(ONE, port=2), since=since) == [ONE]
    assert await fibre.onus() == [(ONE, 0, 0, "online")]
    assert len(await fibre.rows("SELECT FROM onu_port")) == 1


async def test_a_place_given_to_another_onu_is_left_by_the_one_before(fibre):
    await fibre.store(reading(ONE, number=4))
    await fibre.store(reading(TWO, number=4))
    assert await fibre.onus() == [(TWO, 0, 4, "online")]


async def test_two_onus_that_change_places_do(fibre):
    await fibre.store(reading(ONE, number=1), reading(TWO, number=2))
    await fibre.store(reading(ONE, number=2), reading(TWO, number=1))
    assert await fibre.onus() == [(TWO, 0, 1, "online"), (ONE, 0, 2, "online")]


async def test_a_service_that_gets_another_onu_shows_nothing_of_the_old_one(fibre):
    service = await fibre.house.service()
    await fibre.store(reading(ONE, number=1), reading(TWO, number=2, rx_dbm=-24.0))
    await fibre.assign(service, ONE)
    await fibre.store(reading(ONE, number=1))
    assert (await fibre.device(service)).rx_dbm == -18.5
    await fibre.assign(service, TWO)
    device = await fibre.device(service)
    # what was read of it before it was this subscriber's is not shown
    assert (device.serial, device.onu_index, device.read_at) == (TWO, 2, None)
    assert (device.rx_dbm, device.rx_status, device.alarms) == (None, "unknown", [])
    await fibre.store(reading(TWO, number=2, rx_dbm=-24.0))
    assert (await fibre.device(service)).rx_dbm == -24.0
    with pytest.raises(Conflict, match="exchanged"):
        async with fibre.house.as_isp() as tx:
            await fibre.house.access.device_as_read(tx, service.id, reading(ONE), datetime.now(UTC))


async def test_an_onu_serves_one_service_at_a_time(fibre):
    one, two = [await fibre.house.service(first_name=name) for name in ("Ana", "Bia")]
    await fibre.assign(one, ONE)
    with pytest.raises(Conflict, match="another service"):
        await fibre.assign(two, ONE)
    async with fibre.house.as_fno() as tx:
        assert await fibre.house.access.release(tx, one.id)
    await fibre.assign(two, ONE)
    with pytest.raises(NotFound):
        await fibre.device(one)
    assert (await fibre.device(two)).serial == ONE


async def test_one_service_that_is_given_two_onus_at_once_gets_one(fibre):
    service = await fibre.house.service()
    results = await asyncio.gather(
        fibre.assign(service, ONE), fibre.assign(service, TWO), return_exceptions=True
    )
    assert all(isinstance(each, str | Conflict) for each in results), results
    assert len(await fibre.rows("SELECT FROM onu_service WHERE until IS NULL")) == 1


async def test_polls_that_overlap_neither_fail_nor_go_back_in_time(fibre):
    service = await fibre.house.service()
    await fibre.assign(service, "HWTC00000000")
    other = await Fibre.build(fibre.house, "olt-2")
    start = datetime.now(UTC)

    def batch(step):
        rows = [reading(f"HWTC{n:08X}", number=n, rx_dbm=-15.0 - step) for n in range(64)]
        return rows if step % 2 else rows[::-1]

    await asyncio.gather(
        *(
            olt.store(*batch(step), at=start + timedelta(seconds=step))
            for step in range(8)
            for olt in (fibre, other)
        )
    )
    assert await fibre.rows("SELECT DISTINCT rx_dbm FROM onu_reading") == [(-22.0,)]
    assert await fibre.came_online() == [[service.id]]
    assert len(await fibre.rows("SELECT FROM onu_port WHERE until IS NULL")) == 64


async def test_a_reading_older_than_what_is_known_changes_nothing(fibre):
    service = await fibre.house.service()
    await fibre.assign(service, ONE)
    at = datetime.now(UTC)
    await fibre.store(reading(ONE, state="offline"), at=at)
    await fibre.store(reading(ONE), at=at - timedelta(minutes=1))
    assert (await fibre.device(service)).state == "offline"
    assert await fibre.came_online() == []
