"""The rules of retention on a real database, with rows on both sides of each."""

from datetime import date, timedelta

import psycopg
import pytest

from demarc.app.retention import STORED, Retention
from demarc.app.upkeep import PARTITIONED
from demarc.domains.errors import Invalid
from demarc.domains.identity import retention
from demarc.domains.identity.retention import KINDS

ATTEMPT = """
    INSERT INTO auth_attempt (at, tenant_id, owner_id, credential_id, nas_id, accepted, reply)
    SELECT now() - make_interval(days => %s), %s::uuid, id, id, id, true, 'Access-Accept'
    FROM gen_random_uuid() AS id
"""
USAGE = """
    INSERT INTO usage_daily (day, service_id, tenant_id, owner_id)
    SELECT current_date - %s, id, id, id FROM gen_random_uuid() AS id
"""
QUARANTINED = """
    INSERT INTO accounting_quarantine (received_at, reason, packet)
    SELECT now() - make_interval(days => %s), 'tests', ''
"""
TENANTS = "INSERT INTO tenant (slug, name) VALUES ('acme', 'A'), ('beta', 'B') RETURNING id"


@pytest.fixture
def admin(database_url):
    with psycopg.connect(database_url, autocommit=True) as conn:
        yield conn


@pytest.fixture
def tenants(admin):
    cursor = admin.execute(TENANTS)
    return [key for (key,) in cursor.fetchall()]


def room(admin, table, *days):
    for one in days:
        admin.execute(
            "SELECT demarc_ensure_partitions(%s, %s, current_date - %s, current_date - %s)",
            [table, PARTITIONED[table], one, one],
        )


def ages(admin, table, column, where="true"):
    found = admin.execute(
        f"SELECT current_date - {column}::date FROM {table} WHERE {where} ORDER BY 1".encode()
    ).fetchall()
    return [days for (days,) in found]


def partitions(admin, parent):
    return {
        child
        for (child,) in admin.execute(
            "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid"
            " WHERE i.inhparent = %s::regclass",
            [parent],
        )
    }


async def rule(db, kind, days, tenant_id=None):
    async with db.system() as tx:
        await retention.put(tx, kind, days, tenant_id=tenant_id)


def test_every_partitioned_table_has_a_rule():
    assert {one.table for one in STORED.values() if one.partitioned} == set(PARTITIONED)
    assert set(STORED) < set(KINDS)


async def test_days_past_their_time_go_and_no_others(db, admin, tenants):
    room(admin, "auth_attempt", 120, 92, 88)
    for days in (120, 92, 88, 0):
        admin.execute(ATTEMPT, [days, tenants[0]])
    room(admin, "usage_daily", 5000)
    admin.execute(USAGE, [5000])
    gone = await Retention(db).apply()
    assert ages(admin, "auth_attempt", "at") == [0, 88]
    assert gone["auth_attempt"] == 2
    # usage is kept for as long as nobody says otherwise
    assert ages(admin, "usage_daily", "day") == [5000]
    await rule(db, "usage_daily", 4000)
    await Retention(db).apply()
    assert ages(admin, "usage_daily", "day") == []


async def test_a_month_goes_when_its_last_day_may(db, admin):
    kept = KINDS["session_closed"].days
    room(admin, "session_closed", kept + 40, kept)
    await Retention(db).apply()
    left = partitions(admin, "session_closed")
    gone, stays = (date.today() - timedelta(days=days) for days in (kept + 40, kept))  # noqa: DTZ011
    assert f"session_closed_{gone:%Y%m}" not in left
    assert f"session_closed_{stays:%Y%m}" in left


async def test_a_tenant_keeps_for_longer_what_others_let_go(db, admin, tenants):
    acme, beta = tenants
    room(admin, "auth_attempt", 300, 150, 100, 50)
    for days in (300, 150, 100, 50):
        for tenant in tenants:
            admin.execute(ATTEMPT, [days, tenant])
    await rule(db, "auth_attempt", 200, acme)
    gone = await Retention(db, batch=1).apply()
    assert ages(admin, "auth_attempt", "at", f"tenant_id = '{acme}'") == [50, 100, 150]
    assert ages(admin, "auth_attempt", "at", f"tenant_id = '{beta}'") == [50]
    # one partition of two rows, and two rows of others in those that are kept
    assert gone["auth_attempt"] == 3
    await rule(db, "auth_attempt", None, beta)
    for days in (300, 50):
        room(admin, "auth_attempt", days)
        admin.execute(ATTEMPT, [days, beta])
    admin.execute(ATTEMPT, [300, acme])
    await Retention(db).apply()
    assert ages(admin, "auth_attempt", "at", f"tenant_id = '{beta}'") == [50, 50, 300]
    assert ages(admin, "auth_attempt", "at", f"tenant_id = '{acme}'") == [50, 100, 150]


async def test_rows_go_in_batches_and_are_counted(db, admin):
    for days in (95, 94, 93, 92, 10):
        admin.execute(QUARANTINED, [days])
    assert (await Retention(db, batch=2).apply())["accounting_quarantine"] == 4
    assert ages(admin, "accounting_quarantine", "received_at") == [10]
    admin.execute(QUARANTINED, [95])
    await Retention(db).apply()
    async with db.system() as tx:
        noted = (await retention.applied(tx))["accounting_quarantine"]
    assert (noted.removed, noted.in_all) == (1, 5)


async def test_jobs_changes_and_repeated_requests_go(db, admin):
    for slug in ("old", "new"):
        admin.execute("INSERT INTO tenant (slug, name) VALUES (%s, %s)", [slug, slug])
        admin.execute(
            "INSERT INTO idempotency (tenant_id, actor_id, key, request, status, body)"
            " SELECT id, id, slug, '', 201, '' FROM tenant WHERE slug = %s",
            [slug],
        )
        for status in ("succeeded", "failed", "todo", "doing"):
            admin.execute(
                "INSERT INTO procrastinate_jobs (queue_name, task_name, status)"
                " VALUES ('q', %s, 'todo')",
                [f"{slug}-{status}"],
            )
            admin.execute(
                "UPDATE procrastinate_jobs SET status = %s::procrastinate_job_status"
                " WHERE task_name = %s",
                [status, f"{slug}-{status}"],
            )
        if slug == "old":
            admin.execute("UPDATE change SET at = at - interval '3 days'")
            admin.execute("UPDATE idempotency SET created_at = created_at - interval '4 days'")
            admin.execute("UPDATE procrastinate_events SET at = at - interval '4 days'")
    await Retention(db).apply()
    left = admin.execute(
        "SELECT slug FROM change JOIN tenant ON tenant.id = change.key WHERE kind = 'tenant'"
    ).fetchall()
    assert left == [("new",)]
    assert admin.execute("SELECT key FROM idempotency").fetchall() == [("new",)]
    jobs = {name for (name,) in admin.execute("SELECT task_name FROM procrastinate_jobs")}
    # what failed is for somebody to look at
    assert jobs == {"old-failed", "old-todo", "old-doing", "new-succeeded", "new-failed",
                    "new-todo", "new-doing"}  # fmt: skip


async def test_a_table_in_use_is_left_for_later_and_the_others_are_done(
    db, admin, database_url, monkeypatch
):
    monkeypatch.setattr("demarc.app.retention._LOCK_TIMEOUT", "50ms")
    for table in ("auth_attempt", "onu_metric"):
        room(admin, table, 500)
    with psycopg.connect(database_url) as report:
        report.execute("SELECT count(*) FROM auth_attempt")
        with pytest.raises(ExceptionGroup) as raised:
            await Retention(db).apply()
        assert raised.group_contains(psycopg.errors.LockNotAvailable)
    old = f"{date.today() - timedelta(days=500):%Y%m%d}"  # noqa: DTZ011
    assert f"auth_attempt_{old}" in partitions(admin, "auth_attempt")
    assert f"onu_metric_{old}" not in partitions(admin, "onu_metric")
    await Retention(db).apply()
    assert f"auth_attempt_{old}" not in partitions(admin, "auth_attempt")


@pytest.mark.parametrize(
    ("kind", "days"),
    [("session_closed", 395), ("audit", 364), ("change", None), ("job", 31), ("nothing", 90),
     ("usage_daily", 0), ("auth_attempt", 40_000)],
)  # fmt: skip
async def test_what_the_law_or_sense_forbids_is_refused(db, kind, days):
    with pytest.raises(Invalid):
        await rule(db, kind, days)


async def test_a_tenants_rule_is_longer_or_none(db, tenants):
    with pytest.raises(Invalid, match="longer than all"):
        await rule(db, "auth_attempt", 90, tenants[0])
    with pytest.raises(Invalid, match="alike for all"):
        await rule(db, "idempotency", 20, tenants[0])
    with pytest.raises(Invalid, match="longer than all"):
        await rule(db, "usage_daily", None, tenants[0])
    await rule(db, "auth_attempt", 120, tenants[0])
    # the installation's overtakes it: then it says nothing, and says it again afterwards
    await rule(db, "auth_attempt", 365)
    async with db.system() as tx:
        assert (await retention.in_force(tx))["auth_attempt"].tenants == {}
        await retention.drop(tx, "auth_attempt")
        assert (await retention.in_force(tx))["auth_attempt"].tenants == {tenants[0]: 120}
        written = await tx.conn.execute(
            "SELECT action, before, after FROM audit WHERE kind = 'retention' ORDER BY id"
        )
        rows = await written.fetchall()
    assert [action for action, _, _ in rows] == ["set_retention"] * 2 + ["drop_retention"]
    assert rows[1][2] == {"rule": "auth_attempt", "days": 365}
