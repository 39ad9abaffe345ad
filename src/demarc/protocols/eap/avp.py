"""The attributes inside TTLS's tunnel, which have Diameter's form (RFC 5281 section 10)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec

from demarc.protocols.eap.packet import Malformed

VENDOR_SPECIFIC: Final = 0x80
MANDATORY: Final = 0x40

MOST: Final = 64
"""Attributes in one message; more is abuse."""

_HEADER: Final = 8


class Avp(msgspec.Struct, frozen=True, gc=False):
    """An attribute.

    Attributes:
        code: RADIUS' type where it is below 256.
        vendor: enterprise number, 0 for none.
        data: the value.
        mandatory: whoever does not know it must fail.
    """

    code: int
    vendor: int
    data: bytes
    mandatory: bool = True


def encode_avps(avps: Iterable[Avp]) -> bytes:
    """Write attributes, each padded to four octets."""
    return b"".join([_encode(avp) for avp in avps])


def _encode(avp: Avp) -> bytes:
    vendor = avp.vendor.to_bytes(4, "big") if avp.vendor else b""
    flags = (VENDOR_SPECIFIC if avp.vendor else 0) | (MANDATORY if avp.mandatory else 0)
    size = _HEADER + len(vendor) + len(avp.data)
    octets = avp.code.to_bytes(4, "big") + bytes((flags,)) + size.to_bytes(3, "big") + vendor
    return octets + avp.data + bytes(-size % 4)


def decode_avps(octets: bytes) -> list[Avp]:
    """Read attributes; the padding of the last may be missing.

    Raises:
        Malformed: the lengths do not meet, or there are more than is sane.
    """
    found: list[Avp] = []
    at = 0
    while at < len(octets):
        if len(found) >= MOST:
            raise Malformed("too many attributes in the tunnel")
        if len(octets) - at < _HEADER:
            raise Malformed("attribute in the tunnel shorter than its header")
        flags = octets[at + 4]
        size = int.from_bytes(octets[at + 5 : at + 8], "big")
        head = _HEADER + (4 if flags & VENDOR_SPECIFIC else 0)
        if size < head or at + size > len(octets):
            raise Malformed("attribute in the tunnel of a wrong length")
        vendor = int.from_bytes(octets[at + 8 : at + head], "big")
        found.append(
            Avp(
                int.from_bytes(octets[at : at + 4], "big"),
                vendor,
                octets[at + head : at + size],
                mandatory=bool(flags & MANDATORY),
            )
        )
        at += size + -size % 4
    return found
