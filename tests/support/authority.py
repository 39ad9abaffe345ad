"""A certificate authority of the test's own, for both sides of RADIUS over TLS."""

import ssl
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from demarc.southbound.radius.tls import TlsFiles


class Authority:
    """Issues certificates into a folder."""

    def __init__(self, folder: Path, name: str = "ca") -> None:
        self.folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"{name} of tests")])
        self._certificate = self._sign(self._name, self._key.public_key(), [], ca=True)
        self.file = folder / f"{name}.pem"
        self.file.write_bytes(self._certificate.public_bytes(serialization.Encoding.PEM))

    def issue(
        self, name: str, *, names: tuple[str, ...] = (), common: str | None = None
    ) -> TlsFiles:
        """Issue a certificate; ``names`` are DNS names or addresses, of its subject's alternative."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common or name)])
        certificate = self._sign(subject, key.public_key(), [_general(one) for one in names])
        cert, secret = self.folder / f"{name}.crt", self.folder / f"{name}.key"
        cert.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        secret.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return TlsFiles(cert, secret, self.file)

    def _sign(
        self,
        subject: x509.Name,
        key: ec.EllipticCurvePublicKey,
        names: list[x509.GeneralName],
        *,
        ca: bool = False,
    ) -> x509.Certificate:
        now = datetime.now(UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(days=2))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        )
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        return builder.sign(self._key, hashes.SHA256())


def fingerprint(files: TlsFiles) -> str:
    """Give a certificate's fingerprint, as a NAS's ``certificate`` takes it."""
    certificate = x509.load_pem_x509_certificate(files.cert.read_bytes())
    der = certificate.public_bytes(serialization.Encoding.DER)
    return f"sha256:{sha256(der).hexdigest()}"


def client_context(files: TlsFiles | None, ca: Path) -> ssl.SSLContext:
    """Give the context of a client that shows a certificate, or none."""
    context = ssl.create_default_context(cafile=str(ca))
    context.check_hostname = False
    if files is not None:
        context.load_cert_chain(files.cert, files.key)
    return context


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)
