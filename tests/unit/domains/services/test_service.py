"""Services on a real database: what an ISP and its network's owner would notice."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import msgspec
import psycopg
import pytest
import pytest_asyncio

from demarc.domains.catalog.model import ProductOfferChanged
from demarc.domains.errors import Conflict, Invalid, Limited, NotFound
from demarc.domains.identity import audit
from demarc.domains.network import commands
from demarc.platform.database import Actor
from support.house import build

ANA = Actor("person", uuid4(), "person:ana@example.net")


@pytest_asyncio.fixture
async def house(db, tmp_path):
    return await build(db, tmp_path)


async def test_a_new_service_waits_for_installation_and_can_log_in_at_once(house):
    service = await house.service()
    assert service.state == "pending_installation"
    assert service.owner_id == house.fno.id
    async with house.as_isp() as tx:
        status = await house.aaa.radius_status(tx, service.id)
    assert status.username == "u0001@acme"
    assert len(status.password) >= 8


async def test_two_isps_have_the_same_login_in_realms_of_their_own(house):
    one = await house.service()
    other = await house.service(of=house.other_isp)
    async with house.as_isp() as tx:
        first = await house.aaa.radius_status(tx, one.id)
    async with house.as_other_isp() as tx:
        second = await house.aaa.radius_status(tx, other.id)
    assert (first.username, second.username) == ("u0001@acme", "u0001@beta")
    assert first.password != second.password


async def test_another_isp_sees_and_changes_nothing(house):
    service = await house.service()
    async with house.as_other_isp() as tx:
        with pytest.raises(NotFound):
            await house.services.get(tx, service.id)
        with pytest.raises(NotFound):
            await house.services.suspend(tx, service.id, reason="malice")
        with pytest.raises(NotFound):
            await house.services.history(tx, service.id)


async def test_the_owner_of_the_network_sees_and_suspends_it(house):
    service = await house.service()
    async with house.as_fno(ANA) as tx:
        await house.services.suspend(tx, service.id, reason="abuse")
    async with house.as_isp() as tx:
        seen = await house.services.get(tx, service.id)
        history = await house.services.history(tx, service.id)
    assert (seen.state, seen.reason) == ("suspended", "abuse")
    assert history[-1].actor_name == ANA.name


async def test_the_first_accept_activates_and_dates_the_service(house, db):
    service = await house.service()
    async with db.system() as tx:
        moved = await house.services.works(tx, service.id, "accept")
        assert moved is not None
        assert await house.services.works(tx, service.id, "onu_online") is None
    async with house.as_isp() as tx:
        seen = await house.services.get(tx, service.id)
    assert seen.state == "active"
    assert seen.provisioned_at is not None


async def test_a_tenant_that_activates_by_hand_is_asked(house, db):
    service = await house.service()
    async with db.system() as tx:
        await house.identity.put_tenant(
            tx, slug="acme", name="Acme", login_pattern="u{number:04d}", activate_on=[]
        )
        await house.services.works(tx, service.id, "accept")
    async with house.as_isp() as tx:
        assert (await house.services.get(tx, service.id)).state == "pending_activation"
        activated = await house.services.activate(tx, service.id, reason="contract signed")
    assert activated.state == "active"


async def test_suspending_twice_is_refused_and_leaves_the_first_reason(house):
    service = await house.service()
    async with house.as_isp() as tx:
        await house.services.suspend(tx, service.id, reason="unpaid")
    with pytest.raises(Conflict, match="suspended"):
        async with house.as_isp() as tx:
            await house.services.suspend(tx, service.id, reason="again")
    async with house.as_isp() as tx:
        assert (await house.services.get(tx, service.id)).reason == "unpaid"


async def test_a_cancelled_service_frees_its_device_for_another(house):
    service = await house.service()
    async with house.as_fno() as tx:
        serial = await house.services.assign_device(tx, service.id, serial="hwtc-0000a1b2")
        assert serial == "HWTC0000A1B2"
    other = await house.service(first_name="Thabo")
    with pytest.raises(Conflict, match="serves another"):
        async with house.as_fno() as tx:
            await house.services.assign_device(tx, other.id, serial=serial)
    async with house.as_isp() as tx:
        await house.services.cancel(tx, service.id, reason="moved away")
    async with house.as_fno() as tx:
        await house.services.assign_device(tx, other.id, serial=serial)


async def test_a_notice_is_carried_out_when_due_unless_taken_back(house, db):
    service = await house.service()
    first, second = (datetime.now(UTC) + timedelta(days=days) for days in (30, 60))

    async def due(at):
        async with db.system() as tx:
            await house.services.cancel_due(tx, service.id, at, "moving")
        async with house.as_isp() as tx:
            return (await house.services.get(tx, service.id)).state

    async with house.as_isp() as tx:
        await house.services.cancel(tx, service.id, reason="moving", at=first)
        await house.services.resume(tx, service.id, reason="stays")
    assert await due(first) == "pending_installation"
    async with house.as_isp() as tx:
        await house.services.cancel(tx, service.id, reason="moving", at=second)
    # the notice that was taken back does not count as the new one
    assert await due(first) == "pending_cancellation"
    # a suspension does not take the notice back, nor does its end
    async with house.as_isp() as tx:
        await house.services.suspend(tx, service.id, reason="unpaid")
        resumed = await house.services.resume(tx, service.id, reason="paid")
        assert resumed.state == "pending_cancellation"
        await house.services.suspend(tx, service.id, reason="unpaid again")
    assert await due(second) == "cancelled"


async def test_a_notice_is_for_a_time_in_the_future(house):
    service = await house.service()
    async with house.as_isp() as tx:
        with pytest.raises(Invalid, match="future"):
            await house.services.cancel(
                tx, service.id, reason="x", at=datetime.now(UTC) - timedelta(seconds=1)
            )


async def test_a_products_new_speed_reaches_its_services(house, db, database_url):
    service = await house.service()
    other = await house.service(first_name="Thabo")
    async with house.as_isp() as tx:
        await house.services.change_product(tx, other.id, house.fast_product.id)
    async with db.system() as tx:
        await house.catalog.put_product(
            tx,
            network=house.network,
            code="f50",
            name="Fibre 50",
            download_bps=60_000_000,
            upload_bps=30_000_000,
            areas=[house.area.id],
        )
    with psycopg.connect(database_url) as conn:
        [[told]] = conn.execute(
            "SELECT args -> 'body' FROM procrastinate_jobs"
            " WHERE args ->> 'name' = 'ProductOfferChanged'"
        ).fetchall()
    async with db.system() as tx:
        await house.services.product_changed(tx, msgspec.convert(told, ProductOfferChanged))
    async with house.as_isp() as tx:
        [slow] = await house.aaa.credentials_of(tx, service.id)
        [fast] = await house.aaa.credentials_of(tx, other.id)
    assert (slow.download_bps, slow.upload_bps) == (60_000_000, 30_000_000)
    assert fast.download_bps == 200_000_000


async def test_an_update_that_changes_nothing_is_none(house):
    service = await house.service()
    async with house.as_isp() as tx:
        first = await house.services.update(
            tx, service.id, isp_reference="CRM-1", wifi_password="correct horse"
        )
    async with house.as_isp() as tx:
        again = await house.services.update(
            tx, service.id, isp_reference="CRM-1", wifi_password="correct horse"
        )
        await house.services.update(tx, service.id)
        seen = await house.services.get(tx, service.id)
        queued = await commands.of_service(tx, service.id)
    assert first.updated_at == again.updated_at == seen.updated_at
    assert len(queued) == 1


@pytest.mark.parametrize("field", ["customer_id", "product_id", "premise_id"])
async def test_what_does_not_exist_is_named_and_nothing_is_made(house, field):
    async with house.as_isp() as tx:
        customer = await house.subscribers.create_customer(
            tx,
            first_name="Lindiwe",
            last_name="Mokoena",
            email="lindiwe@example.net",
            mobile_number="+27 82 555 0102",
        )
    parts = {
        "customer_id": customer.id,
        "product_id": house.product.id,
        "premise_id": house.premise_id,
    }
    with pytest.raises(Invalid) as refused:
        async with house.as_isp() as tx:
            await house.services.create(tx, **(parts | {field: uuid4()}))
    assert refused.value.field == field
    async with house.as_isp() as tx:
        found = await (await tx.conn.execute("SELECT count(*) FROM service")).fetchone()
        tenant = await house.identity.tenant_named(tx, "acme")
        number = await house.identity.next_service_number(tx)
    assert found[0] == 0
    assert (tenant.slug, number) == ("acme", 1)


async def test_another_isps_customer_cannot_be_used(house):
    theirs = await house.service(of=house.other_isp)
    with pytest.raises(Invalid, match="customer_id"):
        async with house.as_isp() as tx:
            await house.services.create(
                tx,
                customer_id=theirs.customer_id,
                product_id=house.product.id,
                premise_id=house.premise_id,
            )


async def test_wifi_is_kept_as_wanted_with_a_command_and_no_secret_in_it(house):
    service = await house.service()
    async with house.as_isp() as tx:
        changed = await house.services.update(
            tx, service.id, wifi_username="Casa Nomsa", wifi_password="correct horse"
        )
        assert house.services.wifi_password(changed) == "correct horse"
        assert b"correct horse" not in changed.wifi_password
        queued = await commands.of_service(tx, service.id)
        again = await house.services.update(tx, service.id, isp_reference="CRM-17")
    assert [(command.kind, command.state) for command in queued] == [("cpe.wifi", "queued")]
    assert "correct horse" not in repr(queued)
    assert (again.wifi_username, again.isp_reference) == ("Casa Nomsa", "CRM-17")


async def test_a_refused_wifi_password_changes_nothing(house):
    service = await house.service()
    with pytest.raises(Invalid, match="wifi_password"):
        async with house.as_isp() as tx:
            await house.services.update(
                tx, service.id, isp_reference="CRM-18", wifi_password="short"
            )
    async with house.as_isp() as tx:
        assert (await house.services.get(tx, service.id)).isp_reference is None


async def test_the_snapshot_gives_each_change_once_even_of_a_long_transaction(house, db):
    first = await house.service()

    async def ask():
        async with db.system() as tx:
            await tx.conn.execute("UPDATE snapshot_cursor SET called_at = '-infinity'")
        async with house.as_isp() as tx:
            return [change.service_id for change in await house.services.changes(tx, "aex")]

    assert await ask() == [first.id]
    assert await ask() == []
    async with house.as_isp() as open_tx:
        await house.services.update(open_tx, first.id, isp_reference="late")
        assert await ask() == []
    assert await ask() == [first.id]


async def test_after_a_restore_into_a_younger_server_the_snapshot_starts_anew_once(house, db):
    services = [await house.service() for _ in range(3)]
    theirs = await house.service(of=house.other_isp)

    async def ask(whose=house.as_isp):
        async with db.system() as tx:
            await tx.conn.execute("UPDATE snapshot_cursor SET called_at = '-infinity'")
        async with whose() as tx:
            return {change.service_id for change in await house.services.changes(tx, "aex")}

    every = {service.id for service in services}
    assert await ask() == every
    # what a dump holds of a server that had counted a million transactions more
    async with await psycopg.AsyncConnection.connect(db.conninfo) as conn:
        await conn.execute("ALTER TABLE service DISABLE TRIGGER USER")
        await conn.execute(
            """
            UPDATE service SET changed_xid = (changed_xid::text::bigint + 1000000)::text::xid8
            """
        )
        await conn.execute("ALTER TABLE service ENABLE TRIGGER USER")
        await conn.execute(
            """
            UPDATE snapshot_cursor SET cursor = format('%s:%s:', later, later)::pg_snapshot FROM (
                SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint + 1000500 AS later
            ) AS there
            """
        )
    async with house.as_isp() as tx:
        await house.services.update(tx, services[0].id, isp_reference="after the restore")
    assert await ask() == every
    assert await ask() == set()
    async with house.as_isp() as tx:
        await house.services.update(tx, services[1].id, isp_reference="later")
    assert await ask() == {services[1].id}
    # an ISP that asks for the first time gets what was restored too
    assert await ask(house.as_other_isp) == {theirs.id}
    assert await ask(house.as_other_isp) == set()


async def test_the_snapshot_is_given_once_in_ten_minutes_to_each_isp(house):
    await house.service()
    async with house.as_isp() as tx:
        assert len(await house.services.changes(tx, "aex")) == 1
    with pytest.raises(Limited) as limited:
        async with house.as_isp() as tx:
            await house.services.changes(tx, "aex")
    assert 590 <= limited.value.retry_after <= 600
    async with house.as_other_isp() as tx:
        assert await house.services.changes(tx, "aex") == []


async def test_an_onu_is_given_taken_over_and_released_and_each_is_written_down(house):
    service = await house.service()
    async with house.as_fno(ANA) as tx:
        for serial in ("HWTC0000A1B2", "hwtc-0000a1b2", "HWTC0000A1B3"):
            await house.services.assign_device(tx, service.id, serial=serial)
        assert await house.services.release_device(tx, service.id) == "HWTC0000A1B3"
        with pytest.raises(NotFound):
            await house.services.release_device(tx, service.id)
        written = [
            (entry.action, entry.before, entry.after)
            for entry in reversed(await audit.of(tx, "service", service.id))
        ]
    assert written == [
        ("assign_device", None, {"serial": "HWTC0000A1B2"}),
        ("assign_device", {"serial": "HWTC0000A1B2"}, {"serial": "HWTC0000A1B3"}),
        ("release_device", {"serial": "HWTC0000A1B3"}, None),
    ]


async def test_a_cancelled_service_takes_no_onu(house):
    service = await house.service()
    async with house.as_isp() as tx:
        await house.services.cancel(tx, service.id, reason="moved away")
    async with house.as_fno() as tx:
        with pytest.raises(Conflict, match="cancelled"):
            await house.services.assign_device(tx, service.id, serial="HWTC0000A1B2")


async def test_a_new_product_gives_the_credential_its_speed(house):
    service = await house.service()
    async with house.as_isp() as tx:
        await house.services.change_product(tx, service.id, house.fast_product.id)
        [credential] = await house.aaa.credentials_of(tx, service.id)
    assert credential.download_bps == 200_000_000
