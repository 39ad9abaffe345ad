"""An OLT that answers out of a book: the lab's answers, worked out once and then repeated.

So what is measured is who asks. Of a request that was met before only the request id differs,
which is put into the answer of then.
"""

import signal
import socket
import sys

from demarc.lab.olt import Olt

COMMUNITY = "bench"
_SLOT, _PER_PON = 1, 128
_INTEGER = 0x02


def tlv(octets: bytes, at: int) -> tuple[int, int]:
    """Give where the content of the element at a place begins and ends (X.690, 8.1)."""
    length = octets[at + 1]
    start = at + 2
    if length & 0x80:
        size = length & 0x7F
        length = int.from_bytes(octets[start : start + size])
        start += size
    return start, start + length


def _length(size: int) -> bytes:
    if size < 0x80:
        return bytes((size,))
    octets = size.to_bytes((size.bit_length() + 7) // 8)
    return bytes((0x80 | len(octets),)) + octets


def parts(message: bytes) -> tuple[bytes, bytes, bytes]:
    """Part a message: version and community and the PDU's type, the request id, the rest.

    The first part ends with the PDU's type; ids are whole elements.
    """
    outer, _ = tlv(message, 0)
    _, version_end = tlv(message, outer)
    _, community_end = tlv(message, version_end)
    inner, pdu_end = tlv(message, community_end)
    _, id_end = tlv(message, inner)
    return (
        message[outer : community_end + 1],
        message[inner:id_end],
        message[id_end:pdu_end],
    )


def whole(head: bytes, request_id: bytes, rest: bytes) -> bytes:
    """Put a message together again."""
    pdu = request_id + rest
    content = head + _length(len(pdu)) + pdu
    return b"\x30" + _length(len(content)) + content


def main(onus: int) -> None:
    """Serve so many ONUs on a free port of 127.0.0.1 until terminated."""
    olt = Olt("olt-bench", COMMUNITY, slots=(_SLOT,), ports=-(-onus // _PER_PON), seed=7)
    for n in range(onus):
        olt.add_onu(_SLOT, n // _PER_PON, f"HWTC{0xBE000000 + n:08X}", "EG8145V5", 400 + n % 9000)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    book: dict[tuple[bytes, bytes], tuple[bytes, bytes]] = {}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        print(sock.getsockname()[1], flush=True)
        while True:
            datagram, source = sock.recvfrom(65536)
            head, request_id, rest = parts(datagram)
            known = book.get((head, rest))
            if known is None:
                answer = olt.agent.respond(datagram)
                if answer is None:
                    continue
                answer_head, _, answer_rest = parts(answer)
                known = book[head, rest] = answer_head, answer_rest
            sock.sendto(whole(known[0], request_id, known[1]), source)


if __name__ == "__main__":
    main(int(sys.argv[1]))
