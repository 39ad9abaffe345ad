"""Points of presence on a real database."""

import pytest

from demarc.domains.errors import Invalid, NotFound
from demarc.domains.identity import audit
from demarc.domains.network import pops
from support.house import build


@pytest.fixture
async def house(db, tmp_path):
    return await build(db, tmp_path)


async def test_a_pop_is_brought_to_its_values_and_written_down_when_they_change(house):
    async with house.as_fno() as tx:
        made = await pops.put(tx, network=house.network, code="CTR", name="Centre")
        for _ in range(2):
            moved = await pops.put(
                tx,
                network=house.network,
                code="CTR",
                name="Centre",
                latitude=-33.92,
                longitude=18.42,
            )
        assert moved.id == made.id
        assert await pops.of_network(tx, house.network.id) == [moved]
        assert await pops.named(tx, house.network.id, "CTR") == moved
        assert [one.action for one in await audit.of(tx, "pop", made.id)] == ["update", "create"]


@pytest.mark.parametrize(
    ("field", "wrong"), [("code", {"code": " "}), ("name", {"name": ""}), ("latitude", {"latitude": 1.0})]
)  # fmt: skip
async def test_what_a_pop_cannot_be_is_named_and_nothing_is_made(house, field, wrong):
    async with house.as_fno() as tx:
        with pytest.raises(Invalid) as refused:
            await pops.put(tx, **({"network": house.network, "code": "C", "name": "C"} | wrong))
        assert refused.value.field == field
        assert await pops.of_network(tx, house.network.id) == []


async def test_an_isp_sees_the_pops_and_who_does_not_sell_there_sees_none(house):
    async with house.as_fno() as tx:
        await pops.put(tx, network=house.network, code="CTR", name="Centre")
    async with house.db.system() as tx:
        stranger = await house.identity.put_tenant(tx, slug="stranger", name="Stranger")
    async with house.as_isp() as tx:
        assert len(await pops.of_network(tx, house.network.id)) == 1
    async with house.db.tenant(stranger.id) as tx:
        with pytest.raises(NotFound):
            await pops.named(tx, house.network.id, "CTR")
