"""Hours of the week, over midnights, changes of the clock and the ends of months."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demarc.domains.aaa.hours import at, read

ZONES = [
    "UTC",
    "Africa/Johannesburg",
    "America/Sao_Paulo",
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
]
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

clock_times = st.integers(0, 23 * 60 + 59).map(lambda m: f"{m // 60:02d}:{m % 60:02d}")
ends = st.one_of(clock_times, st.just("24:00"))
lines = st.builds(
    lambda days, start, end: f"{','.join(days)} {start}-{end}",
    st.lists(st.sampled_from(DAYS), min_size=1, max_size=7, unique=True),
    clock_times,
    ends,
)
moments = st.integers(0, 5 * 366 * 86_400).map(
    lambda seconds: datetime(2023, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
)


def shown(line, wall):
    """Whether a clock on the wall lies within the hours, told the simple way."""
    hours = read(line)
    minute = wall.hour * 60 + wall.minute
    today, yesterday = wall.weekday(), (wall.weekday() - 1) % 7
    return (today in hours.days and hours.start <= minute < hours.end) or (
        yesterday in hours.days and hours.start <= minute + 1440 < hours.end
    )


def clock_changes(moment, tz):
    """Whether a clock is changed there within two days."""
    offsets = {
        (moment + timedelta(hours=hours)).astimezone(tz).utcoffset() for hours in range(-48, 49, 6)
    }
    return len(offsets) > 1


@given(st.lists(lines, min_size=1, max_size=4), st.sampled_from(ZONES), moments)
def test_it_is_within_the_hours_when_the_clock_on_the_wall_says_so(written, zone, moment):
    if clock_changes(moment, ZoneInfo(zone)):
        return
    wall = moment.astimezone(ZoneInfo(zone))
    assert at(tuple(written), zone, moment)[0] is any(shown(line, wall) for line in written)


@given(st.lists(lines, min_size=1, max_size=4), st.sampled_from(ZONES), moments)
def test_nothing_changes_before_the_border_and_something_does_at_it(written, zone, moment):
    inside, border = at(tuple(written), zone, moment)
    if border is None:
        week = [moment + timedelta(hours=hours) for hours in range(0, 8 * 24, 5)]
        assert {at(tuple(written), zone, each)[0] for each in week} == {inside}
        return
    assert moment < border <= moment + timedelta(days=8)
    assert at(tuple(written), zone, border)[0] is not inside
    for part in (0.0, 0.3, 0.7, 0.999):
        between = moment + (border - moment) * part
        assert at(tuple(written), zone, between) == (inside, border)


def test_hours_over_midnight_belong_to_the_day_they_begin_on():
    friday_night = ("fri 22:00-06:00",)
    assert at(friday_night, "UTC", datetime(2024, 3, 8, 23, tzinfo=UTC))[0]
    assert at(friday_night, "UTC", datetime(2024, 3, 9, 5, 59, tzinfo=UTC))[0]
    assert not at(friday_night, "UTC", datetime(2024, 3, 9, 6, tzinfo=UTC))[0]
    assert not at(friday_night, "UTC", datetime(2024, 3, 9, 23, tzinfo=UTC))[0]


def test_hours_that_begin_in_the_hour_the_clock_skips_begin_with_the_change():
    # in Berlin 02:00 to 03:00 does not exist on 2024-03-31
    early = ("sun 02:30-05:00",)
    change = datetime(2024, 3, 31, 1, tzinfo=UTC)
    assert at(early, "Europe/Berlin", change - timedelta(seconds=1)) == (False, change)
    inside, border = at(early, "Europe/Berlin", change)
    assert inside
    assert border == datetime(2024, 3, 31, 3, tzinfo=UTC)


def test_an_hour_shown_twice_is_not_left_in_between():
    # in Berlin 02:00 to 03:00 is there twice on 2024-10-27
    inside, border = at(
        ("sun 01:00-04:00",), "Europe/Berlin", datetime(2024, 10, 27, 0, 30, tzinfo=UTC)
    )
    assert inside
    assert border == datetime(2024, 10, 27, 3, tzinfo=UTC)


def test_days_that_touch_are_one_stretch():
    week = ("mon-fri 00:00-24:00",)
    inside, border = at(week, "UTC", datetime(2024, 4, 29, 12, tzinfo=UTC))
    assert (inside, border) == (True, datetime(2024, 5, 4, tzinfo=UTC))
    assert at(("daily 00:00-24:00",), "UTC", datetime(2024, 4, 29, tzinfo=UTC)) == (True, None)


@pytest.mark.parametrize(
    "line",
    [
        "",
        "mon",
        "mon 8-18",
        "mon 08:00",
        "day 08:00-18:00",
        "mon 24:00-24:00",
        "mon 08:60-09:00",
        "mon 08:00-25:00",
        "mon-xxx 08:00-09:00",
    ],
)
def test_what_is_no_hours_is_refused(line):
    with pytest.raises(ValueError, match=r"is not|has a"):
        read(line)
