"""What a file would change, thing by thing."""

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from demarc.apply.values import Hidden

MASK = "***"

Action = Literal["create", "update", "unchanged"]


class Difference(msgspec.Struct, frozen=True):
    """One field of a thing, as it is and as it is to be; secrets are masked."""

    before: Any
    after: Any


class Change(msgspec.Struct, frozen=True):
    """What is done with one thing.

    Attributes:
        kind: its section in the file.
        name: what it is called, with its network before it where it is on one.
        fields: what differs, by key of the file; empty where it stays as it is.
    """

    action: Action
    kind: str
    name: str
    fields: dict[str, Difference] = {}


class Absent(msgspec.Struct, frozen=True):
    """A thing that the database has and the file does not describe; it stays."""

    kind: str
    name: str


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What a file changes.

    Attributes:
        carried_out: False where it was only asked what would change.
        changes: in the order in which they are made, unchanged things included.
        absent: what is in the database alone, where that was asked.
    """

    carried_out: bool
    changes: list[Change]
    absent: list[Absent] = []

    def count(self, action: Action) -> int:
        """Tell how many things are created, updated, or left as they are."""
        return sum(change.action == action for change in self.changes)


def compare(
    kind: str, name: str, before: Mapping[str, Any] | None, after: Mapping[str, Any]
) -> Change:
    """Tell what brings a thing to what it is to be.

    Args:
        kind: its section.
        name: what it is called.
        before: its fields as they are; None where it does not exist.
        after: the same fields as they are to be. Secrets are `Hidden`.
    """
    if before is None:
        made = {key: value for key, value in after.items() if value not in (None, [], {})}
        fields = {key: Difference(None, _shown(value)) for key, value in made.items()}
        return Change("create", kind, name, fields)
    fields = {
        key: Difference(_shown(before[key]), _shown(value))
        for key, value in after.items()
        if before[key] != value
    }
    return Change("update" if fields else "unchanged", kind, name, fields)


def _shown(value: Any) -> Any:
    return MASK if isinstance(value, Hidden) else value


__all__ = ["MASK", "Absent", "Action", "Change", "Difference", "Plan", "compare"]
