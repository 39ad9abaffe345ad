"""Migrating: once, by one, whole or not at all."""

import asyncio

import psycopg
import pytest

from demarc.platform.migrations import (
    ChangedMigration,
    Migration,
    MigrationFailed,
    migrate,
    migrations,
    pending,
    runner,
)
from support.postgres import ask

ALL = [step.title for step in migrations()]


@pytest.fixture
def empty(postgres):
    with postgres.database("template1") as conninfo:
        yield conninfo


@pytest.fixture
def further(monkeypatch):
    """Adds a migration to those there are."""

    def add(sql):
        steps = [*migrations(), Migration(9999, "further", sql)]
        monkeypatch.setattr(runner, "migrations", lambda: steps)

    return add


async def exists(conninfo, table):
    return await ask(conninfo, f"SELECT to_regclass('{table}') IS NOT NULL")


async def test_of_several_migrators_one_does_it_and_the_others_find_it_done(empty):
    new = []
    results = await asyncio.gather(
        *(migrate(empty, on_new=lambda: new.append("new")) for _ in range(4))
    )
    assert sorted(results, key=len) == [[], [], [], ALL]
    assert new == ["new"]
    assert await pending(empty) == []


async def test_what_a_new_database_needs_is_there_before_it_is(empty):
    def cannot():
        raise OSError("no place for the keys")

    with pytest.raises(OSError, match="no place"):
        await migrate(empty, on_new=cannot)
    assert not await exists(empty, "migration")
    assert not await exists(empty, "tenant")


async def test_a_database_that_is_not_new_is_not_told_of(database_url, further):
    further("CREATE TABLE added (id integer)")
    new = []
    assert await migrate(database_url, on_new=lambda: new.append("new")) == ["9999_further"]
    assert new == []


async def test_a_migration_that_fails_leaves_nothing(database_url, further):
    further("CREATE TABLE halfway (id integer); SELECT 1 / 0;")
    with pytest.raises(MigrationFailed, match=r"9999_further.*division by zero"):
        await migrate(database_url)
    assert not await exists(database_url, "halfway")
    further("CREATE TABLE halfway (id integer)")
    assert await migrate(database_url) == ["9999_further"]


async def test_a_migration_waits_for_others_locks_no_longer_than_it_may(
    database_url, further, monkeypatch
):
    monkeypatch.setattr(runner, "_LOCK_TIMEOUT", "50ms")
    further("ALTER TABLE tenant ADD COLUMN colour text")
    async with await psycopg.AsyncConnection.connect(database_url) as holder:
        await holder.execute("LOCK TABLE tenant IN ACCESS SHARE MODE")
        with pytest.raises(MigrationFailed, match="try again"):
            await migrate(database_url)
    assert await migrate(database_url) == ["9999_further"]


async def test_a_migration_applied_in_another_form_is_refused(database_url, further):
    further("CREATE TABLE added (id integer)")
    await ask(database_url, "UPDATE migration SET checksum = 'other' WHERE number = 3")
    for look in (migrate, pending):
        with pytest.raises(ChangedMigration, match="0003_identity"):
            await look(database_url)
    assert not await exists(database_url, "added")


async def test_the_code_before_finds_nothing_missing_on_a_newer_schema(
    database_url, further, monkeypatch
):
    further("CREATE TABLE added (id integer)")
    await migrate(database_url)
    monkeypatch.undo()
    assert await migrate(database_url) == []
