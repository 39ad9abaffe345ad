"""The days of usage that are asked for."""

from datetime import UTC, date, datetime

import pytest

from demarc.domains.errors import Invalid
from demarc.northbound.aex.routes.radius import period

# already the 18th in Kiritimati
NOW = datetime(2024, 12, 17, 11, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("first", "last", "days"),
    [
        (None, None, (date(2024, 11, 18), date(2024, 12, 18))),
        ("2024-12-01", None, (date(2024, 12, 1), date(2024, 12, 18))),
        (None, "2024-03-01", (date(2024, 1, 31), date(2024, 3, 1))),
        ("2024-02-29", "2024-02-29", (date(2024, 2, 29), date(2024, 2, 29))),
        (None, "0001-01-05", (date(1, 1, 1), date(1, 1, 5))),
        ("", "", (date(2024, 11, 18), date(2024, 12, 18))),
    ],
)
def test_both_days_are_included(first, last, days):
    assert period(first, last, NOW) == days


@pytest.mark.parametrize(
    ("first", "last", "field"),
    [
        ("2024-02-30", None, "from"),
        (None, "2023-02-29", "to"),
        ("2024-12-02", "2024-12-01", "to"),
        ("2025-01-01", None, "to"),
    ],
)
def test_what_is_no_period_is_refused_by_name(first, last, field):
    with pytest.raises(Invalid) as refused:
        period(first, last, NOW)
    assert refused.value.field == field
