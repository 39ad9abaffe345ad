"""Requests and the check of what answers them: the NAS's side, and ours towards a NAS."""

from __future__ import annotations

import os
from collections.abc import Iterable
from hmac import compare_digest
from typing import Final

from demarc.protocols.radius.attributes import Pair, encode_hidden_attributes
from demarc.protocols.radius.authenticator import NO_AUTHENTICATOR, hmac_md5, md5
from demarc.protocols.radius.errors import BadAuthenticator
from demarc.protocols.radius.packet import (
    HEADER_SIZE,
    MAX_PACKET,
    MESSAGE_AUTHENTICATOR,
    Code,
    Packet,
)
from demarc.protocols.radius.verify import signed

__all__ = ["BadAuthenticator", "encode_request", "verify_response"]

_SIGNATURE_HEADER: Final = bytes((MESSAGE_AUTHENTICATOR, 18))
_RANDOM: Final = frozenset({Code.ACCESS_REQUEST, Code.STATUS_SERVER})
_ACCESS: Final = frozenset({Code.ACCESS_ACCEPT, Code.ACCESS_REJECT, Code.ACCESS_CHALLENGE})
_ANSWERS: Final[dict[int, frozenset[int]]] = {
    Code.ACCESS_REQUEST: _ACCESS,
    Code.ACCOUNTING_REQUEST: frozenset({Code.ACCOUNTING_RESPONSE}),
    Code.STATUS_SERVER: frozenset({Code.ACCESS_ACCEPT, Code.ACCOUNTING_RESPONSE}),
    Code.DISCONNECT_REQUEST: frozenset({Code.DISCONNECT_ACK, Code.DISCONNECT_NAK}),
    Code.COA_REQUEST: frozenset({Code.COA_ACK, Code.COA_NAK}),
}


def encode_request(
    code: int,
    identifier: int,
    attributes: Iterable[Pair] | bytes,
    secret: bytes,
    *,
    message_authenticator: bool = True,
    authenticator: bytes | None = None,
) -> bytes:
    """Write a request.

    Args:
        code: Access-, Accounting-, Disconnect-, CoA-Request or Status-Server.
        identifier: 0 to 255, not in use between the same two sockets.
        attributes: in the order they are to have, User-Password in the clear; or as
            `encode_attributes` wrote them.
        secret: shared with the receiver.
        message_authenticator: begin with one. Accounting-Request never has it (RFC 2866).
        authenticator: the Request Authenticator of an Access-Request or Status-Server; left out,
            16 random octets. Others are digests and take none.

    Raises:
        ValueError: a value does not fit its attribute, the packet would exceed 4096 octets, or
            an authenticator was given where it is a digest.
    """
    if code in _RANDOM:
        authenticator = authenticator or os.urandom(16)
        basis = authenticator
    elif authenticator is not None:
        raise ValueError("the authenticator of this request is a digest")
    else:
        basis = NO_AUTHENTICATOR
    if isinstance(attributes, bytes):
        body = attributes
    else:
        body = encode_hidden_attributes(attributes, secret, basis)
    sign = message_authenticator and code != Code.ACCOUNTING_REQUEST
    length = HEADER_SIZE + len(body) + (18 if sign else 0)
    if length > MAX_PACKET:
        raise ValueError("the request exceeds 4096 octets")
    head = bytes((code, identifier, length >> 8, length & 0xFF))
    if sign:
        octets = head + basis + _SIGNATURE_HEADER + NO_AUTHENTICATOR + body
        body = _SIGNATURE_HEADER + hmac_md5(secret, octets) + body
    if authenticator is None:
        authenticator = md5(head + basis + body + secret)
    return head + authenticator + body


def verify_response(
    response: Packet,
    request: bytes,
    secret: bytes,
    *,
    require_message_authenticator: bool = False,
) -> None:
    """Check that a packet is the answer to a request, made by who knows the secret.

    No standard says over what the Message-Authenticator of an Accounting-Response is made, and
    servers differ: there the Response Authenticator alone counts.

    Args:
        response: what came.
        request: the octets that were sent.
        secret: shared with the server.
        require_message_authenticator: refuse Access replies that do not carry it.

    Raises:
        BadAuthenticator: it answers another request, or a check failed.
    """
    if response.code not in _ANSWERS.get(request[0], ()):
        raise BadAuthenticator("not an answer to this request")
    if response.identifier != request[1]:
        raise BadAuthenticator("identifier is of another request")
    asked = request[4:HEADER_SIZE]
    raw = response.raw
    digest = md5(raw[:4] + asked + raw[HEADER_SIZE:] + secret)
    if not compare_digest(digest, response.authenticator):
        raise BadAuthenticator("Response Authenticator is wrong")
    if response.signature and request[0] != Code.ACCOUNTING_REQUEST:
        if not signed(response, asked, secret):
            raise BadAuthenticator("Message-Authenticator is wrong")
    elif require_message_authenticator and response.code in _ACCESS:
        raise BadAuthenticator("Message-Authenticator is missing")
