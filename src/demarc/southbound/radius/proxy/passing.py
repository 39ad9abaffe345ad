"""What of a home server's reply reaches a NAS."""

from collections.abc import Iterable

from demarc.domains.aaa.model import Nas
from demarc.protocols.radius.attributes import encode_attributes
from demarc.protocols.radius.dictionary import DICTIONARY
from demarc.protocols.radius.forward import returned_attributes
from demarc.protocols.radius.packet import Code, Packet
from demarc.southbound.radius.exchange import Exchange
from demarc.southbound.radius.replies import credential_of

Allowed = frozenset[tuple[int, int]]

# what a log-in cannot do without; none of it says what the subscriber may do
_ALWAYS = (
    "Reply-Message",
    "State",
    "Class",
    "EAP-Message",
    "MS-CHAP-Error",
    "MS-CHAP2-Success",
    "MS-MPPE-Encryption-Policy",
    "MS-MPPE-Encryption-Types",
    "MS-MPPE-Send-Key",
    "MS-MPPE-Recv-Key",
)
_SERVICE_TYPE = DICTIONARY["Service-Type"]
_FRAMED_PROTOCOL = DICTIONARY["Framed-Protocol"]
_ACCT_INTERIM_INTERVAL = DICTIONARY["Acct-Interim-Interval"]
_CLASS = DICTIONARY["Class"]
_FRAMED, _PPP = 2, 1
# ours to say, whatever is allowed
_OURS = frozenset(
    {
        (attribute.vendor, attribute.type)
        for attribute in (_SERVICE_TYPE, _FRAMED_PROTOCOL, _ACCT_INTERIM_INTERVAL)
    }
)


def keys_of(names: Iterable[str]) -> Allowed:
    """Give the attributes of these names; those nobody knows are left out."""
    known = [DICTIONARY[name] for name in names if name in DICTIONARY]
    return frozenset((attribute.vendor, attribute.type) for attribute in known)


_NEEDED = keys_of(_ALWAYS)


def attributes_for(
    exchange: Exchange, reply: Packet, *, asked: bytes, secret: bytes, allowed: Allowed
) -> bytes:
    """Give the attributes of the reply that goes to the NAS.

    Args:
        exchange: the NAS's request.
        reply: the home server's, verified.
        asked: our request that it answers.
        secret: shared with the home server.
        allowed: what an Accept may tell beside what every reply may.

    Raises:
        Malformed: a key in it cannot be read.
    """
    accepted = reply.code == Code.ACCESS_ACCEPT

    def passes(vendor: int, kind: int) -> bool:
        key = (vendor, kind)
        return key in _NEEDED or (accepted and key in allowed and key not in _OURS)

    passed = returned_attributes(
        _without_our_class(reply),
        asked,
        secret,
        request=exchange.packet,
        client_secret=exchange.client.secret,
        passes=passes,
    )
    return _own(exchange.client.nas) + passed if accepted else passed


def _own(nas: Nas) -> bytes:
    return encode_attributes(
        [
            (_SERVICE_TYPE, _FRAMED),
            (_FRAMED_PROTOCOL, _PPP),
            (_ACCT_INTERIM_INTERVAL, nas.interim_interval),
        ]
    )


def _without_our_class(reply: Packet) -> Packet:
    """Take away a Class that would have accounting booked to a log-in of ours."""
    key = (_CLASS.vendor, _CLASS.type)
    kept = [
        (vendor, kind, octets)
        for vendor, kind, octets in reply.attributes
        if (vendor, kind) != key or credential_of(octets) is None
    ]
    return Packet(
        reply.code, reply.identifier, reply.authenticator, kept, reply.raw, reply.signature
    )


__all__ = ["Allowed", "attributes_for", "keys_of"]
