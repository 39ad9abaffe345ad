"""What may be done, by whom: permissions, and the sets of them that roles are.

A permission is a verb on a family of things, ``service:update``. A role has permissions and
patterns of them, with ``*`` for any family or any verb, so that what is new is in the roles that
are about everything of a kind. A credential's scopes narrow its role: without the scope to write
only what changes nothing is left.
"""

from collections.abc import Collection

FAMILIES = ("customer", "device", "login", "premise", "product", "service", "session", "usage")

VERBS = {
    "read": "see it, but for secrets",
    "reveal": "see its secrets",
    "create": "make a new one",
    "update": "change it",
    "operate": "suspend it, let it go on, disconnect, restart",
    "end": "end it for good",
}

READING = frozenset({"read", "reveal"})
"""The verbs that change nothing."""

ANY = "*"


def is_pattern(text: str) -> bool:
    """Tell whether a role can have this: a permission there is, or a pattern of them."""
    family, colon, verb = text.partition(":")
    return bool(colon) and family in (*FAMILIES, ANY) and verb in (*VERBS, ANY)


def reads(permission: str) -> bool:
    """Tell whether what it permits changes nothing."""
    return permission.partition(":")[2] in READING


def permits(patterns: Collection[str], permission: str) -> bool:
    """Tell whether a permission is among a role's."""
    family, _, verb = permission.partition(":")
    return any(
        wanted in patterns
        for wanted in (permission, f"{family}:{ANY}", f"{ANY}:{verb}", f"{ANY}:{ANY}")
    )


__all__ = ["ANY", "FAMILIES", "READING", "VERBS", "is_pattern", "permits", "reads"]
