"""Passwords kept as crypt(3) keeps them: ``$6$…``, ``$5$…``, ``$1$…``, ``$2b$…``, ``$y$…``.

The C library's own crypt is asked, which systems bring (libxcrypt, glibc, musl); Python's module
for it ends with 3.12. It computes without holding the interpreter, so that threads may wait for it.
"""

import ctypes
import re
from collections.abc import Callable
from functools import lru_cache, partial
from hmac import compare_digest
from typing import Final

_LIBRARIES: Final = ("libcrypt.so.1", "libcrypt.so.2", None)
# larger than any library's struct crypt_data
_WORKSPACE: Final = 256 * 1024
_LONGEST_PASSWORD: Final = 512
_MOST_ROUNDS: Final = 1_000_000
_HIGHEST_COST: Final = 14
_ROUNDS: Final = re.compile(r"\$[56]\$rounds=(\d+)\$")
_COST: Final = re.compile(r"\$2[abxy]\$(\d\d)\$")

Crypt = Callable[[bytes, bytes], bytes | None]


class Unsupported(Exception):
    """This system cannot check such a hash, or it would take too long; the text says which."""


def verify_crypt(stored: str, password: bytes) -> bool:
    """Tell whether a password is the one of a hash. Takes from a millisecond to a second.

    Args:
        stored: as crypt(3) wrote it.
        password: as it was typed.

    Raises:
        Unsupported: the hash's form is unknown here, or it asks for more work than is sane.
    """
    _check_cost(stored)
    if b"\0" in password or len(password) > _LONGEST_PASSWORD:
        return False
    crypt = _library()
    if crypt is None:
        raise Unsupported("this system has no crypt(3)")
    made = crypt(password, stored.encode())
    # what libraries answer instead of failing begins with an asterisk
    if made is None or made.startswith(b"*"):
        raise Unsupported("the form of the hash is not known to crypt(3) here")
    return compare_digest(made, stored.encode())


def _check_cost(stored: str) -> None:
    rounds = _ROUNDS.match(stored)
    cost = _COST.match(stored)
    if (rounds is not None and int(rounds[1]) > _MOST_ROUNDS) or (
        cost is not None and int(cost[1]) > _HIGHEST_COST
    ):
        raise Unsupported("the hash asks for too many rounds")


@lru_cache(maxsize=1)
def _library() -> Crypt | None:
    for name in _LIBRARIES:
        try:
            function = ctypes.CDLL(name).crypt_r
        except (OSError, AttributeError):
            continue
        function.argtypes = [ctypes.c_char_p, ctypes.c_char_p, ctypes.c_void_p]
        function.restype = ctypes.c_char_p
        return partial(_crypt, function)
    return None


def _crypt(function: Callable[..., bytes | None], password: bytes, setting: bytes) -> bytes | None:
    return function(password, setting, ctypes.create_string_buffer(_WORKSPACE))


__all__ = ["Unsupported", "verify_crypt"]
