"""Following the log of changes: nothing lost, nothing twice, nothing overtaken."""

import asyncio
from uuid import uuid4

import psycopg

from demarc.platform import changes


async def tenant(conn, slug):
    await conn.execute("INSERT INTO tenant (slug, name) VALUES (%s, %s)", [slug, slug])


async def test_what_commits_late_is_still_given_and_once(db, database_url):
    async with db.system() as tx:
        cursor = await changes.here(tx)
    late = await psycopg.AsyncConnection.connect(database_url)
    async with late:
        await tenant(late, "late")
        async with db.system() as tx:
            await tenant(tx.conn, "early")
        async with db.system() as tx:
            first, cursor = await changes.since(tx, cursor, ["tenant"])
        await late.commit()
    async with db.system() as tx:
        second, cursor = await changes.since(tx, cursor, ["tenant"])
    async with db.system() as tx:
        third, cursor = await changes.since(tx, cursor, ["tenant"])
    assert len(first) == 1
    assert len(second) == 1
    assert first[0].key != second[0].key
    assert third == []


async def test_a_rolled_back_change_is_never_told(db):
    async with db.system() as tx:
        cursor = await changes.here(tx)
    async with db._system_pool.connection() as conn, conn.transaction(force_rollback=True):
        await tenant(conn, "never")
    async with db.system() as tx:
        assert (await changes.since(tx, cursor, ["tenant"]))[0] == []


async def test_a_follower_catches_up_after_its_connection_was_cut(db, database_url):
    heard: asyncio.Queue[list[changes.Change] | None] = asyncio.Queue()

    async def follow():
        async for batch in changes.follow(db, ["tenant"], retry_after=0.05):
            await heard.put(batch)

    following = asyncio.create_task(follow())
    try:
        assert await asyncio.wait_for(heard.get(), 10) is None
        async with db.system() as tx:
            await tenant(tx.conn, "one")
        first = await asyncio.wait_for(heard.get(), 10)
        assert [change.operation for change in first] == ["insert"]
        with psycopg.connect(database_url, autocommit=True) as admin:
            cut = admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE application_name = 'demarc/listen' AND datname = current_database()"
            ).fetchall()
            assert cut == [(True,)]
            admin.execute("INSERT INTO tenant (slug, name) VALUES ('two', 'two')")
        missed = await asyncio.wait_for(heard.get(), 10)
        if missed is None:  # the follower was back before the insert
            missed = await asyncio.wait_for(heard.get(), 10)
        assert [change.operation for change in missed] == ["insert"]
    finally:
        following.cancel()


async def test_deletes_are_told_with_their_key(db):
    key = uuid4()
    async with db.system() as tx:
        cursor = await changes.here(tx)
        await tx.conn.execute("INSERT INTO tenant (id, slug, name) VALUES (%s, 'a', 'A')", [key])
    async with db.system() as tx:
        await tx.conn.execute("DELETE FROM tenant WHERE id = %s", [key])
    async with db.system() as tx:
        found, _ = await changes.since(tx, cursor, ["tenant"])
    assert [(change.operation, change.key) for change in found] == [
        ("insert", key),
        ("delete", key),
    ]
