"""Whether a request was made by who knows the shared secret."""

from __future__ import annotations

from hmac import compare_digest
from typing import Final

from demarc.protocols.radius.authenticator import NO_AUTHENTICATOR, hmac_md5, md5
from demarc.protocols.radius.dictionary import DICTIONARY
from demarc.protocols.radius.errors import BadAuthenticator
from demarc.protocols.radius.packet import HEADER_SIZE, Code, Packet

__all__ = ["BadAuthenticator", "verify_request"]

_EAP_MESSAGE: Final = DICTIONARY["EAP-Message"]
_PROXY_STATE: Final = DICTIONARY["Proxy-State"]
_SIGNED: Final = frozenset({Code.ACCESS_REQUEST, Code.STATUS_SERVER})
_DIGESTED: Final = frozenset({Code.ACCOUNTING_REQUEST, Code.DISCONNECT_REQUEST, Code.COA_REQUEST})


def verify_request(
    packet: Packet,
    secret: bytes,
    *,
    require_message_authenticator: bool = False,
    limit_proxy_state: bool = False,
) -> None:
    """Check a request's Message-Authenticator and, where it is a digest, its authenticator.

    - Access-Request: the authenticator is random, so only Message-Authenticator says anything
      (RFC 3579 section 3.2). One with an EAP-Message must carry it; for others the caller chooses,
      since old NASes leave it out.
    - Status-Server must carry it (RFC 5997 section 3).
    - Accounting-, Disconnect- and CoA-Request: the authenticator is a digest over packet and
      secret (RFC 2866 section 3, RFC 5176 section 2.3); Message-Authenticator is checked if it is
      there, and may be required of the latter two, while Accounting has none.

    Args:
        packet: the request.
        secret: shared with its sender.
        require_message_authenticator: refuse requests without one, Accounting apart.
        limit_proxy_state: refuse an Access-Request that carries Proxy-State and is not signed,
            which no NAS sends and every forger needs (CVE-2024-3596).

    Raises:
        BadAuthenticator: a check failed, what must be there is missing, or it is no request.
    """
    code = packet.code
    if code in _DIGESTED:
        raw = packet.raw
        digest = md5(raw[:4] + NO_AUTHENTICATOR + raw[HEADER_SIZE:] + secret)
        if not compare_digest(digest, packet.authenticator):
            raise BadAuthenticator("Request Authenticator is wrong")
        authenticator = NO_AUTHENTICATOR
        required = require_message_authenticator and code != Code.ACCOUNTING_REQUEST
    elif code in _SIGNED:
        authenticator = packet.authenticator
        required = require_message_authenticator or code == Code.STATUS_SERVER
    else:
        raise BadAuthenticator("not a request")
    if packet.signature:
        if not signed(packet, authenticator, secret):
            raise BadAuthenticator("Message-Authenticator is wrong")
    elif required:
        raise BadAuthenticator("Message-Authenticator is missing")
    elif code == Code.ACCESS_REQUEST:
        _check_unsigned(packet, limit_proxy_state)


def _check_unsigned(packet: Packet, limit_proxy_state: bool) -> None:
    if packet.value(_EAP_MESSAGE) is not None:
        raise BadAuthenticator("EAP-Message without Message-Authenticator")
    if limit_proxy_state and packet.value(_PROXY_STATE) is not None:
        raise BadAuthenticator("Proxy-State without Message-Authenticator")


def signed(packet: Packet, authenticator: bytes, secret: bytes) -> bool:
    """Whether the packet's Message-Authenticator, which it has, is right (RFC 3579 section 3.2).

    Args:
        packet: a packet with a Message-Authenticator.
        authenticator: what stood in the authenticator's place when the digest was made.
        secret: the shared secret.
    """
    raw, start = packet.raw, packet.signature
    end = start + 16
    # In its own place the digest was made over zeros.
    octets = raw[:4] + authenticator + raw[HEADER_SIZE:start] + NO_AUTHENTICATOR + raw[end:]
    return compare_digest(hmac_md5(secret, octets), raw[start:end])
