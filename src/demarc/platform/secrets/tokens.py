"""Tokens and passwords that Demarc makes."""

import hashlib
import re
import secrets
import string

PREFIX = "dmk_"
"""Every token begins so, which lets scanners of code and logs recognise one."""

READABLE = "abcdefghjkmnpqrstuvwxyz23456789"
"""Lower case without i, l and o, digits without 0 and 1: said on the telephone, read off paper."""

SHORTEST = 8
"""Characters a password has at least; WPA2 takes no less (IEEE 802.11i, 8 to 63)."""

_BASE62 = string.digits + string.ascii_uppercase + string.ascii_lowercase
_OCTETS = 32
_DIGITS = 43  # the fewest base-62 digits that hold 256 bits
_TOKEN = re.compile(rf"{PREFIX}[0-9A-Za-z]{{{_DIGITS}}}")


def new_token() -> str:
    """Make a token: `dmk_` and 256 random bits in base 62, 47 characters in all."""
    number = int.from_bytes(secrets.token_bytes(_OCTETS), "big")
    digits = []
    for _ in range(_DIGITS):
        number, digit = divmod(number, 62)
        digits.append(_BASE62[digit])
    return PREFIX + "".join(reversed(digits))


def is_token(text: str) -> bool:
    """Tell whether a text has the form of a token, before asking the database for it."""
    return _TOKEN.fullmatch(text) is not None


def digest(token: str) -> bytes:
    """Give what is stored of a token: its SHA-256, 32 octets.

    A plain hash is enough, since a token is random throughout and cannot be guessed.
    """
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def hint(token: str) -> str:
    """Give the token's last four characters, by which a person tells tokens apart."""
    return token[-4:]


def generate_password(length: int = 12) -> str:
    """Make a password for PPPoE or Wi-Fi, easy to read out: about 5 bits a character.

    Args:
        length: characters.

    Raises:
        ValueError: fewer than 8 characters.
    """
    if length < SHORTEST:
        raise ValueError(f"a password has {SHORTEST} characters or more")
    return "".join(secrets.choice(READABLE) for _ in range(length))


__all__ = [
    "PREFIX",
    "READABLE",
    "digest",
    "generate_password",
    "hint",
    "is_token",
    "new_token",
]
