"""TLS in EAP packets: flags, lengths and fragments (RFC 5216 section 3.1, RFC 5281 section 9.1)."""

from __future__ import annotations

from typing import Final

import msgspec

from demarc.protocols.eap.packet import Malformed

LENGTH_INCLUDED: Final = 0x80
MORE_FRAGMENTS: Final = 0x40
START: Final = 0x20
VERSION: Final = 0x07

MOST_OCTETS: Final = 65_536
"""A message of a peer is no longer; certificates of clients are a few thousand."""

_LENGTH: Final = 4


class Fragment(msgspec.Struct, frozen=True, gc=False):
    """One EAP packet's share of a message.

    Attributes:
        octets: the share.
        total: of the whole message, where it is said.
        more: whether others follow.
        start: the server's first packet.
        version: of PEAP or TTLS.
    """

    octets: bytes
    total: int | None = None
    more: bool = False
    start: bool = False
    version: int = 0

    @property
    def acknowledges(self) -> bool:
        """Whether it says but that a fragment came (RFC 5216 section 2.1.5)."""
        return not self.octets and not self.more and not self.start

    def encode(self) -> bytes:
        """Write it, without the EAP header."""
        flags = self.version
        flags |= 0 if self.total is None else LENGTH_INCLUDED
        flags |= MORE_FRAGMENTS if self.more else 0
        flags |= START if self.start else 0
        length = b"" if self.total is None else self.total.to_bytes(_LENGTH, "big")
        return bytes((flags,)) + length + self.octets


def decode_fragment(data: bytes) -> Fragment:
    """Read it, without the EAP header.

    Raises:
        Malformed: it is shorter than its flags say.
    """
    if not data:
        raise Malformed("TLS packet without flags")
    flags = data[0]
    total, start = None, 1
    if flags & LENGTH_INCLUDED:
        if len(data) < 1 + _LENGTH:
            raise Malformed("TLS packet without its length")
        total, start = int.from_bytes(data[1:5], "big"), 1 + _LENGTH
    return Fragment(
        data[start:], total, bool(flags & MORE_FRAGMENTS), bool(flags & START), flags & VERSION
    )


class Assembly:
    """A message that comes in fragments."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._size = 0
        self._total: int | None = None

    def add(self, fragment: Fragment) -> bytes | None:
        """Take the next fragment.

        Returns:
            The message, once it is whole; None before.

        Raises:
            Malformed: it is, or says it is, longer than is taken, or than it said before; or a
                fragment is empty though others are to follow.
        """
        if self._total is None:
            self._total = fragment.total
        elif fragment.total is not None and fragment.total != self._total:
            raise Malformed("TLS message changes its length")
        most = MOST_OCTETS if self._total is None else min(self._total, MOST_OCTETS)
        if self._total is not None and self._total > MOST_OCTETS:
            raise Malformed("TLS message is too long")
        self._size += len(fragment.octets)
        if self._size > most:
            raise Malformed("TLS message is longer than it said")
        if fragment.more and not fragment.octets:
            raise Malformed("TLS fragment is empty")
        self._parts.append(fragment.octets)
        if fragment.more:
            return None
        whole = b"".join(self._parts)
        if self._total is not None and len(whole) != self._total:
            raise Malformed("TLS message is shorter than it said")
        self._parts, self._size, self._total = [], 0, None
        return whole


def split(message: bytes, size: int, version: int = 0) -> list[Fragment]:
    """Part a message into fragments; where there are several the first tells the length.

    Args:
        message: what TLS has to say; nothing gives one empty fragment.
        size: octets of an EAP packet behind its type, flags and length included; 16 or more.
        version: of PEAP or TTLS.
    """
    if len(message) < size:
        return [Fragment(message, version=version)]
    first = size - 1 - _LENGTH
    parts = [message[:first]]
    parts += [message[at : at + size - 1] for at in range(first, len(message), size - 1)]
    last = len(parts) - 1
    return [
        Fragment(part, len(message) if at == 0 else None, more=at < last, version=version)
        for at, part in enumerate(parts)
    ]
