"""Datagrams on a wildcard address, answered from the address they were sent to.

A NAS takes a reply only from the address it asked (RFC 2865, 3), and on a host with several the
system would choose by its routes.
"""

import socket
import struct
import sys
from typing import Self

# <netinet/in.h> and <linux/in6.h>, where Python does not name them
_IP_PKTINFO = getattr(socket, "IP_PKTINFO", 8)
_IPV6_RECVPKTINFO = getattr(socket, "IPV6_RECVPKTINFO", 49)
_IPV6_PKTINFO = getattr(socket, "IPV6_PKTINFO", 50)

_ROOM = socket.CMSG_SPACE(20)
# interface, the local address a reply would leave from, the address in the datagram
_V4 = struct.Struct("=I4s4s")
_V6 = struct.Struct("=16sI")
_LINK_LOCAL = b"\xfe\x80"

Source = tuple[str | int, ...]
Way = tuple[Source, bytes]
"""Where a datagram came from, and what sends the reply from where it went."""


class Addressed:
    """A socket on a wildcard address.

    Args:
        sock: bound.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        if sock.family == socket.AF_INET:
            sock.setsockopt(socket.IPPROTO_IP, _IP_PKTINFO, 1)
            self._kind = (socket.IPPROTO_IP, _IP_PKTINFO)
        else:
            sock.setsockopt(socket.IPPROTO_IPV6, _IPV6_RECVPKTINFO, 1)
            self._kind = (socket.IPPROTO_IPV6, _IPV6_PKTINFO)

    @classmethod
    def of(cls, sock: socket.socket) -> Self | None:
        """Take a socket if it is bound to a wildcard address, where the system can tell more."""
        if sys.platform != "linux" or sock.family not in {socket.AF_INET, socket.AF_INET6}:
            return None
        host = sock.getsockname()[0]
        return cls(sock) if host in {"0.0.0.0", "::"} else None  # noqa: S104 - compared

    def receive(self, size: int) -> tuple[bytes, Source, Way]:
        """Read one datagram; raises as ``recvfrom``.

        Returns:
            Its octets, its source, and the way back, which tells apart what was sent to different
            addresses of ours.
        """
        data, ancillary, _, source = self._sock.recvmsg(size, _ROOM)
        for level, kind, octets in ancillary:
            if (level, kind) == self._kind:
                return data, source, (source, _reversed(octets))
        return data, source, (source, b"")

    def send(self, data: bytes, way: Way) -> None:
        """Send a reply on the way back; raises as ``sendto``."""
        source, info = way
        self._sock.sendmsg([data], [(*self._kind, info)] if info else [], 0, source)


def _reversed(octets: bytes) -> bytes:
    """Make what came with a datagram into what goes with its reply, whose route is free."""
    if len(octets) == _V4.size:
        _, ours, _ = _V4.unpack(octets)
        return _V4.pack(0, ours, b"\0\0\0\0")
    address, interface = _V6.unpack(octets)
    # an address of one link is sent from on that link alone
    return _V6.pack(address, interface if address.startswith(_LINK_LOCAL) else 0)


__all__ = ["Addressed", "Source", "Way"]
