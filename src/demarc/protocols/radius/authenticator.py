"""The digests that tie packets to the shared secret.

RADIUS is built on MD5 (RFC 2865 section 3) and HMAC-MD5 (RFC 3579 section 3.2); there is no choice.
Only Message-Authenticator resists forgery (CVE-2024-3596), and neither hides anything: over
untrusted paths RADIUS belongs into TLS.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from hashlib import _Hash

NO_AUTHENTICATOR: Final = bytes(16)
"""What stands in for an authenticator that is still to be computed."""

_BLOCK: Final = 64
_INNER: Final = bytes(octet ^ 0x36 for octet in range(256))
_OUTER: Final = bytes(octet ^ 0x5C for octet in range(256))


def md5(octets: bytes) -> bytes:
    """MD5 of the octets, 16 octets."""
    return hashlib.md5(octets, usedforsecurity=False).digest()


@lru_cache(maxsize=4096)
def _keyed(secret: bytes) -> tuple[_Hash, _Hash]:
    # The two halves of HMAC (RFC 2104 section 4) once they have digested the key, which is half of
    # the work for a packet. A client keeps its secret for years, so a few thousand are enough.
    key = (md5(secret) if len(secret) > _BLOCK else secret).ljust(_BLOCK, b"\0")
    return (
        hashlib.md5(key.translate(_INNER), usedforsecurity=False),
        hashlib.md5(key.translate(_OUTER), usedforsecurity=False),
    )


def hmac_md5(secret: bytes, octets: bytes) -> bytes:
    """HMAC-MD5 of the octets, 16 octets (RFC 2104)."""
    inner, outer = _keyed(secret)
    first = inner.copy()
    first.update(octets)
    second = outer.copy()
    second.update(first.digest())
    return second.digest()
