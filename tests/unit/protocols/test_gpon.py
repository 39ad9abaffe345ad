import pytest
from hypothesis import given
from hypothesis import strategies as st

from demarc.protocols.gpon import format_serial, parse_serial


def test_a_serial_is_vendor_letters_and_hexadecimal() -> None:
    assert format_serial(b"HWTC\x12\x34\xab\xcd") == "HWTC1234ABCD"


@pytest.mark.parametrize(
    "text", ["HWTC1234ABCD", "hwtc1234abcd", "HWTC-1234ABCD", "485754431234ABCD", " HWTC1234ABCD "]
)
def test_every_common_form_of_a_serial_is_read(text: str) -> None:
    assert parse_serial(text) == b"HWTC\x12\x34\xab\xcd"


@pytest.mark.parametrize(
    "text", ["", "HWTC", "HWTC1234ABC", "HWTC1234ABCG", "HW C1234ABCD", "ÉÉÉÉ1234ABCD"]
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no GPON serial"):
        parse_serial(text)


@pytest.mark.parametrize(
    ("octets", "text"),
    [
        (bytes(range(8)), "0001020304050607"),
        (b"hwtc\x12\x34\xab\xcd", "687774631234ABCD"),
        (b"H TC\x12\x34\xab\xcd", "482054431234ABCD"),
    ],
)
def test_a_vendor_that_is_not_in_capitals_is_written_as_digits(octets: bytes, text: str) -> None:
    assert format_serial(octets) == text
    assert parse_serial(text) == octets


def test_a_serial_has_eight_octets() -> None:
    with pytest.raises(ValueError, match="8 octets"):
        format_serial(b"HWTC123")


@given(st.binary(min_size=8, max_size=8))
def test_whatever_is_written_is_upper_case_and_read_back(octets: bytes) -> None:
    text = format_serial(octets)
    assert text == text.upper()
    assert parse_serial(text) == octets
