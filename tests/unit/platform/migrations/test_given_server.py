"""On a server that is given: the login role owns its database, and is nobody's superuser."""

import asyncio
import os
import pwd
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from demarc.platform.database import Database
from demarc.platform.jobs import UPKEEP, Task, Worker, defer
from demarc.platform.migrations import MigrationFailed, migrate
from demarc.platform.postgres import PrivateServer, locate
from support.postgres import BINARIES, ask


@pytest.fixture
async def given(place):
    """A server without any of our roles, and how to connect as those that a test makes."""
    setting = os.environ.get(BINARIES)
    names = place / "names.conf"
    user = pwd.getpwuid(os.geteuid()).pw_name
    # the kernel says who we are; here that may be any role
    names.write_text("".join(f"demarc {user} {role}\n" for role in ("demarc", "isp", "other")))
    names.chmod(0o644)
    server = PrivateServer(
        place / "server",
        locate(Path(setting) if setting else None),
        settings={"fsync": "off", "shared_buffers": "16MB", "ident_file": str(names)},
        refuge=place / "refuge",
    )
    await server.start()

    async def database(owner: str, rights: str = "", *, before: str = "SELECT 1") -> str:
        admin = server.conninfo("postgres")
        await ask(admin, f"CREATE ROLE {owner} LOGIN NOSUPERUSER {rights}")
        await ask(admin, f"CREATE DATABASE {owner}s OWNER {owner}")
        for statement in before.split(";"):
            await ask(admin, statement)
        return make_conninfo(server.conninfo(f"{owner}s"), user=owner)

    yield database
    await server.stop()


NEWER = "SELECT current_setting('server_version_num')::integer >= 160000"
BY_A_SUPERUSER = (
    "CREATE ROLE demarc_app NOLOGIN; CREATE ROLE demarc_system NOLOGIN;"
    " GRANT demarc_app, demarc_system TO isp"
)


@pytest.mark.parametrize(
    ("rights", "before"), [("CREATEROLE", "SELECT 1"), ("NOCREATEROLE", BY_A_SUPERUSER)]
)
async def test_all_works_for_a_role_that_only_owns_its_database(given, rights, before):
    conninfo = await given("isp", rights, before=before)
    await migrate(conninfo)
    assert await ask(conninfo, "SELECT tableowner FROM pg_tables WHERE tablename = 'tenant'") == (
        "isp"
    )
    db = await Database.open(conninfo, tenant_pool=2, system_pool=2)
    try:
        await keeps_tenants_apart(db)
        await carries_out_jobs(db, conninfo)
    finally:
        await db.close()


async def test_processes_may_log_in_as_a_role_that_owns_nothing(given):
    owner = await given("isp", "CREATEROLE")
    await migrate(owner)
    how = " WITH INHERIT FALSE, SET TRUE" if await ask(owner, NEWER) else ""
    await ask(owner, "CREATE ROLE other LOGIN NOINHERIT")
    await ask(owner, f"GRANT demarc_app, demarc_system TO other{how}")
    conninfo = make_conninfo(owner, user="other")
    # as at every start
    assert await migrate(conninfo) == []
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        await ask(conninfo, "SELECT count(*) FROM customer")
    db = await Database.open(conninfo, tenant_pool=2, system_pool=2)
    try:
        await keeps_tenants_apart(db)
        await carries_out_jobs(db, conninfo)
    finally:
        await db.close()


async def keeps_tenants_apart(db):
    one, other = uuid4(), uuid4()
    async with db.system() as tx:
        for tenant, slug in ((one, "one"), (other, "other")):
            await tx.conn.execute(
                "INSERT INTO tenant (id, slug, name) VALUES (%s, %s, %s)", [tenant, slug, slug]
            )
            await tx.conn.execute(
                "INSERT INTO customer (tenant_id, name) VALUES (%s, %s)", [tenant, slug]
            )
    async with db.tenant(one) as tx:
        found = await (await tx.conn.execute("SELECT name FROM customer")).fetchall()
        assert found == [("one",)]
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        async with db.tenant(one) as tx:
            await tx.conn.execute(
                "INSERT INTO customer (tenant_id, name) VALUES (%s, 'thief')", [other]
            )


async def carries_out_jobs(db, conninfo):
    async with db.tenant(uuid4()) as tx:
        assert await defer(tx, task="noted", queue=UPKEEP, args={})
    done, stop = asyncio.Event(), asyncio.Event()

    async def noted():
        done.set()

    working = asyncio.create_task(Worker(conninfo, [Task("noted", noted)], [UPKEEP]).run(stop))
    await asyncio.wait_for(done.wait(), 20)
    stop.set()
    await asyncio.wait_for(working, 20)
    async with db.system() as tx:
        assert await defer(tx, task="noted", queue=UPKEEP, args={})


async def test_a_role_that_may_not_do_what_is_needed_is_told_so(given):
    conninfo = await given("isp")
    with pytest.raises(MigrationFailed, match=r"may not do what it must.*demarc_app"):
        await migrate(conninfo)
    assert not await ask(conninfo, "SELECT to_regclass('change') IS NOT NULL")


async def test_two_databases_of_one_server_share_the_roles(given):
    first = await given("isp", "CREATEROLE")
    await migrate(first)
    # who did not make the roles must be let into them
    second = await given("other")
    with pytest.raises(MigrationFailed, match="let into demarc_app"):
        await migrate(second)
    await ask(first, "GRANT demarc_app, demarc_system TO other")
    await migrate(second)
    db = await Database.open(second, tenant_pool=1, system_pool=1)
    await db.close()
