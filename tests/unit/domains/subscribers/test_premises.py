"""Addresses and premises on a real database."""

import asyncio

import pytest

from demarc.domains.errors import Conflict, Invalid, NotFound
from demarc.domains.subscribers.model import Place
from support.house import build


@pytest.fixture
async def house(db, tmp_path):
    return await build(db, tmp_path)


async def test_a_premise_is_put_once_and_brought_to_what_is_wanted(house):
    async def put(**more):
        async with house.as_fno() as tx:
            return await house.subscribers.put_premise(
                tx,
                network=house.network,
                place=Place(full_address="1 Main Rd", **more.pop("at", {})),
                **more,
            )

    first = await put()
    assert await put() == first
    moved = await put(
        at={"latitude": 1.0, "longitude": 2.0},
        area_id=house.area.id,
        predefined=True,
        timezone="Africa/Harare",
    )
    assert (moved.id, moved.address_id) == (first.id, first.address_id)
    assert (moved.area_id, moved.predefined, moved.timezone) == (
        house.area.id,
        True,
        "Africa/Harare",
    )
    assert (moved.latitude, moved.longitude) == (1.0, 2.0)
    # an area that is not named again stays; a place that is not named again, too
    again = await put(predefined=True, timezone="Africa/Harare")
    assert again == moved


async def test_two_who_enter_one_address_at_once_get_one_address(house):
    async def enter(unit):
        async with house.as_isp() as tx:
            return await house.subscribers.create_premise(
                tx, network=house.network, place=Place(full_address="9 New Close"), unit=unit
            )

    made = await asyncio.gather(*(enter(f"Flat {number}") for number in range(5)))
    assert len({premise.address_id for premise in made}) == 1
    assert len({premise.id for premise in made}) == 5
    results = await asyncio.gather(*(enter("Flat 9") for _ in range(3)), return_exceptions=True)
    assert sorted(type(result).__name__ for result in results) == [
        "Conflict",
        "Conflict",
        "Premise",
    ]


async def test_the_area_is_of_the_network(house):
    async with house.db.system() as tx:
        other = await house.identity.put_network(
            tx, owner_id=house.fno.id, slug="coast", name="Coast"
        )
        area = await house.catalog.put_area(tx, network=other, slug="east", name="East")
    async with house.as_fno() as tx:
        with pytest.raises(Invalid, match="area_id"):
            await house.subscribers.create_premise(
                tx, network=house.network, place=Place(full_address="2 Sea Rd"), area_id=area.id
            )
        with pytest.raises(Invalid, match="area_id"):
            await house.subscribers.put_premise(
                tx,
                network=house.network,
                place=Place(full_address="12 Long Street, Cape Town"),
                area_id=area.id,
                predefined=True,
            )


async def test_a_premise_exists_for_who_sells_on_its_network(house):
    async with house.db.system() as tx:
        stranger = await house.identity.put_tenant(tx, slug="gamma", name="Gamma")
    async with house.as_other_isp() as tx:
        assert (await house.subscribers.premise(tx, house.premise_id)).predefined
    async with house.db.tenant(stranger.id) as tx:
        with pytest.raises(NotFound):
            await house.subscribers.premise(tx, house.premise_id)


async def test_an_address_is_the_same_however_it_is_written(house):
    async with house.as_fno() as tx:
        with pytest.raises(Conflict):
            await house.subscribers.create_premise(
                tx, network=house.network, place=Place(full_address="12 LONG-STREET cape town")
            )


async def test_the_unit_and_zone_must_be_ones(house):
    async with house.as_fno() as tx:
        for more in ({"unit": "x" * 61}, {"timezone": "Mars/Olympus"}):
            with pytest.raises(Invalid):
                await house.subscribers.create_premise(
                    tx, network=house.network, place=Place(full_address="3 Main"), **more
                )
