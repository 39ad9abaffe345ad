"""TLS for RADIUS: both sides show a certificate (RFC 6614, 2.3)."""

import ssl
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import structlog

_log = structlog.get_logger(__name__)

Stamp = tuple[tuple[int, int], ...]


class TlsFiles(msgspec.Struct, frozen=True):
    """Where our certificate is, and those of the authorities whose clients and servers we trust.

    Attributes:
        cert: our certificate and those above it, PEM.
        key: its private key, PEM.
        ca: the authorities' certificates, PEM; no others are trusted, the system's neither.
    """

    cert: Path
    key: Path
    ca: Path

    def stamp(self) -> Stamp:
        """Give what changes when a file does.

        Raises:
            OSError: a file cannot be looked at.
        """
        stats = [path.stat() for path in (self.cert, self.key, self.ca)]
        return tuple((found.st_mtime_ns, found.st_ino) for found in stats)


class Contexts:
    """What new connections are made with; read again when a file has changed.

    Args:
        files: our certificate.
        server: whether connections come to us; else we make them.

    Raises:
        OSError: a file cannot be read; ssl.SSLError is one: what it holds is no certificate, or
            the key is another's.
    """

    def __init__(self, files: TlsFiles, *, server: bool) -> None:
        self._files = files
        self._server = server
        self._stamp = files.stamp()
        self._context = _context(files, server=server)

    def current(self) -> ssl.SSLContext:
        """Give the context by the files as they are now; the last one that could be made."""
        try:
            stamp = self._files.stamp()
            if stamp != self._stamp:
                # remembered first: what cannot be read is not tried for each connection
                self._stamp = stamp
                self._context = _context(self._files, server=self._server)
                _log.info("the RadSec certificate was read again", path=str(self._files.cert))
        except OSError as error:
            _log.warning("the RadSec certificate cannot be read again", reason=str(error))
        return self._context


def _context(files: TlsFiles, *, server: bool) -> ssl.SSLContext:
    kind = ssl.PROTOCOL_TLS_SERVER if server else ssl.PROTOCOL_TLS_CLIENT
    context = ssl.SSLContext(kind)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # whose it must be is compared by ourselves, by the same names on both sides
    context.check_hostname = False
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_cert_chain(files.cert, files.key)
    context.load_verify_locations(files.ca)
    # with TLS 1.2 a client could have us do the work of handshakes again and again
    context.options |= ssl.OP_NO_RENEGOTIATION
    return context


def names_of(certificate: dict[str, Any], der: bytes) -> list[str]:
    """Give by what a certificate may be known, the most exact first, in lower case.

    Its fingerprint ("sha256:…"), its subject alternative names (DNS, then addresses) and, where it
    has none of DNS, its common name (RFC 6614, 2.3; RFC 6125, 6.4.4).

    Args:
        certificate: as ``getpeercert`` gives it.
        der: the same, whole.
    """
    alternatives = certificate.get("subjectAltName", ())
    dns = [value for kind, value in alternatives if kind == "DNS"]
    addresses = [value for kind, value in alternatives if kind == "IP Address"]
    common = [
        value
        for part in certificate.get("subject", ())
        for kind, value in part
        if kind == "commonName"
    ]
    names = [*dns, *addresses, *([] if dns else common)]
    return [f"sha256:{sha256(der).hexdigest()}", *(name.lower() for name in names)]


__all__ = ["Contexts", "TlsFiles", "names_of"]
