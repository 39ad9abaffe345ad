"""The listening sockets: opened once by the parent, so that no restart of a child closes one."""

import socket
import sys

# At 16 k packets a second of 200 octets this holds a quarter of a second.
UDP_BUFFER = 8 * 1024 * 1024
_BACKLOG = 2048


def tcp(host: str, port: int) -> socket.socket:
    """Open a listening TCP socket.

    Raises:
        OSError: the address is taken, not ours or not allowed; the text names it.
    """
    made = socket.socket(_family(host), socket.SOCK_STREAM)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((host, port))
        made.listen(_BACKLOG)
    except OSError as wrong:
        made.close()
        raise OSError(wrong.errno, f"cannot listen on {host}:{port}: {wrong.strerror}") from wrong
    made.setblocking(False)
    return made


def udp(host: str, port: int) -> socket.socket:
    """Open a UDP socket with as large a receive buffer as the system allows.

    Raises:
        OSError: the address is taken, not ours or not allowed; the text names it.
    """
    made = socket.socket(_family(host), socket.SOCK_DGRAM)
    try:
        _enlarge(made)
        made.bind((host, port))
    except OSError as wrong:
        made.close()
        raise OSError(wrong.errno, f"cannot receive on {host}:{port}: {wrong.strerror}") from wrong
    made.setblocking(False)
    return made


def _enlarge(made: socket.socket) -> None:
    # beyond net.core.rmem_max, where we may
    force = getattr(socket, "SO_RCVBUFFORCE", 33 if sys.platform == "linux" else None)
    if force is not None:
        try:
            made.setsockopt(socket.SOL_SOCKET, force, UDP_BUFFER)
        except PermissionError:
            pass
        else:
            return
    size = UDP_BUFFER
    while size >= 64 * 1024:
        try:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, size)
        except OSError:
            size //= 2  # some systems refuse what they cannot give, others give what they can
        else:
            return


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET
