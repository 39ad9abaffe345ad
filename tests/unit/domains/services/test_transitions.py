"""A transition acts on the service, its log-in, its sessions and its history, or on nothing."""

from datetime import UTC, datetime, timedelta

import psycopg
import pytest
import pytest_asyncio

from support.house import build

SERIAL = "HWTC0000A1B2"


@pytest_asyncio.fixture
async def house(db, tmp_path):
    return await build(db, tmp_path)


@pytest_asyncio.fixture
async def service(house):
    """An active service with an ONU, and a session on line."""
    made = await house.service()
    async with house.as_fno() as tx:
        await house.services.assign_device(tx, made.id, serial=SERIAL)
    async with house.as_isp() as tx:
        await house.services.activate(tx, made.id, reason="installed")
    await as_owner(
        house,
        """
        INSERT INTO session_live (tenant_id, owner_id, service_id, credential_id, nas_id,
            nas_address, acct_session_id, username, framed_ipv4, started_at, updated_at)
        SELECT k.tenant_id, k.owner_id, k.service_id, k.id, n.id, '127.0.0.1', 's1',
               k.username, '100.64.0.2', now(), now() FROM credential k, nas n
        """,
    )
    return made


async def as_owner(house, sql):
    async with await psycopg.AsyncConnection.connect(house.db.conninfo) as conn:
        found = await conn.execute(sql)
        return await found.fetchall() if found.description else []


async def seen(house):
    """Everything a transition acts on."""
    return {
        name: await as_owner(house, sql)
        for name, sql in {
            "service": "SELECT state, reason, product_id, provisioned_at FROM service",
            "credential": "SELECT access, download_bps FROM credential",
            "addresses": "SELECT address, kind FROM ip_address WHERE credential_id IS NOT NULL",
            "onu": "SELECT until FROM onu_service",
            "history": "SELECT to_state, reason FROM service_transition ORDER BY id",
            "audit": "SELECT action FROM audit WHERE kind = 'service' ORDER BY id",
            "commands": "SELECT kind, state, request ->> 'reason' FROM command",
            "jobs": "SELECT task_name FROM procrastinate_jobs WHERE queue_name LIKE 'reach-%'",
        }.items()
    }


async def suspend(house, tx, service):
    await house.services.suspend(tx, service.id, reason="unpaid")


async def cancel(house, tx, service):
    await house.services.cancel(tx, service.id, reason="moved")


async def change_product(house, tx, service):
    await house.services.change_product(tx, service.id, house.fast_product.id)


async def give_notice(house, tx, service):
    await house.services.cancel(
        tx, service.id, reason="moving", at=datetime.now(UTC) + timedelta(days=30)
    )


async def cancel_due(house, tx, service):
    await give_notice(house, tx, service)
    noticed = await house.services.get(tx, service.id)
    await house.services.cancel_due(tx, service.id, noticed.cancel_at, "moving")


@pytest.mark.parametrize(
    ("act", "outcome"),
    [
        (suspend, ("suspended", "suspended", ("radius.disconnect", "suspend: unpaid"))),
        (cancel, ("cancelled", "closed", ("radius.disconnect", "cancel: moved"))),
        (cancel_due, ("cancelled", "closed", ("radius.disconnect", "cancel: moving"))),
        (give_notice, ("pending_cancellation", "allowed", None)),
        (change_product, ("active", "allowed", ("radius.change", "product changed"))),
    ],
)
async def test_a_transition_acts_on_all_that_hangs_on_it(house, service, act, outcome):
    state, access, told = outcome
    before = await seen(house)
    async with house.as_isp() as tx:
        await act(house, tx, service)
    after = await seen(house)
    assert after["service"][0][0] == state
    assert after["credential"][0][0] == access
    assert after["commands"] == ([] if told is None else [(told[0], "queued", told[1])])
    assert after["jobs"] == ([] if told is None else [(told[0],)])
    assert (after["history"][-1][0] == state) or act is change_product
    assert len(after["audit"]) > len(before["audit"])
    ended = state == "cancelled"
    assert bool(after["addresses"]) != ended
    assert (after["onu"][0][0] is not None) == ended
    assert after["credential"][0][1] == (200_000_000 if act is change_product else 50_000_000)


async def test_a_service_that_is_resumed_may_log_in_and_nobody_is_thrown_out(house, service):
    async with house.as_isp() as tx:
        await suspend(house, tx, service)
    commands = (await seen(house))["commands"]
    async with house.as_isp() as tx:
        await house.services.resume(tx, service.id, reason="paid")
    after = await seen(house)
    assert after["service"][0][:2] == ("active", "paid")
    assert after["credential"][0][0] == "allowed"
    assert after["commands"] == commands
    assert after["history"][-1] == ("active", "paid")


@pytest.mark.parametrize("table", ["command", "procrastinate_jobs", "audit"])
@pytest.mark.parametrize("act", [suspend, cancel, cancel_due, change_product])
async def test_a_transition_whose_last_part_fails_changes_nothing(house, service, act, table):
    await as_owner(
        house,
        f"""
        CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN RAISE EXCEPTION 'the disk is full'; END $$;
        CREATE TRIGGER refuse BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION refuse();
        """,
    )
    before = await seen(house)
    with pytest.raises(psycopg.Error, match="the disk is full"):
        async with house.as_isp() as tx:
            await act(house, tx, service)
    assert await seen(house) == before
