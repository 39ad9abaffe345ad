"""Passwords as they are stored: readable, or as a hash that was taken over from elsewhere."""

import hashlib
from hmac import compare_digest

from demarc.protocols.radius.mschap import nt_hash

CLEARTEXT = "cleartext"
NT = "nt"
CRYPT = "crypt"
"""The one that takes long to check."""

_NAMES = {
    NT: "as an NT hash",
    CRYPT: "as a crypt hash",
    "md5": "as an MD5 hash",
    "smd5": "as a salted MD5 hash",
    "sha": "as a SHA-1 hash",
    "ssha": "as a salted SHA-1 hash",
    "sha2": "as a SHA-2 hash",
    "ssha2": "as a salted SHA-2 hash",
}
# by the size of the digest
_SHA2 = {64: "sha512", 48: "sha384", 32: "sha256", 28: "sha224"}


def matches(kind: str, stored: bytes, given: bytes) -> bool:
    """Tell whether a typed password is the stored one; of every kind but crypt.

    Args:
        kind: how it is stored.
        stored: the password, or the digest with the salt behind it.
        given: as it was typed.
    """
    if kind == CLEARTEXT:
        return compare_digest(given, stored)
    if kind == NT:
        return compare_digest(nt_hash(given), stored)
    if kind in {"md5", "smd5"}:
        return _digest_matches("md5", 16, stored, given, salted=kind == "smd5")
    if kind in {"sha", "ssha"}:
        return _digest_matches("sha1", 20, stored, given, salted=kind == "ssha")
    if kind in {"sha2", "ssha2"}:
        # how long the salt is stands nowhere: whichever digest fits is the one
        return any(
            _digest_matches(name, size, stored, given, salted=kind == "ssha2")
            for size, name in _SHA2.items()
        )
    return False


def _digest_matches(name: str, size: int, stored: bytes, given: bytes, *, salted: bool) -> bool:
    digest, salt = stored[:size], stored[size:]
    if len(digest) < size or bool(salt) != salted:
        return False
    made = hashlib.new(name, given + salt, usedforsecurity=False).digest()
    return compare_digest(made, digest)


def nt_hash_of(kind: str, stored: bytes) -> bytes | None:
    """Give the NT hash of a stored password; None where there is no way to it."""
    if kind == CLEARTEXT:
        return nt_hash(stored)
    return stored if kind == NT else None


def described(kind: str) -> str:
    """Tell for a person how a password is stored."""
    return _NAMES.get(kind, "readable")


__all__ = ["CLEARTEXT", "CRYPT", "NT", "described", "matches", "nt_hash_of"]
