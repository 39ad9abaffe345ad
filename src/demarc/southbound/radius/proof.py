"""How somebody proves who they are: by a password, or by an answer made with it."""

import os
from typing import TypeAlias

import msgspec

from demarc.protocols.radius.attributes import encode_hidden_attributes
from demarc.protocols.radius.dictionary import DICTIONARY
from demarc.protocols.radius.mschap import (
    ACCOUNT_DISABLED,
    AUTHENTICATION_FAILURE,
    Response1,
    Response2,
    authenticator_response,
    error_message,
    mppe_keys,
    mppe_keys1,
    read_response1,
    read_response2,
    verify1,
    verify2,
)
from demarc.protocols.radius.packet import Packet
from demarc.protocols.radius.password import decrypt_pap, read_chap, verify_chap_response
from demarc.southbound.radius.stored import CLEARTEXT, CRYPT, described, matches, nt_hash_of

USER_NAME = DICTIONARY["User-Name"]
USER_PASSWORD = DICTIONARY["User-Password"]
CHAP_PASSWORD = DICTIONARY["CHAP-Password"]
MS_CHAP_CHALLENGE = DICTIONARY["MS-CHAP-Challenge"]
MS_CHAP_RESPONSE = DICTIONARY["MS-CHAP-Response"]
MS_CHAP2_RESPONSE = DICTIONARY["MS-CHAP2-Response"]
MS_CHAP2_SUCCESS = DICTIONARY["MS-CHAP2-Success"]
MS_CHAP_ERROR = DICTIONARY["MS-CHAP-Error"]
MS_CHAP_MPPE_KEYS = DICTIONARY["MS-CHAP-MPPE-Keys"]
MS_MPPE_SEND_KEY = DICTIONARY["MS-MPPE-Send-Key"]
MS_MPPE_RECV_KEY = DICTIONARY["MS-MPPE-Recv-Key"]
MS_MPPE_ENCRYPTION_POLICY = DICTIONARY["MS-MPPE-Encryption-Policy"]
MS_MPPE_ENCRYPTION_TYPES = DICTIONARY["MS-MPPE-Encryption-Types"]

WRONG = "unknown user or wrong password"
NO_METHOD = "no password, CHAP, MS-CHAP or EAP in the request"
NO_LAN_MANAGER = "LAN Manager responses are not accepted"

_POLICY_ALLOWED, _TYPES_40_AND_128 = 1, 6


class Typed(msgspec.Struct, frozen=True, gc=False):
    """The password itself (PAP, EAP-GTC)."""

    password: bytes


class Chapped(msgspec.Struct, frozen=True, gc=False):
    """An answer by MD5 (CHAP, EAP-MD5); the response has 16 octets."""

    identifier: int
    challenge: bytes
    response: bytes


class MsChapped1(msgspec.Struct, frozen=True, gc=False):
    """An answer by MS-CHAP version 1; the challenge has 8 octets."""

    challenge: bytes
    response: Response1


class MsChapped2(msgspec.Struct, frozen=True, gc=False):
    """An answer by MS-CHAP version 2; the challenge has 16 octets.

    Attributes:
        username: as the peer gave it.
    """

    challenge: bytes
    response: Response2
    username: bytes


Evidence: TypeAlias = Typed | Chapped | MsChapped1 | MsChapped2
"""What somebody presents to be believed."""


class Proved(msgspec.Struct, frozen=True, gc=False):
    """The sender knows the password.

    Attributes:
        attributes: what the method adds to the Accept, ready to be sent.
        refusal: what it adds to a Reject that has other reasons.
    """

    attributes: bytes = b""
    refusal: bytes = b""


class Unproved(msgspec.Struct, frozen=True, gc=False):
    """The sender does not know the password.

    Attributes:
        reason: as the NAS may be told.
        attributes: what the method adds to the Reject, ready to be sent.
    """

    reason: str
    attributes: bytes = b""


class Slow(msgspec.Struct, frozen=True, gc=False):
    """Whether the password is right takes long to tell (``SlowHashes``)."""

    given: bytes


_MS_CHAPPED = (MsChapped1, MsChapped2)
PROVED = Proved()
_UNPROVED = Unproved(WRONG)


def evidence_in(packet: Packet, shared_secret: bytes) -> Evidence | None:
    """Read what an Access-Request presents, EAP apart; None if that is nothing.

    Args:
        packet: verified.
        shared_secret: of the NAS.

    Raises:
        Malformed: an attribute's octets do not fit it.
    """
    hidden = packet.value(USER_PASSWORD)
    if hidden is not None:
        return Typed(decrypt_pap(hidden, shared_secret, packet.authenticator))
    if packet.value(CHAP_PASSWORD) is not None:
        return Chapped(*read_chap(packet))
    challenge = packet.value(MS_CHAP_CHALLENGE)
    if challenge is None:
        return None
    answer = packet.value(MS_CHAP2_RESPONSE)
    if answer is not None:
        username = packet.value(USER_NAME) or b""
        return MsChapped2(challenge, read_response2(answer), username)
    answer = packet.value(MS_CHAP_RESPONSE)
    return None if answer is None else MsChapped1(challenge, read_response1(answer))


def judge(evidence: Evidence, kind: str, stored: bytes) -> Proved | Unproved | Slow:
    """Check evidence against a stored password, without what a method adds to the reply.

    Args:
        evidence: what was presented.
        kind: how the password is stored.
        stored: the password, or its hash.

    Raises:
        Malformed: a challenge has not the size its method wants.
    """
    if isinstance(evidence, Typed):
        if kind == CRYPT:
            return Slow(evidence.password)
        return PROVED if matches(kind, stored, evidence.password) else _UNPROVED
    if isinstance(evidence, Chapped):
        if kind != CLEARTEXT:
            return Unproved(f"CHAP needs a readable password; it is stored {described(kind)}")
        right = verify_chap_response(
            evidence.identifier, stored, evidence.challenge, evidence.response
        )
        return PROVED if right else _UNPROVED
    password_hash = nt_hash_of(kind, stored)
    if password_hash is None:
        return Unproved(
            f"MS-CHAP needs a readable password or its NT hash; it is stored {described(kind)}"
        )
    if isinstance(evidence, MsChapped1):
        if evidence.response.nt_response is None:
            return Unproved(NO_LAN_MANAGER)
        right = verify1(evidence.challenge, evidence.response, password_hash)
        return PROVED if right else _UNPROVED
    name = verify2(evidence.challenge, evidence.response, evidence.username, password_hash)
    return _UNPROVED if name is None else PROVED


def prove(
    evidence: Evidence, kind: str, stored: bytes, packet: Packet, shared_secret: bytes
) -> Proved | Unproved | Slow:
    """Check what an Access-Request presents, with what its method adds to the reply.

    Args:
        evidence: as ``evidence_in`` read it.
        kind: how the password is stored.
        stored: the password, or its hash.
        packet: the request, with whose authenticator keys are hidden.
        shared_secret: of the NAS.

    Raises:
        Malformed: a challenge has not the size its method wants.
    """
    verdict = judge(evidence, kind, stored)
    if isinstance(evidence, _MS_CHAPPED) and not isinstance(verdict, Slow):
        password_hash = nt_hash_of(kind, stored) or b""
        return _with_ms_chap(verdict, evidence, password_hash, packet, shared_secret)
    return verdict


def _with_ms_chap(
    verdict: Proved | Unproved,
    evidence: MsChapped1 | MsChapped2,
    password_hash: bytes,
    packet: Packet,
    shared_secret: bytes,
) -> Proved | Unproved:
    if isinstance(verdict, Unproved):
        return Unproved(verdict.reason, _failure(evidence, AUTHENTICATION_FAILURE, verdict.reason))
    refusal = _failure(evidence, ACCOUNT_DISABLED, "not now")
    if isinstance(evidence, MsChapped1):
        attributes = encode_hidden_attributes(
            [
                (MS_CHAP_MPPE_KEYS, mppe_keys1(password_hash)),
                (MS_MPPE_ENCRYPTION_POLICY, _POLICY_ALLOWED),
                (MS_MPPE_ENCRYPTION_TYPES, _TYPES_40_AND_128),
            ],
            shared_secret,
            packet.authenticator,
        )
        return Proved(attributes, refusal)
    success = ms_chap2_success(evidence, password_hash)
    keys = mppe_keys(password_hash, evidence.response.nt_response)
    attributes = encode_hidden_attributes(
        [
            (MS_CHAP2_SUCCESS, bytes((evidence.response.identifier,)) + success),
            (MS_MPPE_ENCRYPTION_POLICY, _POLICY_ALLOWED),
            (MS_MPPE_ENCRYPTION_TYPES, _TYPES_40_AND_128),
        ],
        shared_secret,
        packet.authenticator,
    )
    return Proved(attributes + mppe_attributes(*keys, shared_secret, packet.authenticator), refusal)


def ms_chap2_success(evidence: MsChapped2, password_hash: bytes) -> bytes:
    """Give the text that proves to the peer that the password is known here.

    Args:
        evidence: verified with this hash.
        password_hash: the NT hash.
    """
    name = verify2(evidence.challenge, evidence.response, evidence.username, password_hash)
    return authenticator_response(evidence.challenge, evidence.response, name or b"", password_hash)


def mppe_attributes(send: bytes, receive: bytes, secret: bytes, authenticator: bytes) -> bytes:
    """Give MS-MPPE-Send-Key and -Recv-Key (RFC 2548 section 2.4), ready to be sent.

    Args:
        send: what the NAS encrypts with.
        receive: what the station encrypts with.
        secret: shared with the NAS.
        authenticator: of the request that is answered.
    """
    return encode_hidden_attributes(
        [(MS_MPPE_SEND_KEY, send), (MS_MPPE_RECV_KEY, receive)], secret, authenticator
    )


def _failure(evidence: MsChapped1 | MsChapped2, reason: int, text: str) -> bytes:
    version, size = (2, 8) if isinstance(evidence, MsChapped1) else (3, 16)
    message = error_message(reason, os.urandom(size), version, text)
    value = bytes((evidence.response.identifier,)) + message
    return encode_hidden_attributes([(MS_CHAP_ERROR, value)], b"", b"")


__all__ = [
    "NO_LAN_MANAGER",
    "NO_METHOD",
    "PROVED",
    "WRONG",
    "Chapped",
    "Evidence",
    "MsChapped1",
    "MsChapped2",
    "Proved",
    "Slow",
    "Typed",
    "Unproved",
    "evidence_in",
    "judge",
    "mppe_attributes",
    "ms_chap2_success",
    "prove",
]
