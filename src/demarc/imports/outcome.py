"""What became of the lines of a run, counted, and written down where a report is wanted."""

import csv
from collections import Counter
from pathlib import Path
from typing import IO, Any, Literal, Self

import msgspec

from demarc.imports.entry import Bad, Note, Source

Action = Literal["created", "changed", "unchanged", "refused", "note"]

ACTIONS: tuple[Action, ...] = ("created", "changed", "unchanged", "refused")
SHOWN = 20
"""So many refused lines, and so many notes, are kept to be shown."""
_KINDS_OF_NOTES = 200
_FIELDS = ("file", "line", "kind", "ref", "outcome", "field", "reason", "hint")


class Outcome(msgspec.Struct, frozen=True, gc=False):
    """What became of one thing of a line.

    Attributes:
        kind: customer, premise, product, service, credential, nas, session ...; "line" of a line
            that was refused.
        ref: what the source calls it.
        field: the column in the way.
    """

    source: Source
    kind: str
    ref: str
    action: Action
    field: str | None = None
    reason: str = ""
    hint: str = ""


class Noted(msgspec.Struct):
    """What was noted, once for all lines it holds for.

    Attributes:
        count: how many.
        first: one of them.
    """

    reason: str
    hint: str
    count: int
    first: Source
    ref: str


class Report:
    """Counts outcomes, keeps the first refusals, and writes all but what is unchanged to a file.

    Args:
        path: ``.json`` or ``.jsonl`` for one JSON object a line, else CSV; None for no file.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path
        self.counts: dict[str, Counter[str]] = {}
        self.refused: list[Outcome] = []
        self.notes: dict[tuple[str, str], Noted] = {}
        self._file: IO[str] | None = None
        self._csv: Any = None

    def __enter__(self) -> Self:
        if self.path is not None:
            # it names subscribers: for whoever runs the import alone
            self._file = open(self.path, "w", encoding="utf-8", newline="", opener=_private)
            if self.path.suffix not in (".json", ".jsonl"):
                self._csv = csv.writer(self._file)
                self._csv.writerow(_FIELDS)
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()

    def take(self, outcome: Outcome) -> None:
        """Count an outcome."""
        if outcome.action == "note":
            self._note(outcome)
        else:
            self.counts.setdefault(outcome.kind, Counter())[outcome.action] += 1
        if outcome.action == "refused" and len(self.refused) < SHOWN:
            self.refused.append(outcome)
        if outcome.action != "unchanged":
            self._write(outcome)

    def refuse(self, bad: Bad) -> None:
        """Count a line that cannot be taken."""
        refused = bad.refused
        self.take(
            Outcome(bad.source, "line", "", "refused", refused.field, refused.reason, refused.hint)
        )

    def note(self, note: Note) -> None:
        """Keep a note."""
        self.take(Outcome(note.source, note.kind, note.ref, "note", None, note.reason, note.hint))

    def _note(self, outcome: Outcome) -> None:
        known = self.notes.get((outcome.reason, outcome.hint))
        if known is not None:
            known.count += 1
        elif len(self.notes) < _KINDS_OF_NOTES:
            self.notes[outcome.reason, outcome.hint] = Noted(
                outcome.reason, outcome.hint, 1, outcome.source, outcome.ref
            )

    def _write(self, outcome: Outcome) -> None:
        if self._file is None:
            return
        row = (
            outcome.source.file,
            outcome.source.line,
            outcome.kind,
            outcome.ref,
            outcome.action,
            outcome.field or "",
            outcome.reason,
            outcome.hint,
        )
        if self._csv is not None:
            self._csv.writerow([_inert(cell) for cell in row])
        else:
            self._file.write(msgspec.json.encode(dict(zip(_FIELDS, row, strict=True))).decode())
            self._file.write("\n")

    def count(self, action: Action) -> int:
        """Tell how many things an action was done to."""
        return sum(counted[action] for counted in self.counts.values())


def _inert(cell: object) -> object:
    """Keep a spreadsheet from taking a cell for a formula."""
    if isinstance(cell, str) and cell[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return "'" + cell
    return cell


def _private(path: str, flags: int) -> int:
    import os

    return os.open(path, flags, 0o600)


__all__ = ["ACTIONS", "SHOWN", "Action", "Noted", "Outcome", "Report"]
