"""Every stored secret encrypted anew, while others write."""

import psycopg
import pytest

from demarc.app import rotation
from demarc.domains.errors import Conflict
from demarc.platform.database import SYSTEM
from demarc.platform.secrets import KeyFileError, KeyRing, Undecipherable
from demarc.platform.secrets.columns import ENCRYPTED, NOT_ENCRYPTED
from support.house import build

OCTETS = """
    SELECT c.relname::text, a.attname::text
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND NOT c.relispartition
      AND a.attnum > 0 AND NOT a.attisdropped AND a.atttypid = 'bytea'::regtype
"""


async def test_every_column_of_octets_is_rotated_or_said_to_be_no_secret(db):
    async with db.system() as tx:
        found = set(await (await tx.conn.execute(OCTETS)).fetchall())
    listed = {(one.table, one.column) for one in ENCRYPTED}
    assert found - listed - NOT_ENCRYPTED == set(), (
        "list them in demarc.platform.secrets.columns: ENCRYPTED with how they are bound to their"
        " row, or NOT_ENCRYPTED"
    )
    assert listed <= found


@pytest.fixture
async def house(db, tmp_path):
    made = await build(db, tmp_path)
    for name in ("Nomsa", "Thandi", "Joe"):
        service = await made.service(first_name=name)
        async with made.as_isp() as tx:
            await made.services.update(
                tx, service.id, wifi_username="home", wifi_password=f"wifi of {name}"
            )
    async with made.db.system() as tx:
        await made.access.put_olt(
            tx, owner_id=made.fno.id, network_id=made.network.id, name="olt-1", vendor="huawei", address="192.0.2.9",
            community="community-of-tests",
        )  # fmt: skip
    return made


async def stored(db):
    """Give every encrypted value there is, with the column and the row it stands in."""
    found = []
    async with db.system() as tx:
        for column in ENCRYPTED:
            rows = await tx.conn.execute(
                f"SELECT id, {column.column} FROM {column.table}"
                f" WHERE {column.column} IS NOT NULL ORDER BY id".encode()
            )
            found += [(column, key, bytes(value)) for key, value in await rows.fetchall()]
    return found


async def clear(house):
    return [
        house.keys.decrypt(value, row=column.row(key))
        for column, key, value in await stored(house.db)
    ]


def untold(what, done, whole):
    assert 0 <= done <= whole


async def test_all_is_under_the_new_key_and_reads_as_before(house):
    before = await clear(house)
    assert {column.name for column, _, _ in await stored(house.db)} >= {
        "nas.secret", "olt.community", "credential.secret", "service.wifi_password",
    }  # fmt: skip
    old = house.keys.current
    async with house.db.system() as tx:
        stamps = "SELECT id, changed_xid::text, updated_at FROM service ORDER BY id"
        was = await (await tx.conn.execute(stamps)).fetchall()
        told = await (await tx.conn.execute("SELECT count(*) FROM change")).fetchone()
    new = await rotation.begin(house.db, house.keys, SYSTEM)
    done = await rotation.reencrypt(house.db, house.keys, SYSTEM, untold, batch=2)
    assert (done.current, done.unreadable) == (new, {})
    assert sum(done.reencrypted.values()) == len(before)
    assert await clear(house) == before
    assert {value[1:5].hex() for _, _, value in await stored(house.db)} == {new}
    assert await rotation.uses(house.db) == {new: done.reencrypted}
    # nobody's service has changed, and no cache drops anything
    async with house.db.system() as tx:
        assert await (await tx.conn.execute(stamps)).fetchall() == was
        assert await (await tx.conn.execute("SELECT count(*) FROM change")).fetchone() == told
    # and again there is nothing to do
    again = await rotation.reencrypt(house.db, house.keys, SYSTEM, untold)
    assert again.reencrypted == {}
    await rotation.retire(house.db, house.keys, old, SYSTEM, quiet_for=0, changed_at=0)
    assert list(house.keys.created) == [new]
    assert await clear(house) == before
    async with house.db.system() as tx:
        written = await tx.conn.execute("SELECT action FROM audit WHERE kind = 'key' ORDER BY id")
        assert [action for (action,) in await written.fetchall()] == [
            "rotate_key", "reencrypt", "reencrypt", "retire_key",
        ]  # fmt: skip


async def test_one_that_was_cut_short_goes_on_and_its_key_is_not_retired_before(house):
    before = await clear(house)
    old = house.keys.current
    await rotation.begin(house.db, house.keys, SYSTEM)

    class Cut(Exception):
        pass

    def cut(what, done, whole):
        raise Cut

    with pytest.raises(Cut):
        await rotation.reencrypt(house.db, house.keys, SYSTEM, cut, batch=1)
    used = await rotation.uses(house.db)
    assert sum(used[house.keys.current].values()) == 1
    with pytest.raises(Conflict, match="still needed"):
        await rotation.retire(house.db, house.keys, old, SYSTEM, quiet_for=0, changed_at=0)
    done = await rotation.reencrypt(house.db, house.keys, SYSTEM, untold)
    assert sum(done.reencrypted.values()) == len(before) - 1
    assert await clear(house) == before


async def test_what_somebody_changed_meanwhile_stays_as_they_wrote_it(house, database_url):
    await rotation.begin(house.db, house.keys, SYSTEM)
    nas = next(column for column in ENCRYPTED if column.name == "nas.secret")
    async with house.db.system() as tx:
        stale = await rotation._STALE[nas].all(
            tx, after="00000000-0000-0000-0000-000000000000", current=house.keys.current, limit=9
        )
        # read, and before it is written somebody else gives the NAS another secret
        newer = house.keys.encrypt(b"their new one", row=nas.row(house.nas.id))
        async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as other:
            await other.execute("UPDATE nas SET secret = %s", [newer])
        assert await rotation._anew(tx, house.keys, nas, stale) == (0, 0)
    async with house.db.system() as tx:
        found = await (await tx.conn.execute("SELECT secret FROM nas")).fetchone()
    assert house.keys.decrypt(bytes(found[0]), row=nas.row(house.nas.id)) == b"their new one"


async def test_values_of_a_lost_key_are_told_of_and_the_others_done(house, tmp_path):
    stranger = KeyRing.open(tmp_path / "other.toml")
    lost = stranger.encrypt(b"lost", row=ENCRYPTED[0].row(house.nas.id))
    async with house.db.system() as tx:
        await tx.conn.execute("UPDATE nas SET secret = %s", [lost])
    await rotation.begin(house.db, house.keys, SYSTEM)
    done = await rotation.reencrypt(house.db, house.keys, SYSTEM, untold)
    assert done.unreadable == {"nas.secret": 1}
    assert done.reencrypted["credential.secret"] == 3
    with pytest.raises(Undecipherable):
        await clear(house)


async def test_a_key_is_not_retired_while_processes_may_use_what_they_remember(house):
    old = house.keys.current
    await rotation.begin(house.db, house.keys, SYSTEM)
    await rotation.reencrypt(house.db, house.keys, SYSTEM, untold)
    now = (house.keys._path).stat().st_mtime
    with pytest.raises(Conflict, match="try again in"):
        await rotation.retire(house.db, house.keys, old, SYSTEM, quiet_for=60, changed_at=now)
    with pytest.raises(Conflict, match="still needed"):
        await rotation.retire(
            house.db, house.keys, house.keys.current, SYSTEM, quiet_for=0, changed_at=0
        )
    with pytest.raises(KeyFileError, match="no key"):
        await rotation.retire(house.db, house.keys, "00000000", SYSTEM, quiet_for=0, changed_at=0)


def test_a_process_that_runs_encrypts_with_the_new_key_at_once(tmp_path):
    running, command = KeyRing.open(tmp_path / "k.toml"), KeyRing.open(tmp_path / "k.toml")
    old = running.current
    new = command.rotate()
    command.retire(old)
    value = running.encrypt(b"x", row=b"r")
    assert value[1:5].hex() == new
    assert command.decrypt(value, row=b"r") == b"x"
