"""Rights taken away while Demarc runs are gone within seconds."""

import httpx
import pytest

from demarc.platform.clock import now
from support.eventually import eventually

SOON = 5


@pytest.fixture
async def caller(served):
    async with httpx.AsyncClient(
        base_url=served.settings.public_url, timeout=30, trust_env=False
    ) as client:
        yield client


async def test_a_clients_role_and_its_disabling_are_heard_by_running_processes(served, caller):
    house = served.house
    async with house.db.system() as tx:
        client = await house.identity.put_client(tx, tenant_id=house.isp.id, api="aex", name="crm")
        token, _ = await house.identity.issue_token(tx, client, now=now())
        await house.identity.put_role(
            tx, tenant_id=house.isp.id, name="own", title="Own", permissions=["*:*"]
        )

    async def status(path="/services"):
        answer = await caller.get(path, headers={"Authorization": f"Bearer {token}"})
        return answer.status_code

    async def becomes(code):
        await eventually(status, lambda seen: seen == code, within=SOON)

    async def change(**what):
        async with house.db.system() as tx:
            await house.identity.change_client(tx, client.id, **what)

    assert await status() == 200
    await change(disabled=True)
    await becomes(401)
    await change(disabled=False)
    await becomes(200)
    await change(role="own")
    async with house.db.system() as tx:
        await house.identity.put_role(
            tx, tenant_id=house.isp.id, name="own", title="Own", permissions=["customer:read"]
        )
    await becomes(403)
    assert await status("/customers") == 200
    async with house.db.system() as tx:
        await house.identity.put_role(
            tx, tenant_id=house.isp.id, name="own", title="Own", permissions=["service:read"]
        )
    await becomes(200)
