import pytest
from hypothesis import given
from hypothesis import strategies as st

from demarc.protocols.snmp import ber
from demarc.protocols.snmp.ber import Malformed

oids = st.builds(
    lambda head, tail: (*head, *tail),
    st.one_of(
        st.tuples(st.integers(0, 1), st.integers(0, 39)),
        st.tuples(st.just(2), st.integers(0, 2**32 - 81)),
    ),
    st.lists(st.integers(0, 2**32 - 1), max_size=126),
)


@pytest.mark.parametrize(
    ("oid", "octets"),
    [
        ((1, 3, 6, 1), "2b0601"),
        ((1, 3, 6, 1, 4, 1, 2011), "2b060104018f5b"),
        ((0, 0), "00"),
        ((2, 999, 3), "883703"),  # the example of X.690 8.19.5
        ((1, 3, 4194304000), "2b8fd0808000"),
    ],
)
def test_object_identifiers_known_from_elsewhere(oid: tuple[int, ...], octets: str) -> None:
    assert ber.encode_oid(oid).hex() == octets
    assert ber.decode_oid(bytes.fromhex(octets)) == oid


@given(oids)
def test_an_object_identifier_survives_the_way(oid: tuple[int, ...]) -> None:
    assert ber.decode_oid(ber.encode_oid(oid)) == oid
    assert ber.parse_oid(ber.format_oid(oid)) == oid


@pytest.mark.parametrize(
    "octets",
    [
        "",
        "2b86",
        "2b8001",
        "2b9080808000",
        "2b" + "01" * 127,
        "88" * 20 + "01",
        "2b" + "88" * 20 + "01",
    ],
)
def test_object_identifiers_that_break_the_rules_are_malformed(octets: str) -> None:
    with pytest.raises(Malformed):
        ber.decode_oid(bytes.fromhex(octets))


@given(st.binary(max_size=40))
def test_noise_is_no_object_identifier_or_one_that_survives(content: bytes) -> None:
    try:
        oid = ber.decode_oid(content)
    except Malformed:
        return
    assert ber.encode_oid(oid) == content


@pytest.mark.parametrize("oid", [(), (1,), (3, 1), (1, 40), (1, 3, -1), (1, 3, 2**32), (1,) * 129])
def test_object_identifiers_that_cannot_be_written_are_refused(oid: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"arc|identifier"):
        ber.encode_oid(oid)


@pytest.mark.parametrize("text", ["", ".", "1.3.", "1..3", "1.x", "1.-3", "iso.3.6", "1.٣"])
def test_text_that_is_no_object_identifier_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="identifier"):
        ber.parse_oid(text)


@pytest.mark.parametrize(
    ("value", "octets"),
    [
        (0, "00"),
        (127, "7f"),
        (128, "0080"),
        (256, "0100"),
        (-1, "ff"),
        (-128, "80"),
        (-129, "ff7f"),
    ],
)
def test_integers_known_from_x690(value: int, octets: str) -> None:
    assert ber.encode_integer(value).hex() == octets
    assert ber.decode_integer(bytes.fromhex(octets), -1000, 1000, "a number") == value


@given(st.integers(-(2**63), 2**64 - 1))
def test_an_integer_survives_the_way(value: int) -> None:
    assert ber.decode_integer(ber.encode_integer(value), value, value, "a number") == value


@pytest.mark.parametrize("octets", ["", "0001", "ffff", "0200"])
def test_integers_that_are_empty_padded_or_out_of_range_are_malformed(octets: str) -> None:
    with pytest.raises(Malformed):
        ber.decode_integer(bytes.fromhex(octets), -255, 255, "a number")


@given(st.integers(0, 70_000))
def test_a_length_is_read_as_it_was_written(length: int) -> None:
    data = b"\x04" + ber.encode_length(length) + bytes(length)
    tag, start, stop = ber.read_header(data, 0, len(data))
    assert (tag, stop - start, stop) == (4, length, len(data))


def test_a_length_longer_than_needed_is_read() -> None:
    assert ber.read_header(bytes.fromhex("0484000000020102"), 0, 8) == (4, 6, 8)


@pytest.mark.parametrize("octets", ["", "04", "0480", "048500000000010a", "0482ff", "0405aabb"])
def test_headers_that_do_not_fit_are_malformed(octets: str) -> None:
    data = bytes.fromhex(octets)
    with pytest.raises(Malformed):
        ber.read_header(data, 0, len(data))
