"""Home servers of realms: kept, told of, and seen by whom they belong to alone."""

import psycopg
import pytest

from demarc.domains.aaa.proxying import NewServer, all_proxies, all_servers
from demarc.domains.errors import Invalid
from demarc.domains.identity import audit
from demarc.platform import changes
from support.house import build


@pytest.fixture
async def house(db, tmp_path):
    return await build(db, tmp_path)


async def realm_of(house, tx, tenant):
    (realm,) = await house.aaa.realms(tx, tenant.id)
    return realm


def server(name="aaa-1", **more):
    return NewServer(name=name, address="203.0.113.10", **{"secret": "testing-secret", **more})


async def test_a_secret_is_kept_encrypted_and_never_in_the_audit_log(house):
    async with house.db.system() as tx:
        realm = await realm_of(house, tx, house.isp)
        await house.aaa.proxies.put(tx, realm, [server()])
        (kept,) = await all_servers(tx)
        entries = await audit.of(tx, "realm", realm.id)
    assert b"testing-secret" not in kept.secret
    assert house.aaa.proxies.secret(kept) == "testing-secret"
    assert "aaa-1" in str(entries)
    assert "testing-secret" not in str(entries)


async def test_the_realm_is_told_to_have_changed(house):
    async with house.db.system() as tx:
        realm = await realm_of(house, tx, house.isp)
        cursor = await changes.here(tx)

    async def told():
        nonlocal cursor
        async with house.db.system() as tx:
            found, cursor = await changes.since(tx, cursor, ["realm"])
        return {change.key for change in found}

    for servers in ([server()], [server(priority=5)], []):
        async with house.db.system() as tx:
            await house.aaa.proxies.put(tx, realm, servers)
        assert await told() == {realm.id}
    async with house.db.system() as tx:
        assert (await all_proxies(tx), await all_servers(tx)) == ([], [])


async def test_an_isp_sees_its_own_home_servers_and_changes_none(house):
    async with house.db.system() as tx:
        realm = await realm_of(house, tx, house.isp)
        await house.aaa.proxies.put(tx, realm, [server()])
    async with house.as_isp() as tx:
        assert await house.aaa.proxies.of_realm(tx, realm.id) is not None
    for other in (house.as_other_isp, house.as_fno):
        async with other() as tx:
            assert await house.aaa.proxies.of_realm(tx, realm.id) is None
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        async with house.as_isp() as tx:
            await house.aaa.proxies.put(tx, realm, [server(name="aaa-2")])


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (server(secret=None), "needs a secret"),
        (server(auth_port=None, acct_port=None), "needs auth_port or acct_port"),
        (server(transport="radsec", certificate="*.example"), "certificate"),
        (NewServer(name="x", address="aaa.example", secret="x"), "is no address"),
    ],
)
async def test_a_server_that_cannot_be_is_refused(house, wrong, said):
    async with house.db.system() as tx:
        realm = await realm_of(house, tx, house.isp)
        with pytest.raises(Invalid, match=said):
            await house.aaa.proxies.put(tx, realm, [wrong])
