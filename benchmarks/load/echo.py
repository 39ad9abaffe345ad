"""The least a RADIUS server can be: to any request the right code and identifier, nothing checked.

Against it the load generator shows its own limit.
"""

import signal
import socket
import sys


def main(port: int) -> None:
    """Answer on a port of 127.0.0.1 until terminated."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        sock.bind(("127.0.0.1", port))
        print(sock.getsockname()[1], flush=True)
        answers = {1: b"\x02", 4: b"\x05"}
        rest = b"\0\x14" + bytes(16)
        recvfrom, sendto = sock.recvfrom, sock.sendto
        while True:
            data, source = recvfrom(4096)
            sendto(answers[data[0]] + data[1:2] + rest, source)


if __name__ == "__main__":
    main(int(sys.argv[1]))
