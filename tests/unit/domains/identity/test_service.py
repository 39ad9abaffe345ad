"""Organisations, networks, people and API clients on a real database."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from demarc.domains.errors import Invalid, Limited, NotFound
from demarc.domains.identity import audit
from demarc.platform.database import Actor
from demarc.platform.secrets import PasswordPool

ANA = Actor("person", uuid4(), "person:ana@example.net")
PASSWORD = "correct horse battery"


async def log(registry, kind, key):
    """Give the entries on one thing, oldest first, as (action, before, after)."""
    async with registry.db.system() as tx:
        found = await audit.of(tx, kind, key)
    return [(one.action, one.before, one.after) for one in reversed(found)]


# organisations and networks


async def test_an_organisation_is_made_and_changed_by_its_slug(registry):
    async with registry.db.system(ANA) as tx:
        made = await registry.identity.put_tenant(tx, slug="novo", name="Novo", country="BR")
        after = await registry.identity.put_tenant(
            tx, slug="novo", name="Novo Mundo", timezone="America/Sao_Paulo", country="BR"
        )
        again = await registry.identity.put_tenant(
            tx, slug="novo", name="Novo Mundo", timezone="America/Sao_Paulo", country="BR"
        )
        assert await registry.identity.tenant(tx, made.id) == after == again
        entries = await audit.of(tx, "tenant", made.id)
    assert [entry.actor_name for entry in entries] == [ANA.name, ANA.name]
    assert await log(registry, "tenant", made.id) == [
        ("create", None, entries[1].after),
        (
            "update",
            {"name": "Novo", "timezone": "UTC"},
            {"name": "Novo Mundo", "timezone": "America/Sao_Paulo"},
        ),
    ]
    assert entries[1].after["slug"] == "novo"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("slug", "Acme"),
        ("slug", ""),
        ("slug", "-acme"),
        ("slug", "a" * 64),
        ("name", " "),
        ("name", "nul\x00"),
        ("timezone", "Mars/Olympus"),
        ("timezone", "../../etc/passwd"),
        ("timezone", ""),
        ("country", "Brazil"),
        ("currency", "R$"),
        ("activate_on", ["prayer"]),
    ],
)
async def test_what_an_organisation_cannot_be_is_named_and_changes_nothing(registry, field, value):
    before = await registry.rows("SELECT * FROM tenant ORDER BY id")
    async with registry.db.system() as tx:
        with pytest.raises(Invalid) as refused:
            await registry.identity.put_tenant(
                tx, **({"slug": "acme", "name": "Acme Two"} | {field: value})
            )
    assert refused.value.field == field
    assert await registry.rows("SELECT * FROM tenant ORDER BY id") == before


async def test_service_numbers_are_counted_by_organisation(registry):
    numbers = []
    for tenant in (registry.isp, registry.isp, registry.other_isp):
        async with registry.db.tenant(tenant.id) as tx:
            numbers.append(await registry.identity.next_service_number(tx))
    assert numbers == [1, 2, 1]


async def test_a_network_is_renamed_by_its_owner_and_taken_by_nobody_else(registry):
    async with registry.db.system() as tx:
        renamed = await registry.identity.put_network(
            tx, owner_id=registry.fno.id, slug="metro", name="Metro South"
        )
        await registry.identity.put_network(
            tx, owner_id=registry.fno.id, slug="metro", name="Metro South"
        )
        for slug, name in (("metro", "Mine"), ("Metro", "Mine"), ("mine", "")):
            with pytest.raises(Invalid):
                await registry.identity.put_network(
                    tx, owner_id=registry.other_isp.id, slug=slug, name=name
                )
        assert await registry.identity.networks(tx) == [renamed]
    assert [(action, after) for action, _, after in await log(registry, "network", renamed.id)] == [
        ("create", {"owner_id": str(registry.fno.id), "slug": "metro", "name": "Metro"}),
        ("admit_isp", {"isp": str(registry.isp.id)}),
        ("update", {"name": "Metro South"}),
    ]


async def test_an_isp_is_admitted_once(registry):
    identity, network = registry.identity, registry.network
    async with registry.db.system() as tx:
        assert not await identity.admit_isp(tx, network, registry.isp.id)
        assert await identity.networks_sold_on(tx, registry.other_isp.id) == []
        assert await identity.admit_isp(tx, network, registry.other_isp.id)
        assert await identity.networks_sold_on(tx, registry.other_isp.id) == [network]
    admitted = [one for one in await log(registry, "network", network.id) if one[0] == "admit_isp"]
    assert len(admitted) == 2


async def test_who_is_not_admitted_does_not_see_the_network(registry):
    async with registry.db.tenant(registry.other_isp.id) as tx:
        assert await registry.identity.networks(tx) == []
        assert await registry.identity.network_sold_on(tx, registry.network.id) is None
        with pytest.raises(NotFound):
            await registry.identity.network(tx, registry.network.id)
        with pytest.raises(NotFound):
            await registry.identity.network_named(tx, "metro")


# people


async def test_a_person_is_known_by_their_e_mail_however_it_is_written(registry):
    made = await registry.person(" Ana@Example.net ", PASSWORD)
    assert made.email == "ana@example.net"
    async with registry.db.system() as tx:
        assert await registry.identity.person_named(tx, "ANA@example.net") == made
        assert await registry.identity.has_password(tx, made.id, PASSWORD)
        assert not await registry.identity.has_password(tx, made.id, "another password")
        assert not await registry.identity.has_password(tx, uuid4(), PASSWORD)


async def test_renaming_keeps_the_password_and_is_written_down_once(registry):
    made = await registry.person("ana@example.net", PASSWORD)
    for _ in range(2):
        async with registry.db.system() as tx:
            renamed = await registry.identity.put_person(tx, email=made.email, name="Ana Lima")
            assert await registry.identity.has_password(tx, made.id, PASSWORD)
    assert (renamed.id, renamed.name) == (made.id, "Ana Lima")
    assert [(action, after) for action, _, after in await log(registry, "person", made.id)][1:] == [
        ("update", {"name": "Ana Lima"})
    ]


async def test_the_log_tells_that_a_password_was_set_and_not_which(registry):
    made = await registry.person("ana@example.net", PASSWORD)
    await registry.person("ana@example.net", "another long password")
    entries = await log(registry, "person", made.id)
    assert [action for action, _, _ in entries] == ["create", "set_password"]
    assert entries[1][2] == {"password": "***"}
    kept = str(await registry.rows("SELECT to_jsonb(audit)::text FROM audit"))
    assert PASSWORD not in kept
    assert "argon2" not in kept


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("email", "ana"),
        ("email", "ana@example"),
        ("email", "a na@example.net"),
        ("email", "ana\x00@example.net"),
        ("name", ""),
        ("name", "Ana\x00"),
        ("password", "short"),
        ("password", "é" * 513),
        ("password", None),
    ],
)
async def test_what_a_person_cannot_be_is_named_and_nobody_is_made(registry, field, value):
    values = {"email": "ana@example.net", "name": "Ana", "password": PASSWORD} | {field: value}
    async with registry.db.system() as tx:
        with pytest.raises(Invalid) as refused:
            await registry.identity.put_person(tx, **values)
        assert refused.value.field == field
        assert await registry.identity.people(tx) == []
    assert PASSWORD not in str(refused.value)


async def test_a_full_queue_of_passwords_says_when_to_come_again(registry):
    pool = PasswordPool(workers=1, max_waiting=-1, hasher=registry.hasher)
    async with registry.db.system() as tx:
        with pytest.raises(Limited):
            await type(registry.identity)(pool).put_person(
                tx, email="ana@example.net", name="Ana", password=PASSWORD
            )
    await pool.close()


async def test_roles_are_given_and_changed_by_organisation(registry):
    made = await registry.person("ana@example.net", PASSWORD, ("acme", "noc"), ("beta", "admin"))
    for _ in range(2):
        await registry.person("ana@example.net", PASSWORD, ("acme", "support"))
    async with registry.db.system() as tx:
        held = await registry.identity.roles(tx, made.id)
    assert [(one.tenant_slug, one.role) for one in held] == [("acme", "support"), ("beta", "admin")]
    given = [one for one in await log(registry, "person", made.id) if one[0] == "give_role"]
    assert given == [
        ("give_role", None, {"role": "noc"}),
        ("give_role", None, {"role": "admin"}),
        ("give_role", {"role": "noc"}, {"role": "support"}),
    ]


async def test_a_role_needs_a_person_an_organisation_and_a_name(registry):
    made = await registry.person("ana@example.net", PASSWORD)
    good = {"person_id": made.id, "tenant_id": registry.isp.id, "role": "noc"}
    for wrong, refusal in (
        ({"person_id": uuid4()}, NotFound),
        ({"tenant_id": uuid4()}, NotFound),
        ({"role": "king"}, Invalid),
    ):
        async with registry.db.system() as tx:
            with pytest.raises(refusal):
                await registry.identity.give_role(tx, **(good | wrong))
            assert await registry.identity.roles(tx, made.id) == []


async def test_shutting_a_person_out_twice_is_doing_it_once(registry):
    made = await registry.person("ana@example.net", PASSWORD)
    since = set()
    for disabled in (True, True, False, False):
        async with registry.db.system() as tx:
            await registry.identity.disable_person(tx, made.id, disabled=disabled)
            since.add((await registry.identity.person_named(tx, made.email)).disabled_at)
    assert len(since) == 2
    assert None in since
    assert [one[0] for one in await log(registry, "person", made.id)] == [
        *("create", "disable", "enable"),
    ]
    async with registry.db.system() as tx:
        with pytest.raises(NotFound):
            await registry.identity.disable_person(tx, uuid4())


# API clients


async def test_a_client_is_brought_to_its_scopes_and_written_down_when_it_changes(registry):
    async with registry.db.system() as tx:
        put = registry.identity.put_client
        made = await put(tx, tenant_id=registry.isp.id, api="aex", name="crm", scopes=["read"])
        await put(tx, tenant_id=registry.isp.id, api="aex", name="crm", scopes=["read", "read"])
        after = await put(tx, tenant_id=registry.isp.id, api="aex", name="crm")
        assert after.id == made.id
        assert await registry.identity.clients(tx, registry.isp.id) == [after]
        assert await registry.identity.clients(tx, registry.other_isp.id) == []
    entries = await log(registry, "api_client", made.id)
    assert [entry[0] for entry in entries] == ["create", "update"]
    assert entries[1][1:] == ({"scopes": ["read"]}, {"scopes": ["read", "write"]})


@pytest.mark.parametrize(
    ("field", "value"),
    [("api", "soap"), ("scopes", []), ("scopes", ["read", "own"]), ("name", " "), ("name", "\x00")],
)
async def test_what_a_client_cannot_be_is_named_and_nothing_is_made(registry, field, value):
    async with registry.db.system() as tx:
        with pytest.raises(Invalid) as refused:
            await registry.identity.put_client(
                tx, **({"tenant_id": registry.isp.id, "api": "aex", "name": "crm"} | {field: value})
            )
        assert refused.value.field == field
        assert await registry.identity.clients(tx, registry.isp.id) == []


async def test_a_token_is_shown_once_and_only_its_digest_kept(registry):
    token, kept = await registry.token()
    stored = str(await registry.rows("SELECT to_jsonb(api_token)::text FROM api_token"))
    logged = str(await registry.rows("SELECT to_jsonb(audit)::text FROM audit"))
    assert token not in stored + logged
    assert token.startswith(kept.hint)
    async with registry.db.system() as tx:
        assert await registry.identity.tokens(tx, registry.isp.id) == [kept]
        assert await registry.identity.tokens(tx, registry.other_isp.id) == []


async def test_a_token_can_be_made_to_end(registry):
    _, endless = await registry.token()
    before = datetime.now(UTC)
    _, kept = await registry.token(lives=timedelta(days=90))
    assert endless.expires_at is None
    assert timedelta(days=90) <= kept.expires_at - before < timedelta(days=90, minutes=1)


async def test_revoking_twice_keeps_the_time_of_the_first_and_one_entry(registry):
    _, kept = await registry.token()
    times = set()
    for _ in range(2):
        async with registry.db.system() as tx:
            times.add((await registry.identity.revoke_token(tx, kept.id)).revoked_at)
    assert len(times) == 1
    assert None not in times
    entries = await log(registry, "api_client", kept.api_client_id)
    assert [one[0] for one in entries] == ["create", "issue_token", "revoke_token"]
    async with registry.db.system() as tx:
        with pytest.raises(NotFound):
            await registry.identity.revoke_token(tx, uuid4())


async def test_another_organisations_token_cannot_be_revoked(registry):
    _, kept = await registry.token()
    async with registry.db.tenant(registry.other_isp.id) as tx:
        with pytest.raises(NotFound):
            await registry.identity.revoke_token(tx, kept.id)
    assert await registry.rows("SELECT revoked_at FROM api_token") == [(None,)]
