import asyncio
from datetime import timedelta

import psycopg
import pytest

from demarc.cli.examine import database
from demarc.platform import clock
from demarc.platform.secrets import KeyRing
from demarc.platform.settings import Settings


@pytest.fixture
def settings(database_url, tmp_path):
    KeyRing.open(tmp_path / "keys.toml")
    return Settings.load({}, database_url=database_url, data=str(tmp_path))


@pytest.fixture
def found(settings):
    """Examines, and gives what was found by what was looked at."""
    return lambda: {one.what: one for one in asyncio.run(database.examine(settings)).findings}


@pytest.fixture
def change(database_url):
    def change(*statements):
        with psycopg.connect(database_url) as conn:
            for statement in statements:
                conn.execute(statement)

    return change


def test_a_fresh_database_is_well(found):
    findings = found()
    # the tests' role is a superuser, which is told
    assert findings.pop("login role").state == "warning"
    assert {one.state for one in findings.values()} == {"ok"}
    assert set(findings) == {
        *("database", "clock", "migrations", "roles", "row-level security", "partitions"),
        *("accounting", "secrets", "keys in use", "time zones"),
    }


def test_a_table_that_everybody_could_read_is_a_problem(found, change):
    change("CREATE TABLE note (id integer)")
    finding = found()["row-level security"]
    assert finding.state == "problem"
    assert "note" in finding.says


def test_a_missing_partition_is_a_problem_today_and_a_warning_ahead(found, change):
    change(
        """
        DO $$ DECLARE child text; BEGIN
            FOR child IN SELECT inhrelid::regclass FROM pg_inherits
                WHERE inhparent = 'auth_attempt'::regclass
                  AND inhrelid::regclass::text > 'auth_attempt_' || to_char(current_date, 'YYYYMMDD')
            LOOP EXECUTE 'DROP TABLE ' || child; END LOOP;
        END $$
        """
    )
    ahead = found()["partitions"]
    assert (ahead.state, "auth_attempt" in ahead.says) == ("warning", True)
    change(
        """
        DO $$ BEGIN
            EXECUTE 'DROP TABLE auth_attempt_' || to_char(current_date, 'YYYYMMDD');
        END $$
        """
    )
    assert found()["partitions"].state == "problem"


def test_accounting_in_quarantine_is_a_warning(found, change):
    change("INSERT INTO accounting_quarantine (reason, packet) VALUES ('odd', 'x')")
    assert found()["accounting"].state == "warning"


def test_secrets_of_other_keys_are_a_problem(found, change, tmp_path):
    other = KeyRing.open(tmp_path / "other.toml").encrypt(b"testing", row=b"any")
    change(
        "INSERT INTO tenant (slug, name) VALUES ('a', 'A')",
        "INSERT INTO network (owner_id, slug, name) SELECT id, 'n', 'N' FROM tenant",
        "INSERT INTO nas (owner_id, network_id, name, prefix, secret)"
        f" SELECT owner_id, id, 'b', '192.0.2.1', '\\x{other.hex()}' FROM network",
    )
    findings = found()
    assert findings["secrets"].state == "problem"
    assert "cannot be read" in findings["secrets"].says
    # and so it is told of values that nobody has looked at
    assert findings["keys in use"].state == "problem"
    assert "1 value(s) are under keys that are not in" in findings["keys in use"].says


def test_secrets_under_an_older_key_are_a_warning(found, change, tmp_path):
    ring = KeyRing.open(tmp_path / "keys.toml")
    secret = ring.encrypt(b"testing", row=b"any")
    change(
        "INSERT INTO tenant (slug, name) VALUES ('a', 'A')",
        "INSERT INTO network (owner_id, slug, name) SELECT id, 'n', 'N' FROM tenant",
        "INSERT INTO nas (owner_id, network_id, name, prefix, secret)"
        f" SELECT owner_id, id, 'b', '192.0.2.1', '\\x{secret.hex()}' FROM network",
    )
    assert found()["keys in use"].state == "ok"
    ring.rotate()
    finding = found()["keys in use"]
    assert (finding.state, finding.mend) == ("warning", "demarc keys rotate --resume")


@pytest.mark.parametrize(
    ("zone", "state"), [("Africa/Johannesburg", "ok"), ("Atlantis/Capital", "problem")]
)
def test_time_zones_that_are_used_are_known(found, change, zone, state):
    change(
        "ALTER TABLE tenant DROP CONSTRAINT IF EXISTS tenant_timezone_check",
        f"INSERT INTO tenant (slug, name, timezone) VALUES ('a', 'A', '{zone}')",
    )
    finding = found()["time zones"]
    assert finding.state == state
    assert zone in finding.says


def test_a_changed_migration_is_a_problem_and_nothing_else_is_tried(found, change):
    change("UPDATE migration SET checksum = 'other' WHERE number = 1")
    findings = found()
    assert findings["migrations"].state == "problem"
    assert "partitions" not in findings


def test_missing_migrations_are_named_with_their_mend(found, change):
    change("DELETE FROM migration WHERE number = 1")
    finding = found()["migrations"]
    assert (finding.state, finding.mend) == ("problem", "demarc migrate")
    assert "0001_platform" in finding.says


def test_an_empty_database_needs_no_keys_yet(postgres):
    with postgres.database("template1") as conninfo:
        settings = Settings.load({}, database_url=conninfo)
        assert asyncio.run(database.examine(settings)).empty


def test_a_folder_without_a_database_is_well_and_stays_so(tmp_path):
    settings = Settings.load({}, data=str(tmp_path / "data"))
    examined = asyncio.run(database.examine(settings))
    assert examined.empty
    assert [one.state for one in examined.findings] == ["ok"]
    assert not (tmp_path / "data").exists()


def test_a_database_that_does_not_answer_is_a_problem(tmp_path):
    settings = Settings.load({}, database_url=f"host={tmp_path} dbname=none")
    (finding,) = asyncio.run(database.examine(settings)).findings
    assert finding.state == "problem"
    assert "cannot be reached" in finding.says


@pytest.mark.parametrize(("ahead", "state"), [(0, "ok"), (5, "warning"), (60, "problem")])
def test_a_clock_that_is_off_is_told(found, monkeypatch, ahead, state):
    real = clock.now
    monkeypatch.setattr(clock, "now", lambda: real() + timedelta(seconds=ahead))
    assert found()["clock"].state == state
