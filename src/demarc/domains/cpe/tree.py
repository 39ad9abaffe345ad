"""A device's parameters as last known, cut into branches that are stored as one row each.

A branch is all there is of one instance of an object: the leaves below the last number in their
paths. So what changes together is written together, and what did not change is not written.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TypeAlias

import msgspec

_SECRET = re.compile(
    r"(?:password|passphrase|presharedkey|wepkey|secret|passwd|privatekey|pskkey)[^.]*$",
    re.IGNORECASE,
)
_LAST_NUMBER = re.compile(r"^(.*\.\d+\.)[^.]")
_TOP = re.compile(r"^([^.]+\.[^.]+\.)")


class Parameter(msgspec.Struct, frozen=True, gc=False):
    """A parameter as last known.

    Attributes:
        value: as text, the way the device said it.
        type: of XML Schema, without a prefix.
        writable: None where the device has not been asked.
        at: when the value was last heard, UTC; None where it never was.
    """

    value: str
    type: str = "string"
    writable: bool | None = None
    at: datetime | None = None


Tree: TypeAlias = Mapping[str, Parameter]
"""Parameters by their whole paths."""


def branch_of(path: str) -> str:
    """Give the branch a parameter belongs to, with its dot at the end.

    Example:
        ``Device.WiFi.SSID.1.SSID`` and ``Device.WiFi.SSID.1.Stats.BytesSent`` belong to
        ``Device.WiFi.SSID.1.``; ``Device.DeviceInfo.UpTime`` to ``Device.DeviceInfo.``.
    """
    match = _LAST_NUMBER.match(path) or _TOP.match(path)
    return match[1] if match is not None else path.rpartition(".")[0] + "."


def is_secret(path: str) -> bool:
    """Tell whether a parameter's value is nobody's business but the subscriber's."""
    return _SECRET.search(path) is not None


def by_branch(paths: Iterable[str]) -> dict[str, list[str]]:
    """Group paths by their branches."""
    found: dict[str, list[str]] = {}
    for path in paths:
        found.setdefault(branch_of(path), []).append(path)
    return found


def below(tree: Tree, prefix: str) -> dict[str, Parameter]:
    """Give what there is below a path that ends with a dot, by its whole path."""
    return {path: each for path, each in tree.items() if path.startswith(prefix)}


def instances(tree: Tree, prefix: str) -> list[str]:
    """Give the instances of an object, ``prefix`` with each number and a dot, in their order.

    Args:
        tree: as known.
        prefix: the object's path with its dot, without a number.
    """
    numbers = set()
    start = len(prefix)
    for path in tree:
        if path.startswith(prefix):
            number = path[start:].partition(".")[0]
            if number.isdecimal():
                numbers.add(int(number))
    return [f"{prefix}{number}." for number in sorted(numbers)]


__all__ = ["Parameter", "Tree", "below", "branch_of", "by_branch", "instances", "is_secret"]
