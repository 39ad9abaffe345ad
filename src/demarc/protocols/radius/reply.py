"""Replies to requests (RFC 2865 section 3, RFC 3579 section 3.2, RFC 5176 section 2.3)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from demarc.protocols.radius.attributes import Pair, encode_attributes, encode_hidden_attributes
from demarc.protocols.radius.authenticator import NO_AUTHENTICATOR, hmac_md5, md5
from demarc.protocols.radius.packet import HEADER_SIZE, MAX_PACKET, MESSAGE_AUTHENTICATOR, Packet

__all__ = ["encode_attributes", "encode_reply"]

_PROXY_STATE: Final = 33
_SIGNATURE_HEADER: Final = bytes((MESSAGE_AUTHENTICATOR, 18))
_ACCESS_REPLIES: Final = frozenset({2, 3, 11})
_ACCOUNTING_RESPONSE: Final = 5


def encode_reply(
    request: Packet, code: int, attributes: Iterable[Pair] | bytes, secret: bytes
) -> bytes:
    """Write the reply to a request.

    Every Access-Accept, -Reject and -Challenge begins with Message-Authenticator, whether the
    request had one or not: a NAS that checks it cannot be deceived (CVE-2024-3596), and one that
    does not know it ignores it. Disconnect and CoA replies carry it if the request did. The
    request's Proxy-State attributes follow last, in their order (RFC 2865 section 5.33).

    Args:
        request: what is answered.
        code: what it is answered with.
        attributes: in the order they are to have, or as `encode_attributes` wrote them.
        secret: shared with who asked.

    Raises:
        ValueError: a value does not fit its attribute, or the reply would exceed 4096 octets.
    """
    authenticator = request.authenticator
    if isinstance(attributes, bytes):
        body = attributes
    else:
        body = encode_hidden_attributes(attributes, secret, authenticator)
    for vendor, kind, octets in request.attributes:
        if kind == _PROXY_STATE and not vendor:
            body += bytes((_PROXY_STATE, len(octets) + 2)) + octets
    sign = code in _ACCESS_REPLIES or (request.signature and code != _ACCOUNTING_RESPONSE)
    length = HEADER_SIZE + len(body) + (18 if sign else 0)
    if length > MAX_PACKET:
        raise ValueError("the reply exceeds 4096 octets")
    head = bytes((code, request.identifier, length >> 8, length & 0xFF))
    opening = head + authenticator
    if sign:
        signature = hmac_md5(secret, opening + _SIGNATURE_HEADER + NO_AUTHENTICATOR + body)
        body = _SIGNATURE_HEADER + signature + body
    return head + md5(opening + body + secret) + body
