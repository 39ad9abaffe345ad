from datetime import UTC, date, datetime

import psycopg
import pytest

from demarc.cli.usage import period
from demarc.domains.errors import Invalid

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


@pytest.fixture
def used(subscriber, database_url):
    """The subscriber, with days of use in two months."""
    days = [
        ("2026-10-30", 2_500_000_000, 400_000_000, 500_000_000, 0),
        ("2026-10-31", 1, 2, 0, 0),
        ("2026-11-01", 7_000_000_000_000, 3, 1, 1),
    ]
    with psycopg.connect(database_url) as conn:
        for day, *octets in days:
            conn.execute(
                "SELECT demarc_ensure_partitions('usage_daily', 'month', %(day)s, %(day)s)",
                {"day": date.fromisoformat(day)},
            )
            conn.execute(
                """
                INSERT INTO usage_daily (service_id, day, tenant_id, owner_id, down_octets,
                                         up_octets, ipv6_down_octets, ipv6_up_octets)
                SELECT id, %s, tenant_id, owner_id, %s, %s, %s, %s FROM service
                """,
                (day, *octets),
            )
    return subscriber["login"]


def test_a_month_is_the_sum_of_its_days(house, used):
    shown = house("usage", used, "--by", "month", "--from", "2026-01", "--to", "2026-12", "--json")
    assert shown.json["used"] == [
        {
            "period": "2026-10",
            "down_octets": 2_500_000_001,
            "up_octets": 400_000_002,
            "ipv6_down_octets": 500_000_000,
            "ipv6_up_octets": 0,
        },
        {
            "period": "2026-11",
            "down_octets": 7_000_000_000_000,
            "up_octets": 3,
            "ipv6_down_octets": 1,
            "ipv6_up_octets": 1,
        },
    ]
    assert shown.json["total"]["down_octets"] == 7_002_500_000_001


def test_days_are_shown_in_units_people_read_and_what_is_not_in_them_is_said(house, used):
    out = house("usage", used, "--from", "2026-10-31", "--to", "2026-11-01").out
    assert [line.split() for line in out.splitlines()[1:4]] == [
        ["2026-10-31", "1", "B", "2", "B", "0", "B", "0", "B"],
        ["2026-11-01", "7.0", "TB", "3", "B", "1", "B", "1", "B"],
        ["total", "7.0", "TB", "5", "B", "1", "B", "1", "B"],
    ]
    assert "since its last interim, is not in it" in out


def test_a_month_that_is_asked_for_in_part_counts_in_part(house, used):
    shown = house(
        *("usage", used, "--by", "month", "--from", "2026-10-31", "--to", "2026-10", "--json")
    )
    assert [one["down_octets"] for one in shown.json["used"]] == [1]


def test_a_service_that_used_nothing_says_so(house, subscriber):
    assert house("usage", subscriber["login"]).out.startswith("nothing was used\n")


def test_what_is_no_date_is_refused(house, subscriber):
    refused = house("usage", subscriber["login"], "--from", "2026-13", code=1)
    assert "--from 2026-13 is not a date" in refused.err.replace(":", "")


@pytest.mark.parametrize(
    ("since", "until", "by", "expected"),
    [
        (None, None, "day", (date(2026, 10, 21), date(2026, 11, 20))),
        (None, None, "month", (date(2025, 12, 1), date(2026, 11, 20))),
        (None, "2026-02", "month", (date(2025, 3, 1), date(2026, 2, 28))),
        ("2028-02", "2028-02", "day", (date(2028, 2, 1), date(2028, 2, 29))),
        (None, "0001-01-05", "day", (date(1, 1, 1), date(1, 1, 5))),
        (None, "0001-01", "month", (date(1, 1, 1), date(1, 1, 31))),
    ],
)
def test_which_days_are_meant(since, until, by, expected):
    assert period(since, until, by, NOW) == expected


def test_a_period_ends_after_it_begins():
    with pytest.raises(Invalid, match="--from"):
        period("2026-11-02", "2026-11-01", "day", NOW)
