"""By what a certificate is known to belong to a NAS or a home server."""

from demarc.domains.errors import Invalid

_FINGERPRINT = 64


def certificate_name(text: str | None) -> str | None:
    """Give by what a certificate is known, in the one way it is written.

    Raises:
        Invalid: it can be no name in a certificate, and is no fingerprint.
    """
    if text is None:
        return None
    given = text.strip().lower()
    kind, _, digits = given.partition(":")
    if kind == "sha256":
        digits = digits.replace(":", "")
        if len(digits) != _FINGERPRINT or set(digits) - set("0123456789abcdef"):
            raise Invalid("certificate", "sha256: is followed by 64 hexadecimal digits")
        return f"sha256:{digits}"
    if not given or not given.isprintable() or " " in given or "*" in given:
        raise Invalid("certificate", "is a name in it, or sha256: and its fingerprint")
    return given


__all__ = ["certificate_name"]
