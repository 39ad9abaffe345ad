"""Upkeep on a real database, with rows in what it makes and drops."""

import psycopg
import pytest

from demarc.app.upkeep import PARTITIONED, Upkeep

PARTITIONS = """
    SELECT p.relname, c.relname FROM pg_inherits i
    JOIN pg_class p ON p.oid = i.inhparent JOIN pg_class c ON c.oid = i.inhrelid
    WHERE p.relkind = 'p'
"""
ATTEMPT = """
    INSERT INTO auth_attempt (at, tenant_id, owner_id, credential_id, nas_id, accepted, reply)
    SELECT now() - make_interval(days => %s), id, id, id, id, true, 'Access-Accept'
    FROM gen_random_uuid() AS id
"""
METRIC = """
    INSERT INTO onu_metric (at, onu_id, owner_id, online)
    SELECT now() - make_interval(days => %s), id, id, true FROM gen_random_uuid() AS id
"""
USAGE = """
    INSERT INTO usage_daily (day, service_id, tenant_id, owner_id)
    SELECT current_date - %s, id, id, id FROM gen_random_uuid() AS id
"""


@pytest.fixture
def admin(database_url):
    with psycopg.connect(database_url, autocommit=True) as conn:
        yield conn


def partitions(admin, parent):
    return {child for table, child in admin.execute(PARTITIONS).fetchall() if table == parent}


def ages(admin, table, column):
    found = admin.execute(
        f"SELECT current_date - {column}::date FROM {table} ORDER BY 1 DESC".encode()
    ).fetchall()
    return [days for (days,) in found]


def open_days(admin, table, unit, days):
    admin.execute(
        "SELECT demarc_ensure_partitions(%s, %s, current_date - %s, current_date - %s)",
        [table, unit, days, days],
    )


async def test_after_months_of_standing_still_there_is_room_for_two_months(db, admin):
    for parent in PARTITIONED:
        for child in partitions(admin, parent):
            admin.execute(f"DROP TABLE {child}".encode())
    with pytest.raises(psycopg.errors.CheckViolation):
        admin.execute(ATTEMPT, [0])
    assert await Upkeep(db).make_partitions() == []
    for days in (0, -1, -30, -60):
        for row in (ATTEMPT, METRIC, USAGE):
            admin.execute(row, [days])
    # there is nothing to do the next time
    before = {parent: partitions(admin, parent) for parent in PARTITIONED}
    await Upkeep(db).partitions()
    assert {parent: partitions(admin, parent) for parent in PARTITIONED} == before


async def test_days_are_cut_at_midnight_utc_wherever_the_session_is(admin):
    admin.execute("SET timezone TO 'America/Sao_Paulo'")
    open_days(admin, "auth_attempt", "day", 500)
    admin.execute("SET timezone TO 'Asia/Tokyo'")
    open_days(admin, "auth_attempt", "day", 499)
    open_days(admin, "auth_attempt", "day", 501)
