"""Who may log in now, from where, and on what terms."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from demarc.domains.aaa.accounting import Subscriber
from demarc.domains.aaa.authorisation import (
    Denied,
    Terms,
    authorise,
    learned,
    terms_now,
)
from demarc.domains.aaa.logins import Login
from demarc.domains.aaa.profiles import Settings, check, shared

NOW = datetime(2024, 5, 31, 12, tzinfo=UTC)  # a Friday


def login(settings=None, *, timezone="UTC", **values):
    profile = None
    if settings is not None:
        text = msgspec.json.encode(check(settings)).decode()
        profile = shared(uuid4(), "test", 1.0, text)
    return Login(
        **{
            "id": UUID(int=1),
            "network_id": UUID(int=2),
            "realm_id": UUID(int=3),
            "kind": "pppoe",
            "username": "ana",
            "secret": None,
            "access": "allowed",
            "download_bps": 50_000_000,
            "upload_bps": 25_000_000,
            "max_sessions": 4,
            "accepted_before": True,
            "subscriber": Subscriber(UUID(int=1), UUID(int=4), UUID(int=5), UUID(int=6), timezone),
            "leases": [],
            "profile": profile,
            **values,
        }
    )


def allowed(one, *, station="AA", circuit=None, now=NOW):
    return authorise(one, station=station, circuit=circuit, now=now)


def test_a_log_in_without_a_profile_has_its_speed_and_no_end():
    terms = allowed(login())
    assert terms == Terms(50_000_000, 25_000_000)
    assert terms.label == "50000000/25000000"


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"access": "suspended"}, "service suspended"),
        ({"access": "closed"}, "service closed"),
        ({"expires_at": NOW}, "service expired"),
        ({"station": "BB", "station_binding": "fixed"}, "bound to another station"),
        ({"station": "BB", "station_binding": "learn"}, "bound to another station"),
        ({"circuit_id": "1/1", "circuit_binding": "learn"}, "bound to another line"),
    ],
)
@pytest.mark.parametrize("settings", [None, Settings()])
def test_who_may_not_is_told_why(values, reason, settings):
    assert allowed(login(settings, **values)) == Denied(reason)


def test_a_session_ends_when_its_log_in_expires():
    one = login(expires_at=NOW + timedelta(seconds=90))
    assert allowed(one).session_seconds == 90
    assert allowed(login(Settings(session_timeout=3600), expires_at=NOW + timedelta(days=9))) == (
        Terms(50_000_000, 25_000_000, 3600)
    )


@pytest.mark.parametrize(
    ("values", "settings", "why"),
    [
        ({"access": "suspended"}, {"suspended": "garden"}, "service suspended"),
        ({"expires_at": NOW}, {"expired": "garden"}, "service expired"),
        (
            {"quota_until": NOW + timedelta(days=1)},
            {"quota": 1, "quota_reached": "garden"},
            "quota used up",
        ),
        ({}, {"hours": ("sat 00:00-24:00",), "outside": "garden"}, "outside the hours"),
    ],
)
def test_a_garden_is_slow_walled_and_short(values, settings, why):
    garden = Settings(
        garden_download=256_000,
        garden_upload=128_000,
        garden_filter="unpaid",
        garden_redirect="https://pay.example.net/",
        garden_session_timeout=600,
        **settings,
    )
    terms = allowed(login(garden, **values))
    assert (terms.download_bps, terms.upload_bps, terms.session_seconds) == (256_000, 128_000, 600)
    assert (terms.extras.filter, terms.extras.redirect) == ("unpaid", "https://pay.example.net/")
    assert terms.why.startswith(why)
    assert " garden " in terms.label


def test_nobody_is_let_into_a_garden_from_another_station_than_its_own():
    one = login(
        Settings(suspended="garden"), access="suspended", station="BB", station_binding="fixed"
    )
    assert allowed(one) == Denied("bound to another station")


def test_a_closed_service_has_no_garden():
    one = login(Settings(suspended="garden", expired="garden"), access="closed")
    assert allowed(one) == Denied("service closed")


def test_a_throttle_never_makes_anybody_faster():
    settings = Settings(quota=1, throttle_download=900_000_000, throttle_upload=64_000)
    terms = allowed(login(settings, quota_until=NOW + timedelta(days=1)))
    assert (terms.download_bps, terms.upload_bps, terms.kind) == (50_000_000, 64_000, "throttled")
    # the change back comes by itself: the session need not end
    assert terms.session_seconds is None


def test_a_quota_that_is_renewed_holds_nobody_any_more():
    settings = Settings(quota=1, throttle_download=1_000)
    assert allowed(login(settings, quota_until=NOW)).kind == "full"


def test_where_it_is_refused_outside_its_hours_a_session_ends_with_them():
    settings = Settings(hours=("fri 08:00-18:00",))
    one = login(settings, timezone="Africa/Johannesburg")
    assert allowed(one).session_seconds == 4 * 3600  # 14:00 there
    late = NOW + timedelta(hours=5)
    assert allowed(one, now=late) == Denied("outside the hours of the service")


def test_the_garden_wins_over_the_throttle():
    settings = Settings(
        quota=1,
        quota_reached="garden",
        hours=("sat 00:00-24:00",),
        outside="throttle",
        throttle_download=1_000_000,
    )
    terms = allowed(login(settings, quota_until=NOW + timedelta(days=1)))
    assert (terms.kind, terms.why) == ("garden", "quota used up")


@pytest.mark.parametrize("where", ["credential", "profile"])
def test_the_first_station_and_line_are_learned_once(where):
    if where == "profile":
        one = login(Settings(station_binding="learn", circuit_binding="learn"))
    else:
        one = login(station_binding="learn", circuit_binding="learn")
    terms = allowed(one, circuit="olt 1/1/3")
    assert learned(one, terms, "AA", "olt 1/1/3") == ("AA", "olt 1/1/3")
    one.station, one.circuit_id = "AA", "olt 1/1/3"
    assert learned(one, terms, "AA", "olt 1/1/3") == (None, None)
    assert allowed(one, station="BB", circuit="olt 1/1/3") == Denied("bound to another station")
    assert allowed(one, circuit="olt 1/1/4") == Denied("bound to another line")
    assert isinstance(allowed(one, circuit="olt 1/1/3"), Terms)


def test_nothing_is_learned_of_who_visits_the_garden():
    one = login(Settings(suspended="garden", station_binding="learn"), access="suspended")
    assert learned(one, allowed(one), "AA", None) == (None, None)


def test_a_changed_profile_holds_for_all_who_share_it():
    profile_id = uuid4()
    one, other = (login(profile=shared(profile_id, "home", 1.0, "{}")) for _ in range(2))
    shared(profile_id, "home", 2.0, '{"session_timeout": 900}')
    assert [allowed(each).session_seconds for each in (one, other)] == [900, 900]
    # an older version that is read late takes nothing back
    shared(profile_id, "home", 1.0, "{}")
    assert allowed(one).session_seconds == 900


settings_drawn = st.builds(
    Settings,
    suspended=st.sampled_from(["reject", "garden"]),
    expired=st.sampled_from(["reject", "garden"]),
    hours=st.sampled_from([(), ("mon-fri 08:00-18:00",), ("daily 22:00-06:00",)]),
    outside=st.sampled_from(["reject", "garden"]),
    quota=st.one_of(st.none(), st.just(10**9)),
    quota_reached=st.sampled_from(["reject", "garden"]),
    garden_download=st.one_of(st.none(), st.integers(1, 10**9)),
    garden_session_timeout=st.one_of(st.none(), st.integers(60, 3600)),
    session_timeout=st.one_of(st.none(), st.integers(60, 10**6)),
)
around_now = st.integers(-(10**6), 10**6).map(lambda seconds: NOW + timedelta(seconds=seconds))


logins_drawn = st.fixed_dictionaries(
    {
        "access": st.sampled_from(["allowed", "suspended", "closed"]),
        "expires_at": st.one_of(st.none(), around_now),
        "quota_until": st.one_of(st.none(), around_now),
        "timezone": st.sampled_from(["UTC", "America/New_York", "Europe/Berlin"]),
    }
)


@given(settings_drawn, logins_drawn, around_now)
def test_whatever_holds_nobody_gets_more_than_was_bought(settings, drawn, now):
    one = login(settings, **drawn)
    terms = allowed(one, now=now)
    assert terms == terms_now(one, now)
    if isinstance(terms, Denied):
        assert terms.reason
        return
    assert drawn["access"] != "closed"
    assert 0 < terms.download_bps <= 50_000_000
    assert 0 < terms.upload_bps <= 25_000_000
    assert terms.session_seconds is None or terms.session_seconds > 0
    assert (terms.kind == "full") is (terms.why is None)
    if terms.session_seconds is not None and terms.kind == "full":
        # until it ends nothing that would have it refused comes to pass
        before = now + timedelta(seconds=terms.session_seconds - 1)
        assert isinstance(terms_now(one, before), Terms)
