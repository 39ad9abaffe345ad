"""Accounting against a model: whatever the network does to packets, what was told counts once."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from hypothesis import given, settings
from hypothesis import strategies as st

from demarc.domains.aaa.accounting import Kind, Record, Subscriber, SubscriberBook, wants_closed

NAS = UUID(int=1)
BEGIN = datetime(2026, 3, 1, 18, 0, tzinfo=UTC)
SUBSCRIBER = Subscriber(uuid4(), uuid4(), uuid4(), uuid4(), "Africa/Johannesburg")


class Store:
    """The database as the ledger uses it, without one."""

    def __init__(self):
        self.live, self.closed, self.usage = {}, {}, {}

    def book(self, records):
        live = list(self.live.values())
        wanted = any(wants_closed(record, live) for record in records)
        book = SubscriberBook(SUBSCRIBER, live, self.closed.values() if wanted else ())
        book.apply(records)
        for kept in book.changes:
            self.live.pop(kept.row.id, None)
            self.closed.pop(kept.row.id, None)
            (self.live if kept.row.ended_at is None else self.closed)[kept.row.id] = kept.row
        for day, octets in book.usage.items():
            self.usage[day] = self.usage.get(day, 0) + octets.down

    @property
    def rows(self):
        return [*self.live.values(), *self.closed.values()]


@st.composite
def stories(draw):
    """Sessions that really happened at one station each, and the records told of them.

    A station's sessions follow one another; the NAS uses one session id for all of them, or a
    few in turn.
    """
    told = []
    ids = draw(st.sampled_from([("same",), ("a", "b")]))
    for station in range(draw(st.integers(1, 2))):
        at = BEGIN + timedelta(seconds=draw(st.integers(0, 600)))
        for number in range(draw(st.integers(1, 4))):
            started, seconds, octets = at, 0, 0
            session = (station, number)
            facts = {"acct_session_id": ids[number % len(ids)], "station": f"AA-{station}"}

            def tell(kind, *, seconds, octets, session=session, started=started, facts=facts):
                record = Record(
                    kind=kind,
                    nas_id=NAS,
                    nas_address="192.0.2.1",
                    username="u",
                    at=started + timedelta(seconds=seconds),
                    exact=True,
                    session_seconds=seconds or None,
                    output_octets=octets,
                    **facts,
                )
                told.append((session, record))

            tell(Kind.START, seconds=0, octets=0)
            for _ in range(draw(st.integers(0, 4))):
                seconds += draw(st.integers(60, 40_000))
                octets += draw(st.integers(1, 10**12))
                tell(Kind.INTERIM, seconds=seconds, octets=octets)
            seconds += draw(st.integers(20, 3600))
            octets += draw(st.integers(0, 10**9))
            # a lost carrier makes some NASes forget what they counted
            tell(Kind.STOP, seconds=seconds, octets=draw(st.sampled_from([octets, 0])))
            at = started + timedelta(seconds=seconds + draw(st.integers(10, 5000)))
    return told


def delivered(told, draw):
    """What arrives: some records lost, some doubled, in any order."""
    arriving = []
    for one in told:
        arriving += [one] * draw(st.sampled_from([0, 1, 1, 1, 2]))
    return draw(st.permutations(arriving))


def truth(arrived):
    """Octets of each session, as far as anything that arrived tells of it."""
    octets = {}
    for session, record in arrived:
        octets[session] = max(octets.get(session, 0), record.output_octets)
    return octets


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_octets_count_once_whatever_is_lost_doubled_and_overtaken(data):
    arrived = delivered(data.draw(stories()), data.draw)
    expected = truth(arrived)
    store = Store()
    while arrived:
        size = data.draw(st.integers(1, len(arrived)), label="batch")
        store.book([record for _, record in arrived[:size]])
        arrived = arrived[size:]
    assert sum(store.usage.values()) == sum(expected.values())
    assert sum(row.output_octets for row in store.rows) == sum(expected.values())
    # every session that used something is a row of its own, with its own octets
    assert sorted(row.output_octets for row in store.rows if row.output_octets) == sorted(
        octets for octets in expected.values() if octets
    )


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_told_in_order_and_whole_the_sessions_are_exactly_those_that_were(data):
    told = data.draw(stories())
    store = Store()
    for _, record in sorted(told, key=lambda one: one[1].at):
        store.book([record])
    assert not store.live
    happened = {}
    for session, record in told:
        begun, ended, octets = happened.get(session, (record.at, record.at, 0))
        happened[session] = (
            min(begun, record.at),
            max(ended, record.at),
            max(octets, record.output_octets),
        )
    assert sorted(
        (row.started_at, row.ended_at, row.output_octets) for row in store.rows
    ) == sorted(happened.values())


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_telling_everything_again_changes_nothing(data):
    arrived = [record for _, record in delivered(data.draw(stories()), data.draw)]
    store = Store()
    store.book(arrived)
    before = (dict(store.usage), sorted(row.output_octets for row in store.rows))
    store.book(data.draw(st.permutations(arrived)))
    after = (dict(store.usage), sorted(row.output_octets for row in store.rows))
    assert sum(after[0].values()) == sum(before[0].values())
    assert [octets for octets in after[1] if octets] == [octets for octets in before[1] if octets]


@st.composite
def restarted(draw):
    """A session whose NAS begins its time and octets anew, and says neither Stop nor Start."""
    told, now = [], BEGIN
    for piece in range(draw(st.integers(1, 4))):
        began, octets = now, 0
        for number in range(draw(st.integers(1, 4))):
            now += timedelta(seconds=draw(st.integers(60, 40_000)))
            octets += draw(st.integers(1, 10**12))
            told.append((piece, _interim(now, int((now - began).total_seconds()), octets)))
            if number == 0 and piece == 0 and draw(st.booleans()):
                told.insert(0, (piece, _interim(began, 0, 0, Kind.START)))
        now += timedelta(seconds=draw(st.integers(5, 600)))
    return told


@st.composite
def running_back(draw):
    """A session whose time runs back and forth, never to after the first interim; its octets grow."""
    first = draw(st.integers(60, 3600))
    now, octets = BEGIN + timedelta(seconds=first), draw(st.integers(1, 10**9))
    told = [(0, _interim(BEGIN, 0, 0, Kind.START)), (0, _interim(now, first, octets))]
    for _ in range(draw(st.integers(1, 6))):
        now += timedelta(seconds=draw(st.integers(60, 40_000)))
        octets += draw(st.integers(1, 10**12))
        back = draw(st.integers(0, first - 10))
        told.append((0, _interim(now, int((now - BEGIN).total_seconds()) - back, octets)))
    return told


def _interim(at, seconds, octets, kind=Kind.INTERIM):
    return Record(
        kind=kind,
        nas_id=NAS,
        nas_address="192.0.2.1",
        acct_session_id="same",
        username="u",
        at=at,
        exact=True,
        session_seconds=seconds or None,
        output_octets=octets,
        station="AA-0",
    )


@settings(max_examples=300, deadline=None)
@given(st.data(), st.one_of(restarted(), running_back()))
def test_a_session_time_that_begins_anew_or_runs_back_loses_and_doubles_nothing(data, told):
    arrived = delivered(told, data.draw)
    expected = sum(truth(arrived).values())
    store = Store()
    while arrived:
        size = data.draw(st.integers(1, len(arrived)), label="batch")
        store.book([record for _, record in arrived[:size]])
        arrived = arrived[size:]
    assert sum(store.usage.values()) == expected
    assert sum(row.output_octets for row in store.rows) == expected


@settings(max_examples=100, deadline=None)
@given(running_back())
def test_a_session_whose_time_runs_back_stays_one_session(told):
    store = Store()
    for _, record in told:
        store.book([record])
    (row,) = store.live.values()
    assert not store.closed
    assert row.session_seconds == max(record.session_seconds or 0 for _, record in told)
