"""Attributes on their way out (RFC 2865 section 5)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, TypeAlias

from demarc.protocols.radius.dictionary import Attribute, Encryption
from demarc.protocols.radius.packet import VENDOR_SPECIFIC
from demarc.protocols.radius.password import encrypt_pap, encrypt_salted
from demarc.protocols.radius.values import Tagged, Value, encode_value

Pair: TypeAlias = tuple[Attribute, Value]
"""An attribute and the value to be sent."""

_MAX_VALUE: Final = 253
_MAX_VENDOR_VALUE: Final = 247


def encode_attributes(pairs: Iterable[Pair]) -> bytes:
    """Write attributes that are the same in every packet; they may be kept and sent again.

    Raises:
        ValueError: a value does not fit its attribute, or is hidden by encryption, which differs
            from packet to packet.
    """
    return b"".join([_encode_plain(attribute, value) for attribute, value in pairs])


def encode_hidden_attributes(pairs: Iterable[Pair], secret: bytes, authenticator: bytes) -> bytes:
    """Write attributes, those that need it hidden with the secret and the Request Authenticator.

    Raises:
        ValueError: a value does not fit its attribute.
    """
    return b"".join(
        [
            _encode_plain(attribute, value)
            if attribute.encryption is None
            else _frame(attribute, _hide(attribute, value, secret, authenticator))
            for attribute, value in pairs
        ]
    )


def _encode_plain(attribute: Attribute, value: Value) -> bytes:
    if attribute.encryption is not None:
        raise ValueError(f"{attribute.name} is encrypted for each packet anew")
    octets = encode_value(attribute, value)
    if attribute.concat:
        starts = range(0, max(1, len(octets)), _MAX_VALUE)
        parts = [octets[start : start + _MAX_VALUE] for start in starts]
        return b"".join([_frame(attribute, part) for part in parts])
    return _frame(attribute, octets)


def _hide(attribute: Attribute, value: Value, secret: bytes, authenticator: bytes) -> bytes:
    octets = encode_value(attribute, value)
    if attribute.encryption is Encryption.USER_PASSWORD:
        return encrypt_pap(octets, secret, authenticator)
    hidden = encrypt_salted(octets, secret, authenticator)
    if attribute.encryption is Encryption.TUNNEL_PASSWORD:
        return bytes((value.tag if isinstance(value, Tagged) else 0,)) + hidden
    return hidden


def _frame(attribute: Attribute, octets: bytes) -> bytes:
    size = len(octets)
    if attribute.vendor:
        if size > _MAX_VENDOR_VALUE:
            raise ValueError(f"{attribute.name} takes at most {_MAX_VENDOR_VALUE} octets")
        outer = bytes((VENDOR_SPECIFIC, size + 8)) + attribute.vendor.to_bytes(4, "big")
        return outer + bytes((attribute.type, size + 2)) + octets
    if size > _MAX_VALUE:
        raise ValueError(f"{attribute.name} takes at most {_MAX_VALUE} octets")
    return bytes((attribute.type, size + 2)) + octets
