"""Upkeep on a real database, with rows in what it makes and drops."""

from datetime import date, timedelta

import psycopg
import pytest

from demarc.app.upkeep import KEPT_DAYS, PARTITIONED, Upkeep

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


async def test_rows_past_their_time_go_and_no_others(db, admin):
    for table, row in (("auth_attempt", ATTEMPT), ("onu_metric", METRIC)):
        kept = KEPT_DAYS[table]
        for days in (kept + 30, kept + 2, kept - 2, 0):
            open_days(admin, table, "day", days)
            admin.execute(row, [days])
    for days in (2000, 0):
        open_days(admin, "usage_daily", "month", days)
        admin.execute(USAGE, [days])
    await Upkeep(db).partitions()
    assert ages(admin, "auth_attempt", "at") == [KEPT_DAYS["auth_attempt"] - 2, 0]
    assert ages(admin, "onu_metric", "at") == [KEPT_DAYS["onu_metric"] - 2, 0]
    # usage is kept for as long as nobody says otherwise
    assert ages(admin, "usage_daily", "day") == [2000, 0]


async def test_a_month_goes_when_its_last_day_may(db, admin):
    kept = KEPT_DAYS["session_closed"]
    for days in (kept + 40, kept):
        open_days(admin, "session_closed", "month", days)
    await Upkeep(db).partitions()
    left = partitions(admin, "session_closed")
    gone, stays = (date.today() - timedelta(days=days) for days in (kept + 40, kept))  # noqa: DTZ011
    assert f"session_closed_{gone:%Y%m}" not in left
    assert f"session_closed_{stays:%Y%m}" in left


async def test_a_table_in_use_is_left_for_later_and_the_others_are_done(
    db, admin, database_url, monkeypatch
):
    monkeypatch.setattr("demarc.app.upkeep._LOCK_TIMEOUT", "50ms")
    for table in ("auth_attempt", "onu_metric"):
        open_days(admin, table, "day", 500)
    with psycopg.connect(database_url) as report:
        report.execute("SELECT count(*) FROM auth_attempt")
        with pytest.raises(ExceptionGroup) as raised:
            await Upkeep(db).partitions()
        assert raised.group_contains(psycopg.errors.LockNotAvailable)
    old = f"{date.today() - timedelta(days=500):%Y%m%d}"  # noqa: DTZ011
    assert f"auth_attempt_{old}" in partitions(admin, "auth_attempt")
    assert f"onu_metric_{old}" not in partitions(admin, "onu_metric")
    await Upkeep(db).partitions()
    assert f"auth_attempt_{old}" not in partitions(admin, "auth_attempt")


async def test_days_are_cut_at_midnight_utc_wherever_the_session_is(admin):
    admin.execute("SET timezone TO 'America/Sao_Paulo'")
    open_days(admin, "auth_attempt", "day", 500)
    admin.execute("SET timezone TO 'Asia/Tokyo'")
    open_days(admin, "auth_attempt", "day", 499)
    open_days(admin, "auth_attempt", "day", 501)


async def test_purge_lets_go_of_what_nobody_reads_any_more(db, admin):
    for slug in ("old", "new"):
        admin.execute("INSERT INTO tenant (slug, name) VALUES (%s, %s)", [slug, slug])
        admin.execute(
            "INSERT INTO idempotency (tenant_id, actor_id, key, request, status, body)"
            " SELECT id, id, slug, '', 201, '' FROM tenant WHERE slug = %s",
            [slug],
        )
        if slug == "old":
            admin.execute("UPDATE change SET at = at - interval '3 days'")
            admin.execute("UPDATE idempotency SET created_at = created_at - interval '3 days'")
    await Upkeep(db).purge()
    left = admin.execute(
        "SELECT slug FROM change JOIN tenant ON tenant.id = change.key WHERE kind = 'tenant'"
    ).fetchall()
    assert left == [("new",)]
    assert admin.execute("SELECT key FROM idempotency").fetchall() == [("new",)]
