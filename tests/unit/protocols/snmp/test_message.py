from ipaddress import IPv4Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demarc.protocols.snmp import values as v
from demarc.protocols.snmp.ber import Malformed
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
    encode_binding,
    encode_response,
)

# What net-snmp 5.9.3 sends for: snmpget -v2c -c public localhost 1.3.6.1.2.1.1.3.0
GET = bytes.fromhex(
    "302902010104067075626c6963a01c02043fedd186020100020100300e300c06082b060102010103000500"
)

int32 = st.integers(-(2**31), 2**31 - 1)
uint32 = st.integers(0, 2**32 - 1)
oids = st.lists(uint32, max_size=12).map(lambda tail: (1, 3, 6, *tail))
v1_values = st.one_of(
    st.builds(v.Integer, int32),
    st.builds(v.OctetString, st.binary(max_size=300)),
    st.builds(v.ObjectIdentifier, oids),
    st.just(v.NULL),
    st.builds(v.IpAddress, st.builds(IPv4Address, uint32)),
    st.builds(v.Counter32, uint32),
    st.builds(v.Gauge32, uint32),
    st.builds(v.TimeTicks, uint32),
    st.builds(v.Opaque, st.binary(max_size=300)),
)
values = st.one_of(
    v1_values,
    st.builds(v.Counter64, st.integers(0, 2**64 - 1)),
    st.sampled_from(v.Missing),
)


def bindings(of: st.SearchStrategy[v.Value]) -> st.SearchStrategy[tuple[Binding, ...]]:
    return st.lists(st.builds(Binding, oids, of), max_size=8).map(tuple)


requests = st.sampled_from([PduType.GET, PduType.GET_NEXT, PduType.SET])
notifications = st.sampled_from([PduType.INFORM, PduType.TRAP])
positive = st.integers(0, 2**31 - 1)
messages = st.one_of(
    st.builds(
        Message,
        st.just(Version.V2C),
        st.binary(max_size=40),
        st.one_of(
            st.builds(Pdu, requests | notifications, int32, bindings(values)),
            st.builds(
                Pdu,
                st.just(PduType.RESPONSE),
                int32,
                bindings(values),
                st.sampled_from(ErrorStatus).map(int),
            ),
            st.builds(BulkRequest, int32, positive, positive, bindings(values)),
        ),
    ),
    st.builds(
        Message,
        st.just(Version.V1),
        st.binary(max_size=40),
        st.builds(Pdu, requests | st.just(PduType.RESPONSE), int32, bindings(v1_values)),
    ),
)


def test_a_request_of_net_snmp_is_read() -> None:
    message = decode(GET)
    assert message == Message(
        Version.V2C,
        b"public",
        Pdu(PduType.GET, 0x3FEDD186, (Binding((1, 3, 6, 1, 2, 1, 1, 3, 0), v.NULL),)),
    )
    assert encode(message) == GET


def test_the_response_repeats_the_request_id_and_community() -> None:
    request = decode(GET)
    binding = Binding((1, 3, 6, 1, 2, 1, 1, 3, 0), v.TimeTicks(4711))
    response = decode(encode_response(request, [encode_binding(binding)]))
    assert response == Message(
        Version.V2C, b"public", Pdu(PduType.RESPONSE, 0x3FEDD186, (binding,))
    )


def test_an_error_response_says_what_and_where() -> None:
    request = decode(GET)
    echoed = [encode_binding(binding) for binding in request.pdu.bindings]
    answer = decode(encode_response(request, echoed, ErrorStatus.NOT_WRITABLE, 1)).pdu
    assert isinstance(answer, Pdu)
    assert (answer.error_status, answer.error_index) == (17, 1)


@given(messages)
def test_every_message_survives_the_way(message: Message) -> None:
    assert decode(encode(message)) == message


@given(st.binary(max_size=400))
def test_noise_is_malformed_and_nothing_worse(data: bytes) -> None:
    with pytest.raises(Malformed):
        decode(data)


@given(messages, st.data())
def test_a_damaged_message_is_malformed_or_another_message(
    message: Message, data: st.DataObject
) -> None:
    octets = bytearray(encode(message))
    for _ in range(data.draw(st.integers(1, 3))):
        octets[data.draw(st.integers(0, len(octets) - 1))] = data.draw(st.integers(0, 255))
    try:
        read = decode(bytes(octets))
    except Malformed:
        return
    assert decode(encode(read)) == read


@given(messages, st.data())
def test_a_cut_message_is_malformed(message: Message, data: st.DataObject) -> None:
    octets = encode(message)
    with pytest.raises(Malformed):
        decode(octets[: data.draw(st.integers(0, len(octets) - 1))])


@given(messages)
def test_octets_after_the_message_are_malformed(message: Message) -> None:
    with pytest.raises(Malformed, match="follow"):
        decode(encode(message) + b"\x00")


@pytest.mark.parametrize(
    ("where", "octets", "reason"),
    [
        (4, "03", "version 3"),
        (13, "a4", "unknown tag 0xa4"),
        (5, "02", "community has tag 0x02"),
        (27, "31", "list of bindings has tag 0x31"),
        (42, "01", "cut off|longer"),
        (41, "0a", "unknown tag 0x0a"),
    ],
)
def test_the_error_says_what_is_wrong(where: int, octets: str, reason: str) -> None:
    damaged = bytearray(GET)
    damaged[where] = int(octets, 16)
    with pytest.raises(Malformed, match=reason):
        decode(bytes(damaged))


def test_snmpv1_has_no_bulk_and_no_counter64() -> None:
    v1 = bytearray(GET)
    v1[4] = 0
    assert decode(bytes(v1)).version is Version.V1
    v1[13] = 0xA5
    with pytest.raises(Malformed, match="SNMPv1"):
        decode(bytes(v1))
    with pytest.raises(ValueError, match="SNMPv1"):
        Message(Version.V1, b"", BulkRequest(1, 0, 1))
    wide = (Binding((1, 3), v.Counter64(1)),)
    with pytest.raises(ValueError, match="SNMPv1"):
        Message(Version.V1, b"", Pdu(PduType.RESPONSE, 1, wide))
    octets = bytearray(encode(Message(Version.V2C, b"", Pdu(PduType.RESPONSE, 1, wide))))
    octets[4] = 0
    with pytest.raises(Malformed, match="SNMPv1"):
        decode(bytes(octets))


def test_a_message_beyond_a_datagram_is_refused_unread() -> None:
    with pytest.raises(Malformed, match="65507"):
        decode(b"\x30" + bytes(70_000))


def test_an_error_index_points_at_a_binding() -> None:
    octets = encode(Message(Version.V2C, b"", Pdu(PduType.RESPONSE, 1, (), 5, 1)))
    with pytest.raises(Malformed, match="error index"):
        decode(octets)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (v.Integer, 2**31),
        (v.Counter32, -1),
        (v.Gauge32, 2**32),
        (v.TimeTicks, 2**32),
        (v.Counter64, 2**64),
    ],
)
def test_a_value_keeps_to_its_range(kind: type[v.Integer], value: int) -> None:
    with pytest.raises(ValueError, match="lies in"):
        kind(value)


@pytest.mark.parametrize(
    ("tag", "octets"),
    [
        (0x02, "0080000000"),
        (0x41, "ff"),
        (0x41, "0100000000"),
        (0x46, "010000000000000000"),
        (0x40, "7f0000"),
        (0x05, "00"),
        (0x82, "00"),
        (0x06, ""),
        (0x07, ""),
    ],
)
def test_a_content_its_type_does_not_allow_is_malformed(tag: int, octets: str) -> None:
    with pytest.raises(Malformed):
        v.decode_value(tag, bytes.fromhex(octets))
