"""Following the log of changes: nothing lost, nothing twice, nothing overtaken."""

import asyncio
from datetime import timedelta
from uuid import uuid4

import psycopg
from psycopg.conninfo import make_conninfo

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
        if missed == []:  # the follower was back before the insert
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


async def read(db, cursor):
    async with db.system() as tx:
        return await changes.since(tx, cursor, ["tenant"])


async def age(db, days):
    """Let time pass for the log."""
    async with db.system() as tx:
        await tx.conn.execute("UPDATE change SET at = at - make_interval(days => %s)", [days])


async def purge(db):
    async with db.system() as tx:
        return await changes.purge(tx, timedelta(days=2))


async def add(db, slug):
    async with db.system() as tx:
        await tenant(tx.conn, slug)


async def test_a_reader_older_than_the_log_is_told_to_begin_anew(db):
    async with db.system() as tx:
        old = await changes.here(tx)
    await add(db, "one")
    await age(db, 3)
    await add(db, "two")
    assert await purge(db) == 1
    missed, cursor = await read(db, old)
    assert missed is None
    # from then on it is one that lives
    await add(db, "three")
    found, _ = await read(db, cursor)
    assert len(found) == 1


async def test_a_reader_that_lives_is_not_disturbed_by_a_purge(db):
    await add(db, "one")
    async with db.system() as tx:
        living = await changes.here(tx)
    await age(db, 3)
    await add(db, "two")
    assert await purge(db) == 1
    assert await purge(db) == 0
    found, _ = await read(db, living)
    assert [change.operation for change in found] == ["insert"]


async def test_what_a_transaction_under_way_may_hide_is_not_purged(db, database_url):
    """It began before the change, so that the change may be news to a reader that lives."""
    async with await psycopg.AsyncConnection.connect(database_url) as long:
        await tenant(long, "long")
        async with db.system() as tx:
            living = await changes.here(tx)
        await add(db, "one")
        await age(db, 3)
        assert await purge(db) == 0
        found, living = await read(db, living)
        assert len(found) == 1
        await long.commit()
    found, _ = await read(db, living)
    assert len(found) == 1


async def test_a_follower_that_was_away_for_too_long_trusts_nothing(db, database_url):
    heard: asyncio.Queue[list[changes.Change] | None] = asyncio.Queue()

    async def follow():
        async for batch in changes.follow(db, ["tenant"], retry_after=0.05):
            await heard.put(batch)

    following = asyncio.create_task(follow())
    try:
        assert await asyncio.wait_for(heard.get(), 10) is None
        with psycopg.connect(database_url, autocommit=True) as admin:
            # nobody can connect, as if the way to the database were cut
            name = admin.info.dbname
            await cut(database_url, name, allowed=False)
            admin.execute("INSERT INTO tenant (slug, name) VALUES ('one', 'one')")
            admin.execute("UPDATE change SET at = at - interval '3 days'")
            admin.execute("SET ROLE demarc_system")
            admin.execute(
                changes.PURGE.sql.replace("$1", "'2 days'").encode(),
            )
            await cut(database_url, name, allowed=True)
        assert await asyncio.wait_for(heard.get(), 20) is None
        await add(db, "two")
        found = await asyncio.wait_for(heard.get(), 20)
        assert len(found) == 1
    finally:
        following.cancel()


async def cut(database_url, name, *, allowed):
    with psycopg.connect(make_conninfo(database_url, dbname="postgres"), autocommit=True) as admin:
        admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS {str(allowed).lower()}".encode())
        if not allowed:
            admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = %s AND application_name LIKE 'demarc%%'",
                [name],
            )


async def test_other_kinds_wake_nobody_and_what_is_followed_is_told_at_once(
    db, database_url, monkeypatch
):
    asked = []
    since = changes.since

    async def counted(tx, cursor, kinds):
        asked.append(kinds)
        return await since(tx, cursor, kinds)

    monkeypatch.setattr(changes, "since", counted)
    heard: asyncio.Queue[list[changes.Change] | None] = asyncio.Queue()

    async def follow():
        async for batch in changes.follow(db, ["tenant"]):
            await heard.put(batch)

    following = asyncio.create_task(follow())
    try:
        assert await asyncio.wait_for(heard.get(), 10) is None
        async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as conn:
            for _ in range(20):
                await conn.execute("SELECT pg_notify('demarc_change', 'session')")
        async with db.system() as tx:
            await tenant(tx.conn, "one")
        assert len(await asyncio.wait_for(heard.get(), 10)) == 1
        assert len(asked) == 1
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
