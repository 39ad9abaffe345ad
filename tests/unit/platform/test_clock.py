from datetime import UTC, date, datetime, timedelta, timezone
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from demarc.platform.clock import day_start, days, now

# Zones whose clocks do something unusual around midnight, beside ordinary ones.
ZONES = [
    "UTC",
    "Europe/Rome",
    "America/New_York",
    "America/Sao_Paulo",  # until 2019 put forward at midnight: no 00:00 that day
    "America/Havana",  # put back from 01:00 to 00:00: midnight twice
    "America/St_Johns",  # put back at 00:01 until 2011: yesterday once more, after midnight
    "America/Toronto",  # put forward from 23:30 to 00:30 in 1919
    "Pacific/Apia",  # had no 30 December 2011
    "Pacific/Kwajalein",  # had no 21 August 1993
    "Asia/Kathmandu",
    "Africa/Cairo",
    "Asia/Beirut",
]

instants = st.datetimes(
    min_value=datetime(1900, 1, 1),  # noqa: DTZ001 - hypothesis adds the zone
    max_value=datetime(2060, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
)
spans = st.tuples(instants, st.timedeltas(timedelta(0), timedelta(days=40))).map(
    lambda pair: (pair[0], pair[0] + pair[1])
)
zones = st.sampled_from(ZONES).map(ZoneInfo)


def utc(*numbers: int) -> datetime:
    return datetime(*numbers, tzinfo=UTC)  # type: ignore[arg-type,misc]


def test_now_is_aware_and_in_utc():
    assert now().tzinfo is UTC


def test_a_night_is_split_at_the_local_midnight_not_at_utc():
    assert days(utc(2025, 1, 10, 20), utc(2025, 1, 11, 4), ZoneInfo("Europe/Rome")) == [
        (date(2025, 1, 10), utc(2025, 1, 10, 20), utc(2025, 1, 10, 23)),
        (date(2025, 1, 11), utc(2025, 1, 10, 23), utc(2025, 1, 11, 4)),
    ]


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Rome", date(2025, 3, 30), 23),
        ("Europe/Rome", date(2025, 10, 26), 25),
        ("Europe/Rome", date(2025, 7, 1), 24),
        ("America/Sao_Paulo", date(2018, 11, 4), 23),
        ("America/Sao_Paulo", date(2018, 2, 17), 25),
        ("America/Havana", date(2024, 11, 3), 25),
        ("Pacific/Apia", date(2011, 12, 30), 0),
        ("Pacific/Apia", date(2011, 12, 31), 24),
    ],
)
def test_a_day_is_as_long_as_the_clock_makes_it(zone, day, hours):
    tz = ZoneInfo(zone)
    length = day_start(day + timedelta(days=1), tz) - day_start(day, tz)
    assert length == timedelta(hours=hours)


def test_a_gap_over_midnight_starts_the_day_where_the_clock_was_put_forward():
    # Toronto went from 23:30 on the 30th straight to 00:30 on the 31st
    assert day_start(date(1919, 3, 31), ZoneInfo("America/Toronto")) == utc(1919, 3, 31, 4, 30)


def test_a_skipped_day_gets_nothing():
    pieces = days(utc(2011, 12, 30, 0), utc(2012, 1, 1, 0), ZoneInfo("Pacific/Apia"))
    assert [day.day for day, _, _ in pieces] == [29, 31, 1]


def test_no_time_falls_on_no_day():
    assert days(utc(2025, 1, 1), utc(2025, 1, 1), UTC) == []


def test_naive_or_reversed_spans_are_refused():
    with pytest.raises(ValueError, match="aware"):
        days(datetime(2025, 1, 1), utc(2025, 1, 2), UTC)  # noqa: DTZ001 - the point
    with pytest.raises(ValueError, match="before it starts"):
        days(utc(2025, 1, 2), utc(2025, 1, 1), UTC)


@given(span=spans, tz=zones)
@example(span=(utc(2010, 11, 7, 2), utc(2010, 11, 7, 3, 15)), tz=ZoneInfo("America/St_Johns"))
@example(span=(utc(2010, 11, 7, 2, 45), utc(2010, 11, 7, 4)), tz=ZoneInfo("America/St_Johns"))
@example(span=(utc(2011, 12, 28), utc(2012, 1, 3)), tz=ZoneInfo("Pacific/Apia"))
@example(span=(utc(1919, 3, 30), utc(1919, 4, 1)), tz=ZoneInfo("America/Toronto"))
def test_the_pieces_are_the_whole_span_each_within_its_day(span, tz):
    start, end = span
    pieces = days(start, end, tz)
    if start == end:
        assert pieces == []
        return
    assert pieces[0][1] == start
    assert pieces[-1][2] == end
    for (day, _, stop), (next_day, begin, _) in pairwise(pieces):
        assert stop == begin
        assert day < next_day
    for day, begin, stop in pieces:
        assert begin < stop
        assert day_start(day, tz) <= begin
        assert stop <= day_start(day + timedelta(days=1), tz)


@given(span=spans, hours=st.integers(-12, 14))
def test_with_a_fixed_offset_a_piece_is_on_the_day_the_calendar_shows(span, hours):
    tz = timezone(timedelta(hours=hours))
    for day, begin, stop in days(*span, tz):
        assert begin.astimezone(tz).date() == day
        assert (stop - timedelta(microseconds=1)).astimezone(tz).date() == day


@given(tz=zones, day=st.dates(date(1900, 1, 2), date(2060, 1, 1)))
def test_a_day_starts_at_the_first_instant_the_calendar_shows_it_or_a_later_one(tz, day):
    start = day_start(day, tz)
    assert start.astimezone(tz).date() >= day
    assert (start - timedelta(seconds=1)).astimezone(tz).date() < day
