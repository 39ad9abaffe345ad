"""What a Wi-Fi network can be named, and what it can be locked with."""

from uuid import UUID

from demarc.domains.errors import Invalid


def check_ssid(ssid: str) -> None:
    """Refuse what no network can be named (IEEE 802.11: 1 to 32 octets).

    Raises:
        Invalid: with the reason.
    """
    if not 1 <= len(ssid.encode()) <= 32:  # noqa: PLR2004 - the standard's figures
        raise Invalid("wifi_username", "must have 1 to 32 octets")
    if not ssid.isprintable():
        raise Invalid("wifi_username", "must be printable")


def check_passphrase(passphrase: str) -> None:
    """Refuse what WPA cannot take (IEEE 802.11 annex J: 8 to 63 printable ASCII characters).

    Raises:
        Invalid: with the reason.
    """
    if not 8 <= len(passphrase) <= 63:  # noqa: PLR2004 - the standard's figures
        raise Invalid("wifi_password", "must have 8 to 63 characters")
    if not (passphrase.isascii() and passphrase.isprintable()):
        raise Invalid("wifi_password", "must be of printable ASCII characters")


def wifi_row(service_id: UUID) -> bytes:
    """Give what the encryption of a service's Wi-Fi password is bound to."""
    return b"service:wifi_password:" + service_id.bytes
