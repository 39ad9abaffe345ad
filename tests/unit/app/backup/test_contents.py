"""What is set right after a restore, held to the schema."""

import psycopg
import pytest

from demarc.app.backup import contents

TRANSACTION_TYPES = """
    SELECT c.relname::text, a.attname::text
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND NOT c.relispartition
      AND a.attnum > 0 AND NOT a.attisdropped
      AND a.atttypid IN ('xid8'::regtype, 'xid'::regtype, 'pg_snapshot'::regtype,
                         'pg_lsn'::regtype)
"""


async def test_every_column_that_names_transactions_is_set_right_by_a_restore(db):
    async with db.system() as tx:
        found = await (await tx.conn.execute(TRANSACTION_TYPES)).fetchall()
    assert set(found) == contents.NAMES_TRANSACTIONS, (
        "a column that names transactions of one server must be set right in"
        " demarc.app.backup.contents.set_right"
    )


@pytest.fixture
async def owner(database_url):
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as conn:
        yield conn


async def test_jobs_under_way_can_be_taken_anew_also_where_another_of_their_lock_waits(owner):
    for status, lock in (("doing", "a"), ("todo", "a"), ("doing", "b"), ("doing", "b"),
                         ("doing", None), ("succeeded", "b")):  # fmt: skip
        await owner.execute(
            "INSERT INTO procrastinate_jobs (queue_name, task_name, status, queueing_lock)"
            " VALUES ('q', 't', %s, %s)",
            [status, lock],
        )
    applied = await contents.applied(owner)
    async with owner.transaction():
        await owner.execute("DELETE FROM migration")
        await contents.set_right(owner, applied)
    assert await contents.applied(owner) == applied
    found = await (
        await owner.execute(
            "SELECT status::text, queueing_lock FROM procrastinate_jobs ORDER BY id"
        )
    ).fetchall()
    assert found == [
        ("todo", None), ("todo", "a"), ("todo", "b"), ("todo", None), ("todo", None),
        ("succeeded", "b"),
    ]  # fmt: skip


async def test_a_database_is_empty_filled_or_restored_in_part(owner, postgres):
    assert await contents.state(owner) == "filled"
    await owner.execute("DELETE FROM migration")
    assert await contents.state(owner) == "partial"
    with postgres.database("template1") as conninfo:
        async with await psycopg.AsyncConnection.connect(conninfo, autocommit=True) as conn:
            assert await contents.state(conn) == "empty"
            # somebody else's tables are something, too
            await conn.execute("CREATE TABLE theirs ()")
            assert await contents.state(conn) == "filled"


async def test_keys_are_told_of_a_database_that_lacks_columns_of_later_versions(owner):
    # as `demarc backup` of a new program sees it before `demarc migrate`
    assert await contents.keys_needed(owner) == []
    await owner.execute("ALTER TABLE home_server DROP COLUMN secret CASCADE")
    await owner.execute("DROP TABLE cpe CASCADE")
    assert await contents.keys_needed(owner) == []
