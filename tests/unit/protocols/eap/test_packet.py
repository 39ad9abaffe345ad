import pytest
from hypothesis import given
from hypothesis import strategies as st

from demarc.protocols.eap.packet import (
    Code,
    Malformed,
    Packet,
    Type,
    decode,
    failure,
    read_md5,
    request,
    success,
)

OCTET = st.integers(0, 255)


@given(st.sampled_from([Code.REQUEST, Code.RESPONSE]), OCTET, OCTET, st.binary(max_size=2000))
def test_a_packet_is_read_as_it_was_written(code, identifier, kind, data):
    packet = Packet(code, identifier, kind, data)
    assert decode(packet.encode()) == packet
    assert decode(packet.encode() + b"padding") == packet


@given(OCTET)
def test_ends_have_no_type(identifier):
    assert decode(success(identifier)) == Packet(Code.SUCCESS, identifier, None, b"")
    assert decode(failure(identifier)) == Packet(Code.FAILURE, identifier, None, b"")
    assert failure(identifier) == bytes((4, identifier, 0, 4))


@given(st.binary(max_size=64))
def test_any_octets_are_a_packet_or_malformed(octets):
    try:
        packet = decode(octets)
    except Malformed:
        return
    assert len(packet.encode()) <= len(octets)


@pytest.mark.parametrize(
    "octets",
    [b"", b"\x02\x01\x00", b"\x02\x01\x00\x04", b"\x02\x01\x00\x06\x01", b"\x02\x01\x00\x03"],
)
def test_what_is_too_short_is_malformed(octets):
    with pytest.raises(Malformed):
        decode(octets)


def test_a_request_for_the_identity():
    assert request(7, Type.IDENTITY) == b"\x01\x07\x00\x05\x01"


@given(st.binary(max_size=40))
def test_any_octets_are_an_md5_answer_or_malformed(data):
    try:
        assert len(read_md5(data)) == 16
    except Malformed:
        assert len(data) < 17 or data[0] != 16
