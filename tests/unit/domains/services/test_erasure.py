"""Customers forgotten: what is gone everywhere, and what stays."""

import json
from datetime import date, timedelta

import pytest

from demarc.app.retention import Retention
from demarc.domains.errors import Conflict, NotFound
from demarc.domains.identity import retention
from demarc.domains.services import erasure
from support.house import build

PERSONAL = ("Nomsa", "Dlamini", "nomsa@", "555 0101", "5550101", "her wifi", "home of")


@pytest.fixture
async def house(db, tmp_path):
    return await build(db, tmp_path)


async def ended(house, days=0):
    """Give a service that was used and has ended so many days ago."""
    service = await house.service()
    async with house.as_isp() as tx:
        await house.subscribers.put_contact(
            tx, service.customer_id, kind="whatsapp", value="+27 82 555 0101"
        )
        await house.services.update(
            tx, service.id, wifi_username="home of Nomsa", wifi_password="her wifi password"
        )
        await house.services.cancel(tx, service.id, reason="moved")
    async with house.db.system() as tx:
        await tx.conn.execute(
            "UPDATE service_transition SET at = at - make_interval(days => %s)", [days]
        )
    return service


async def everything(house):
    """Give the text of all rows of all tables that know customers."""
    texts = []
    async with house.db.system() as tx:
        for table in ("customer", "customer_contact", "consent", "service", "credential", "audit",
                      "service_transition", "change"):  # fmt: skip
            rows = await tx.conn.execute(f"SELECT to_jsonb(t) FROM {table} t".encode())
            texts += [json.dumps(row) for (row,) in await rows.fetchall()]
    return "\n".join(texts)


async def test_nothing_that_names_or_reaches_them_is_left_but_what_tax_law_wants(house):
    service = await ended(house)
    for word in PERSONAL[:3]:
        assert word in await everything(house)
    async with house.db.system() as tx:
        gone = await erasure.erase(tx, service.customer_id)
    assert gone.identity_kept
    assert gone.identity_until == date.today() + timedelta(days=1827)  # noqa: DTZ011
    assert (gone.services, gone.logins, gone.contacts) == (1, 1, 1)
    assert gone.audit_entries > 0
    left = await everything(house)
    # the name alone, for invoices
    assert left.count("Nomsa Dlamini") == 1
    for word in ("nomsa@", "555 0101", "5550101", "her wifi", "home of"):
        assert word not in left
    async with house.as_isp() as tx:
        found = await house.subscribers.customer(tx, service.customer_id)
        assert (found.name, found.first_name, found.email) == ("Nomsa Dlamini", None, None)
        kept = await house.services.get(tx, service.id)
        assert kept.product_id == service.product_id
        # that it was done, when and by whom stays
        history = await tx.conn.execute(
            "SELECT action FROM audit WHERE key = %s ORDER BY id", [service.customer_id]
        )
        assert [action for (action,) in await history.fetchall()][-1] == "erase"


async def test_later_the_name_goes_too(house):
    service = await ended(house, days=1828)
    async with house.db.system() as tx:
        gone = await erasure.erase(tx, service.customer_id)
    assert not gone.identity_kept
    left = await everything(house)
    for word in PERSONAL:
        assert word not in left

    service = await ended(house)
    async with house.db.system() as tx:
        await erasure.erase(tx, service.customer_id)
        await tx.conn.execute("UPDATE customer SET identity_until = current_date + 1")
    await Retention(house.db).apply()
    assert "Nomsa Dlamini" in await everything(house)
    async with house.db.system() as tx:
        await tx.conn.execute(
            "UPDATE customer SET identity_until = current_date WHERE identity_until IS NOT NULL"
        )
    await Retention(house.db).apply()
    assert "Nomsa" not in await everything(house)


async def test_somebody_with_a_service_is_not_forgotten(house):
    service = await house.service()
    before = await everything(house)
    with pytest.raises(Conflict, match="cancel them first"):
        async with house.db.system() as tx:
            await erasure.erase(tx, service.customer_id)
    assert await everything(house) == before
    with pytest.raises(NotFound):
        async with house.db.system() as tx:
            await erasure.erase(tx, service.id)


async def test_who_never_bought_anything_is_forgotten_whole_and_only_once(house):
    async with house.as_isp() as tx:
        made = await house.subscribers.create_customer(
            tx, first_name="Nomsa", last_name="Dlamini", email="nomsa@example.net"
        )
    for _ in range(2):
        async with house.db.system() as tx:
            gone = await erasure.erase(tx, made.id)
        assert not gone.identity_kept
    left = await everything(house)
    assert "Dlamini" not in left
    assert left.count('"erase"') == 1


async def test_ended_customers_are_forgotten_by_the_rule_and_by_no_other(house):
    old, recent = await ended(house, days=0), await house.service(first_name="Thandi")
    assert (await Retention(house.db).apply())["customer"] == 0
    async with house.db.system() as tx:
        await retention.put(tx, "customer", 30)
    assert (await Retention(house.db).apply())["customer"] == 0
    async with house.db.system() as tx:
        # as it would be 40 days later
        await tx.conn.execute("SET LOCAL demarc.reencrypts = 'on'")
        await tx.conn.execute("UPDATE service SET updated_at = updated_at - interval '40 days'")
    assert (await Retention(house.db).apply())["customer"] == 1
    assert (await Retention(house.db).apply())["customer"] == 0
    async with house.db.system() as tx:
        rows = await tx.conn.execute("SELECT id FROM customer WHERE erased_at IS NOT NULL")
        assert await rows.fetchall() == [(old.customer_id,)]
        await retention.put(tx, "customer", 60, tenant_id=house.isp.id)
    assert recent.customer_id != old.customer_id
