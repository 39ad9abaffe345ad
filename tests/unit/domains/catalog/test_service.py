"""Areas and products on a real database: put, sold, refused."""

from decimal import Decimal

import pytest

from demarc.domains.errors import Invalid, NotFound
from demarc.domains.identity import audit
from support.house import build


@pytest.fixture
async def house(db, tmp_path):
    return await build(db, tmp_path)


async def put(house, **more):
    fields = {
        "network": house.network,
        "code": "p",
        "name": "P",
        "download_bps": 10,
        "upload_bps": 5,
        "areas": [house.area.id],
    }
    async with house.db.system() as tx:
        return await house.catalog.put_product(tx, **fields | more)


async def refusal(house, product, area_id, **more):
    """Which field is in the way of selling, or None."""
    async with house.as_isp() as tx:
        try:
            await house.catalog.check_sellable(
                tx, product, more.pop("network_id", house.network.id), area_id, **more
            )
        except Invalid as refused:
            return refused.field, refused.reason
    return None


async def test_what_is_put_again_the_same_changes_nothing(house):
    first = await put(house, monthly_price=Decimal("10.5"), currency="EUR")
    assert await put(house, monthly_price=Decimal("10.50"), currency="EUR") == first
    async with house.db.system() as tx:
        area = await house.catalog.put_area(tx, network=house.network, slug="north", name="North")
        entries = await audit.of(tx, "product", first.id)
        areas = await audit.of(tx, "area", area.id)
    assert area == house.area
    assert [entry.action for entry in entries] == ["create"]
    assert [entry.action for entry in areas] == ["create"]


async def test_what_is_put_differently_is_updated_with_its_areas(house):
    first = await put(house)
    async with house.db.system() as tx:
        south = await house.catalog.put_area(tx, network=house.network, slug="south", name="South")
    second = await put(house, name="Better", areas=[south.id])
    assert (second.id, second.name) == (first.id, "Better")
    assert second.updated_at > first.updated_at
    async with house.db.system() as tx:
        assert await house.catalog.areas_of(tx, first.id) == [south.id]
        newest, _ = await audit.of(tx, "product", first.id)
    assert (newest.before["name"], newest.after["name"]) == ("P", "Better")


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"code": " "}, "code"),
        ({"name": ""}, "name"),
        ({"download_bps": 0}, "download_bps"),
        ({"upload_bps": -1}, "upload_bps"),
        ({"monthly_price": Decimal(1)}, "currency"),
        ({"currency": "EUR"}, "currency"),
        ({"monthly_price": Decimal(-1), "currency": "EUR"}, "monthly_price"),
        ({"monthly_price": Decimal(1), "currency": "euro"}, "currency"),
    ],
)
async def test_what_cannot_be_taken_is_named(house, wrong, field):
    with pytest.raises(Invalid) as refused:
        await put(house, **wrong)
    assert refused.value.field == field


async def test_a_product_is_sold_where_its_network_area_isp_and_state_allow(house):
    product = await put(house)
    assert await refusal(house, product, house.area.id) is None
    assert await refusal(house, product, None) == (
        "premise_id",
        "lies in no area that is served",
    )
    async with house.db.system() as tx:
        south = await house.catalog.put_area(tx, network=house.network, slug="south", name="South")
        closed = await house.catalog.put_area(
            tx, network=house.network, slug="closed", name="Closed", available=False
        )
        other = await house.identity.put_network(
            tx, owner_id=house.fno.id, slug="coast", name="Coast"
        )
    assert (await refusal(house, product, south.id))[0] == "product_id"
    product = await put(house, areas=[house.area.id, closed.id])
    assert (await refusal(house, product, closed.id))[0] == "premise_id"
    assert (await refusal(house, product, house.area.id, network_id=other.id))[0] == "product_id"
    product = await put(house, active=False)
    assert await refusal(house, product, house.area.id) == ("product_id", "is no longer sold")
    product = await put(house, isp_id=house.other_isp.id)
    assert (await refusal(house, product, house.area.id))[0] == "product_id"
    assert await refusal(house, product, house.area.id, isp_id=house.other_isp.id) is None


async def test_a_place_is_orderable_when_something_is_sold_there_to_the_asker(house):
    async def orderable(as_whom, area_id):
        async with as_whom() as tx:
            return (await house.catalog.availability(tx, area_id)).orderable

    async with house.db.system() as tx:
        south = await house.catalog.put_area(tx, network=house.network, slug="south", name="South")
    assert await orderable(house.as_isp, house.area.id)
    assert not await orderable(house.as_isp, None)
    assert not await orderable(house.as_isp, south.id)
    await put(house, areas=[south.id], isp_id=house.other_isp.id)
    assert not await orderable(house.as_isp, south.id)
    assert await orderable(house.as_other_isp, south.id)


async def test_another_networks_area_cannot_be_sold_in(house):
    async with house.db.system() as tx:
        other = await house.identity.put_network(
            tx, owner_id=house.fno.id, slug="coast", name="Coast"
        )
        area = await house.catalog.put_area(tx, network=other, slug="east", name="East")
    with pytest.raises(Invalid, match="areas"):
        await put(house, areas=[area.id])


async def test_what_is_not_there_is_not_found(house):
    async with house.as_isp() as tx:
        for ask in (
            house.catalog.area_named(tx, house.network.id, "nowhere"),
            house.catalog.product_named(tx, house.network.id, "nothing"),
            house.catalog.area(tx, house.product.id),
            house.catalog.product(tx, house.area.id),
        ):
            with pytest.raises(NotFound):
                await ask
        assert (await house.catalog.area_named(tx, house.network.id, "north")) == house.area
        assert (await house.catalog.product_named(tx, house.network.id, "f50")) == house.product
        assert [product.code for product in await house.catalog.products(tx, house.network.id)] == [
            "f200",
            "f50",
        ]
        assert await house.catalog.areas(tx, house.network.id) == [house.area]
