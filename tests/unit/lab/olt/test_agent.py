from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demarc.lab.olt.agent import Agent
from demarc.lab.olt.mib import Commit, Instance, MibObject, MibView
from demarc.protocols.snmp.ber import Oid
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
from demarc.protocols.snmp.values import NULL, Integer, Missing, OctetString, Value

TEXT: Oid = (1, 3, 1)
NUMBERS: Oid = (1, 3, 2)
SETTING: Oid = (1, 3, 3, 0)


class Device:
    """A text, a column of ten numbers, and a setting that takes 1 to 9."""

    def __init__(self, **options: Any) -> None:
        self.setting = 5
        self.writes = 0
        rows = tuple(Instance((n,), lambda n=n: Integer(n * n)) for n in range(1, 11))  # type: ignore[misc]
        self.view = MibView(
            [
                MibObject(TEXT, (Instance((0,), lambda: OctetString(b"x" * 200)),)),
                MibObject(NUMBERS, rows),
                MibObject(
                    SETTING[:-1], (Instance((0,), lambda: Integer(self.setting), self.prepare),)
                ),
            ]
        )
        self.agent = Agent("public", lambda: self.view, **options)

    def prepare(self, value: Value) -> Commit | ErrorStatus:
        if not isinstance(value, Integer):
            return ErrorStatus.WRONG_TYPE
        number = value.value
        if not 1 <= number <= 9:
            return ErrorStatus.WRONG_VALUE
        return lambda: self.write(number)

    def write(self, number: int) -> None:
        self.setting = number
        self.writes += 1

    def ask(
        self,
        pdu: Pdu | BulkRequest,
        community: bytes = b"public",
        version: Version = Version.V2C,
    ) -> Pdu:
        octets = self.agent.respond(encode(Message(version, community, pdu)))
        assert octets is not None
        answer = decode(octets)
        assert answer.version is version
        assert answer.community == community
        assert isinstance(answer.pdu, Pdu)
        assert answer.pdu.kind is PduType.RESPONSE
        assert answer.pdu.request_id == pdu.request_id
        return answer.pdu


def asking(kind: PduType, *oids: Oid) -> Pdu:
    return Pdu(kind, 77, tuple(Binding(oid, NULL) for oid in oids))


def setting(*bindings: tuple[Oid, Value]) -> Pdu:
    return Pdu(PduType.SET, 78, tuple(Binding(oid, value) for oid, value in bindings))


def values(pdu: Pdu) -> list[tuple[Oid, Value]]:
    return [(binding.oid, binding.value) for binding in pdu.bindings]


def test_get_gives_each_value_or_why_there_is_none() -> None:
    answer = Device().ask(asking(PduType.GET, (*NUMBERS, 3), (*NUMBERS, 99), (1, 4, 0)))
    assert values(answer) == [
        ((*NUMBERS, 3), Integer(9)),
        ((*NUMBERS, 99), Missing.NO_SUCH_INSTANCE),
        ((1, 4, 0), Missing.NO_SUCH_OBJECT),
    ]
    assert answer.error_status == 0


def test_get_next_walks_in_order_to_the_end() -> None:
    device = Device()
    oid: Oid = (1, 3)
    walked = []
    while True:
        ((oid, value),) = values(device.ask(asking(PduType.GET_NEXT, oid)))
        if value is Missing.END_OF_MIB_VIEW:
            break
        walked.append(oid)
    assert walked == [(*TEXT, 0), *((*NUMBERS, n) for n in range(1, 11)), SETTING]
    assert oid == SETTING


def test_bulk_asks_the_first_once_and_repeats_the_others() -> None:
    oids = (TEXT, NUMBERS, (*NUMBERS, 8))
    bindings = tuple(Binding(oid, NULL) for oid in oids)
    answer = Device().ask(BulkRequest(5, 1, 2, bindings))
    assert [oid for oid, _ in values(answer)] == [
        (*TEXT, 0),
        (*NUMBERS, 1),
        (*NUMBERS, 9),
        (*NUMBERS, 2),
        (*NUMBERS, 10),
    ]


def test_bulk_stops_once_every_column_has_ended() -> None:
    answer = Device().ask(BulkRequest(5, 0, 1000, (Binding((*NUMBERS, 10), NULL),)))
    assert values(answer) == [(SETTING, Integer(5)), (SETTING, Missing.END_OF_MIB_VIEW)]


def test_bulk_is_cut_to_the_largest_message() -> None:
    device = Device(max_message=160)
    pdu = BulkRequest(5, 0, 50, (Binding(NUMBERS, NULL),))
    octets = device.agent.respond(encode(Message(Version.V2C, b"public", pdu)))
    assert octets is not None
    assert 80 < len(octets) <= 160
    answer = decode(octets).pdu
    oids = [binding.oid for binding in answer.bindings]
    assert oids == [(*NUMBERS, n) for n in range(1, len(oids) + 1)]
    assert 1 < len(oids) < 10


def test_bulk_without_repetitions_asks_nothing_of_the_repeaters() -> None:
    assert values(Device().ask(BulkRequest(5, 0, 0, (Binding(NUMBERS, NULL),)))) == []


def test_a_get_beyond_the_largest_message_is_too_big() -> None:
    device = Device(max_message=200)
    request = asking(PduType.GET, (*TEXT, 0))
    answer = device.ask(request)
    assert (answer.error_status, answer.error_index, answer.bindings) == (1, 0, ())
    first = device.ask(request, version=Version.V1)
    assert first.error_status == ErrorStatus.TOO_BIG
    assert values(first) == [((*TEXT, 0), NULL)]


@pytest.mark.parametrize("community", [b"", b"Public", b"publi", b"private"])
def test_a_wrong_community_gets_silence(community: bytes) -> None:
    device = Device()
    message = Message(Version.V2C, community, asking(PduType.GET, (*TEXT, 0)))
    assert device.agent.respond(encode(message)) is None
    assert device.agent.counters.wrong_community == 1


def test_noise_and_answers_get_silence() -> None:
    device = Device()
    assert device.agent.respond(b"noise") is None
    answer = Message(Version.V2C, b"public", Pdu(PduType.RESPONSE, 1))
    assert device.agent.respond(encode(answer)) is None
    counters = device.agent.counters
    assert (counters.received, counters.malformed, counters.unexpected) == (2, 1, 1)


def test_a_set_writes_and_repeats_what_was_asked() -> None:
    device = Device()
    answer = device.ask(setting((SETTING, Integer(7))))
    assert answer.error_status == 0
    assert values(answer) == [(SETTING, Integer(7))]
    assert device.setting == 7


@pytest.mark.parametrize(
    ("oid", "value", "status", "v1_status"),
    [
        (SETTING, OctetString(b"7"), ErrorStatus.WRONG_TYPE, ErrorStatus.BAD_VALUE),
        (SETTING, Integer(10), ErrorStatus.WRONG_VALUE, ErrorStatus.BAD_VALUE),
        ((*NUMBERS, 1), Integer(1), ErrorStatus.NOT_WRITABLE, ErrorStatus.NO_SUCH_NAME),
        ((*NUMBERS, 99), Integer(1), ErrorStatus.NO_CREATION, ErrorStatus.NO_SUCH_NAME),
    ],
)
def test_a_set_that_may_not_be_writes_nothing_at_all(
    oid: Oid, value: Value, status: ErrorStatus, v1_status: ErrorStatus
) -> None:
    device = Device()
    request = setting((SETTING, Integer(7)), (oid, value))
    answer = device.ask(request)
    assert (answer.error_status, answer.error_index) == (status, 2)
    assert values(answer) == values(request)
    assert device.ask(request, version=Version.V1).error_status == v1_status
    assert device.writes == 0


def test_readers_do_not_write_where_writers_are_others() -> None:
    device = Device(write_community="private")
    request = setting((SETTING, Integer(7)))
    assert device.ask(request).error_status == ErrorStatus.NO_ACCESS
    assert device.ask(request, b"private").error_status == 0
    assert values(device.ask(asking(PduType.GET, SETTING), b"private")) == [(SETTING, Integer(7))]


def test_snmpv1_says_no_such_name_with_its_place() -> None:
    device = Device()
    answer = device.ask(asking(PduType.GET, (*TEXT, 0), (1, 4, 0)), version=Version.V1)
    assert (answer.error_status, answer.error_index) == (2, 2)
    last = device.ask(asking(PduType.GET_NEXT, SETTING), version=Version.V1)
    assert (last.error_status, last.error_index) == (2, 1)


@given(
    st.integers(0, 3),
    st.integers(0, 40),
    st.integers(120, 1500),
    st.lists(st.integers(0, 12), max_size=4),
)
def test_an_answer_never_exceeds_the_largest_message(
    non_repeaters: int, repetitions: int, max_message: int, rows: list[int]
) -> None:
    device = Device(max_message=max_message)
    bindings = tuple(Binding((*NUMBERS, row), NULL) for row in rows)
    pdu = BulkRequest(9, non_repeaters, repetitions, bindings)
    octets = device.agent.respond(encode(Message(Version.V2C, b"public", pdu)))
    assert octets is not None
    assert len(octets) <= max_message
