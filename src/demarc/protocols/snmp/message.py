"""SNMPv1 and SNMPv2c messages (RFC 1157 section 4, RFC 1901 section 3, RFC 3416 section 3).

`decode` takes the octets of one datagram and is strict: every length must meet, nothing may
follow, numbers keep to the range of their type, and what SNMPv1 does not have (GetBulk,
Counter64, exceptions) is refused in an SNMPv1 message. The SNMPv1 Trap-PDU, built differently
from all others, is not read.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum
from typing import Final

import msgspec

from demarc.protocols.snmp import ber
from demarc.protocols.snmp.ber import Malformed, Oid
from demarc.protocols.snmp.values import (
    COUNTER64,
    INT32_MAX,
    INT32_MIN,
    INTEGER,
    OBJECT_IDENTIFIER,
    OCTET_STRING,
    Counter64,
    Missing,
    Value,
    decode_value,
    encode_value,
)

SEQUENCE: Final = 0x30

MAX_MESSAGE: Final = 65_507
"""The most a UDP datagram over IPv4 can carry, octets; a larger message is refused unread."""


class Version(IntEnum):
    """The `version` field of a message."""

    V1 = 0
    V2C = 1


class PduType(IntEnum):
    """The tags of the PDUs that share one form."""

    GET = 0xA0
    GET_NEXT = 0xA1
    RESPONSE = 0xA2
    SET = 0xA3
    INFORM = 0xA6
    TRAP = 0xA7


GET_BULK: Final = 0xA5


class ErrorStatus(IntEnum):
    """The `error-status` of a response (RFC 3416 section 3; 0 to 5 are SNMPv1's)."""

    NO_ERROR = 0
    TOO_BIG = 1
    NO_SUCH_NAME = 2
    BAD_VALUE = 3
    READ_ONLY = 4
    GEN_ERR = 5
    NO_ACCESS = 6
    WRONG_TYPE = 7
    WRONG_LENGTH = 8
    WRONG_ENCODING = 9
    WRONG_VALUE = 10
    NO_CREATION = 11
    INCONSISTENT_VALUE = 12
    RESOURCE_UNAVAILABLE = 13
    COMMIT_FAILED = 14
    UNDO_FAILED = 15
    AUTHORIZATION_ERROR = 16
    NOT_WRITABLE = 17
    INCONSISTENT_NAME = 18


ERROR_STATUSES: Final = frozenset(ErrorStatus)
"""What an `error-status` may be."""


class Binding(msgspec.Struct, frozen=True):
    """A variable and its value (VarBind); its name is checked when it is encoded."""

    oid: Oid
    value: Value


class Pdu(msgspec.Struct, frozen=True):
    """A request, response or notification.

    Attributes:
        kind: which of them.
        request_id: what ties a response to its request, a signed 32-bit number.
        bindings: the variables.
        error_status: 0 but in a response that reports an error.
        error_index: which binding, from 1, the error is about; 0 if none.
    """

    kind: PduType
    request_id: int
    bindings: tuple[Binding, ...] = ()
    error_status: int = 0
    error_index: int = 0

    def __post_init__(self) -> None:
        _check_numbers(self.request_id, self.error_status, self.error_index)


class BulkRequest(msgspec.Struct, frozen=True):
    """A GetBulkRequest-PDU (RFC 3416 section 4.2.3).

    Attributes:
        request_id: as in `Pdu`.
        non_repeaters: how many of the first bindings are asked for once.
        max_repetitions: how many successors of each other one are asked for.
        bindings: the variables.
    """

    request_id: int
    non_repeaters: int
    max_repetitions: int
    bindings: tuple[Binding, ...] = ()

    def __post_init__(self) -> None:
        _check_numbers(self.request_id, self.non_repeaters, self.max_repetitions)
        if self.non_repeaters < 0 or self.max_repetitions < 0:
            raise ValueError("non_repeaters and max_repetitions are not negative")


class Message(msgspec.Struct, frozen=True):
    """One whole message.

    Raises:
        ValueError: the PDU holds what SNMPv1 does not have, under version V1.
    """

    version: Version
    community: bytes
    pdu: Pdu | BulkRequest

    def __post_init__(self) -> None:
        if self.version is Version.V1:
            _refuse_beyond_v1(self.pdu)


def encode(message: Message) -> bytes:
    """Encode a message.

    Raises:
        ValueError: a binding's name is no object identifier.
    """
    pdu = message.pdu
    if isinstance(pdu, Pdu):
        tag, second, third = int(pdu.kind), pdu.error_status, pdu.error_index
    else:
        tag, second, third = GET_BULK, pdu.non_repeaters, pdu.max_repetitions
    head = (pdu.request_id, second, third)
    return _assemble(
        message.version, message.community, tag, head, map(encode_binding, pdu.bindings)
    )


def encode_binding(binding: Binding) -> bytes:
    """Encode one binding: what an agent counts to keep its answer within a size."""
    name = ber.encode_tlv(OBJECT_IDENTIFIER, ber.encode_oid(binding.oid))
    return ber.encode_tlv(SEQUENCE, name + encode_value(binding.value))


def encode_response(
    request: Message,
    bindings: Iterable[bytes],
    error_status: ErrorStatus = ErrorStatus.NO_ERROR,
    error_index: int = 0,
) -> bytes:
    """Encode the response to a request from bindings that are encoded already.

    Args:
        request: the message that is answered; its version, community and request id are used.
        bindings: what `encode_binding` gave, in order.
        error_status: what went wrong.
        error_index: with which binding, from 1; 0 if with none.
    """
    head = (request.pdu.request_id, int(error_status), error_index)
    return _assemble(request.version, request.community, PduType.RESPONSE, head, bindings)


def decode(data: bytes) -> Message:
    """Decode the octets of one datagram.

    Raises:
        Malformed: they are not one well-formed SNMPv1 or SNMPv2c message.
    """
    version, community, tag, start, stop = open_message(data)
    return Message(version, community, _decode_pdu(data, tag, start, stop, version))


def open_message(data: bytes) -> tuple[Version, bytes, int, int, int]:
    """Read what is around a message's PDU.

    Returns:
        Version, community, the PDU's tag, and where its content starts and ends.

    Raises:
        Malformed: the octets are not one SNMPv1 or SNMPv2c message.
    """
    if len(data) > MAX_MESSAGE:
        raise Malformed(f"a message has more than {MAX_MESSAGE} octets")
    at, end = ber.expect(data, 0, len(data), SEQUENCE, "the message")
    if end != len(data):
        raise Malformed("octets follow the message")
    number, at = read_int32(data, at, end, "the version")
    version = _VERSIONS.get(number)
    if version is None:
        raise Malformed(f"version {number} is neither SNMPv1 nor SNMPv2c")
    start, at = ber.expect(data, at, end, OCTET_STRING, "the community")
    community = data[start:at]
    tag, start, stop = ber.read_header(data, at, end)
    if stop != end:
        raise Malformed("octets follow the PDU")
    return version, community, tag, start, stop


def _assemble(
    version: Version,
    community: bytes,
    tag: int,
    head: tuple[int, int, int],
    bindings: Iterable[bytes],
) -> bytes:
    numbers = b"".join(ber.encode_tlv(INTEGER, ber.encode_integer(number)) for number in head)
    pdu = ber.encode_tlv(tag, numbers + ber.encode_tlv(SEQUENCE, b"".join(bindings)))
    opening = ber.encode_tlv(INTEGER, ber.encode_integer(version))
    return ber.encode_tlv(SEQUENCE, opening + ber.encode_tlv(OCTET_STRING, community) + pdu)


def _decode_pdu(data: bytes, tag: int, at: int, end: int, version: Version) -> Pdu | BulkRequest:
    if tag != GET_BULK and tag not in _PDU_TYPES:
        raise Malformed(f"a PDU has the unknown tag {tag:#04x}")
    if version is Version.V1 and tag not in _V1_PDU_TYPES:
        raise Malformed(f"SNMPv1 has no PDU {tag:#04x}")
    request_id, at = read_int32(data, at, end, "the request id")
    second, at = read_int32(data, at, end, "the PDU's second number")
    third, at = read_int32(data, at, end, "the PDU's third number")
    at, stop = ber.expect(data, at, end, SEQUENCE, "the list of bindings")
    if stop != end:
        raise Malformed("octets follow the list of bindings")
    bindings = _decode_bindings(data, at, stop, version)
    if tag == GET_BULK:
        if second < 0 or third < 0:
            raise Malformed("non-repeaters or max-repetitions is negative")
        return BulkRequest(request_id, second, third, bindings)
    if tag == PduType.RESPONSE:
        if second not in ERROR_STATUSES:
            raise Malformed(f"error status {second} is unknown")
        # tooBig may come with its bindings emptied; any other index points at a binding
        if not 0 <= third <= len(bindings):
            raise Malformed("the error index points at no binding")
    return Pdu(PduType(tag), request_id, bindings, second, third)


def _decode_bindings(data: bytes, at: int, end: int, version: Version) -> tuple[Binding, ...]:
    bindings: list[Binding] = []
    while at < end:
        start, stop = ber.expect(data, at, end, SEQUENCE, "a binding")
        name, after = ber.expect(data, start, stop, OBJECT_IDENTIFIER, "a binding's name")
        oid = ber.decode_oid(data[name:after])
        tag, value, value_end = ber.read_header(data, after, stop)
        if value_end != stop:
            raise Malformed("octets follow a binding's value")
        if version is Version.V1 and (tag == COUNTER64 or tag in _EXCEPTIONS):
            raise Malformed(f"SNMPv1 has no value with tag {tag:#04x}")
        bindings.append(Binding(oid, decode_value(tag, data[value:value_end])))
        at = stop
    return tuple(bindings)


def read_int32(data: bytes, at: int, end: int, what: str) -> tuple[int, int]:
    """Read one of a message's numbers; give it and where it ends.

    Raises:
        Malformed: it is none, or not one of 32 bits.
    """
    start, stop = ber.expect(data, at, end, INTEGER, what)
    return ber.decode_integer(data[start:stop], INT32_MIN, INT32_MAX, what), stop


def _check_numbers(*numbers: int) -> None:
    if not all(INT32_MIN <= number <= INT32_MAX for number in numbers):
        raise ValueError("the numbers of a PDU are signed 32-bit")


def _refuse_beyond_v1(pdu: Pdu | BulkRequest) -> None:
    if isinstance(pdu, BulkRequest) or pdu.kind not in _V1_PDU_TYPES:
        raise ValueError("SNMPv1 has no such PDU")
    if any(isinstance(binding.value, Counter64 | Missing) for binding in pdu.bindings):
        raise ValueError("SNMPv1 has neither Counter64 nor exceptions")


_PDU_TYPES: Final = frozenset(PduType)
_V1_PDU_TYPES: Final = frozenset(
    (PduType.GET, PduType.GET_NEXT, PduType.RESPONSE, PduType.SET),
)
_VERSIONS: Final = {version.value: version for version in Version}
_EXCEPTIONS: Final = frozenset(Missing)
