"""Who was shut out is refused by the running product, whatever it remembers of them."""

import httpx
import psycopg
import pytest

from demarc.platform.clock import now
from support.eventually import eventually

# A token is remembered for 15 s: what is refused sooner was heard of.
REMEMBERED = 15
SOON = 8

EMAIL = "ana@example.net"
PASSWORD = "correct horse battery"


@pytest.fixture
async def caller(served):
    async with httpx.AsyncClient(
        base_url=served.settings.public_url, timeout=30, trust_env=False
    ) as client:
        yield client


async def issued(served, name):
    """Issue a token; give it and its id."""
    house = served.house
    async with house.db.system() as tx:
        client = await house.identity.put_client(tx, tenant_id=house.isp.id, api="aex", name=name)
        token, kept = await house.identity.issue_token(tx, client, now=now())
    return token, kept.id


async def revoke(served, token_id):
    async with served.house.db.system() as tx:
        await served.house.identity.revoke_token(tx, token_id)


async def as_owner(served, sql):
    """Run a statement as the database's owner."""
    conninfo = served.house.db.conninfo
    async with await psycopg.AsyncConnection.connect(conninfo, autocommit=True) as conn:
        await conn.execute(sql)


async def test_a_revoked_token_is_refused_at_once_or_within_15_seconds(served, caller):
    async def status(token):
        answer = await caller.get("/services", headers={"Authorization": f"Bearer {token}"})
        return answer.status_code

    # the change is heard
    token, token_id = await issued(served, "heard")
    assert await status(token) == 200
    await revoke(served, token_id)
    await eventually(lambda: status(token), lambda seen: seen == 401, within=SOON)

    # the connection on which it would be heard is cut, and made up for when it is back
    token, token_id = await issued(served, "cut")
    assert await status(token) == 200
    async with served.house.db.system() as tx:
        await served.house.identity.revoke_token(tx, token_id)
        await as_owner(
            served,
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name = 'demarc/listen'",
        )
    await eventually(lambda: status(token), lambda seen: seen == 401, within=SOON)

    # nobody is told at all
    token, token_id = await issued(served, "silent")
    assert await status(token) == 200
    await as_owner(served, "ALTER TABLE api_token DISABLE TRIGGER USER")
    await revoke(served, token_id)
    await eventually(lambda: status(token), lambda seen: seen == 401, within=REMEMBERED + SOON)

    # and nobody else was
    assert (await served.isp.get("/services")).status_code == 200


@pytest.mark.parametrize("told", [True, False])
async def test_a_person_is_shut_out_and_loses_an_old_password_with_the_next_call(
    served, caller, told
):
    house = served.house
    async with house.db.system() as tx:
        person = await house.identity.put_person(tx, email=EMAIL, name="Ana", password=PASSWORD)
        await house.identity.give_role(
            tx, person_id=person.id, tenant_id=house.isp.id, role="admin"
        )
    if not told:
        await as_owner(served, "ALTER TABLE person DISABLE TRIGGER USER")
        await as_owner(served, "ALTER TABLE person_role DISABLE TRIGGER USER")

    async def status(password=PASSWORD, path="/services", **more):
        answer = await caller.request(
            more.pop("method", "GET"), path, auth=(EMAIL, password), **more
        )
        return answer.status_code

    for _ in range(2):
        assert await status() == 200
    async with house.db.system() as tx:
        await house.identity.disable_person(tx, person.id)
    assert await status() == 401
    async with house.db.system() as tx:
        await house.identity.disable_person(tx, person.id, disabled=False)
    assert await status() == 200

    async with house.db.system() as tx:
        await house.identity.put_person(
            tx, email=EMAIL, name="Ana", password="another long password"
        )
    assert await status() == 401
    assert await status("another long password") == 200

    async with house.db.system() as tx:
        await house.identity.give_role(
            tx, person_id=person.id, tenant_id=house.isp.id, role="readonly"
        )
    assert await status("another long password") == 200
    assert await status("another long password", "/customers", method="POST", json={}) == 403
