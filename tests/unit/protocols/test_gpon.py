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


def test_a_vendor_that_is_no_text_is_written_as_sixteen_digits() -> None:
    assert format_serial(bytes(range(8))) == "0001020304050607"


def test_a_serial_has_eight_octets() -> None:
    with pytest.raises(ValueError, match="8 octets"):
        format_serial(b"HWTC123")


@given(st.binary(min_size=8, max_size=8))
def test_whatever_is_written_is_read_back(octets: bytes) -> None:
    read = parse_serial(format_serial(octets))
    assert read[4:] == octets[4:]
    assert read[:4] in {octets[:4], octets[:4].upper()}
