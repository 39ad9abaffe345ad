"""The certificate a server shows, which may change while it serves.

A new connection is shown the newest certificate that could be read. Connections under way keep
the one they began with: nothing about them changes.
"""

import asyncio
import ssl
from datetime import datetime
from pathlib import Path
from typing import Self

from cryptography import x509

from demarc.platform.telemetry.logs import get_logger

_LOOK_EVERY = 2.0
# What our peers speak; TLS 1.0 and 1.1 were taken back by RFC 8996.
_OLDEST = ssl.TLSVersion.TLSv1_2

_Stamp = tuple[tuple[int, int, int], ...]

_log = get_logger(__name__)


class TlsProblem(Exception):
    """A certificate and its key cannot be used. The text names the file and says why."""


class ServerCertificate:
    """A certificate and its key, read from two PEM files, and again when these change.

    Attributes:
        context: for the listening sockets, for good.
        expires: when the certificate shown now is no longer valid, UTC.
    """

    def __init__(self, cert: Path, key: Path, alpn: list[str] | None = None) -> None:
        """Read the files.

        Args:
            cert: the certificate, and those above it but the root.
            key: its private key, not encrypted.
            alpn: protocols offered (RFC 7301).

        Raises:
            TlsProblem: they cannot be read, are none, or do not belong together.
        """
        self._files = (cert, key)
        self._alpn = alpn or []
        self._known = self._waiting = self._stamp()
        self._shown, self.expires = self._read()
        # the sockets' own context shows nothing itself: each handshake goes on with the newest
        self.context, _ = self._read()
        self.context.sni_callback = self._show

    @classmethod
    def http(cls, cert: Path, key: Path) -> Self:
        """Give the certificate of a server that speaks HTTP/1.1."""
        return cls(cert, key, ["http/1.1"])

    def look(self) -> bool:
        """Read the files again if they have changed; tell whether another certificate is shown.

        They are read once they have come to rest, at the second look after a change, since they
        are two and are not replaced in the same instant. What cannot be used is logged, and the
        certificate shown before goes on being shown.
        """
        stamp = self._stamp()
        if stamp == self._known:
            return False
        if stamp != self._waiting:
            self._waiting = stamp
            return False
        self._known = stamp
        try:
            self._shown, self.expires = self._read()
        except TlsProblem as wrong:
            _log.error(
                "a new certificate cannot be used; the old one is kept",
                reason=str(wrong),
                old_expires=self.expires.isoformat(),
            )
            return False
        _log.info("a new certificate is shown", expires=self.expires.isoformat())
        return True

    def expires_at(self) -> float:
        """Give when the certificate shown now is no longer valid, seconds since 1970."""
        return self.expires.timestamp()

    async def watch(self, every: float = _LOOK_EVERY) -> None:
        """Look again and again, for good."""
        while True:
            await asyncio.sleep(every)
            self.look()

    def _show(self, connection: ssl.SSLObject, _name: str | None, _context: ssl.SSLContext) -> None:
        connection.context = self._shown

    def _read(self) -> tuple[ssl.SSLContext, datetime]:
        cert, key = self._files
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = _OLDEST
        context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION
        if self._alpn:
            context.set_alpn_protocols(self._alpn)
        try:
            first = first_of(cert)
            context.load_cert_chain(cert, key, password=_encrypted)
        except ssl.SSLError as wrong:
            # OpenSSL says neither which file nor anything a reader could use
            reason = wrong.reason or str(wrong)
            if reason == "KEY_VALUES_MISMATCH":
                raise TlsProblem(f"{key} is not the key of the certificate in {cert}") from None
            raise TlsProblem(f"{cert} with {key} cannot be used: {reason}") from None
        except OSError as wrong:
            raise TlsProblem(f"{key} cannot be read: {wrong.strerror or wrong}") from None
        except ValueError:
            raise TlsProblem(f"{key} is encrypted; Demarc takes a key that is not") from None
        return context, first.not_valid_after_utc

    def _stamp(self) -> _Stamp:
        return tuple(_stamp_of(file) for file in self._files)


def first_of(cert: Path) -> x509.Certificate:
    """Read the first certificate of a PEM file, the one of the server itself.

    Raises:
        TlsProblem: it cannot be read, or is none.
    """
    try:
        return x509.load_pem_x509_certificates(cert.read_bytes())[0]
    except OSError as wrong:
        raise TlsProblem(f"{cert} cannot be read: {wrong.strerror or wrong}") from None
    except ValueError:
        raise TlsProblem(f"{cert} is no certificate in PEM") from None


def _stamp_of(file: Path) -> tuple[int, int, int]:
    try:
        found = file.stat()
    except OSError:
        return 0, 0, 0
    return found.st_mtime_ns, found.st_size, found.st_ino


def _encrypted() -> str:
    # OpenSSL would ask for it on the terminal
    raise ValueError("the key is encrypted")


__all__ = ["ServerCertificate", "TlsProblem", "first_of"]
