"""A station's side of EAP, without sockets: requests in, responses out."""

from collections import deque
from collections.abc import Callable

from OpenSSL import SSL

from demarc.protocols.eap.fragments import Assembly, Fragment, decode_fragment, split
from demarc.protocols.eap.packet import Code, Packet, Type, decode
from demarc.protocols.radius.authenticator import md5


def identity(name: str, identifier: int = 0) -> bytes:
    """The response that begins a conversation."""
    return Packet(Code.RESPONSE, identifier, Type.IDENTITY, name.encode()).encode()


def nak(request: bytes, *wanted: int) -> bytes:
    """Ask for other methods."""
    return Packet(Code.RESPONSE, decode(request).identifier, Type.NAK, bytes(wanted)).encode()


def md5_response(request: bytes, password: bytes) -> bytes:
    """Answer EAP-MD5."""
    asked = decode(request)
    assert asked.type == Type.MD5
    challenge = asked.data[1 : 1 + asked.data[0]]
    answer = md5(bytes((asked.identifier,)) + password + challenge)
    return Packet(Code.RESPONSE, asked.identifier, Type.MD5, b"\x10" + answer).encode()


class TlsPeer:
    """A station that speaks TTLS or PEAP.

    Args:
        kind: of the method.
        inside: gives what to say within the tunnel to what was heard, b"" for an acknowledgement;
            called with b"" once the tunnel is there.
        room: octets of an EAP packet.
        version: the newest TLS it speaks.
    """

    def __init__(
        self,
        kind: int,
        inside: Callable[[bytes], bytes],
        room: int = 1000,
        version: int = SSL.TLS1_3_VERSION,
    ) -> None:
        context = SSL.Context(SSL.TLS_CLIENT_METHOD)
        context.set_max_proto_version(version)
        self.tls = SSL.Connection(context, None)
        self.tls.set_connect_state()
        self._kind, self._inside, self._room = kind, inside, room
        self._assembly = Assembly()
        self._to_send: deque[Fragment] = deque()
        self._begun = self._established = False

    def answer(self, request: bytes) -> bytes:
        """Answer a request of the method."""
        asked = decode(request)
        assert (asked.code, asked.type) == (Code.REQUEST, self._kind)
        fragment = decode_fragment(asked.data)
        return Packet(
            Code.RESPONSE, asked.identifier, self._kind, self._fragment(fragment).encode()
        ).encode()

    def _fragment(self, fragment: Fragment) -> Fragment:
        if self._to_send:
            assert fragment.acknowledges
            return self._to_send.popleft()
        if not fragment.start:
            message = self._assembly.add(fragment)
            if message is None:
                return Fragment(b"")
            if message:
                self.tls.bio_write(message)
        first, *rest = split(self._said(), self._room)
        self._to_send.extend(rest)
        return first

    def _said(self) -> bytes:
        heard = b""
        try:
            if not self._established:
                self.tls.do_handshake()
                self._established = True
            while True:
                heard += self.tls.recv(16_384)
        except SSL.WantReadError:
            pass
        if self._established and (heard or not self._begun):
            self._begun = True
            said = self._inside(heard)
            if said:
                self.tls.send(said)
        out = b""
        try:
            while True:
                out += self.tls.bio_read(16_384)
        except SSL.WantReadError:
            return out
