"""Log-ins in memory: read together, dropped when they change, never too old."""

import asyncio
from contextlib import asynccontextmanager
from uuid import uuid4

import psycopg
import pytest

from demarc.domains.aaa import logins
from demarc.southbound.radius.credentials import Credentials
from demarc.southbound.radius.limits import Limits
from support.house import build


@pytest.fixture
async def house(db, tmp_path):
    return await build(db, tmp_path)


@pytest.fixture
async def known(house):
    """Five services; their keys, and a log-in's id for each."""
    found = {}
    for number in range(5):
        service = await house.service(first_name=f"N{number}")
        async with house.as_isp() as tx:
            (credential,) = await house.aaa.credentials_of(tx, service.id)
        found[credential.realm_id, credential.username, credential.kind] = credential.id
    return found


class Hands:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Hands()


@pytest.fixture
def reads(monkeypatch):
    """What was asked of the database, a list of keys each time."""
    asked = []
    really = logins.logins_by_name

    async def counted(tx, names):
        asked.append(list(names))
        return await really(tx, names)

    monkeypatch.setattr(logins, "logins_by_name", counted)
    return asked


@pytest.fixture
async def make(house, clock):
    made = []

    def make(**limits):
        made.append(Credentials(house.db, Limits(**limits), clock))
        return made[-1]

    yield make
    for one in made:
        await one.close()


async def fetch(credentials, *keys):
    """Want log-ins in one turn of the loop; give what was found."""
    waiting = [asyncio.get_running_loop().create_future() for _ in keys]
    for key, future in zip(keys, waiting, strict=True):
        assert credentials.want(key, future.set_result)
    return await asyncio.wait_for(asyncio.gather(*waiting), 10)


async def test_what_is_wanted_together_is_read_together(make, known, reads):
    credentials = make()
    keys = list(known)
    found = await fetch(credentials, *keys, *keys, (keys[0][0], "nobody", "pppoe"))
    assert len(reads) == 1
    assert [entry.login and entry.login.id for entry in found] == [
        *known.values(),
        *known.values(),
        None,
    ]
    assert all(credentials.find(key).login.username == key[1] for key in keys)


async def test_hundreds_are_read_in_portions_and_all_get_their_answer(make, known, reads):
    credentials = make()
    realm = next(iter(known))[0]
    strangers = [(realm, f"x{number}", "pppoe") for number in range(700)]
    found = await fetch(credentials, *strangers, *known)
    assert [entry.login is None for entry in found] == [True] * 700 + [False] * 5
    assert max(map(len, reads)) <= 200
    assert len(reads) <= 5


async def test_an_entry_is_not_used_beyond_its_age(make, known, clock):
    credentials, key = make(max_age=30), next(iter(known))
    await fetch(credentials, key)
    clock.now = 30
    assert credentials.find(key) is not None
    clock.now = 31
    assert credentials.find(key) is None


async def test_that_a_login_does_not_exist_is_forgotten_sooner(make, known, clock):
    credentials = make(unknown_age=5)
    nobody = (next(iter(known))[0], "nobody", "pppoe")
    await fetch(credentials, nobody)
    assert credentials.find(nobody).login is None
    clock.now = 6
    assert credentials.find(nobody) is None


async def test_a_changed_credential_is_dropped(make, known):
    credentials, (key, credential_id) = make(), next(iter(known.items()))
    await fetch(credentials, key)
    credentials.changed(credential_id)
    assert credentials.find(key) is None


async def test_a_new_credential_makes_all_unknown_names_doubtful(make, known):
    credentials = make()
    nobody = (next(iter(known))[0], "nobody", "pppoe")
    await fetch(credentials, nobody)
    credentials.changed(uuid4())
    assert credentials.find(nobody) is None


async def test_a_change_that_comes_while_it_is_read_is_not_overlooked(make, known, monkeypatch):
    """The reading may have begun before the change; what it finds must not be kept."""
    credentials, (key, credential_id) = make(), next(iter(known.items()))
    really = logins.logins_by_name

    async def overtaken(tx, names):
        found = await really(tx, names)
        credentials.changed(credential_id)
        return found

    monkeypatch.setattr(logins, "logins_by_name", overtaken)
    (entry,) = await fetch(credentials, key)
    assert entry.login.id == credential_id
    assert credentials.find(key) is None


async def test_when_anything_may_have_changed_nothing_is_kept(make, known, monkeypatch):
    credentials, keys = make(), list(known)
    nobody = (keys[0][0], "nobody", "pppoe")
    await fetch(credentials, keys[0], nobody)
    really = logins.logins_by_name

    async def overtaken(tx, names):
        found = await really(tx, names)
        credentials.forget()
        return found

    monkeypatch.setattr(logins, "logins_by_name", overtaken)
    (entry,) = await fetch(credentials, keys[1])
    assert entry.login.id == known[keys[1]]
    assert all(credentials.find(key) is None for key in (*keys[:2], nobody))
    assert credentials.by_id(known[keys[0]]) is None


async def test_the_least_used_go_when_there_are_too_many(make, known):
    credentials, keys = make(credentials=3), list(known)
    for key in keys[:3]:
        await fetch(credentials, key)
    credentials.find(keys[0])
    await fetch(credentials, keys[3])
    assert credentials.find(keys[1]) is None
    assert credentials.find(keys[0]) is not None
    assert len(credentials) == 3
    assert credentials.by_id(known[keys[1]]) is None


async def test_beyond_what_may_wait_nothing_is_taken(make, known):
    credentials, keys = make(waiting=2), list(known)
    assert credentials.want(keys[0], lambda _entry: None)
    assert credentials.want(keys[1], lambda _entry: None)
    assert not credentials.want(keys[2], lambda _entry: None)


async def test_a_database_that_hangs_is_not_waited_for(make, known, house, monkeypatch, clock):
    credentials, key = make(database_patience=0.05, max_age=30, stale_grace=30), next(iter(known))
    await fetch(credentials, key)
    forever = asyncio.Event()

    @asynccontextmanager
    async def hangs(*_args):
        await forever.wait()
        yield

    with monkeypatch.context() as patched:
        patched.setattr(house.db, "system", hangs)
        clock.now = 40
        (stale,) = await fetch(credentials, key)
        assert stale.login.username == key[1]
        assert credentials.away
        # from now on nobody waits
        assert credentials.find(key) is stale
        clock.now = 61
        assert credentials.find(key) is None
        assert await fetch(credentials, key) == [None]
    (fresh,) = await fetch(credentials, key)
    assert fresh.login is not None
    assert not credentials.away


async def test_an_outage_answers_everybody_who_waits(make, known, house, monkeypatch):
    credentials = make()

    @asynccontextmanager
    async def away(*_args):
        raise psycopg.OperationalError("the server is away")
        yield

    monkeypatch.setattr(house.db, "system", away)
    assert await fetch(credentials, *known) == [None] * 5
