"""What is remembered of the addresses of NASes."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from demarc.domains.aaa import nas_clients
from demarc.domains.aaa.nas_clients import Sighting
from demarc.platform import changes
from support.house import build

AT = datetime(2024, 3, 10, 12, tzinfo=UTC)


@pytest.fixture
async def house(db, tmp_path):
    return await build(db, tmp_path)


def seen(house, address="127.0.0.1", *, signed=None, at=AT, answered=None):
    return Sighting(house.nas.id, address, signed, at, answered)


async def test_an_address_is_kept_with_when_it_first_signed_and_was_last_seen(house):
    later = AT + timedelta(hours=1)
    async with house.db.system() as tx:
        await nas_clients.note(tx, [seen(house, answered=AT)])
        assert await nas_clients.signers(tx) == []
        await nas_clients.note(tx, [seen(house, signed=AT)])
        # told late by another node
        await nas_clients.note(tx, [seen(house, signed=later, at=later), seen(house, "::1")])
        await nas_clients.note(tx, [seen(house, at=AT)])
        first, second = await nas_clients.of_nas(tx, house.nas.id)
        (signer,) = await nas_clients.signers(tx)
    assert (first.address, first.signs_since) == ("127.0.0.1", AT)
    assert (first.last_seen_at, first.last_answered_at) == (later, AT)
    assert (second.address, second.signs_since) == ("::1", None)
    assert signer.address == "127.0.0.1"


async def test_an_unlocked_address_signs_again_only_by_a_later_signature(house):
    async with house.db.system() as tx:
        await nas_clients.note(tx, [seen(house, signed=AT), seen(house, "::1", signed=AT)])
        (unlocked,) = await nas_clients.unlock(tx, house.nas, "127.0.0.1")
        assert unlocked.signs_since is None
        # what a node had seen before it heard
        (stands,) = await nas_clients.note(tx, [seen(house, signed=AT)])
        assert not stands.signs
        ahead = datetime.now(UTC) + timedelta(minutes=1)
        (stands,) = await nas_clients.note(tx, [seen(house, signed=ahead)])
        assert stands.signs
        assert len(await nas_clients.unlock(tx, house.nas)) == 2
        assert await nas_clients.unlock(tx, house.nas) == []


async def test_other_nodes_are_told_of_locks_alone(house):
    async with house.db.system() as tx:
        cursor = await changes.here(tx)

    async def told():
        nonlocal cursor
        async with house.db.system() as tx:
            found, cursor = await changes.since(tx, cursor, ["nas_client"])
        return [change.key for change in found]

    for sighting, expected in (
        (seen(house), []),
        (seen(house, signed=AT), [house.nas.id]),
        (seen(house, signed=AT, at=AT + timedelta(minutes=1)), []),
    ):
        async with house.db.system() as tx:
            await nas_clients.note(tx, [sighting])
        assert await told() == expected
    async with house.db.system() as tx:
        await nas_clients.unlock(tx, house.nas)
    assert await told() == [house.nas.id]


async def test_what_was_seen_of_a_nas_that_is_gone_is_left_out(house):
    async with house.db.system() as tx:
        gone = Sighting(uuid4(), "127.0.0.1", AT, AT, None)
        assert await nas_clients.note(tx, [gone]) == []


async def test_the_owner_sees_the_addresses_and_an_isp_does_not(house):
    async with house.db.system() as tx:
        await nas_clients.note(tx, [seen(house)])
    async with house.as_fno() as tx:
        assert len(await nas_clients.of_nas(tx, house.nas.id)) == 1
    async with house.as_isp() as tx:
        assert await nas_clients.of_nas(tx, house.nas.id) == []
