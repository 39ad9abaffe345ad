"""MAC addresses, which everybody writes in another way."""

import re

_SPELLED = re.compile(
    r"[0-9a-f]{12}|[0-9a-f]{6}[-:.][0-9a-f]{6}|[0-9a-f]{4}([-:.])[0-9a-f]{4}\1[0-9a-f]{4}"
    r"|[0-9a-f]{2}(?:([-:. ])[0-9a-f]{2})(?:\2[0-9a-f]{2}){4}"
)
_SHORTEST, _LONGEST = 12, 17


def canonical(text: str) -> str | None:
    """Write a MAC address in the one way it is stored: ``aa:bb:cc:dd:ee:ff``.

    Args:
        text: ``AA:BB:CC:DD:EE:FF``, ``aabbccddeeff``, ``AA-BB-…``, ``aabb.ccdd.eeff``, and so on.

    Returns:
        None if it is not one.
    """
    if not _SHORTEST <= len(text) <= _LONGEST:
        return None
    lower = text.lower()
    if _SPELLED.fullmatch(lower) is None:
        return None
    digits = re.sub(r"[^0-9a-f]", "", lower)
    return ":".join(digits[at : at + 2] for at in range(0, 12, 2))


__all__ = ["canonical"]
