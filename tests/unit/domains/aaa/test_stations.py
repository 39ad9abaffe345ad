"""Who is logged in with a credential, and which address a further station gets."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from demarc.domains.aaa.accounting import Subscriber
from demarc.domains.aaa.logins import Login
from demarc.domains.aaa.model import Lease
from demarc.domains.aaa.prefixes import pack
from demarc.domains.aaa.stations import (
    GRANT_SECONDS,
    Granted,
    Heard,
    Refused,
    Stations,
    WantsAddress,
)

NETWORK, NAS = UUID(int=1), UUID(int=2)
NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
LASTS = 1500.0


def login(*leases, max_sessions=3):
    key = uuid4()
    return Login(
        id=key,
        network_id=NETWORK,
        realm_id=UUID(int=3),
        kind="pppoe",
        username="u",
        secret=None,
        access="allowed",
        download_bps=1,
        upload_bps=1,
        max_sessions=max_sessions,
        accepted_before=True,
        subscriber=Subscriber(key, uuid4(), uuid4(), uuid4(), "UTC"),
        leases=[Lease(*lease) for lease in leases],
    )


def heard(of, session, station, address, *, over=False, at=NOON):
    return Heard(NETWORK, of.id, (NAS, "192.0.2.1", session), station, address, at, over)


ONE, TWO = ("100.64.0.1", "pooled", None), ("100.64.0.2", "pooled", None)


def test_a_station_that_comes_back_gets_the_address_it_has():
    stations, known = Stations(), login(ONE, TWO)
    stations.grant(known, "AA", "100.64.0.2", 0)
    stations.note(heard(known, "s", "AA", "100.64.0.2"), 1, LASTS)
    assert stations.decide(known, "AA", 2) == Granted("100.64.0.2")


def test_a_station_gets_the_address_it_had_last_time():
    known = login(("100.64.0.1", "pooled", "BB"), ("100.64.0.2", "pooled", "AA"))
    assert Stations().decide(known, "AA", 0) == Granted("100.64.0.2")
    # who is new gets one that nobody had before another's
    known.leases.append(Lease("100.64.0.3", "pooled", None))
    assert Stations().decide(known, "CC", 0) == Granted("100.64.0.3")


def test_a_second_station_never_gets_the_address_of_the_first():
    stations, known = Stations(), login(ONE)
    stations.grant(known, "AA", "100.64.0.1", 0)
    assert stations.decide(known, "BB", 1) == WantsAddress()
    known.leases.append(Lease(*TWO))
    assert stations.decide(known, "BB", 1) == Granted("100.64.0.2")


def test_a_grant_that_is_not_used_is_over_after_a_while():
    stations, known = Stations(), login(ONE)
    stations.grant(known, "AA", "100.64.0.1", 0)
    assert stations.decide(known, "BB", GRANT_SECONDS + 1) == Granted("100.64.0.1")


def test_a_session_nobody_tells_of_any_more_gives_its_address_free():
    stations, known = Stations(), login(ONE)
    stations.note(heard(known, "s", "AA", "100.64.0.1"), 0, LASTS)
    assert stations.decide(known, "BB", LASTS - 1) == WantsAddress()
    assert stations.decide(known, "BB", LASTS + 1) == Granted("100.64.0.1")


def test_beyond_the_sessions_it_may_have_a_credential_is_refused():
    stations, known = Stations(), login(ONE, TWO, max_sessions=1)
    stations.note(heard(known, "s", "AA", "100.64.0.1"), 0, LASTS)
    assert stations.decide(known, "BB", 1) == Refused("too many sessions")
    assert stations.decide(known, "AA", 1) == Granted("100.64.0.1")
    stations.note(heard(known, "s", "AA", "100.64.0.1", over=True), 2, LASTS)
    assert stations.decide(known, "BB", 3) == Granted("100.64.0.1")


def test_a_static_address_is_for_one_station_at_a_time():
    stations, known = Stations(), login(("203.0.113.9", "static", None), ONE)
    assert stations.decide(known, "AA", 0) == Granted("203.0.113.9")
    stations.grant(known, "AA", "203.0.113.9", 0)
    refused = stations.decide(known, "BB", 1)
    assert isinstance(refused, Refused)
    assert "static address" in refused.reason


def test_an_address_another_credentials_session_still_has_is_not_given():
    stations, gone, new = Stations(), login(ONE), login(ONE)
    stations.note(heard(gone, "s", "AA", "100.64.0.1"), 0, LASTS)
    assert stations.decide(new, "BB", 1) == WantsAddress()


def test_the_stop_of_the_last_session_does_not_take_the_grant_for_the_next():
    stations, known = Stations(), login(ONE)
    stations.note(heard(known, "old", "AA", "100.64.0.1"), 0, LASTS)
    stations.grant(known, "AA", "100.64.0.1", 10)
    stations.note(heard(known, "old", "AA", "100.64.0.1", over=True), 11, LASTS)
    assert stations.decide(known, "BB", 12) == WantsAddress()


def test_who_gives_no_station_may_try_again_but_is_another_once_a_session_lives():
    stations, known = Stations(), login(ONE)
    for second in range(5):
        assert stations.decide(known, None, second) == Granted("100.64.0.1")
        stations.grant(known, None, "100.64.0.1", second)
    stations.note(heard(known, "s", None, "100.64.0.1"), 6, LASTS)
    assert stations.decide(known, None, 7) == WantsAddress()


def test_without_addresses_of_ours_the_nas_gives_them():
    assert Stations().decide(login(), "AA", 0) == Granted(None)


def test_a_nas_that_restarts_has_no_sessions_but_those_it_told_of_since():
    stations, known = Stations(), login(ONE, TWO, max_sessions=2)
    stations.note(heard(known, "old", "AA", "100.64.0.1"), 0, LASTS)
    late = NOON + timedelta(minutes=2)
    stations.note(heard(known, "new", "BB", "100.64.0.2", at=late), 0, LASTS)
    stations.forget_nas(stations.credentials(), NAS, "192.0.2.1", NOON + timedelta(minutes=1), 1)
    assert stations.decide(known, "CC", 2) == Granted("100.64.0.1")


class Logins(RuleBasedStateMachine):
    """Stations come, tell of sessions, fall silent and go; the addresses are few."""

    def __init__(self):
        super().__init__()
        self.now = 0.0
        self.stations = Stations()
        self.logins = [login(ONE, TWO), login(("100.64.0.3", "pooled", None), ONE)]
        self.next_session = 0
        # who was given what, and until when it may believe so
        self.holding = {}

    @rule(which=st.integers(0, 1), station=st.sampled_from(["AA", "BB", "CC", None]))
    def ask(self, which, station):
        known = self.logins[which]
        decision = self.stations.decide(known, station, self.now)
        if not isinstance(decision, Granted):
            return
        me = (which, station)
        for other, (address, until) in self.holding.items():
            if until > self.now and other != me:
                assert address != decision.address
        self.stations.grant(known, station, decision.address, self.now)
        self.holding[me] = (decision.address, self.now + GRANT_SECONDS)

    @precondition(lambda self: any(key[1] for key in self.holding))
    @rule(data=st.data())
    def begin(self, data):
        me = data.draw(st.sampled_from(sorted(key for key in self.holding if key[1])))
        address, until = self.holding[me]
        if until <= self.now:
            return
        known = self.logins[me[0]]
        self.next_session += 1
        self.stations.note(heard(known, f"s{self.next_session}", me[1], address), self.now, LASTS)
        self.holding[me] = (address, self.now + LASTS)

    @rule(seconds=st.sampled_from([1.0, 30.0, GRANT_SECONDS, LASTS]))
    def wait(self, seconds):
        self.now += seconds

    @rule()
    def sweep(self):
        self.stations.sweep(self.stations.credentials(), self.now)

    @invariant()
    def nobody_is_beyond_the_sessions_allowed(self):
        for which, known in enumerate(self.logins):
            active = [
                until
                for (key, _), (_, until) in self.holding.items()
                if key == which and until > self.now
            ]
            assert len(active) <= known.max_sessions


TestLogins = Logins.TestCase
TestLogins.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)


@pytest.mark.parametrize("address", ["100.64.0.1", None])
def test_a_session_begins_on_the_grant_of_its_station(address):
    stations, known = Stations(), login(ONE, max_sessions=1)
    stations.grant(known, "AA", "100.64.0.1", 0)
    stations.note(heard(known, "s", "AA", address), 1, LASTS)
    stations.note(heard(known, "s", "AA", address, over=True), 2, LASTS)
    assert stations.decide(known, "BB", 3) == Granted("100.64.0.1")


def stop(of, session, station, address, lasted):
    return Heard(
        *(NETWORK, of.id, (NAS, "192.0.2.1", session), station, address, NOON, True),
        lasted=lasted,
    )


def test_a_login_that_failed_after_its_accept_gives_the_address_back_at_once():
    stations, known = Stations(), login(ONE, max_sessions=1)
    stations.grant(known, "AA", "100.64.0.1", 0)
    assert isinstance(stations.decide(known, "BB", 3), Refused)
    stations.note(stop(known, "failed", "AA", "100.64.0.1", 0.0), 3, LASTS)
    assert stations.decide(known, "BB", 3) == Granted("100.64.0.1")


@pytest.mark.parametrize("lasted", [None, 60.0])
def test_a_stop_of_an_older_session_does_not_end_what_was_granted_since(lasted):
    stations, known = Stations(), login(ONE, max_sessions=1)
    stations.grant(known, "AA", "100.64.0.1", 100)
    stations.note(stop(known, "old", "AA", "100.64.0.1", lasted), 103, LASTS)
    assert isinstance(stations.decide(known, "BB", 103), Refused)


def test_a_stop_that_is_told_again_does_not_end_what_was_granted_since():
    stations, known = Stations(), login(ONE, max_sessions=1)
    stations.grant(known, "AA", "100.64.0.1", 0)
    stations.note(heard(known, "s1", "AA", "100.64.0.1"), 1, LASTS)
    stations.grant(known, "AA", "100.64.0.1", 5)
    for _ in range(2):
        stations.note(stop(known, "s1", "AA", "100.64.0.1", 1.0), 8, LASTS)
    assert isinstance(stations.decide(known, "BB", 9), Refused)


def test_where_the_nas_gives_addresses_prefixes_tell_what_is_in_use():
    one, two = pack("2001:db8::/64", "3fff::/56"), pack("2001:db8:0:1::/64", "3fff:0:0:100::/56")
    known = login((None, "pooled", None, one))
    stations = Stations()
    assert stations.decide(known, "AA", 0) == Granted(None, one)
    stations.grant(known, "AA", None, 0, one)
    assert stations.decide(known, "BB", 1) == WantsAddress()
    known.leases.append(Lease(None, "pooled", None, two))
    assert stations.decide(known, "BB", 1) == Granted(None, two)
    assert stations.decide(known, "AA", 1) == Granted(None, one)


def test_a_session_that_told_of_one_prefix_keeps_others_from_both():
    one, two = pack("2001:db8::/64", "3fff::/56"), pack("2001:db8:0:1::/64", "3fff:0:0:100::/56")
    known = login((None, "pooled", None, one), (None, "pooled", None, two))
    stations = Stations()
    told = Heard(
        *(NETWORK, known.id, (NAS, "192.0.2.1", "s"), "AA", "10.0.0.9", NOON, False),
        prefixes=pack(None, "3fff::/56"),
    )
    stations.note(told, 0, LASTS)
    assert stations.decide(known, "BB", 1) == Granted(None, two)
    assert stations.decide(known, "AA", 1) == Granted(None, one)


def test_an_address_that_moved_leaves_its_prefix_to_the_session_that_has_it():
    # the address was moved out of a drained pool while a session goes on with the old one
    kept = pack(None, "3fff::/56")
    known = login(("100.64.0.1", "pooled", None, kept))
    stations = Stations()
    stations.grant(known, "AA", "100.64.0.1", 0, kept)
    stations.note(heard(known, "s", "AA", "100.64.0.1"), 1, LASTS)
    known.leases[0] = Lease("100.64.9.9", "pooled", None, kept)
    assert stations.decide(known, "BB", 2) == WantsAddress()
    assert stations.decide(known, "AA", 2) == Granted("100.64.9.9", kept)
