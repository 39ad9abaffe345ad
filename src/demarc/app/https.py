"""Whether there is HTTPS, and with which certificate."""

from demarc.platform.settings import Settings
from demarc.platform.tls import ServerCertificate, TlsProblem


def certificate_of(settings: Settings) -> ServerCertificate | None:
    """Give the certificate the settings name; None where there is to be no HTTPS.

    Raises:
        TlsProblem: it cannot be used, or none is named and there is a port for HTTPS.
    """
    if settings.tls_cert is None or settings.tls_key is None:
        if settings.https_port is not None:
            raise TlsProblem("HTTPS needs a certificate: --tls-cert and --tls-key")
        return None
    return ServerCertificate.http(settings.tls_cert, settings.tls_key)


__all__ = ["certificate_of"]
