import pytest
from hypothesis import given
from hypothesis import strategies as st

from demarc.protocols.snmp import values as v
from demarc.protocols.snmp.ber import Malformed, Oid, decode_oid, encode_oid
from demarc.protocols.snmp.message import (
    Binding,
    BulkRequest,
    ErrorStatus,
    Message,
    Pdu,
    PduType,
    Version,
    decode,
    encode,
)
from demarc.protocols.snmp.response import decode_response, encode_get_bulk

NAME: Oid = (1, 3, 6, 1, 4, 1, 2011, 4194312192, 7)

oids = st.lists(st.integers(0, 2**32 - 1), max_size=40).map(lambda arcs: (1, 3, *arcs))
values = st.one_of(
    st.integers(-(2**31), 2**31 - 1).map(v.Integer),
    st.binary(max_size=300).map(v.OctetString),
    oids.map(v.ObjectIdentifier),
    st.just(v.NULL),
    st.ip_addresses(v=4).map(v.IpAddress),
    st.integers(0, 2**32 - 1).map(v.Counter32),
    st.integers(0, 2**32 - 1).map(v.TimeTicks),
    st.integers(0, 2**64 - 1).map(v.Counter64),
    st.sampled_from(v.Missing),
)
bindings = st.lists(st.builds(Binding, oids, values), max_size=12).map(tuple)


def response(found: tuple[Binding, ...] = (), status: int = 0, index: int = 0) -> bytes:
    return encode(Message(Version.V2C, b"c", Pdu(PduType.RESPONSE, 7, found, status, index)))


@given(bindings, st.integers(-(2**31), 2**31 - 1))
def test_it_says_what_the_message_says(found: tuple[Binding, ...], request_id: int) -> None:
    message = Message(Version.V2C, b"s3cret", Pdu(PduType.RESPONSE, request_id, found))
    read = decode_response(encode(message))
    assert (read.version, read.community) == (Version.V2C, b"s3cret")
    assert (read.request_id, read.error_status, read.error_index) == (request_id, 0, 0)
    assert [decode_oid(name) for name in read.names] == [binding.oid for binding in found]
    assert read.values == [binding.value for binding in found]


@given(bindings, st.lists(st.tuples(st.integers(0, 4000), st.integers(0, 255)), max_size=3))
def test_of_damaged_octets_it_takes_what_the_strict_reader_takes(
    found: tuple[Binding, ...], damage: list[tuple[int, int]]
) -> None:
    octets = bytearray(response(found))
    for at, octet in damage:
        octets[at % len(octets)] = octet
    data = bytes(octets)
    try:
        read = decode_response(data)
        names = tuple(map(decode_oid, read.names))
    except Malformed:
        # there is one thing that is not its business: what SNMPv1 does not have
        with pytest.raises(Malformed):
            strict = decode(data)
            assert isinstance(strict.pdu, Pdu)
            assert strict.pdu.kind is not PduType.RESPONSE
            raise Malformed("no response") from None
        return
    if read.version is Version.V2C:
        pdu = decode(data).pdu
        assert isinstance(pdu, Pdu)
        assert tuple(binding.oid for binding in pdu.bindings) == names
        assert [binding.value for binding in pdu.bindings] == read.values
        assert (pdu.request_id, pdu.error_status) == (read.request_id, read.error_status)


@given(st.binary(max_size=200))
def test_noise_is_malformed(noise: bytes) -> None:
    with pytest.raises(Malformed):
        decode_response(noise)


def test_lengths_longer_than_they_must_be_are_read() -> None:
    name = encode_oid(NAME)
    binding = b"\x06\x81" + bytes((len(name),)) + name + b"\x02\x82\x00\x01\x05"
    inner = b"\x30\x82" + len(binding).to_bytes(2, "big") + binding
    listed = b"\x30\x83" + len(inner).to_bytes(3, "big") + inner
    pdu = b"\x02\x01\x07\x02\x01\x00\x02\x01\x00" + listed
    body = b"\x02\x01\x01\x04\x01c\xa2\x82" + len(pdu).to_bytes(2, "big") + pdu
    read = decode_response(b"\x30\x82" + len(body).to_bytes(2, "big") + body)
    assert (read.names, read.values) == ([name], [v.Integer(5)])


def test_an_error_has_its_status_and_its_place() -> None:
    found = (Binding(NAME, v.NULL),)
    read = decode_response(response(found, ErrorStatus.GEN_ERR, 1))
    assert (read.error_status, read.error_index) == (ErrorStatus.GEN_ERR, 1)
    with pytest.raises(Malformed, match="points at no binding"):
        decode_response(response(found, ErrorStatus.GEN_ERR, 2))
    with pytest.raises(Malformed, match="99 is unknown"):
        decode_response(response(found, 99, 1))


def test_a_request_is_no_response() -> None:
    with pytest.raises(Malformed, match="no response"):
        decode_response(encode(Message(Version.V2C, b"c", Pdu(PduType.GET, 7))))


@pytest.mark.parametrize("content", ["", "0001", "ff80", "0100000000"])
def test_an_integer_that_is_none_is_refused_every_time(content: str) -> None:
    octets = response((Binding(NAME, v.OctetString(bytes.fromhex(content))),))
    at = octets.index(encode_oid(NAME)) + len(encode_oid(NAME))
    for _ in range(2):
        with pytest.raises(Malformed, match="an Integer is"):
            decode_response(octets[:at] + b"\x02" + octets[at + 1 :])


@given(st.lists(oids, max_size=12), st.integers(0, 100), st.binary(max_size=40))
def test_a_get_bulk_is_encoded_as_any_message(
    names: list[Oid], repetitions: int, community: bytes
) -> None:
    asked = tuple(Binding(name, v.NULL) for name in names)
    assert encode_get_bulk(
        community, 77, repetitions, [encode_oid(name) for name in names]
    ) == encode(Message(Version.V2C, community, BulkRequest(77, 0, repetitions, asked)))
