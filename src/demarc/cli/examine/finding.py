"""What an examination found."""

from typing import Literal

import msgspec

State = Literal["ok", "warning", "problem"]


class Finding(msgspec.Struct, frozen=True):
    """One thing that was looked at.

    Attributes:
        what: what was looked at, in a word or two.
        says: how it is.
        mend: what to do about it; None where it is well.
    """

    state: State
    what: str
    says: str
    mend: str | None = None


def well(what: str, says: str) -> Finding:
    """Say that a thing is as it should be."""
    return Finding("ok", what, says)


def warning(what: str, says: str, mend: str) -> Finding:
    """Say that a thing works, though not as it should, or not for long."""
    return Finding("warning", what, says, mend)


def problem(what: str, says: str, mend: str) -> Finding:
    """Say that a thing does not work."""
    return Finding("problem", what, says, mend)


__all__ = ["Finding", "State", "problem", "warning", "well"]
