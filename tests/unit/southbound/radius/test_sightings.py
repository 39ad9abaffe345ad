"""What is seen of clients written down, also where the database is away for a while."""

from datetime import UTC, datetime

import psycopg
import pytest

from demarc.domains.aaa import nas_clients
from demarc.southbound.radius.clients import Clients
from demarc.southbound.radius.sightings import Sightings
from support.house import build

NOW = datetime(2024, 3, 10, 12, tzinfo=UTC)


@pytest.fixture
async def house(db, tmp_path):
    return await build(db, tmp_path)


@pytest.fixture
async def clients(house):
    made = Clients()
    await made.replace([house.nas], [], house.keys)
    return made


async def stored(house):
    async with house.db.system() as tx:
        return await nas_clients.of_nas(tx, house.nas.id)


async def test_a_lock_that_could_not_be_written_is_written_later(house, clients, monkeypatch):
    sightings = Sightings(house.db, clients, lambda: NOW)
    clients.note(clients.peer("127.0.0.1"), signed=True, at=NOW)

    async def away(*_):
        raise psycopg.OperationalError("the server is gone")

    with monkeypatch.context() as patch:
        patch.setattr(nas_clients, "note", away)
        await sightings.write()
    assert clients.peer("127.0.0.1").requires
    assert await stored(house) == []
    await sightings.write()
    (client,) = await stored(house)
    assert client.signs_since == NOW


async def test_nothing_seen_writes_nothing(house, clients):
    await Sightings(house.db, clients, lambda: NOW).write()
    assert await stored(house) == []


async def test_one_that_was_unlocked_meanwhile_signs_no_more(house, clients):
    sightings = Sightings(house.db, clients, lambda: NOW)
    clients.note(clients.peer("127.0.0.1"), signed=True, at=NOW)
    await sightings.write()
    async with house.db.system() as tx:
        await nas_clients.unlock(tx, house.nas)
    # as a node that was about to say the same
    other = Clients()
    await other.replace([house.nas], [], house.keys)
    other.note(other.peer("127.0.0.1"), signed=True, at=NOW)
    await Sightings(house.db, other, lambda: NOW).write()
    assert not other.peer("127.0.0.1").requires
