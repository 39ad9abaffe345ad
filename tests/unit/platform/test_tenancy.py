"""What exists for whom: row-level security, by the catalog and by trying."""

import asyncio
import contextlib
from uuid import uuid4

import psycopg
import pytest

from demarc.platform.database import Database

OUTSIDE_TENANCY = {
    # the schema's own history and the job queue, reached by no tenant
    "migration",
}


async def test_every_table_is_under_row_level_security(db):
    async with db.system() as tx:
        rows = await (
            await tx.conn.execute(
                """
                SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND NOT c.relispartition
                  AND NOT c.relrowsecurity AND c.relname NOT LIKE 'procrastinate%'
                """
            )
        ).fetchall()
    assert {name for (name,) in rows} == OUTSIDE_TENANCY


async def test_the_application_reaches_no_partition_and_no_job_directly(db):
    async with db.system() as tx:
        rows = await (
            await tx.conn.execute(
                """
                SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p')
                  AND (c.relispartition OR NOT c.relrowsecurity)
                  AND has_table_privilege('demarc_app', c.oid, 'SELECT, INSERT, UPDATE, DELETE')
                """
            )
        ).fetchall()
    assert rows == []


async def test_without_a_tenant_nothing_exists(db):
    async with db.system() as tx:
        await tx.conn.execute("INSERT INTO tenant (slug, name) VALUES ('acme', 'Acme')")
    async with db.tenant(uuid4()) as tx:
        assert await (await tx.conn.execute("SELECT * FROM tenant")).fetchall() == []


async def test_a_tenant_cannot_write_anothers_rows(db):
    async with db.system() as tx:
        ids = [
            (
                await (
                    await tx.conn.execute(
                        "INSERT INTO tenant (slug, name) VALUES (%s, %s) RETURNING id", [slug, slug]
                    )
                ).fetchone()
            )[0]
            for slug in ("acme", "beta")
        ]
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        async with db.tenant(ids[0]) as tx:
            await tx.conn.execute(
                "INSERT INTO customer (tenant_id, name) VALUES (%s, 'Thief')", [ids[1]]
            )
    async with db.tenant(ids[0]) as tx:
        changed = await tx.conn.execute("UPDATE tenant SET name = 'x' WHERE id = %s", [ids[1]])
        assert changed.rowcount == 0


async def test_the_tenant_of_one_transaction_is_not_the_nexts(db):
    tenant = uuid4()
    async with db.tenant(tenant) as tx:
        assert (await (await tx.conn.execute("SELECT demarc_tenant()")).fetchone())[0] == tenant
        conn = tx.conn
    async with conn.transaction():
        assert (await (await conn.execute("SELECT demarc_tenant()")).fetchone())[0] is None


async def test_a_transaction_that_fails_changes_nothing(db):
    with pytest.raises(RuntimeError, match="on purpose"):
        async with db.system() as tx:
            await tx.conn.execute("INSERT INTO tenant (slug, name) VALUES ('acme', 'Acme')")
            raise RuntimeError("on purpose")
    async with db.system() as tx:
        found = await (await tx.conn.execute("SELECT count(*) FROM tenant")).fetchone()
        assert found[0] == 0


async def test_an_error_that_is_hidden_within_a_transaction_does_not_pass_for_success(db):
    with pytest.raises(RuntimeError, match="nothing was committed"):
        async with db.system() as tx:
            await tx.conn.execute("INSERT INTO tenant (slug, name) VALUES ('acme', 'Acme')")
            with contextlib.suppress(psycopg.Error):
                await tx.conn.execute("SELECT 1 / 0")
    async with db.system() as tx:
        found = await (await tx.conn.execute("SELECT count(*) FROM tenant")).fetchone()
        assert found[0] == 0


async def test_a_cancelled_transaction_changes_nothing_and_its_connection_is_good(database_url):
    database = await Database.open(database_url, tenant_pool=1, system_pool=1)
    begun = asyncio.Event()

    async def slow():
        async with database.system() as tx:
            await tx.conn.execute("INSERT INTO tenant (slug, name) VALUES ('acme', 'Acme')")
            begun.set()
            await tx.conn.execute("SELECT pg_sleep(60)")

    work = asyncio.create_task(slow())
    await begun.wait()
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    async with database.system() as tx:
        found = await (await tx.conn.execute("SELECT count(*) FROM tenant")).fetchone()
        assert found[0] == 0
    await database.close()
