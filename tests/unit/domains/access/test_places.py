from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demarc.domains.access.places import FORGET_AFTER, Standing, credible, once_each
from demarc.domains.access.ports import OnuReading

HERE, OTHER = UUID(int=1), UUID(int=2)
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
SINCE = NOW - timedelta(seconds=30)
LAST_POLL = NOW - timedelta(minutes=5)


def reading(state="online", port=0, number=0, serial="HWTC00000001"):
    return OnuReading(
        if_index=4194312192 + 256 * port,
        onu_index=number,
        slot=1,
        port=port,
        serial=serial,
        description=None,
        state=state,
        last_down_cause=None,
        distance_m=None,
        tx_dbm=None,
        rx_dbm=None,
        olt_rx_dbm=None,
        temperature_c=None,
        last_up_at=None,
        last_down_at=None,
    )


def standing(state="online", port=1, read_at=LAST_POLL, olt_id=HERE):
    return Standing("HWTC00000001", olt_id, 4194312192 + 256 * port, 0, state, read_at)


def judge(told, *known):
    kept, doubles = credible(HERE, [told], known, since=SINCE, read_at=NOW)
    return "kept" if kept else "double" if doubles else "ignored"


@pytest.mark.parametrize(
    ("told", "known", "verdict"),
    [
        # at its place, or never placed
        (reading("offline", port=1), standing(), "kept"),
        (reading("offline"), standing(read_at=None, state=None), "kept"),
        # moved: online elsewhere
        (reading("online"), standing("offline", read_at=NOW), "kept"),
        (reading("online"), standing("online"), "kept"),
        (reading("online", port=1), standing("online", olt_id=OTHER), "kept"),
        # still configured where it was
        (reading("offline"), standing("online", read_at=NOW), "ignored"),
        (reading("offline"), standing("offline"), "ignored"),
        (reading("offline", port=1), standing("online", olt_id=OTHER), "ignored"),
        (reading("offline"), standing("online", read_at=NOW - 2 * FORGET_AFTER), "kept"),
        # two of one number
        (reading("online"), standing("online", read_at=SINCE), "double"),
    ],
)
def test_a_reading_elsewhere_counts_if_the_onu_can_be_there(told, known, verdict):
    assert judge(told, known) == verdict


def test_an_onu_never_seen_is_taken_as_it_is():
    assert judge(reading("offline")) == "kept"


@given(
    st.lists(
        st.builds(
            reading,
            state=st.sampled_from(["online", "offline"]),
            port=st.integers(0, 2),
            number=st.integers(0, 2),
            serial=st.sampled_from(["HWTC00000001", "HWTC00000002", "HWTC00000003"]),
        )
    )
)
def test_of_each_onu_and_each_place_one_reading_is_left(told):
    left = once_each(told)
    assert len({each.serial for each in left}) == len(left)
    assert len({(each.if_index, each.onu_index) for each in left}) == len(left)
    assert bool(left) == bool(told)


def test_what_is_online_counts_more_in_any_order():
    pair = [reading("online", port=1), reading("offline", port=0)]
    assert once_each(pair) == once_each(pair[::-1]) == [pair[0]]
