from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demarc.protocols.radius.attributes import encode_attributes
from demarc.protocols.radius.dictionary import DICTIONARY, Attribute
from demarc.protocols.radius.packet import MAX_PACKET, Code, Malformed, Packet, decode
from demarc.protocols.radius.values import Value
from support.radius_strategies import pairs, read_back

USER_NAME = DICTIONARY["User-Name"]
VENDOR_SPECIFIC = DICTIONARY["Vendor-Specific"]
RATE_LIMIT = DICTIONARY["MikroTik-Rate-Limit"]


def frame(attributes: bytes, code: int = Code.ACCESS_REQUEST, padding: bytes = b"") -> bytes:
    length = (20 + len(attributes)).to_bytes(2, "big")
    return bytes((code, 7)) + length + bytes(range(16)) + attributes + padding


def test_header() -> None:
    packet = decode(frame(b"", Code.ACCOUNTING_REQUEST))
    assert (packet.code, packet.identifier) == (4, 7)
    assert packet.authenticator == bytes(range(16))
    assert packet.attributes == []
    assert packet.signature == 0


def test_memoryview_is_read_as_octets() -> None:
    packet = decode(memoryview(bytearray(frame(b"\x01\x05bob"))))
    assert packet.text(USER_NAME) == "bob"
    assert isinstance(packet.raw, bytes)


def test_padding_behind_the_packet_is_ignored() -> None:
    packet = decode(frame(b"\x01\x05bob", padding=b"\x01\x05eve"))
    assert packet.all(USER_NAME) == ["bob"]
    assert packet.raw == frame(b"\x01\x05bob")


def test_a_packet_of_4096_octets_is_read() -> None:
    attributes = (b"\x19\xff" + bytes(253)) * 15 + b"\x19\xfb" + bytes(249)
    assert len(decode(frame(attributes)).raw) == MAX_PACKET


def test_the_first_of_several_is_what_get_gives() -> None:
    packet = decode(frame(b"\x01\x05bob\x01\x05eve"))
    assert packet.get(USER_NAME) == "bob"
    assert packet.all(USER_NAME) == ["bob", "eve"]


def test_what_is_not_there() -> None:
    packet = decode(frame(b""))
    assert packet.value(USER_NAME) is None
    assert packet.get(USER_NAME) is None
    assert packet.text(USER_NAME) is None
    assert packet.number(DICTIONARY["NAS-Port"]) is None
    assert packet.address(DICTIONARY["NAS-IP-Address"]) is None
    assert packet.all(USER_NAME) == []


def test_an_empty_text_counts_as_none() -> None:
    assert decode(frame(b"\x01\x02")).text(USER_NAME) is None


def test_numbers_and_addresses_are_held_to_their_length() -> None:
    packet = decode(frame(b"\x05\x05\0\0\0\x04\x03\0"))
    with pytest.raises(Malformed):
        packet.number(DICTIONARY["NAS-Port"])
    with pytest.raises(Malformed):
        packet.address(DICTIONARY["NAS-IP-Address"])


def test_eap_message_is_joined() -> None:
    message = bytes(range(256)) * 3
    eap = DICTIONARY["EAP-Message"]
    packet = decode(frame(encode_attributes([(eap, message)])))
    assert len(packet.values(eap)) == 4
    assert packet.get(eap) == message


def test_several_in_one_vendor_specific_attribute() -> None:
    packet = decode(frame(b"\x1a\x10\0\0\x3a\x8c\x08\x051/2\x13\x05one"))
    assert packet.text(RATE_LIMIT) == "1/2"
    assert packet.text(DICTIONARY["MikroTik-Address-List"]) == "one"


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"\0\0\x3a",
        b"\0\0\x3a\x8c",
        b"\0\0\x3a\x8c\x08",
        b"\0\0\x3a\x8c\x08\0",
        b"\0\0\x3a\x8c\x08\x01",
        b"\0\0\x3a\x8c\x08\x09abc",
        b"\0\0\x3a\x8c\x08\x04ab\x01",
        b"\0\0\x3a\x8c\x08\x04ab\x01\x01",
    ],
)
def test_a_vendor_specific_attribute_of_another_form_is_kept_whole(value: bytes) -> None:
    packet = decode(frame(bytes((26, len(value) + 2)) + value + b"\x01\x05bob"))
    assert packet.get(VENDOR_SPECIFIC) == value
    assert packet.text(RATE_LIMIT) is None
    assert packet.text(USER_NAME) == "bob"


def test_vendor_zero_does_not_pass_for_standard_attributes() -> None:
    packet = decode(frame(b"\x1a\x0b\0\0\0\0\x01\x05eve\x01\x05bob"))
    assert packet.all(USER_NAME) == ["bob"]
    assert packet.get(VENDOR_SPECIFIC) == b"\0\0\0\0\x01\x05eve"


def test_a_vendors_type_80_is_no_message_authenticator() -> None:
    assert decode(frame(b"\x1a\x0a\0\0\x3a\x8c\x50\x04ab")).signature == 0


@given(st.lists(pairs(), max_size=12))
def test_what_is_written_is_read(written: list[tuple[Attribute, Value]]) -> None:
    assert read_back(decode(frame(encode_attributes(written)))) == written


def touch(packet: Packet) -> None:
    """Ask a packet for everything the dictionary knows."""
    for attribute in DICTIONARY.values():
        with suppress(Malformed):
            packet.get(attribute)
        with suppress(Malformed):
            packet.all(attribute)
        if attribute.tagged:
            with suppress(Malformed):
                packet.tagged(attribute)
        if attribute.vendor == 0:
            packet.text(attribute)


@given(st.binary(max_size=200))
def test_any_octets_are_a_packet_or_malformed(octets: bytes) -> None:
    with suppress(Malformed):
        touch(decode(octets))


@given(st.binary(max_size=120), st.binary(max_size=10))
def test_any_attributes_are_read_or_malformed(attributes: bytes, padding: bytes) -> None:
    with suppress(Malformed):
        packet = decode(frame(attributes, padding=padding))
        assert packet.raw == frame(attributes)
        touch(packet)


@given(
    st.lists(st.tuples(st.integers(1, 255).filter(lambda kind: kind != 80), st.binary(max_size=20)))
)
def test_any_well_framed_attributes_are_read(attributes: list[tuple[int, bytes]]) -> None:
    octets = b"".join(bytes((kind, len(value) + 2)) + value for kind, value in attributes)
    packet = decode(frame(octets))
    standard = [(kind, value) for vendor, kind, value in packet.attributes if vendor == 0]
    assert [each for each in standard if each[0] != 26] == [
        each for each in attributes if each[0] != 26
    ]
    touch(packet)
