from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demarc.protocols.snmp.ber import Malformed
from demarc.protocols.snmp.textual import decode_date_and_time, encode_date_and_time


def test_the_example_of_rfc_2579() -> None:
    # 1992-5-26,13:30:15.0,-4:0
    octets = bytes.fromhex("07c8051a0d1e0f002d0400")
    assert decode_date_and_time(octets) == datetime(1992, 5, 26, 17, 30, 15, tzinfo=UTC)


def test_without_a_zone_it_is_utc() -> None:
    moment = datetime(2026, 3, 1, 9, 5, 7, 300_000, tzinfo=timezone(timedelta(hours=-3)))
    octets = encode_date_and_time(moment)
    assert octets.hex() == "07ea03010c050703"
    assert decode_date_and_time(octets) == moment


def test_a_leap_second_is_the_next_second() -> None:
    assert decode_date_and_time(bytes.fromhex("07e00c1f173b3c00")) == datetime(
        2017, 1, 1, tzinfo=UTC
    )


@pytest.mark.parametrize("octets", [b"", bytes(8), b"\xff" * 8, bytes(11), b"\x07\xea\x02\x1e" * 2])
def test_never_is_none(octets: bytes) -> None:
    assert decode_date_and_time(octets) is None


def test_never_is_written_as_zeros() -> None:
    assert encode_date_and_time(None) == bytes(8)


@pytest.mark.parametrize("octets", [b"\x07", bytes(9), bytes.fromhex("07c8051a0d1e0f00780400")])
def test_other_octets_are_malformed(octets: bytes) -> None:
    with pytest.raises(Malformed):
        decode_date_and_time(octets)


@given(st.binary(max_size=12))
def test_noise_never_does_worse_than_malformed(octets: bytes) -> None:
    try:
        moment = decode_date_and_time(octets)
    except Malformed:
        return
    assert moment is None or moment.utcoffset() == timedelta(0)


@given(st.datetimes(timezones=st.just(UTC)))
def test_a_moment_survives_to_the_tenth_of_a_second(moment: datetime) -> None:
    tenth = moment.microsecond // 100_000 * 100_000
    read = decode_date_and_time(encode_date_and_time(moment))
    assert read == moment.replace(microsecond=tenth)
