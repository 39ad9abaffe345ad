"""As whom processes log in to a server of our own."""

import os
from pathlib import Path

import psycopg
import pytest

from demarc.app.parts import hosted, login_of, migrated, opened, server
from demarc.platform.database import Database
from demarc.platform.migrations import pending
from demarc.platform.postgres import conninfo_of, locate
from demarc.platform.postgres.server import PrivateServer
from demarc.platform.roles import LOGIN
from support.postgres import BINARIES, ask
from support.running import settings_of

RIGHTS = """
    SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication, rolinherit
    FROM pg_roles WHERE rolname = current_user
"""


async def rows(conninfo, question):
    async with await psycopg.AsyncConnection.connect(conninfo, autocommit=True) as conn:
        return await (await conn.execute(question)).fetchall()


async def test_processes_log_in_without_any_right_of_their_own(place):
    settings = settings_of(place / "data")
    async with opened(settings) as parts:
        async with parts.db.system() as tx:
            await tx.conn.execute("INSERT INTO tenant (slug, name) VALUES ('acme', 'Acme')")
            await tx.conn.execute(
                "INSERT INTO customer (owner_id, name) SELECT id, 'Ana' FROM tenant"
            )
        conninfo = parts.db.conninfo
        assert await rows(conninfo, RIGHTS) == [(False,) * 6]
        for secret in ("customer", "change", "credential", "procrastinate_jobs", "migration"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                await rows(conninfo, f"SELECT * FROM {secret}")
        for forbidden in (
            "ALTER TABLE customer DISABLE ROW LEVEL SECURITY",
            "DROP TABLE customer",
            "CREATE TABLE theirs ()",
            "CREATE ROLE thief SUPERUSER",
            "SET ROLE demarc",
            "SELECT pg_read_file('/etc/passwd')",
            "COPY (SELECT 1) TO PROGRAM 'true'",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                await rows(conninfo, forbidden)
        # nor does going back lead any further
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            await rows(conninfo, "SET ROLE demarc_app; RESET ROLE; SELECT * FROM customer")
        assert await pending(conninfo) == []


async def test_row_level_security_holds_for_the_roles_it_enters(place):
    async with opened(settings_of(place / "data")) as parts:
        async with parts.db.system() as tx:
            await tx.conn.execute("INSERT INTO tenant (slug, name) VALUES ('acme', 'Acme')")
        entered = "SET ROLE demarc_app; SELECT * FROM tenant"
        async with await psycopg.AsyncConnection.connect(parts.db.conninfo) as conn:
            cursor = await conn.execute(entered)
            while cursor.nextset():
                pass
            assert await cursor.fetchall() == []
            await conn.execute("SET ROLE demarc_system")
            assert len(await (await conn.execute("SELECT * FROM tenant")).fetchall()) == 1


async def test_a_cluster_of_an_earlier_version_is_brought_to_it(place):
    """There, the superuser was the only role, and all was done as it."""
    setting = os.environ.get(BINARIES)
    settings = settings_of(place / "data")
    old = PrivateServer(
        settings.data / "postgres", locate(Path(setting) if setting else None),
        settings={"fsync": "off"},
    )  # fmt: skip
    await old.start()
    await migrated(settings, old.conninfo())
    await rows(old.conninfo(), "INSERT INTO tenant (slug, name) VALUES ('acme', 'A') RETURNING 1")
    await old.stop()
    # somebody had given it more than it may have
    async with hosted(settings) as found:
        await ask(found.owner, f"ALTER ROLE {LOGIN} SUPERUSER INHERIT")
    for _ in range(2):
        async with hosted(settings) as found:
            assert await rows(found.conninfo, RIGHTS) == [(False,) * 6]
            db = await Database.open(found.conninfo, tenant_pool=1, system_pool=1)
            async with db.system() as tx:
                assert (await (await tx.conn.execute("SELECT slug FROM tenant")).fetchall()) == [
                    ("acme",)
                ]
            await db.close()


async def test_beside_a_server_of_an_earlier_version_its_only_role_is_used(place):
    async with server(settings_of(place / "data")) as owner:
        state = place / "data/postgres/server.json"
        state.write_text(state.read_text().replace(',"roles":["demarc","demarc_login"]', ""))
        assert login_of(settings_of(place / "data"), owner) == owner
        assert conninfo_of(place / "data/postgres", role=LOGIN) == owner
