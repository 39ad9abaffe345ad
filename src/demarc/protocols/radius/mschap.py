"""MS-CHAP, version 1 (RFC 2433) and 2 (RFC 2759), its attributes (RFC 2548) and keys (RFC 3079).

It rests on MD4 and single DES, and whoever sees an exchange can try passwords: it belongs into a
tunnel (PEAP, TTLS) or onto a line that nobody listens to.
"""

from __future__ import annotations

import hashlib
from hmac import compare_digest
from typing import Final

import msgspec
from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, modes

from demarc.protocols.radius.errors import Malformed
from demarc.protocols.radius.md4 import md4

AUTHENTICATION_FAILURE: Final = 691
ACCOUNT_DISABLED: Final = 647
"""Why a log-in failed (RFC 2759 section 6)."""

_RESPONSE_SIZE: Final = 50
_USE_NT: Final = 1
_SERVER_SIGNING: Final = b"Magic server to client signing constant"
_MORE: Final = b"Pad to make it do more than one iteration"
_MASTER_KEY: Final = b"This is the MPPE Master Key"
_FROM_SERVER: Final = (
    b"On the client side, this is the receive key; on the server side, it is the send key."
)
_TO_SERVER: Final = (
    b"On the client side, this is the send key; on the server side, it is the receive key."
)
_PAD1: Final = bytes(40)
_PAD2: Final = b"\xf2" * 40


class Response1(msgspec.Struct, frozen=True, gc=False):
    """MS-CHAP-Response (RFC 2548 section 2.1.3).

    Attributes:
        identifier: ties the answer to the challenge.
        nt_response: 24 octets; None if only the LAN Manager's is there, which nobody may use.
    """

    identifier: int
    nt_response: bytes | None


class Response2(msgspec.Struct, frozen=True, gc=False):
    """MS-CHAP2-Response (RFC 2548 section 2.3.2); peer challenge 16 octets, NT response 24."""

    identifier: int
    peer_challenge: bytes
    nt_response: bytes


def read_response1(value: bytes) -> Response1:
    """Read the value of MS-CHAP-Response.

    Raises:
        Malformed: it is not 50 octets.
    """
    if len(value) != _RESPONSE_SIZE:
        raise Malformed("MS-CHAP-Response is not 50 octets")
    return Response1(value[0], value[26:50] if value[1] == _USE_NT else None)


def read_response2(value: bytes) -> Response2:
    """Read the value of MS-CHAP2-Response.

    Raises:
        Malformed: it is not 50 octets.
    """
    if len(value) != _RESPONSE_SIZE:
        raise Malformed("MS-CHAP2-Response is not 50 octets")
    return Response2(value[0], value[2:18], value[26:50])


def encode_response1(identifier: int, nt_response: bytes) -> bytes:
    """Write the value of MS-CHAP-Response, without a LAN Manager response."""
    return bytes((identifier, _USE_NT)) + bytes(24) + nt_response


def encode_response2(identifier: int, peer_challenge: bytes, nt_response: bytes) -> bytes:
    """Write the value of MS-CHAP2-Response."""
    return bytes((identifier, 0)) + peer_challenge + bytes(8) + nt_response


def nt_hash(password: bytes) -> bytes:
    """The NT hash of a password in UTF-8, 16 octets (RFC 2759 section 8.3).

    Octets that are no UTF-8 are read as Latin-1, as old clients send them.
    """
    try:
        text = password.decode()
    except UnicodeDecodeError:
        text = password.decode("latin-1")
    return md4(text.encode("utf-16-le"))


def challenge_response(challenge: bytes, password_hash: bytes) -> bytes:
    """Answer a challenge of 8 octets with an NT hash; 24 octets (RFC 2759 section 8.5)."""
    keys = password_hash.ljust(21, b"\0")
    return b"".join([_des(keys[start : start + 7], challenge) for start in (0, 7, 14)])


def challenge_hash(peer_challenge: bytes, challenge: bytes, username: bytes) -> bytes:
    """The 8 octets that version 2 answers, made of both challenges (RFC 2759 section 8.2).

    Args:
        peer_challenge: the peer's, 16 octets.
        challenge: the authenticator's, 16 octets.
        username: as the peer typed it, without a Windows domain in front.
    """
    return _sha1(peer_challenge + challenge + username)[:8]


def nt_response2(
    peer_challenge: bytes, challenge: bytes, username: bytes, password_hash: bytes
) -> bytes:
    """The response of version 2, 24 octets (RFC 2759 section 8.1); arguments as in the hash."""
    return challenge_response(challenge_hash(peer_challenge, challenge, username), password_hash)


def verify1(challenge: bytes, response: Response1, password_hash: bytes) -> bool:
    """Whether a response of version 1 was made with the password of this NT hash.

    Raises:
        Malformed: the challenge is not 8 octets.
    """
    if len(challenge) != 8:  # noqa: PLR2004 - RFC 2433, 3
        raise Malformed("MS-CHAP-Challenge is not 8 octets")
    if response.nt_response is None:
        return False
    return compare_digest(challenge_response(challenge, password_hash), response.nt_response)


def verify2(
    challenge: bytes, response: Response2, username: bytes, password_hash: bytes
) -> bytes | None:
    """Give the name that a response of version 2 was made with, if this NT hash is its password's.

    On the way to us a domain may have been put before the name, or a realm behind it, that the
    peer did not type or did not count in: each of the names is tried.

    Args:
        challenge: the authenticator's.
        response: the peer's.
        username: User-Name, or the name in the EAP packet.
        password_hash: 16 octets.

    Returns:
        None if it was made with another password.

    Raises:
        Malformed: the challenge is not 16 octets.
    """
    if len(challenge) != 16:  # noqa: PLR2004 - RFC 2759, 4
        raise Malformed("MS-CHAP-Challenge is not 16 octets")
    without_domain = username.rpartition(b"\\")[2]
    for name in dict.fromkeys((username, without_domain, without_domain.rpartition(b"@")[0])):
        made = nt_response2(response.peer_challenge, challenge, name, password_hash)
        if compare_digest(made, response.nt_response):
            return name
    return None


def authenticator_response(
    challenge: bytes, response: Response2, username: bytes, password_hash: bytes
) -> bytes:
    """Prove to the peer that the password is known here too (RFC 2759 section 8.7).

    Args:
        challenge: the authenticator's.
        response: the peer's, verified.
        username: the name it was made with.
        password_hash: 16 octets.

    Returns:
        "S=" and 40 hexadecimal digits.
    """
    digest = _sha1(md4(password_hash) + response.nt_response + _SERVER_SIGNING)
    hashed = challenge_hash(response.peer_challenge, challenge, username)
    return b"S=" + _sha1(digest + hashed + _MORE).hex().upper().encode()


def error_message(reason: int, challenge: bytes, version: int, text: str) -> bytes:
    """Write the text of a failure (RFC 2759 section 6); trying again needs a new exchange.

    Args:
        reason: ``AUTHENTICATION_FAILURE`` or another number of the RFC.
        challenge: a new one, which the form asks for.
        version: 3 to peers of version 2, 2 to those of version 1.
        text: for a person.
    """
    hexadecimal = challenge.hex().upper()
    return f"E={reason} R=0 C={hexadecimal} V={version} M={text}".encode()


def mppe_keys(password_hash: bytes, nt_response: bytes) -> tuple[bytes, bytes]:
    """The keys of 128 bits for MPPE after version 2 (RFC 3079 section 3.3).

    Returns:
        What the server sends with, what it receives with: MS-MPPE-Send-Key and -Recv-Key.
    """
    master = _sha1(md4(password_hash) + nt_response + _MASTER_KEY)[:16]
    return (
        _sha1(master + _PAD1 + _FROM_SERVER + _PAD2)[:16],
        _sha1(master + _PAD1 + _TO_SERVER + _PAD2)[:16],
    )


def mppe_keys1(password_hash: bytes) -> bytes:
    """The value of MS-CHAP-MPPE-Keys after version 1 (RFC 2548 section 2.4.1), 24 octets.

    The LAN Manager's key is zeros: its hash is not kept.
    """
    return bytes(8) + md4(password_hash)


def _des(key: bytes, block: bytes) -> bytes:
    # 56 bits become 8 octets of 7, each with a bit of parity that nobody looks at
    bits = int.from_bytes(key, "big")
    octets = bytes((bits >> shift & 0x7F) << 1 for shift in range(49, -1, -7))
    # with one key three times it is single DES
    cipher = Cipher(TripleDES(octets * 3), modes.ECB()).encryptor()  # noqa: S305 - the protocol's
    return cipher.update(block)


def _sha1(octets: bytes) -> bytes:
    return hashlib.sha1(octets, usedforsecurity=False).digest()
