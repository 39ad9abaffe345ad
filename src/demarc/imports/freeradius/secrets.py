"""The password of a user: which of the check items is taken, and how it is kept."""

from collections.abc import Sequence

import msgspec

from demarc.domains.aaa.model import SecretKind
from demarc.imports import hashes
from demarc.imports.entry import Refused
from demarc.imports.freeradius.items import Item

# the first that is there is taken: what allows more methods comes first
_KINDS: dict[str, SecretKind] = {
    "cleartext-password": "cleartext",
    "user-password": "cleartext",
    "nt-password": "nt",
    "md5-password": "md5",
    "smd5-password": "smd5",
    "sha-password": "sha",
    "sha1-password": "sha",
    "ssha-password": "ssha",
    "ssha1-password": "ssha",
    **{f"sha2{bits}-password": "sha2" for bits in ("", "-224", "-256", "-384", "-512")},
    **{f"ssha2{bits}-password": "ssha2" for bits in ("", "-224", "-256", "-384", "-512")},
    "crypt-password": "crypt",
}
_WITH_HEADER = "password-with-header"
_ORDER = {name: place for place, name in enumerate((*_KINDS, _WITH_HEADER))}
_NOT_TAKEN = frozenset({"lm-password", "pbkdf2-password", "sha3-password", "digest-ha1"})

NAMES = frozenset({*_ORDER, *_NOT_TAKEN})
"""Attributes that are passwords, in lower case."""


class Secret(msgspec.Struct, frozen=True, gc=False):
    """A password.

    Attributes:
        others: attributes that hold it, too, and are left out.
    """

    kind: SecretKind
    octets: bytes
    others: list[Item] = []


def secret_of(check: Sequence[Item]) -> Secret | None:
    """Give the password of a user; None if there is none.

    Raises:
        Refused: what is there cannot be taken.
    """
    found = sorted(
        (item for item in check if item.name in NAMES),
        key=lambda item: _ORDER.get(item.name, len(_ORDER)),
    )
    if not found:
        return None
    first, others = found[0], found[1:]
    if first.name in _NOT_TAKEN:
        raise Refused(first.attribute, "cannot be taken over", "set a new password for this log-in")
    if first.op not in (":=", "=", "==", "+="):
        raise Refused(first.attribute, f"has the operator {first.op}, which sets no password")
    kind, text = _KINDS.get(first.name, "cleartext"), first.value
    if first.name == _WITH_HEADER:
        kind, text = hashes.with_header(text) or (kind, text)
    return Secret(kind, hashes.secret(kind, text, field=first.attribute), others)


__all__ = ["NAMES", "Secret", "secret_of"]
