"""What is written down when realms, NASes and pools are set up."""

from uuid import uuid4

import pytest

from demarc.domains.errors import Conflict, NotFound
from demarc.domains.identity import audit
from demarc.platform.database import Actor
from support.house import NAS_SECRET, build

ANA = Actor("person", uuid4(), "person:ana@example.net")


@pytest.fixture
async def house(db, tmp_path):
    return await build(db, tmp_path)


async def log(house, kind, key, tenant):
    """Give the entries on one thing in an organisation's log, oldest first."""
    async with house.db.tenant(tenant.id) as tx:
        return list(reversed(await audit.of(tx, kind, key)))


async def test_a_nas_is_written_down_with_its_secret_masked(house):
    async with house.db.system(ANA) as tx:
        changed = await house.aaa.change_nas(tx, house.nas, secret="another", coa_port=1700)
        await house.aaa.change_nas(tx, changed, secret="another", reach="north")
        last = await house.aaa.find_nas(tx, house.nas.id)
        await house.aaa.change_nas(tx, last, secret="another", reach="north")
    made, *changes = await log(house, "nas", house.nas.id, house.fno)
    assert (made.action, made.after["prefix"], made.after["secret"]) == (
        *("create", "127.0.0.1/32", "***"),
    )
    assert [(one.before, one.after) for one in changes] == [
        ({"secret": "***", "coa_port": 3799}, {"secret": "***", "coa_port": 1700}),
        ({"reach": "default"}, {"reach": "north"}),
    ]
    assert {one.actor_name for one in changes} == {ANA.name}
    async with house.db.system() as tx:
        kept = await (await tx.conn.execute("SELECT to_jsonb(audit)::text FROM audit")).fetchall()
    assert NAS_SECRET not in str(kept)


async def test_a_pool_is_written_down_in_its_owners_log(house):
    async with house.as_fno(ANA) as tx:
        pool = await house.aaa.create_pool(
            tx,
            owner_id=house.fno.id,
            network_id=house.network.id,
            name="more",
            prefix="198.51.100.0/29",
        )
    [entry] = await log(house, "pool", pool.id, house.fno)
    assert (entry.actor_name, entry.action, entry.after["prefix"]) == (
        *(ANA.name, "create", "198.51.100.0/29"),
    )


async def test_a_realm_is_written_down_when_it_is_made_and_when_it_changes(house):
    async with house.as_isp(ANA) as tx:
        realm = await house.aaa.create_realm(tx, tenant_id=house.isp.id, name="Second.example")
        for _ in range(2):
            await house.aaa.change_realm(tx, realm.id, qualified=False)
    entries = await log(house, "realm", realm.id, house.isp)
    assert [(one.action, one.before) for one in entries] == [
        ("create", None),
        ("update", {"qualified": True}),
    ]
    async with house.as_other_isp() as tx:
        with pytest.raises(NotFound):
            await house.aaa.change_realm(tx, realm.id, qualified=True)


async def test_who_has_no_realm_is_told_how_to_get_one(house):
    async with house.db.system() as tx:
        await house.identity.admit_isp(tx, house.network, house.fno.id)
    with pytest.raises(Conflict, match=r"\[\[realm\]\].*demarc apply"):
        await house.service(of=house.fno)
    async with house.as_fno() as tx:
        found = await (await tx.conn.execute("SELECT count(*) FROM service")).fetchone()
    assert found == (0,)
