"""What the record shows: times, and the members that are asked for."""

from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from demarc.northbound.flashman.record import HIDDEN, chosen, iso

RECORD = {
    "_id": "02:00:5E:10:00:01",
    "wan_bytes": {"1": [1, 2]},
    "wans": [{"uptime": 1, "ipv4": {"ip": "100.64.0.7", "mask": None}}, {"uptime": 2, "ipv4": {}}],
    "wifi_ssid": "Casa",
}


def test_times_are_utc_with_milliseconds():
    at = datetime(2023, 1, 31, 12, 14, 29, 453_999, timezone(-timedelta(hours=3)))
    assert iso(at) == "2023-01-31T15:14:29.453Z"
    assert iso(datetime(2023, 1, 31, tzinfo=UTC)) == "2023-01-31T00:00:00.000Z"
    assert iso(None) is None


def test_members_are_chosen_by_their_paths():
    assert chosen(RECORD, "wans.ipv4.ip;wans.uptime") == {
        "_id": RECORD["_id"],
        "wans": [{"ipv4": {"ip": "100.64.0.7"}, "uptime": 1}, {"ipv4": {}, "uptime": 2}],
    }
    assert chosen(RECORD, "wifi_ssid.none; none;") == {"_id": RECORD["_id"]}
    assert set(chosen(RECORD, None)) == set(RECORD) - HIDDEN
    assert chosen(RECORD, " ; ") == chosen(RECORD, None)


PATHS = st.lists(st.sampled_from(["_id", "wans", "uptime", "ipv4", "ip", "wan_bytes", "1", ""]))


@given(st.lists(PATHS.map(".".join)).map(";".join))
def test_any_choice_is_answered_and_changes_nothing(fields):
    before = repr(RECORD)
    assert set(chosen(RECORD, fields)) <= set(RECORD)
    assert repr(RECORD) == before
