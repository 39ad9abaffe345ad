"""Packets on their way through a proxy: what is hidden for one hop is hidden anew for the next.

RFC 2865 section 2.3 and 5.33. Only what depends on the secret, or on the Request Authenticator,
changes; all other attributes go on as they came.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Final

from demarc.protocols.radius.dictionary import DICTIONARY, Encryption
from demarc.protocols.radius.errors import Malformed
from demarc.protocols.radius.packet import (
    HEADER_SIZE,
    MESSAGE_AUTHENTICATOR,
    VENDOR_SPECIFIC,
    Code,
    Packet,
)
from demarc.protocols.radius.password import (
    decrypt_pap,
    decrypt_salted,
    encrypt_pap,
    encrypt_salted,
)
from demarc.protocols.radius.request import encode_request

__all__ = ["PROXY_STATE", "forward_request", "returned_attributes"]

PROXY_STATE: Final = DICTIONARY["Proxy-State"]
_USER_PASSWORD: Final = DICTIONARY["User-Password"].type
_CHAP_PASSWORD: Final = DICTIONARY["CHAP-Password"].type
_CHAP_CHALLENGE: Final = DICTIONARY["CHAP-Challenge"].type
_MAX_VALUE: Final = 253

Passes = Callable[[int, int], bool]
"""Whether an attribute of this vendor (0: standard) and type goes on."""


def forward_request(
    packet: Packet, identifier: int, secret: bytes, next_secret: bytes, proxy_state: bytes
) -> bytes:
    """Write the request that goes on to the next server.

    An Access-Request gets a new Request Authenticator and begins with a Message-Authenticator,
    whether it had one or not; its User-Password is hidden anew; where the old authenticator was
    the challenge of CHAP (RFC 2865 section 2.2) it is made explicit.

    Args:
        packet: an Access- or Accounting-Request that was verified.
        identifier: free on the way to the next server.
        secret: shared with whom it came from.
        next_secret: shared with whom it goes to.
        proxy_state: ours, at the end of those it has (RFC 2865 section 5.33).

    Raises:
        Malformed: its User-Password cannot be read, or it would exceed 4096 octets.
    """
    authenticator = os.urandom(16) if packet.code == Code.ACCESS_REQUEST else None
    parts: list[bytes] = []
    chap = challenge = False
    for kind, octets in _split(packet.raw):
        if kind == MESSAGE_AUTHENTICATOR:
            continue
        if kind == _USER_PASSWORD and authenticator is not None:
            password = decrypt_pap(octets[2:], secret, packet.authenticator)
            parts.append(_frame(kind, encrypt_pap(password, next_secret, authenticator)))
            continue
        chap = chap or kind == _CHAP_PASSWORD
        challenge = challenge or kind == _CHAP_CHALLENGE
        parts.append(octets)
    if chap and not challenge:
        parts.append(_frame(_CHAP_CHALLENGE, packet.authenticator))
    parts.append(_frame(PROXY_STATE.type, proxy_state))
    try:
        return encode_request(
            packet.code, identifier, b"".join(parts), next_secret, authenticator=authenticator
        )
    except ValueError:
        raise Malformed("too long to be forwarded") from None


def returned_attributes(
    response: Packet,
    asked: bytes,
    secret: bytes,
    *,
    request: Packet,
    client_secret: bytes,
    passes: Passes,
) -> bytes:
    """Give the attributes of a reply that go back, ready to be sent to whom the request came from.

    Proxy-State and Message-Authenticator are not among them: the reply gets its own. Keys and
    tunnel passwords are hidden anew (RFC 2548 section 2.4.2, RFC 2868 section 3.5).

    Args:
        response: the next server's reply, verified.
        asked: the octets it answers.
        secret: shared with the next server.
        request: what came to us.
        client_secret: shared with whom it came from.
        passes: which attributes go on.

    Raises:
        Malformed: what is hidden cannot be read.
    """
    theirs = asked[4:HEADER_SIZE]
    parts: list[bytes] = []
    for vendor, kind, octets in response.attributes:
        if not vendor and kind in {MESSAGE_AUTHENTICATOR, PROXY_STATE.type}:
            continue
        if not passes(vendor, kind):
            continue
        attribute = DICTIONARY.find(vendor, kind)
        value = octets
        if attribute is not None and attribute.encryption is not None:
            if attribute.encryption is Encryption.USER_PASSWORD:
                continue
            tag = octets[:1] if attribute.encryption is Encryption.TUNNEL_PASSWORD else b""
            plain = decrypt_salted(octets[len(tag) :], secret, theirs)
            value = tag + encrypt_salted(plain, client_secret, request.authenticator)
        parts.append(_frame(kind, value) if not vendor else _vendor_frame(vendor, kind, value))
    return b"".join(parts)


def _split(raw: bytes) -> Iterator[tuple[int, bytes]]:
    """Give each attribute's type and its octets whole, Vendor-Specific as it stands."""
    position, length = HEADER_SIZE, len(raw)
    while position < length:
        end = position + raw[position + 1]
        yield raw[position], raw[position:end]
        position = end


def _frame(kind: int, value: bytes) -> bytes:
    if len(value) > _MAX_VALUE:
        raise Malformed("too long to be forwarded")
    return bytes((kind, len(value) + 2)) + value


def _vendor_frame(vendor: int, kind: int, value: bytes) -> bytes:
    return _frame(
        VENDOR_SPECIFIC, vendor.to_bytes(4, "big") + bytes((kind, len(value) + 2)) + value
    )
