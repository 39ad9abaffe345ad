"""Machines that share nothing but PostgreSQL, each with a part of the roles."""

import pytest

from demarc.app.parts import keys_of
from demarc.platform.clock import now
from demarc.platform.database import Database
from demarc.platform.settings import Settings
from demarc.protocols.radius.packet import Code
from support.eventually import eventually
from support.house import NAS_SECRET, build
from support.radius_nas import Nas
from support.running import Running

# A credential in memory is read again after so long: what is obeyed sooner was heard of.
REMEMBERED = 60
SOON = 20


@pytest.fixture
async def database(database_url):
    db = await Database.open(database_url, tenant_pool=2, system_pool=2)
    yield db
    await db.close()


@pytest.fixture
async def machines(tmp_path, database_url, database):
    """Two machines with a data folder each, and copies of one key file."""
    keys_of(Settings.load({}, data=tmp_path), may_create=True)
    house = await build(database, tmp_path)
    made = []
    for name, roles in (("north", "radius"), ("south", "web,worker")):
        data = tmp_path / name
        data.mkdir()
        (data / "keys.toml").write_bytes((tmp_path / "keys.toml").read_bytes())
        (data / "keys.toml").chmod(0o600)
        made.append(
            Running(
                data,
                None,
                database_url=database_url,
                roles=roles,
                node=name,
                credential_cache_max_age=REMEMBERED,
            )
        )
    try:
        for each in made:
            await each.start()
        yield house, *made
        for each in made:
            assert await each.end() == 0, each.log_text()
    finally:
        for each in made:
            each.kill_all()


async def test_what_one_machine_is_told_another_obeys(machines):
    house, north, south = machines
    assert set(children(north)) == {"radius"}
    assert set(children(south)) == {"web", "worker"}
    assert "http" not in north.log("serving")[-1]
    assert "radius" not in south.log("serving")[-1]
    service = await house.service()
    async with house.as_isp() as tx:
        status = await house.aaa.radius_status(tx, service.id)
    async with house.db.system() as tx:
        client = await house.identity.put_client(tx, tenant_id=house.isp.id, api="aex", name="t")
        token, _ = await house.identity.issue_token(tx, client, now=now())
    nas = Nas(north.auth, north.acct, NAS_SECRET)

    async def code():
        return (await nas.login(status.username, status.password)).code

    try:
        assert await code() == Code.ACCESS_ACCEPT
        async with south.client(token) as isp:
            # the worker of the south carries the first log-in, told by the north, into the service
            async def shown():
                return (await isp.get(f"/services/{service.id}")).json()["status"]

            await eventually(shown, lambda state: state == "Active")
            answer = await isp.post(f"/services/{service.id}/suspend", json={})
            assert answer.status_code < 300, answer.text
            await eventually(code, lambda seen: seen == Code.ACCESS_REJECT, within=SOON)
            answer = await isp.post(f"/services/{service.id}/resume", json={})
            assert answer.status_code < 300, answer.text
            await eventually(code, lambda seen: seen == Code.ACCESS_ACCEPT, within=SOON)
    finally:
        nas.close()


def children(machine):
    return [line["child"] for line in machine.log("a child is ready")]
