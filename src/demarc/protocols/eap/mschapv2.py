"""EAP-MSCHAPv2, as Microsoft does it and everybody since (draft-kamath-pppext-eap-mschapv2)."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

import msgspec

from demarc.protocols.eap.packet import Malformed
from demarc.protocols.radius.mschap import Response2

_HEADER: Final = 4
_RESPONSE: Final = 49


class Op(IntEnum):
    """The step a packet is."""

    CHALLENGE = 1
    RESPONSE = 2
    SUCCESS = 3
    FAILURE = 4


class Answer(msgspec.Struct, frozen=True, gc=False):
    """What the peer sends.

    Attributes:
        op: RESPONSE, or SUCCESS and FAILURE, by which it agrees.
        response: of a RESPONSE.
        name: of a RESPONSE, with which it was made.
    """

    op: Op
    response: Response2 | None = None
    name: bytes = b""


def encode_challenge(identifier: int, challenge: bytes, server: bytes) -> bytes:
    """Write what a challenge of 16 octets is sent in; ``server`` is our name."""
    return _encode(Op.CHALLENGE, identifier, bytes((len(challenge),)) + challenge + server)


def encode_verdict(op: Op, identifier: int, message: bytes) -> bytes:
    """Write a success (``S=…``) or a failure (``E=…``)."""
    return _encode(op, identifier, message)


def encode_response(identifier: int, response: Response2, name: bytes) -> bytes:
    """Write a peer's response."""
    value = response.peer_challenge + bytes(8) + response.nt_response + b"\0"
    return _encode(Op.RESPONSE, identifier, bytes((len(value),)) + value + name)


def _encode(op: Op, identifier: int, body: bytes) -> bytes:
    size = _HEADER + len(body)
    return bytes((op, identifier)) + size.to_bytes(2, "big") + body


def decode_answer(data: bytes) -> Answer:
    """Read what the peer sent, without the EAP header.

    Raises:
        Malformed: it is no answer of a peer's.
    """
    if not data:
        raise Malformed("EAP-MSCHAPv2 packet is empty")
    if data[0] in {Op.SUCCESS, Op.FAILURE}:
        return Answer(Op(data[0]))
    size = int.from_bytes(data[2:4], "big")
    if data[0] != Op.RESPONSE or not _HEADER + 1 + _RESPONSE <= size <= len(data):
        raise Malformed("EAP-MSCHAPv2 response of a wrong length")
    if data[_HEADER] != _RESPONSE:
        raise Malformed("EAP-MSCHAPv2 response is not 49 octets")
    value = data[_HEADER + 1 : _HEADER + 1 + _RESPONSE]
    name = data[_HEADER + 1 + _RESPONSE : size]
    return Answer(Op.RESPONSE, Response2(data[1], value[:16], value[24:48]), name)
