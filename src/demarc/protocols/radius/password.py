"""Passwords in packets: PAP, CHAP, and values hidden behind a salt.

The empty secret is refused nowhere here: whoever configures a client does that.
"""

from __future__ import annotations

import os
from hmac import compare_digest
from typing import Final

from demarc.protocols.radius.authenticator import md5
from demarc.protocols.radius.dictionary import DICTIONARY
from demarc.protocols.radius.errors import Malformed
from demarc.protocols.radius.packet import Packet

_BLOCK: Final = 16
_MAX_PASSWORD: Final = 128
_MAX_SALTED: Final = 239
_SALT: Final = 2
_CHAP_PASSWORD: Final = DICTIONARY["CHAP-Password"]
_CHAP_CHALLENGE: Final = DICTIONARY["CHAP-Challenge"]
_CHAP_SIZE: Final = 17


def encrypt_pap(password: bytes, secret: bytes, authenticator: bytes) -> bytes:
    """Hide a password for User-Password (RFC 2865 section 5.2).

    Args:
        password: at most 128 octets. NULs at its end do not survive.
        secret: shared with the receiver.
        authenticator: the Request Authenticator of the packet it goes into.

    Raises:
        ValueError: the password is longer than 128 octets.
    """
    if len(password) > _MAX_PASSWORD:
        raise ValueError("a password has at most 128 octets")
    blocks = max(1, -(-len(password) // _BLOCK))
    return _encrypt(password.ljust(blocks * _BLOCK, b"\0"), secret, authenticator)


def decrypt_pap(value: bytes, secret: bytes, authenticator: bytes) -> bytes:
    """Read the password out of User-Password (RFC 2865 section 5.2).

    A wrong secret gives a wrong password, not an error.

    Raises:
        Malformed: the value is not 1 to 8 blocks of 16 octets.
    """
    if not value or len(value) % _BLOCK or len(value) > _MAX_PASSWORD:
        raise Malformed("User-Password is not 1 to 8 blocks")
    return _decrypt(value, secret, authenticator).rstrip(b"\0")


def encrypt_salted(value: bytes, secret: bytes, authenticator: bytes) -> bytes:
    """Hide a value for Tunnel-Password (after its tag) or MS-MPPE-Send-Key: salt and ciphertext.

    RFC 2868 section 3.5, RFC 2548 section 2.4.2.

    Args:
        value: at most 239 octets.
        secret: shared with the receiver.
        authenticator: the Request Authenticator of the request that is answered.

    Raises:
        ValueError: the value is longer than 239 octets.
    """
    if len(value) > _MAX_SALTED:
        raise ValueError("a salted value has at most 239 octets")
    salt = os.urandom(_SALT)
    salt = bytes((salt[0] | 0x80, salt[1]))
    plain = bytes((len(value),)) + value
    blocks = -(-len(plain) // _BLOCK)
    return salt + _encrypt(plain.ljust(blocks * _BLOCK, b"\0"), secret, authenticator + salt)


def decrypt_salted(value: bytes, secret: bytes, authenticator: bytes) -> bytes:
    """Read a value that `encrypt_salted` hid.

    Args:
        value: salt and ciphertext, without the tag of a Tunnel-Password.
        secret: shared with the sender.
        authenticator: the Request Authenticator of the request that was answered.

    Raises:
        Malformed: the lengths are wrong, outside or (with a wrong secret, mostly) within.
    """
    salt, hidden = value[:_SALT], value[_SALT:]
    if not hidden or len(hidden) % _BLOCK:
        raise Malformed("salted value is not whole blocks")
    plain = _decrypt(hidden, secret, authenticator + salt)
    length = plain[0]
    if length >= len(plain):
        raise Malformed("salted value has a wrong length within")
    return plain[1 : length + 1]


def chap_response(identifier: int, password: bytes, challenge: bytes) -> bytes:
    """The value of CHAP-Password: identifier and response (RFC 1994, RFC 2865 section 5.3)."""
    ident = bytes((identifier,))
    return ident + md5(ident + password + challenge)


def read_chap(request: Packet) -> tuple[int, bytes, bytes]:
    """Give identifier, challenge and response of a request's CHAP-Password.

    The challenge is CHAP-Challenge if the packet carries one, else the Request Authenticator
    (RFC 2865 section 2.2).

    Raises:
        Malformed: CHAP-Password is missing, or not 17 octets.
    """
    value = request.value(_CHAP_PASSWORD)
    if value is None or len(value) != _CHAP_SIZE:
        raise Malformed("CHAP-Password is not 17 octets")
    challenge = request.value(_CHAP_CHALLENGE)
    return value[0], request.authenticator if challenge is None else challenge, value[1:]


def verify_chap_response(
    identifier: int, password: bytes, challenge: bytes, response: bytes
) -> bool:
    """Whether a response of 16 octets was made with this password (RFC 1994 section 4.1)."""
    return compare_digest(md5(bytes((identifier,)) + password + challenge), response)


def verify_chap(request: Packet, password: bytes) -> bool:
    """Whether a request's CHAP-Password was made with this password.

    Raises:
        Malformed: as ``read_chap``.
    """
    identifier, challenge, response = read_chap(request)
    return verify_chap_response(identifier, password, challenge, response)


def _encrypt(plain: bytes, secret: bytes, seed: bytes) -> bytes:
    hidden = b""
    previous = seed
    for start in range(0, len(plain), _BLOCK):
        previous = _xor(plain[start : start + _BLOCK], md5(secret + previous))
        hidden += previous
    return hidden


def _decrypt(hidden: bytes, secret: bytes, seed: bytes) -> bytes:
    plain = b""
    previous = seed
    for start in range(0, len(hidden), _BLOCK):
        block = hidden[start : start + _BLOCK]
        plain += _xor(block, md5(secret + previous))
        previous = block
    return plain


def _xor(left: bytes, right: bytes) -> bytes:
    return (int.from_bytes(left, "big") ^ int.from_bytes(right, "big")).to_bytes(_BLOCK, "big")
