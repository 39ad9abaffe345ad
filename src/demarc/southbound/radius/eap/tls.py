"""TLS as EAP carries it: over memory, one message at a time."""

import time
from pathlib import Path

import msgspec
import structlog
from OpenSSL import SSL

from demarc.platform.clock import Monotonic

_log = structlog.get_logger(__name__)

_AT_ONCE = 16_384
_LOOK_EVERY = 10.0
_TLS_1_3 = "TLSv1.3"


class Files(msgspec.Struct, frozen=True):
    """The server's certificate, those above it behind it, and its private key, as PEM."""

    cert: Path
    key: Path


class TlsFailed(Exception):
    """The peer and the server could not agree, or what it sent is no TLS.

    Attributes:
        reason: in OpenSSL's words, or ours.
        alert: what the peer is to be told, b"" if nothing.
    """

    def __init__(self, reason: str, alert: bytes = b"") -> None:
        super().__init__(reason)
        self.reason = reason
        self.alert = alert


class Progress(msgspec.Struct, frozen=True, gc=False):
    """What came of a message.

    Attributes:
        out: what the peer is to be sent.
        plain: what it said under the protection of TLS.
        established: whether the handshake is done.
    """

    out: bytes
    plain: bytes
    established: bool


class Tls:
    """One conversation's TLS, the server's side. Its methods compute for milliseconds.

    Args:
        context: with the certificate.
    """

    def __init__(self, context: SSL.Context) -> None:
        self._connection = SSL.Connection(context, None)
        self._connection.set_accept_state()
        self._established = False

    def take(self, octets: bytes) -> Progress:
        """Take a message of the peer's.

        Raises:
            TlsFailed: it is refused.
        """
        connection = self._connection
        plain = []
        try:
            if octets:
                connection.bio_write(octets)
            if not self._established:
                connection.do_handshake()
                self._established = True
            while True:
                plain.append(connection.recv(_AT_ONCE))
        except SSL.WantReadError:
            pass
        except (SSL.ZeroReturnError, SSL.SysCallError):
            raise TlsFailed("the station ended TLS") from None
        except SSL.Error as error:
            raise TlsFailed(_reason(error), self._drain()) from None
        return Progress(self._drain(), b"".join(plain), self._established)

    def say(self, plain: bytes) -> bytes:
        """Protect something for the peer; give what it is to be sent.

        Raises:
            TlsFailed: TLS has ended.
        """
        try:
            if plain:
                self._connection.send(plain)
        except SSL.Error as error:
            raise TlsFailed(_reason(error)) from None
        return self._drain()

    def export(self, label: bytes, size: int, context: bytes | None = None) -> bytes:
        """Make keys of the handshake (RFC 5705).

        Args:
            label: of what is made.
            size: octets.
            context: what else they are made of.
        """
        return bytes(self._connection.export_keying_material(label, size, context))

    @property
    def is_1_3(self) -> bool:
        """Whether TLS 1.3 is spoken, which changes what keys are made of (RFC 9427)."""
        return self._connection.get_protocol_version_name() == _TLS_1_3

    def _drain(self) -> bytes:
        parts = []
        try:
            while True:
                parts.append(self._connection.bio_read(_AT_ONCE))
        except SSL.WantReadError:
            return b"".join(parts)


class Certificate:
    """The server's certificate, read again when its files have changed. For threads of one pool.

    Args:
        files: where it is.
        clock: monotonic seconds.

    Raises:
        TlsFailed: the files cannot be used.
    """

    def __init__(self, files: Files, clock: Monotonic = time.monotonic) -> None:
        self._files = files
        self._clock = clock
        self._stamp = self._stamped()
        self._context = self._read()
        self._looked_at = clock()

    def session(self) -> Tls:
        """Begin TLS with a peer, with the newest certificate that could be read."""
        now = self._clock()
        if now - self._looked_at >= _LOOK_EVERY:
            self._looked_at = now
            self._look()
        return Tls(self._context)

    def _look(self) -> None:
        stamp = self._stamped()
        if stamp == self._stamp:
            return
        self._stamp = stamp
        try:
            self._context = self._read()
        except TlsFailed as failed:
            _log.error("a new certificate for EAP cannot be used", reason=failed.reason)
        else:
            _log.info("a new certificate for EAP is shown")

    def _stamped(self) -> tuple[int, ...]:
        try:
            found = [file.stat() for file in (self._files.cert, self._files.key)]
        except OSError:
            return ()
        return tuple(number for each in found for number in (each.st_mtime_ns, each.st_ino))

    def _read(self) -> SSL.Context:
        context = SSL.Context(SSL.TLS_SERVER_METHOD)
        context.set_min_proto_version(SSL.TLS1_2_VERSION)
        # a session taken up again would let somebody in whose password was not asked for
        context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
        context.set_options(SSL.OP_NO_TICKET | SSL.OP_NO_COMPRESSION | SSL.OP_NO_RENEGOTIATION)
        context.set_mode(SSL.MODE_RELEASE_BUFFERS)
        try:
            context.use_certificate_chain_file(str(self._files.cert))
            context.use_privatekey_file(str(self._files.key))
            context.check_privatekey()
        except SSL.Error as error:
            raise TlsFailed(
                f"{self._files.cert} with {self._files.key} cannot be used: {_reason(error)}"
            ) from None
        return context


def _reason(error: SSL.Error) -> str:
    queue = error.args[0] if error.args else ()
    words = queue[-1][-1] if queue and isinstance(queue, list) else ""
    return f"TLS failed: {words}" if words else "TLS failed"


__all__ = ["Certificate", "Files", "Progress", "Tls", "TlsFailed"]
