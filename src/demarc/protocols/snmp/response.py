"""Responses as a manager reads them: values decoded, names left as the octets they came in.

A walk through a table meets each column's name and each row's index again and again. Since BER
has one encoding for a name, octets can be compared in the place of names, and only what was not
expected need be decoded.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import msgspec

from demarc.protocols.snmp import ber
from demarc.protocols.snmp.ber import Malformed
from demarc.protocols.snmp.message import (
    ERROR_STATUSES,
    GET_BULK,
    SEQUENCE,
    PduType,
    Version,
    open_message,
    read_int32,
)
from demarc.protocols.snmp.values import (
    INTEGER,
    OBJECT_IDENTIFIER,
    OCTET_STRING,
    OctetString,
    Value,
    decode_value,
)

_UNASKED: Final = b"\x05\x00"
_SHORT: Final = 0x80
# tag and length of a name, tag and length of a value
_HEADERS: Final = 4


class Response(msgspec.Struct, frozen=True):
    """A Response-PDU with its message's version and community.

    Attributes:
        names: of the variables, each the content octets of an object identifier, which are not
            checked: `ber.decode_oid` does that.
        values: theirs, in the same order.
        error_status: 0 if all went well.
        error_index: which variable, from 1, the error is about; 0 if none.
    """

    version: Version
    community: bytes
    request_id: int
    names: list[bytes]
    values: list[Value]
    error_status: int
    error_index: int


def decode_response(data: bytes) -> Response:
    """Decode the octets of one datagram; strict but for the names, see `Response`.

    Raises:
        Malformed: they are not one well-formed SNMPv1 or SNMPv2c message with a response.
    """
    version, community, tag, at, end = open_message(data)
    if tag != PduType.RESPONSE:
        raise Malformed(f"a PDU has tag {tag:#04x}: that is no response")
    request_id, at = read_int32(data, at, end, "the request id")
    status, at = read_int32(data, at, end, "the error status")
    index, at = read_int32(data, at, end, "the error index")
    at, stop = ber.expect(data, at, end, SEQUENCE, "the list of bindings")
    if stop != end:
        raise Malformed("octets follow the list of bindings")
    names, values = _split(data, at, end)
    if status not in ERROR_STATUSES:
        raise Malformed(f"error status {status} is unknown")
    if not 0 <= index <= len(names):
        raise Malformed("the error index points at no binding")
    return Response(version, community, request_id, names, values, status, index)


def encode_get_bulk(
    community: bytes, request_id: int, repetitions: int, names: Sequence[bytes]
) -> bytes:
    """Encode a GetBulkRequest of SNMPv2c that asks for so many successors of each name.

    Args:
        community: of the message.
        request_id: ties the response to it, a signed 32-bit number.
        repetitions: max-repetitions; there are no non-repeaters.
        names: content octets of object identifiers, as in `Response`.
    """
    numbers = b"".join(
        ber.encode_tlv(INTEGER, ber.encode_integer(number))
        for number in (request_id, 0, repetitions)
    )
    bindings = b"".join([_asked(name) for name in names])
    pdu = ber.encode_tlv(GET_BULK, numbers + ber.encode_tlv(SEQUENCE, bindings))
    opening = ber.encode_tlv(INTEGER, ber.encode_integer(Version.V2C))
    return ber.encode_tlv(SEQUENCE, opening + ber.encode_tlv(OCTET_STRING, community) + pdu)


def _asked(name: bytes) -> bytes:
    length = len(name)
    if length + _HEADERS < _SHORT:
        return b"\x30%c\x06%c%b\x05\x00" % (length + _HEADERS, length, name)
    return ber.encode_tlv(SEQUENCE, ber.encode_tlv(OBJECT_IDENTIFIER, name) + _UNASKED)


def _split(data: bytes, at: int, end: int) -> tuple[list[bytes], list[Value]]:
    """Split bindings that fill what is left of the data."""
    names: list[bytes] = []
    values: list[Value] = []
    name_found, value_found = names.append, values.append
    while at < end:
        # Nearly every binding is short, and then its three lengths have an octet each and one
        # comparison tells that they fit into each other.
        try:
            length = data[at + 1]
            value_at = at + _HEADERS + data[at + 3]
            is_short = (
                length < _SHORT
                and at + length == value_at + data[value_at + 1]
                and data[at] == SEQUENCE
                and data[at + 2] == OBJECT_IDENTIFIER
            )
        except IndexError:
            is_short = False
        stop = at + 2 + length if is_short else 0
        if not 0 < stop <= end:
            name, value, at = _split_one(data, at, end)
            name_found(name)
            value_found(value)
            continue
        name_found(data[at + _HEADERS : value_at])
        tag = data[value_at]
        content = data[value_at + 2 : stop]
        if tag == INTEGER:
            value_found(_integer(content))
        elif tag == OCTET_STRING:
            value_found(OctetString(content))
        else:
            value_found(decode_value(tag, content))
        at = stop
    return names, values


def _split_one(data: bytes, at: int, end: int) -> tuple[bytes, Value, int]:
    """Read one binding in whatever form; give its name, its value and where it ends."""
    start, stop = ber.expect(data, at, end, SEQUENCE, "a binding")
    name, after = ber.expect(data, start, stop, OBJECT_IDENTIFIER, "a binding's name")
    tag, content, content_end = ber.read_header(data, after, stop)
    if content_end != stop:
        raise Malformed("octets follow a binding's value")
    return data[name:after], decode_value(tag, data[content:content_end]), stop


@lru_cache(maxsize=8192)
def _integer(content: bytes) -> Value:
    # states, causes and hundredths of a dBm are few numbers, met over and over
    return decode_value(INTEGER, content)
