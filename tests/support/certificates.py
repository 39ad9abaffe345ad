"""Certificates to serve with, and what a client is shown."""

import asyncio
import ssl
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import msgspec
from cryptography import x509

from demarc.cli.demo.certificate import self_signed


class Pair(msgspec.Struct, frozen=True):
    """The two files of a certificate."""

    cert: Path
    key: Path

    def renew(
        self,
        names: Sequence[str] = ("localhost", "127.0.0.1"),
        valid: timedelta = timedelta(days=90),
    ) -> int:
        """Write another certificate into the files; give its serial number."""
        cert, key = self_signed(list(names), valid)
        self.key.write_bytes(key)
        self.cert.write_bytes(cert)
        return x509.load_pem_x509_certificate(cert).serial_number

    @property
    def serial(self) -> int:
        return x509.load_pem_x509_certificate(self.cert.read_bytes()).serial_number


def pair(folder: Path, name: str = "tls") -> Pair:
    """Make a certificate in a folder."""
    made = Pair(folder / f"{name}.crt", folder / f"{name}.key")
    made.renew()
    return made


def anybody() -> ssl.SSLContext:
    """Give the context of a client that trusts everybody, to see whom it meets."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


async def shown(port: int, context: ssl.SSLContext | None = None) -> int:
    """Connect, and give the serial number of the certificate shown."""
    _, writer = await asyncio.open_connection(
        "127.0.0.1", port, ssl=context or anybody(), server_hostname="localhost"
    )
    try:
        return serial_of(writer)
    finally:
        writer.close()


def serial_of(writer: asyncio.StreamWriter) -> int:
    """Give the serial number of the certificate shown on a connection."""
    der = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    return x509.load_der_x509_certificate(der).serial_number
