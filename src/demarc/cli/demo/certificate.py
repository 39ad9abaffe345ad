"""A certificate for the demo, signed by itself: nobody trusts it but who is told to."""

import ipaddress
from datetime import timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from demarc.cli.demo.secrets import write_private
from demarc.platform.clock import now
from demarc.platform.tls import TlsProblem, first_of

# Browsers take none that is valid for longer than 825 days.
_VALID = timedelta(days=800)
_RENEWED = timedelta(days=30)
# A machine whose clock is a little behind is to take it at once.
_BEFORE = timedelta(hours=1)


def certificate(folder: Path, host: str) -> tuple[Path, Path]:
    """Give the files of the demo's certificate and its key; made if there are none, or renewed.

    Args:
        folder: where they are kept.
        host: address or name they are for, beside this machine's own.
    """
    cert, key = folder / "tls.crt", folder / "tls.key"
    try:
        usable = key.exists() and first_of(cert).not_valid_after_utc > now() + _RENEWED
    except TlsProblem:
        usable = False
    if not usable:
        made, its_key = self_signed(["localhost", "127.0.0.1", "::1", host])
        write_private(key, its_key)
        write_private(cert, made)
    return cert, key


def self_signed(names: list[str], valid: timedelta = _VALID) -> tuple[bytes, bytes]:
    """Make a certificate for names and addresses and its key, both PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
    start = now() - _BEFORE
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(min(start, start + valid))
        .not_valid_after(now() + valid)
        .add_extension(
            x509.SubjectAlternativeName([_named(name) for name in dict.fromkeys(names)]),
            critical=False,
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(Encoding.PEM), key.private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )


def _named(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


__all__ = ["certificate", "self_signed"]
