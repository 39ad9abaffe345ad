"""What an Accept tells a NAS of each make: address, speed, interims."""

from functools import lru_cache
from socket import inet_aton
from uuid import UUID

from demarc.domains.aaa.authorisation import Terms
from demarc.domains.aaa.logins import Login
from demarc.domains.aaa.model import Nas
from demarc.domains.aaa.profiles import NO_EXTRAS
from demarc.domains.aaa.speeds import speed_pairs
from demarc.protocols.radius.attributes import Pair, encode_attributes
from demarc.protocols.radius.dictionary import DICTIONARY
from demarc.southbound.radius.granting import extra_attributes

SERVICE_TYPE = DICTIONARY["Service-Type"]
FRAMED_PROTOCOL = DICTIONARY["Framed-Protocol"]
FRAMED_IP_ADDRESS = DICTIONARY["Framed-IP-Address"]
REPLY_MESSAGE = DICTIONARY["Reply-Message"]
CLASS = DICTIONARY["Class"]
SESSION_TIMEOUT = DICTIONARY["Session-Timeout"]
ACCT_INTERIM_INTERVAL = DICTIONARY["Acct-Interim-Interval"]

_FRAMED, _PPP = 2, 1
_LARGEST = 2**32 - 1
# what comes back in accounting as we sent it (RFC 2865, 5.25), and tells whose session it is
_CLASS_MARK = b"D\x01"
_CLASS_LENGTH = len(_CLASS_MARK) + 16
# attributes but for the octets that differ
_ADDRESS_HEAD = encode_attributes([(FRAMED_IP_ADDRESS, "0.0.0.0")])[:-4]  # noqa: S104 - no socket
_CLASS_HEAD = encode_attributes([(CLASS, _CLASS_MARK + bytes(16))])[:-16]


def accept_attributes(login: Login, terms: Terms, nas: Nas) -> bytes:
    """Give the attributes of an Accept, ready to be sent, all but the address."""
    given = (
        _constant_attributes(
            nas.vendor,
            None if nas.speed_attributes is None else tuple(nas.speed_attributes),
            nas.interim_interval,
            terms.download_bps,
            terms.upload_bps,
            ppp=login.kind == "pppoe",
        )
        + _CLASS_HEAD
        + login.id.bytes
    )
    if terms.extras is not NO_EXTRAS:
        given += extra_attributes(nas.vendor, terms.extras)
    if terms.session_seconds is None:
        return given
    seconds = min(terms.session_seconds, _LARGEST)
    return given + encode_attributes([(SESSION_TIMEOUT, seconds)])


@lru_cache(maxsize=4096)
def _constant_attributes(
    vendor: str,
    own: tuple[str, ...] | None,
    interim_interval: int,
    download_bps: int,
    upload_bps: int,
    *,
    ppp: bool,
) -> bytes:
    """Give what the Accepts of all log-ins of one speed have in common."""
    pairs: list[Pair] = [
        (SERVICE_TYPE, _FRAMED),
        # an Ethernet port or a lease is no PPP, and some switches refuse to be told so
        *([(FRAMED_PROTOCOL, _PPP)] if ppp else []),
        (ACCT_INTERIM_INTERVAL, interim_interval),
        *speed_pairs(vendor, own, download_bps, upload_bps),
    ]
    return encode_attributes(pairs)


def address_attribute(address: str | None) -> bytes:
    """Give Framed-IP-Address, ready to be sent; nothing where the NAS gives addresses."""
    return b"" if address is None else _ADDRESS_HEAD + inet_aton(address)


@lru_cache(maxsize=256)
def reject_attributes(reason: str) -> bytes:
    """Give the attributes of a Reject, ready to be sent."""
    return encode_attributes([(REPLY_MESSAGE, reason)])


def credential_of(class_value: bytes | None) -> UUID | None:
    """Read the credential out of a Class that we gave; None of others."""
    if class_value is None or len(class_value) != _CLASS_LENGTH:
        return None
    if not class_value.startswith(_CLASS_MARK):
        return None
    return UUID(bytes=class_value[len(_CLASS_MARK) :])


__all__ = ["accept_attributes", "address_attribute", "credential_of", "reject_attributes"]
