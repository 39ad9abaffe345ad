"""How an Access-Request proves who sent it: the methods that take one packet."""

from hmac import compare_digest

import msgspec

from demarc.protocols.radius.dictionary import DICTIONARY
from demarc.protocols.radius.packet import Packet
from demarc.protocols.radius.password import decrypt_pap, verify_chap

USER_PASSWORD = DICTIONARY["User-Password"]
CHAP_PASSWORD = DICTIONARY["CHAP-Password"]

WRONG = "unknown user or wrong password"
NO_METHOD = "only PAP and CHAP are supported"


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


PROVED = Proved()
_UNPROVED = Unproved(WRONG)


def prove(packet: Packet, shared_secret: bytes, password: bytes) -> Proved | Unproved:
    """Check what an Access-Request proves against a readable password.

    Args:
        packet: verified.
        shared_secret: of the NAS.
        password: in clear.

    Raises:
        Malformed: an attribute's octets do not fit it.
    """
    hidden = packet.value(USER_PASSWORD)
    if hidden is not None:
        given = decrypt_pap(hidden, shared_secret, packet.authenticator)
        return PROVED if compare_digest(given, password) else _UNPROVED
    if packet.value(CHAP_PASSWORD) is not None:
        return PROVED if verify_chap(packet, password) else _UNPROVED
    return Unproved(NO_METHOD)


__all__ = ["NO_METHOD", "PROVED", "WRONG", "Proved", "Unproved", "prove"]
