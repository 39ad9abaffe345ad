"""Check and reply items of users and groups, put together as rlm_sql does it."""

import re
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from demarc.imports.entry import Source

FALL_THROUGH = "fall-through"
SETS = frozenset({":=", "=", "+="})
"""Operators that set a value; ``==`` compares, and so do the others."""
DISABLED = re.compile(r"(?:.*[-_ ])?(?:disabled|blocked|suspended)(?:[-_ ].*)?", re.IGNORECASE)
"""Names of groups whose users may not log in."""


class Item(msgspec.Struct, frozen=True, gc=False):
    """One attribute of a user or group.

    Attributes:
        op: ``:=`` replaces, ``=`` sets what is not set yet, ``+=`` adds, ``==`` and others compare.
        group: whose it is; None of the user's own.
    """

    source: Source
    attribute: str
    op: str
    value: str
    group: str | None = None

    @property
    def name(self) -> str:
        """The attribute as names are compared."""
        return self.attribute.lower()


class Membership(msgspec.Struct, frozen=True, gc=False):
    """That a user is in a group; the lowest priority comes first."""

    source: Source
    group: str
    priority: int


class User(msgspec.Struct, gc=False):
    """What the tables say of a user name."""

    name: str
    source: Source
    check: list[Item] = []
    reply: list[Item] = []
    groups: list[Membership] = []


class Group(msgspec.Struct, gc=False):
    """What the tables say of a group."""

    name: str
    check: list[Item] = []
    reply: list[Item] = []

    @property
    def suspends(self) -> bool:
        """Whether its users may not log in: by its name, or as it rejects them."""
        return bool(DISABLED.fullmatch(self.name)) or any(map(rejects, self.check))


class Effective(msgspec.Struct, frozen=True):
    """What holds for a user.

    Attributes:
        check: of the user, and of the groups that are come to.
        reply: what is sent, after all operators.
        groups: those that are come to, in order.
        left_out: groups behind one that does not fall through, and those that are not there.
    """

    check: list[Item]
    reply: list[Item]
    groups: list[str]
    left_out: list[str]


def effective(user: User, groups: Mapping[str, Group]) -> Effective:
    """Put together what holds for a user.

    The user's own replies come first, then those of the groups by priority, up to the first that
    does not fall through (sql's ``read_groups = yes``, the default). A group that suspends its
    users is put before their own to shut them out: those behind it count, and say what a user has
    who comes back.
    """
    check = list(user.check)
    reply = merged([], user.reply)
    come_to: list[str] = []
    left_out: list[str] = []
    goes_on = _falls_through(user.reply) is not False
    sold = any(one.group in groups and not groups[one.group].suspends for one in user.groups)
    for membership in sorted(user.groups, key=lambda one: (one.priority, one.group)):
        group = groups.get(membership.group)
        if group is None:
            # a group that is only a name: tools keep them for themselves
            come_to.append(membership.group)
            continue
        if not goes_on:
            left_out.append(membership.group)
            continue
        come_to.append(membership.group)
        check += group.check
        if sold and group.suspends:
            continue
        reply = merged(reply, group.reply)
        goes_on = bool(_falls_through(group.reply))
    return Effective(check, reply, come_to, left_out)


def merged(before: Sequence[Item], further: Iterable[Item]) -> list[Item]:
    """Add reply items to those there are, each by its operator."""
    items = list(before)
    for item in further:
        if item.name == FALL_THROUGH:
            continue
        there = any(one.name == item.name for one in items)
        if item.op == "+=" or (item.op == "=" and not there):
            items.append(item)
        elif item.op in (":=", "=="):
            # "==" in a reply is a mistake that the server takes for "="
            if item.op == "==" and there:
                continue
            items = [one for one in items if one.name != item.name]
            items.append(item)
        elif item.op == "-=":
            items = [one for one in items if (one.name, one.value) != (item.name, item.value)]
    return items


def rejects(item: Item) -> bool:
    """Tell whether a check item has the user rejected."""
    return item.name == "auth-type" and item.value.strip().lower() == "reject"


def _falls_through(reply: Iterable[Item]) -> bool | None:
    for item in reply:
        if item.name == FALL_THROUGH:
            return item.value.strip().lower() in ("yes", "1", "true")
    return None


__all__ = [
    "DISABLED",
    "SETS",
    "Effective",
    "Group",
    "Item",
    "Membership",
    "User",
    "effective",
    "merged",
    "rejects",
]
