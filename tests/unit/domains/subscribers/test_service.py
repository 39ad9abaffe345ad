"""Customers on a real database: companies, tax numbers, contacts, consents, who may what."""

from datetime import UTC, datetime

import pytest

from demarc.domains.errors import Conflict, Forbidden, Invalid, NotFound
from demarc.domains.identity import audit
from demarc.views import customers
from support.house import build

THEN = datetime(2024, 12, 17, 9, 6, tzinfo=UTC)


@pytest.fixture
async def house(db, tmp_path):
    return await build(db, tmp_path)


async def test_a_company_has_a_whole_name_and_a_tax_number(house):
    async with house.as_isp() as tx:
        made = await house.subscribers.create_customer(
            tx,
            kind="company",
            name="Padaria do Bairro",
            tax_id_kind="CNPJ",
            tax_id="12.345.678/0001-95",
        )
    assert (made.kind, made.name, made.first_name) == ("company", "Padaria do Bairro", None)
    assert (made.tax_id_kind, made.tax_id) == ("cnpj", "12345678000195")
    async with house.as_isp() as tx:
        found = await house.subscribers.customer_of_tax_id(tx, "cnpj", "12345678/0001-95")
    assert found == made
    async with house.as_other_isp() as tx:
        assert await house.subscribers.customer_of_tax_id(tx, "cnpj", "12345678000195") is None


async def test_a_tax_number_is_one_customers_within_an_isp(house):
    async def create(tx, name):
        return await house.subscribers.create_customer(
            tx, name=name, tax_id_kind="cpf", tax_id="529.982.247-25"
        )

    async with house.as_isp() as tx:
        first = await create(tx, "Ana")
        with pytest.raises(Conflict):
            await create(tx, "Bia")
        # what came before in the transaction stays
        assert await house.subscribers.customer(tx, first.id) == first
        other = await house.subscribers.create_customer(tx, name="Bia")
        with pytest.raises(Conflict):
            await house.subscribers.update_customer(
                tx, other.id, tax_id_kind="cpf", tax_id="52998224725"
            )
    async with house.as_other_isp() as tx:
        assert (await create(tx, "Ana too")).tax_id == "52998224725"


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({}, "first_name"),
        ({"kind": "company"}, "name"),
        ({"name": "x", "tax_id": "1234"}, "tax_id"),
        ({"name": "x", "email": "no"}, "email"),
        ({"name": "x", "isp_consent_at": THEN.replace(tzinfo=None)}, "isp_opt_in"),
    ],
)
async def test_what_cannot_be_taken_is_named_and_changes_nothing(house, fields, field):
    with pytest.raises(Invalid) as refused:
        async with house.as_isp() as tx:
            await house.subscribers.create_customer(tx, **fields)
    assert refused.value.field == field
    async with house.as_isp() as tx:
        rows = await (await tx.conn.execute("SELECT count(*) FROM customer")).fetchall()
    assert rows == [(0,)]


async def test_contacts_are_added_once_and_relabelled(house):
    async with house.as_isp() as tx:
        made = await house.subscribers.create_customer(tx, name="Ana")
        await house.subscribers.put_contact(tx, made.id, kind="phone", value="011 555 0101")
        await house.subscribers.put_contact(
            tx, made.id, kind="phone", value="011 555 0101", label="work"
        )
        await house.subscribers.put_contact(tx, made.id, kind="email", value="ana@example.net")
        contacts = await house.subscribers.contacts(tx, made.id)
        with pytest.raises(Invalid):
            await house.subscribers.put_contact(tx, made.id, kind="email", value="ana")
    assert [(one.kind, one.value, one.label) for one in contacts] == [
        ("email", "ana@example.net", None),
        ("phone", "011 555 0101", "work"),
    ]
    async with house.as_other_isp() as tx:
        with pytest.raises(NotFound):
            await house.subscribers.put_contact(tx, made.id, kind="email", value="x@example.net")


async def test_a_consent_given_again_the_same_is_no_new_one(house):
    async with house.as_isp() as tx:
        made = await house.subscribers.create_customer(tx, name="Ana", fno_consent_at=THEN)
        await house.subscribers.update_customer(tx, made.id, fno_consent_at=THEN)
        assert len(await house.subscribers.consents(tx, made.id)) == 1


async def test_the_audit_shows_what_changed_from_what_to_what(house):
    async with house.as_isp() as tx:
        made = await house.subscribers.create_customer(tx, first_name="Ana", last_name="Lima")
        await house.subscribers.update_customer(tx, made.id, last_name="Souza")
        await house.subscribers.update_customer(tx, made.id, last_name="Souza")
        entries = await audit.of(tx, "customer", made.id)
    assert [entry.action for entry in entries] == ["update", "create"]
    assert entries[0].before == {"name": "Ana Lima", "last_name": "Lima"}
    assert entries[0].after == {"name": "Ana Souza", "last_name": "Souza"}


async def test_the_owner_changes_its_own_acquaintances_and_no_isps_customers(house):
    async with house.as_fno() as tx:
        free = await house.subscribers.create_customer(tx, name="Ana", of_no_isp=True)
        await house.subscribers.update_customer(tx, free.id, name="Ana Lima")
    service = await house.service()
    async with house.as_isp() as tx:
        await house.subscribers.update_customer(tx, service.customer_id, fno_consent_at=THEN)
    async with house.as_fno() as tx:
        # known with consent, and still not the owner's to change
        assert (await house.subscribers.customer(tx, service.customer_id)).name == "Nomsa Dlamini"
        with pytest.raises(Forbidden):
            await house.subscribers.update_customer(tx, service.customer_id, name="Mine")


async def test_customers_are_found_by_parts_of_what_is_known_of_them(house):
    async with house.as_fno() as tx:
        await house.subscribers.create_customer(tx, name="José Livre", of_no_isp=True)
    async with house.as_other_isp() as tx:
        await house.subscribers.create_customer(tx, name="José Alheio")
    async with house.as_isp() as tx:
        made = await house.subscribers.create_customer(
            tx,
            name="José da Silva",
            tax_id_kind="cpf",
            tax_id="529.982.247-25",
            email="ze@example.net",
            mobile_number="+55 11 95555-0101",
        )
        for text in ("jose sil", "529.982", "52998224725", "ze@exa", "95555-0101"):
            found = await customers.search(tx, text, api="aex")
            assert made.id in [row.id for row in found], text
        names = {row.name for row in await customers.search(tx, "jose", api="aex")}
        assert names == {"José da Silva", "José Livre"}
        assert await customers.search(tx, "...", api="aex") == []
        # found anew by what changed
        await house.subscribers.update_customer(tx, made.id, name="Zeferino")
        assert [row.id for row in await customers.search(tx, "zefer", api="aex")] == [made.id]
        assert made.id not in [row.id for row in await customers.search(tx, "silva", api="aex")]
