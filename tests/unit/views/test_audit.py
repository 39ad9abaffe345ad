"""Finding entries of the audit log."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import psycopg
import pytest

from demarc.domains.errors import Invalid
from demarc.domains.identity import audit
from demarc.platform.database import Actor
from demarc.views import audit as view

ANA = Actor("person", uuid4(), "person:ana@example.net")
CRM = Actor("client", uuid4(), "client:crm")


@pytest.fixture
async def tenants(db):
    async with db.system() as tx:
        rows = await tx.conn.execute(
            "INSERT INTO tenant (slug, name) VALUES ('acme', 'A'), ('beta', 'B') RETURNING id"
        )
        return [key for (key,) in await rows.fetchall()]


async def write(db, tenant, actor, action, kind, **image):
    async with db.system(actor) as tx:
        await audit.write(
            tx, action=action, kind=kind, key=uuid4(), tenant_id=tenant, after=image or None
        )


async def test_entries_are_found_by_what_they_are(db, tenants):
    acme, beta = tenants
    await write(db, acme, ANA, "create", "service", reference="CONTRACT-7")
    await write(db, acme, CRM, "update", "service", reference="100%_sure")
    await write(db, beta, ANA, "give_role", "person", role="noc")
    await write(db, None, ANA, "rotate_key", "key", key="9f31c2aa")
    async with db.system() as tx:

        async def found(**asked):
            got = await view.search(tx, **asked)
            return [one.action for one in got.entries]

        assert await found() == ["rotate_key", "give_role", "update", "create"]
        assert await found(tenant_id=acme) == ["update", "create"]
        assert await found(actor="client:crm") == ["update"]
        assert await found(kind="service", action="create") == ["create"]
        assert await found(text="contract-7") == ["create"]
        assert await found(text="100%_S") == ["update"]
        assert await found(text="%") == ["update"]
        assert await found(text="ANA@") == ["rotate_key", "give_role", "create"]
        [one] = (await view.search(tx, tenant_id=beta)).entries
        assert (one.tenant, one.actor, one.after) == ("beta", ANA.name, {"role": "noc"})
        assert await found(key=one.key) == ["give_role"]
        assert await found(since=datetime.now(UTC) + timedelta(minutes=1)) == []
        assert await found(until=datetime.now(UTC) - timedelta(minutes=1)) == []


async def test_a_tenant_finds_its_own_log_and_no_other(db, tenants):
    acme, beta = tenants
    await write(db, acme, ANA, "create", "service")
    await write(db, beta, ANA, "update", "service")
    await write(db, None, ANA, "rotate_key", "key")
    async with db.tenant(acme) as tx:
        assert [one.action for one in (await view.search(tx)).entries] == ["create"]
        assert (await view.search(tx, tenant_id=beta)).entries == []


async def test_nobody_rewrites_what_is_written_of_them(db, tenants):
    await write(db, tenants[0], ANA, "create", "service")
    for statement in ("UPDATE audit SET action = 'x'", "DELETE FROM audit"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            async with db.tenant(tenants[0]) as tx:
                await tx.conn.execute(statement.encode())


async def test_pages_follow_each_other_without_gap_or_repetition(db, tenants):
    async with db.system(ANA) as tx:  # all of one moment
        for number in range(7):
            await audit.write(tx, action=f"a{number}", kind="x", key=uuid4(), tenant_id=tenants[0])
    seen, following = [], None
    async with db.system() as tx:
        while True:
            page = await view.search(tx, limit=3, following=following)
            seen += [one.action for one in page.entries]
            following = page.following
            if following is None:
                break
        assert seen == [f"a{number}" for number in reversed(range(7))]
        for wrong in ("nonsense", "!!", "MjAyNg=="):
            with pytest.raises(Invalid):
                await view.search(tx, following=wrong)


async def test_an_index_is_used_under_row_level_security(db, tenants):
    async with db.system() as tx:
        await tx.conn.execute(
            "INSERT INTO audit (tenant_id, actor_kind, actor_name, action, kind, key)"
            " SELECT %s, 'system', 'cli:' || n %% 50, 'update', 'service', gen_random_uuid()"
            " FROM generate_series(1, 20000) n",
            [tenants[0]],
        )
        await tx.conn.execute(
            "INSERT INTO audit (tenant_id, actor_kind, actor_name, action, kind, key)"
            " SELECT %s, 'system', 'cli:me', 'update', 'service', gen_random_uuid()"
            " FROM generate_series(1, 20) n",
            [tenants[1]],
        )
    async with db.tenant(tenants[1]) as tx:
        await tx.conn.execute("SET LOCAL plan_cache_mode = force_custom_plan")
        plan = await tx.conn.execute(
            "EXPLAIN (FORMAT JSON) SELECT * FROM audit WHERE actor_name = 'cli:me'"
            " AND at >= now() - interval '1 day' ORDER BY at DESC, id DESC LIMIT 50"
        )
        # the policy's condition and ours in one index
        assert "audit_2" in (text := str((await plan.fetchone())[0]))
        assert "Index Cond" in text
        assert "Seq Scan" not in text
        found = await view.search(tx, actor="cli:me")
        assert len(found.entries) == 20
