"""Packets out of a stream of octets: RADIUS over TCP and TLS (RFC 6613 section 2.6.4)."""

from __future__ import annotations

from demarc.protocols.radius.errors import Malformed
from demarc.protocols.radius.packet import HEADER_SIZE, MAX_PACKET

__all__ = ["Frames"]

_LENGTH_END = 4


class Frames:
    """Splits a stream at the packets' own lengths; what is left over is at most one packet."""

    def __init__(self) -> None:
        self._left = b""

    def feed(self, data: bytes) -> list[bytes]:
        """Take what came next; give the packets that are whole now, in their order.

        Raises:
            Malformed: a length no packet can have. Where the next one begins cannot be known
                then, so that the connection is to be closed.
        """
        data = self._left + data
        found: list[bytes] = []
        start, size = 0, len(data)
        while size - start >= _LENGTH_END:
            length = data[start + 2] << 8 | data[start + 3]
            if length < HEADER_SIZE:
                raise Malformed("length field below a header")
            if length > MAX_PACKET:
                raise Malformed("length field above 4096")
            if start + length > size:
                break
            found.append(data[start : start + length])
            start += length
        self._left = data[start:]
        return found
