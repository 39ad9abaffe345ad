"""Passwords as other systems keep them: in clear, or as hashes in several writings."""

import re
from base64 import b64decode
from binascii import Error
from contextlib import suppress

from demarc.domains.aaa.model import SecretKind
from demarc.imports.entry import Refused

# octets of the hash itself; what is salted has the salt behind it
_OCTETS = {"nt": 16, "md5": 16, "smd5": 16, "sha": 20, "ssha": 20}
_SALTED = frozenset({"smd5", "ssha", "ssha2"})
_SHA2 = (28, 32, 48, 64)
_LONGEST_SALT = 64
_LONGEST_PASSWORD = 128
_HEX = re.compile(r"(?:0x)?((?:[0-9a-fA-F]{2})+)")
_CRYPT = re.compile(r"\$[0-9a-zA-Z-]{1,12}\$[!-~]{8,200}|[./0-9A-Za-z]{13}|_[./0-9A-Za-z]{19}")

SCHEMES: dict[str, SecretKind] = {
    "cleartext": "cleartext",
    "clear": "cleartext",
    "plain": "cleartext",
    "nt": "nt",
    "nthash": "nt",
    "x-nthash": "nt",
    "crypt": "crypt",
    "md5": "md5",
    "x-md5": "md5",
    "smd5": "smd5",
    "sha": "sha",
    "sha1": "sha",
    "ssha": "ssha",
    "ssha1": "ssha",
    "sha2": "sha2",
    "ssha2": "ssha2",
    **{f"sha{bits}": "sha2" for bits in (224, 256, 384, 512)},
    **{f"ssha{bits}": "ssha2" for bits in (224, 256, 384, 512)},
}
"""The names in braces before a password, in lower case, and what they mean."""

_HEADER = re.compile(r"\{([0-9A-Za-z-]{1,16})\}(.*)", re.DOTALL)


def with_header(text: str) -> tuple[SecretKind, str] | None:
    """Take a password that says in braces how it is kept, as ``{SSHA}...``; None if it does not."""
    found = _HEADER.fullmatch(text)
    kind = SCHEMES.get(found[1].lower()) if found else None
    return (kind, found[2]) if found and kind else None


def secret(kind: SecretKind, text: str, *, field: str = "password") -> bytes:
    """Give what is stored of a password: the octets of a hash, the text of a crypt, else itself.

    Args:
        kind: how it is kept.
        text: as the other system has it. Hashes are in hex or base64.
        field: the column, for what is wrong.

    Raises:
        Refused: it cannot be such a thing.
    """
    if kind == "cleartext":
        octets = text.encode()
        if not 0 < len(octets) <= _LONGEST_PASSWORD or b"\0" in octets:
            raise Refused(field, f"has 1 to {_LONGEST_PASSWORD} octets, none of them zero")
        return octets
    if kind == "crypt":
        if not _CRYPT.fullmatch(text):
            raise Refused(field, "is no password hash of crypt(3)")
        return text.encode()
    for octets in _readings(text):
        if _fits(kind, len(octets)):
            return octets
    raise Refused(field, f"is no {kind} hash in hex or base64")


def _readings(text: str) -> list[bytes]:
    """Give the octets a text may mean: what looks like hex is not base64 by chance."""
    written = _HEX.fullmatch(text)
    if written:
        return [bytes.fromhex(written[1])]
    with suppress(Error, ValueError):
        return [b64decode(text + "=" * (-len(text) % 4), validate=True)]
    return []


def _fits(kind: str, octets: int) -> bool:
    if kind in ("sha2", "ssha2"):
        if kind == "sha2":
            return octets in _SHA2
        return any(size < octets <= size + _LONGEST_SALT for size in _SHA2)
    size = _OCTETS[kind]
    if kind in _SALTED:
        return size < octets <= size + _LONGEST_SALT
    return octets == size


__all__ = ["SCHEMES", "secret", "with_header"]
