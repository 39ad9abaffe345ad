"""What accounting makes of single records, and of the oddities of NASes."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demarc.domains.aaa.accounting import (
    STALE,
    SUPERSEDED,
    Kind,
    Octets,
    Record,
    Subscriber,
    SubscriberBook,
    event_time,
    spread,
)

NAS = UUID(int=1)
NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
SUBSCRIBER = Subscriber(uuid4(), uuid4(), uuid4(), uuid4(), "UTC")


def told(kind, after=0, octets=0, **more):
    """A record of a session that began at noon, so many seconds later."""
    facts = {
        "nas_id": NAS,
        "nas_address": "192.0.2.1",
        "acct_session_id": "s",
        "username": "u",
        "exact": True,
        "at": NOON + timedelta(seconds=after),
        "session_seconds": after or None,
        "output_octets": octets,
        "station": "AA-01",
    }
    return Record(kind=kind, **{**facts, **more})


def booked(*records, live=(), closed=()):
    book = SubscriberBook(SUBSCRIBER, live, closed)
    book.apply(records)
    return book


def rows(book):
    return sorted((kept.row for kept in book._kept), key=lambda row: row.started_at)


def down(book):
    return sum(octets.down for octets in book.usage.values())


def test_start_interim_stop_make_one_closed_session():
    (row,) = rows(
        booked(
            told(Kind.START),
            told(Kind.INTERIM, 300, 1000),
            told(Kind.STOP, 400, 1500, terminate_cause="User-Request"),
        )
    )
    assert (row.started_at, row.ended_at) == (NOON, NOON + timedelta(seconds=400))
    assert (row.output_octets, row.session_seconds) == (1500, 400)
    assert row.terminate_cause == "User-Request"


def test_a_stop_before_its_start_closes_the_session_and_the_start_does_not_open_it():
    book = booked(told(Kind.STOP, 400, 1500), told(Kind.START))
    (row,) = rows(book)
    assert (row.started_at, row.ended_at) == (NOON, NOON + timedelta(seconds=400))
    assert down(book) == 1500


def test_a_late_interim_does_not_open_a_closed_session():
    book = booked(told(Kind.START), told(Kind.STOP, 400, 1500), told(Kind.INTERIM, 300, 1000))
    (row,) = rows(book)
    assert row.ended_at == NOON + timedelta(seconds=400)
    assert down(book) == 1500


@pytest.mark.parametrize("delay", [0, 3, 30])
def test_a_retransmission_with_another_delay_time_counts_once(delay):
    received = NOON + timedelta(seconds=400)
    first, _ = event_time(received, None, 0)
    again, exact = event_time(received + timedelta(seconds=delay), None, delay)
    assert (first, exact) == (again, True)
    book = booked(told(Kind.STOP, 400, 1500, at=first), told(Kind.STOP, 400, 1500, at=again))
    assert len(rows(book)) == 1
    assert down(book) == 1500


def test_a_stop_repeated_minutes_later_by_a_nas_without_clock_counts_once():
    late = NOON + timedelta(seconds=700)
    book = booked(
        told(Kind.STOP, 400, 1500, exact=False), told(Kind.STOP, 400, 1500, exact=False, at=late)
    )
    assert len(rows(book)) == 1
    assert down(book) == 1500


def test_an_id_used_anew_is_another_session():
    begun = NOON + timedelta(seconds=500)
    book = booked(
        told(Kind.START),
        told(Kind.STOP, 400, 1500),
        told(Kind.START, at=begun),
        told(Kind.INTERIM, 300, 200, at=begun + timedelta(seconds=300)),
    )
    old, new = rows(book)
    assert (old.output_octets, new.output_octets) == (1500, 200)
    assert new.ended_at is None
    assert down(book) == 1700


def test_a_session_whose_stop_was_lost_ends_when_its_id_is_used_anew():
    begun = NOON + timedelta(seconds=500)
    old, new = rows(
        booked(told(Kind.START), told(Kind.INTERIM, 300, 900), told(Kind.START, at=begun))
    )
    assert (old.ended_at, old.terminate_cause) == (NOON + timedelta(seconds=300), SUPERSEDED)
    assert (new.started_at, new.ended_at) == (begun, None)


def test_one_id_for_two_stations_is_two_sessions():
    book = booked(
        told(Kind.START),
        told(Kind.START, at=NOON + timedelta(seconds=5), station="AA-02"),
        told(Kind.INTERIM, 300, 1000),
        told(Kind.INTERIM, 300, 50, station="AA-02"),
        told(Kind.INTERIM, 600, 2000),
        told(Kind.INTERIM, 600, 70, station="AA-02"),
    )
    assert [row.output_octets for row in rows(book)] == [2000, 70]
    assert down(book) == 2070


def test_a_new_session_of_the_same_line_ends_the_one_that_was_forgotten():
    begun = NOON + timedelta(seconds=900)
    old, new = rows(
        booked(told(Kind.INTERIM, 300, 10), told(Kind.START, at=begun, acct_session_id="t"))
    )
    assert old.terminate_cause == SUPERSEDED
    assert new.ended_at is None


def test_a_session_that_lives_beside_a_newer_one_of_its_line_is_taken_back():
    begun = NOON + timedelta(seconds=900)
    book = booked(
        told(Kind.INTERIM, 300, 10),
        told(Kind.START, at=begun, acct_session_id="t"),
        told(Kind.INTERIM, 1200, 40),
    )
    assert [row.ended_at for row in rows(book)] == [None, None]
    assert down(book) == 40


def test_lower_counters_and_zeros_at_the_end_do_not_count():
    book = booked(
        told(Kind.INTERIM, 300, 1000), told(Kind.INTERIM, 600, 400), told(Kind.STOP, 700, 0)
    )
    (row,) = rows(book)
    assert row.output_octets == 1000
    assert down(book) == 1000


def test_a_stop_without_time_and_counters_closes_the_live_session():
    book = booked(
        told(Kind.INTERIM, 300, 1000),
        told(Kind.STOP, at=NOON + timedelta(seconds=400), terminate_cause="Lost-Carrier"),
    )
    (row,) = rows(book)
    assert (row.terminate_cause, row.output_octets) == ("Lost-Carrier", 1000)


def test_a_nas_that_never_tells_the_session_time_counts_each_octet_once():
    book = booked(
        *[
            told(Kind.INTERIM, minutes * 60, minutes * 100, session_seconds=seconds)
            for minutes in range(1, 10)
            for seconds in (0, None)
        ]
    )
    assert len(rows(book)) == 1
    assert down(book) == 900


def test_a_session_first_heard_of_in_its_middle_counts_whole():
    book = booked(told(Kind.INTERIM, 300, 1000))
    (row,) = rows(book)
    assert row.started_at == NOON
    assert down(book) == 1000


def test_a_stale_session_that_is_heard_of_again_lives_on_without_counting_twice():
    (row,) = rows(booked(told(Kind.INTERIM, 300, 1000)))
    row.ended_at, row.terminate_cause = row.updated_at, STALE
    book = booked(told(Kind.INTERIM, 7200, 5000), closed=[row])
    (again,) = rows(book)
    assert (again.ended_at, again.terminate_cause) == (None, None)
    assert down(book) == 4000


def test_a_stop_corrects_an_end_that_was_concluded():
    (row,) = rows(booked(told(Kind.INTERIM, 300, 1000)))
    row.ended_at, row.terminate_cause = row.updated_at, STALE
    book = booked(told(Kind.STOP, 7200, 5000, terminate_cause="User-Request"), closed=[row])
    (again,) = rows(book)
    assert (again.ended_at, again.terminate_cause) == (
        NOON + timedelta(seconds=7200),
        "User-Request",
    )


def test_ipv6_octets_are_counted_apart_within_the_total():
    book = booked(told(Kind.INTERIM, 300, 1000, ipv6_output_octets=700, ipv6_input_octets=20))
    (octets,) = book.usage.values()
    assert octets == Octets(down=1000, up=0, ipv6_down=700, ipv6_up=20)


def test_the_day_ends_at_the_midnight_of_the_premise():
    zone = ZoneInfo("Africa/Johannesburg")  # UTC+2
    start = datetime(2026, 3, 10, 21, 30, tzinfo=UTC)
    parts = spread(Octets(down=100, up=7), start, start + timedelta(hours=1), zone)
    assert parts == [
        (date(2026, 3, 10), Octets(down=50, up=3)),
        (date(2026, 3, 11), Octets(down=50, up=4)),
    ]


ZONES = st.sampled_from(
    ["UTC", "Africa/Johannesburg", "America/Sao_Paulo", "Australia/Lord_Howe", "Pacific/Apia"]
)
MOMENTS = st.integers(1_322_697_600, 1_900_000_000).map(lambda at: datetime.fromtimestamp(at, UTC))


@given(
    octets=st.integers(0, 2**62),
    start=MOMENTS,
    lasting=st.timedeltas(timedelta(days=-1), timedelta(days=90)),
    name=ZONES,
)
def test_the_days_add_up_to_the_whole(octets, start, lasting, name):
    parts = spread(Octets(down=octets, ipv6_up=octets // 3), start, start + lasting, ZoneInfo(name))
    assert sum(part.down for _, part in parts) == octets
    assert sum(part.ipv6_up for _, part in parts) == octets // 3
    assert all(part.down >= 0 for _, part in parts)
    named = [day for day, _ in parts]
    assert named == sorted(set(named))
    assert len(parts) <= 33


def test_a_clock_that_is_out_by_years_or_hours_ahead_is_not_believed():
    at = int(NOON.timestamp())
    assert event_time(NOON, at - 30, None) == (NOON - timedelta(seconds=30), True)
    for insane in (0, at + 3600, at - 30 * 86400, 2**32 - 1):
        assert event_time(NOON, insane, None) == (NOON, False)
    assert event_time(NOON, 0, 20) == (NOON - timedelta(seconds=20), True)
    assert event_time(NOON, None, 2**32 - 1) == (NOON, False)


def test_a_clock_put_back_during_a_session_does_not_make_another_of_it():
    book = booked(
        told(Kind.START),
        told(Kind.INTERIM, 7200, 1000),
        told(
            Kind.INTERIM,
            at=NOON + timedelta(seconds=7500 - 3600),
            session_seconds=7500,
            octets=1200,
        ),
    )
    assert len(rows(book)) == 1
    assert down(book) == 1200


def test_a_line_that_flaps_under_one_id_is_seen_as_the_sessions_it_has():
    book = booked(
        told(Kind.START),
        told(Kind.STOP, 1, 10),
        told(Kind.START, at=NOON + timedelta(seconds=4)),
        told(Kind.STOP, 1, 20, at=NOON + timedelta(seconds=5)),
        told(Kind.INTERIM, 300, 500, at=NOON + timedelta(seconds=308)),
    )
    assert [row.output_octets for row in rows(book)] == [10, 20, 500]


def test_what_is_told_late_of_an_older_session_leaves_the_newer_one_alone():
    begun = NOON + timedelta(seconds=1000)
    book = booked(
        told(Kind.INTERIM, 300, 50, at=begun + timedelta(seconds=300)),
        told(Kind.START),
        told(Kind.INTERIM, 600, 700),
        told(Kind.INTERIM, 300, 300),
    )
    old, new = rows(book)
    assert (old.output_octets, old.terminate_cause) == (700, SUPERSEDED)
    assert (new.output_octets, new.ended_at, new.started_at) == (50, None, begun)
    assert down(book) == 750


def test_an_overtaken_interim_does_not_put_the_session_back():
    (row,) = rows(
        booked(
            told(Kind.INTERIM, 600, 700, framed_ipv4="100.64.0.2"),
            told(Kind.INTERIM, 300, 300, framed_ipv4="100.64.0.1"),
        )
    )
    assert row.updated_at == NOON + timedelta(seconds=600)
    assert row.framed_ipv4 == "100.64.0.2"


@pytest.mark.parametrize("stamped", [True, False])
@pytest.mark.parametrize("second", [Kind.INTERIM, Kind.STOP])
def test_a_session_time_that_is_made_up_does_not_split_the_session(stamped, second):
    # as somebody does who tries a server out: all in one second, minutes claimed
    book = booked(
        told(Kind.START, exact=stamped),
        told(second, 0, 9000, session_seconds=600, exact=stamped),
    )
    (row,) = rows(book)
    assert row.output_octets == 9000
    assert (row.ended_at is not None) == (second is Kind.STOP)
    assert down(book) == 9000


@pytest.mark.parametrize("stamped", [True, False])
def test_the_same_story_told_twice_with_pauses_is_two_sessions(stamped):
    story = [
        (Kind.START, 0, 0, None),
        (Kind.INTERIM, 0, 1000, 300),
        (Kind.STOP, 0, 9000, 600),
    ]
    told_twice = [
        told(kind, 0, octets, session_seconds=seconds, exact=stamped, at=at)
        for at in (NOON, NOON + timedelta(seconds=4))
        for kind, _, octets, seconds in story
    ]
    book = booked(*told_twice)
    assert [row.output_octets for row in rows(book)] == [9000, 9000]
    assert all(row.ended_at is not None for row in rows(book))
    assert down(book) == 18000


def test_without_any_clock_a_start_after_a_whole_session_begins_another_at_once():
    book = booked(
        told(Kind.START, exact=False), told(Kind.STOP, exact=False), told(Kind.START, exact=False)
    )
    assert [row.ended_at is None for row in rows(book)] == [False, True]


def test_without_any_clock_a_flapping_line_is_not_taken_for_its_last_session():
    begun = NOON + timedelta(seconds=10)
    book = booked(
        told(Kind.START, exact=False),
        told(Kind.STOP, 5, 10, exact=False),
        told(Kind.START, exact=False, at=begun),
        told(Kind.INTERIM, 300, 500, exact=False, at=begun + timedelta(seconds=300)),
    )
    assert [row.output_octets for row in rows(book)] == [10, 500]
    # and if its Start was lost
    book = booked(
        told(Kind.START, exact=False),
        told(Kind.STOP, 5, 10, exact=False),
        told(Kind.INTERIM, 300, 500, exact=False, at=begun + timedelta(seconds=300)),
    )
    assert [row.output_octets for row in rows(book)] == [10, 500]
