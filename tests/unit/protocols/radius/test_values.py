from datetime import UTC, datetime, timedelta, timezone
from ipaddress import IPv4Address, IPv6Network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demarc.protocols.radius.dictionary import DICTIONARY, Attribute, Kind
from demarc.protocols.radius.errors import Malformed
from demarc.protocols.radius.values import (
    Tagged,
    Value,
    decode_tagged,
    decode_value,
    encode_value,
    read_text,
)

COUNTER64 = Attribute(name="Counter", vendor=64000, type=1, kind=Kind.INTEGER64, key=64000 << 8 | 1)


@pytest.mark.parametrize(
    ("octets", "text"),
    [
        ("joão".encode(), "joão"),
        ("joão".encode("latin-1"), "jo\\xe3o"),
        (b"ana\0", "ana\\x00"),
        (b"\xed\xa0\x80", "\\xed\\xa0\\x80"),  # half of a surrogate pair
        (b"", ""),
    ],
)
def test_text_can_be_stored_whatever_came(octets: bytes, text: str) -> None:
    assert read_text(octets) == text


@given(st.binary())
def test_text_never_fails(octets: bytes) -> None:
    text = read_text(octets)
    assert "\0" not in text
    text.encode()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("NAS-Port", -1),
        ("NAS-Port", 2**32),
        ("NAS-Port", "4"),
        ("NAS-Port", True),
        ("NAS-Port", b"\0\0\0\1"),
        ("Service-Type", "Framed"),
        ("User-Name", ""),
        ("User-Name", 7),
        ("User-Name", "\ud800"),
        ("NAS-IP-Address", "192.0.2.256"),
        ("NAS-IP-Address", 7),
        ("Framed-IPv6-Prefix", "2001:db8::/32"),
        ("Framed-Interface-Id", b"1234567"),
        ("Event-Timestamp", datetime(2024, 1, 1)),  # noqa: DTZ001 - that is the fault
        ("Event-Timestamp", datetime(1969, 12, 31, tzinfo=UTC)),
        ("Event-Timestamp", 2**32),
        ("Class", "text"),
        ("User-Name", Tagged(1, "bob")),
        ("Tunnel-Type", Tagged(32, 3)),
        ("Tunnel-Type", Tagged(1, 2**24)),
    ],
)
def test_a_value_that_does_not_fit_is_refused(name: str, value: Value) -> None:
    with pytest.raises(ValueError, match=r"."):
        encode_value(DICTIONARY[name], value)


def test_a_moment_of_any_zone() -> None:
    brasilia = datetime(2024, 1, 1, 21, tzinfo=timezone(timedelta(hours=-3)))
    octets = encode_value(DICTIONARY["Event-Timestamp"], brasilia)
    assert decode_value(DICTIONARY["Event-Timestamp"], octets) == datetime(2024, 1, 2, tzinfo=UTC)


def test_addresses_may_be_given_as_text() -> None:
    assert encode_value(DICTIONARY["NAS-IP-Address"], "192.0.2.1") == encode_value(
        DICTIONARY["NAS-IP-Address"], IPv4Address("192.0.2.1")
    )


def test_a_prefix_shortened_to_what_is_needed() -> None:
    octets = bytes.fromhex("0038 20010db8 000001")
    assert decode_value(DICTIONARY["Framed-IPv6-Prefix"], octets) == IPv6Network(
        "2001:db8:0:100::/56"
    )


def test_a_prefix_that_carries_a_whole_address() -> None:
    octets = bytes.fromhex("0040 20010db8 00000001 00000000 00000001")
    assert decode_value(DICTIONARY["Framed-IPv6-Prefix"], octets) == IPv6Network(
        "2001:db8:0:1::/64"
    )


def test_sixty_four_bits() -> None:
    assert encode_value(COUNTER64, 2**40) == bytes.fromhex("0000010000000000")
    assert decode_value(COUNTER64, bytes.fromhex("0000010000000000")) == 2**40
    with pytest.raises(Malformed):
        decode_value(COUNTER64, bytes(4))


def test_text_that_begins_like_a_tag_gets_one() -> None:
    endpoint = DICTIONARY["Tunnel-Server-Endpoint"]
    octets = encode_value(endpoint, "\x01x")
    assert octets == b"\0\x01x"
    assert decode_tagged(endpoint, octets) == Tagged(0, "\x01x")


def test_an_encrypted_value_stays_as_it_is() -> None:
    assert decode_value(DICTIONARY["User-Password"], b"\xff" * 16) == b"\xff" * 16
    assert decode_tagged(DICTIONARY["Tunnel-Password"], b"\x02rest") == Tagged(2, b"rest")
    with pytest.raises(Malformed):
        decode_tagged(DICTIONARY["Tunnel-Password"], b"")
