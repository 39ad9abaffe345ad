"""What an Accept tells of IPv6: prefixes of the session's own, or the name of a pool of the NAS.

Framed-IPv6-Prefix (RFC 3162, 2.3) is the line's, Delegated-IPv6-Prefix (RFC 4818) is for the
networks behind it. Where it is the NAS that has the pool, it is told the pool's name.
"""

from functools import lru_cache

from demarc.domains.aaa.logins import NasPools
from demarc.domains.aaa.prefixes import PACKED
from demarc.protocols.radius.attributes import Pair, encode_attributes
from demarc.protocols.radius.dictionary import DICTIONARY

FRAMED_IPV6_PREFIX = DICTIONARY["Framed-IPv6-Prefix"]
DELEGATED_IPV6_PREFIX = DICTIONARY["Delegated-IPv6-Prefix"]
FRAMED_POOL = DICTIONARY["Framed-Pool"]
FRAMED_IPV6_POOL = DICTIONARY["Framed-IPv6-Pool"]

# RFC 6911's name for a pool to delegate from is understood by few; most makes have their own.
_DELEGATED_POOL = {
    "mikrotik": DICTIONARY["MikroTik-Delegated-IPv6-Pool"],
    "huawei": DICTIONARY["Huawei-Delegated-IPv6-Prefix-Pool"],
    "juniper": DICTIONARY["ERX-IPv6-Delegated-Pool-Name"],
    "nokia": DICTIONARY["Alc-Delegated-IPv6-Pool"],
}
_DELEGATED_POOL_ELSEWHERE = DICTIONARY["Delegated-IPv6-Prefix-Pool"]

_BITS = 8
# type, length, reserved
_HEAD = 4


def prefix_attributes(prefixes: bytes | None) -> bytes:
    """Give the prefixes of a session, ready to be sent.

    Args:
        prefixes: as the domain packs them; None for none.
    """
    if prefixes is None:
        return b""
    return _attribute(FRAMED_IPV6_PREFIX.type, prefixes[:PACKED]) + _attribute(
        DELEGATED_IPV6_PREFIX.type, prefixes[PACKED:]
    )


def _attribute(code: int, packed: bytes) -> bytes:
    bits = packed[0]
    if not bits:
        return b""
    octets = (bits + _BITS - 1) // _BITS
    return bytes((code, _HEAD + octets, 0, bits)) + packed[1 : 1 + octets]


def pool_attributes(
    vendor: str, names: NasPools | None, address: str | None, prefixes: bytes | None
) -> bytes:
    """Give the names of pools from which a NAS is to give what a session has not, ready to be sent.

    Args:
        vendor: the NAS's make.
        names: of the pools; None where the NASes have none.
        address: what the session has; ``prefixes`` likewise.
    """
    if names is None:
        return b""
    framed, delegated = (prefixes[0], prefixes[PACKED]) if prefixes else (0, 0)
    return _pools(
        vendor,
        names[0] if address is None else None,
        None if framed else names[1],
        None if delegated else names[2],
    )


@lru_cache(maxsize=1024)
def _pools(vendor: str, ipv4: str | None, framed: str | None, delegated: str | None) -> bytes:
    pairs: list[Pair] = []
    if ipv4 is not None:
        pairs.append((FRAMED_POOL, ipv4))
    if framed is not None:
        pairs.append((FRAMED_IPV6_POOL, framed))
    if delegated is not None:
        pairs.append((_DELEGATED_POOL.get(vendor, _DELEGATED_POOL_ELSEWHERE), delegated))
    return encode_attributes(pairs)


__all__ = ["pool_attributes", "prefix_attributes"]
