"""An import as the command line runs it: who and where, progress while it runs, what came of it."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from time import monotonic
from typing import Any
from uuid import uuid4

import msgspec

from demarc.cli.answers import Shown, cell
from demarc.cli.desk import Desk
from demarc.domains.errors import Invalid, NotFound
from demarc.imports.ground import Domains, Ground
from demarc.imports.outcome import ACTIONS, Report
from demarc.imports.running import Progress, Run, Source

_EVERY_TTY, _EVERY_FILE = 0.5, 10.0


class Options(msgspec.Struct, frozen=True):
    """What may be said of any import."""

    tenant: str | None
    network: str | None
    realm: str | None
    source: str
    dry_run: bool
    strict: bool
    report: Path | None
    quiet: bool


async def ground_of(desk: Desk, options: Options) -> tuple[Ground, frozenset[str]]:
    """Give what a run stands on, and the names of the ISP's realms.

    Raises:
        NotFound: there is no ISP or network of that name.
        Invalid: which is meant is not clear, or the ISP does not sell on the network.
    """
    if not options.source.strip():
        raise Invalid("--source", "must not be empty")
    parts = desk.parts
    async with desk.system() as tx:
        isp = await desk.tenant_meant(tx, options.tenant)
        sold_on = await parts.identity.networks_sold_on(tx, isp.id)
        ids = {one.id for one in sold_on}
        owned = [
            one
            for one in await parts.identity.networks(tx)
            if one.owner_id == isp.id and one.id not in ids
        ]
        found = [one for one in [*sold_on, *owned] if options.network in (None, one.slug)]
        if options.network is not None and not found:
            raise NotFound("network", f"{options.network} that {isp.slug} owns or sells on")
        if len(found) != 1:
            known = ", ".join(one.slug for one in found) or "it sells on none yet"
            raise Invalid("--network", f"must say which network is meant ({known})")
        realms = frozenset(one.name for one in await parts.aaa.realms(tx, isp.id))
    if options.realm is not None and options.realm.lower() not in realms:
        raise NotFound("realm", f"{options.realm} of {isp.slug}")
    ground = Ground(
        Domains(
            identity=parts.identity,
            catalog=parts.catalog,
            subscribers=parts.subscribers,
            aaa=parts.aaa,
            services=parts.services,
            keys=parts.keys,
        ),
        tenant=isp,
        network=found[0],
        realm=None if options.realm is None else options.realm.lower(),
        source=options.source.strip(),
        run_id=uuid4(),
        dry_run=options.dry_run,
    )
    return ground, realms


async def carry_out(
    desk: Desk,
    ground: Ground,
    source: Source,
    options: Options,
    *,
    kind: str,
    files: Sequence[str],
) -> Shown:
    """Run an import and tell what came of it."""
    showing = _Showing() if not options.quiet else None
    run = Run(
        desk.parts.db,
        ground,
        desk.actor,
        kind=kind,
        files=files,
        strict=options.strict,
        tell=None if showing is None else showing.tell,
    )
    begun = monotonic()
    with Report(options.report) as report:
        try:
            state = await run.carry_out(source, report)
        finally:
            if showing is not None:
                showing.end()
    return _shown(ground, report, state, lines=run.lines, seconds=monotonic() - begun)


class _Showing:
    """Progress on standard error: one line that changes on a terminal, few lines elsewhere."""

    def __init__(self) -> None:
        self._tty = sys.stderr.isatty()
        self._last = monotonic()
        self._shown = False

    def tell(self, progress: Progress) -> None:
        now = monotonic()
        if now - self._last < (_EVERY_TTY if self._tty else _EVERY_FILE):
            return
        self._last = now
        text = f"{progress.lines:,} lines, {progress.lines / progress.seconds:,.0f} a second"
        if progress.refused:
            text += f", {progress.refused:,} refused"
        if progress.left is not None:
            text += f", about {_duration(progress.left)} left"
        sys.stderr.write(f"\r\x1b[K{text}" if self._tty else f"{text}\n")
        sys.stderr.flush()
        self._shown = True

    def end(self) -> None:
        if self._tty and self._shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"


def _shown(ground: Ground, report: Report, state: str, *, lines: int, seconds: float) -> Shown:
    data = {
        "id": None if ground.dry_run else ground.run_id,
        "dry_run": ground.dry_run,
        "state": state,
        "lines": lines,
        "seconds": round(seconds, 1),
        "counts": {kind: dict(counted) for kind, counted in report.counts.items()},
        "refused": report.refused,
        "notes": list(report.notes.values()),
        "report": None if report.path is None else str(report.path),
    }
    told = [counts_as_text(report.counts)]
    told += _refused(report)
    told += _notes(report)
    if state == "stopped":
        told.append("Stopped at the first line that is refused; what was before it is brought.")
    rate = f"{lines:,} lines in {seconds:.1f} s, {lines / max(seconds, 0.001):,.0f} a second."
    told.append(
        f"{rate} Nothing was kept: this was a dry run."
        if ground.dry_run
        else f"{rate} This is import {ground.run_id}."
    )
    if report.path is not None:
        told.append(f"All of it stands in {report.path}.")
    return Shown(data, "\n".join(one for one in told if one), int(state != "done"))


def counts_as_text(counts: Mapping[str, Mapping[str, int]]) -> str:
    """Give counts by kind as a table."""
    if not counts:
        return "Nothing was read."
    names = ("", *ACTIONS)
    rows = [
        (kind, *(f"{counted.get(action, 0):,}" for action in ACTIONS))
        for kind, counted in counts.items()
    ]
    widths = [max(len(row[at]) for row in (names, *rows)) for at in range(len(names))]
    return "\n".join(
        "  ".join(
            text.ljust(width) if at == 0 else text.rjust(width)
            for at, (text, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in (names, *rows)
    )


def _refused(report: Report) -> Iterable[str]:
    refused = report.count("refused")
    if not refused:
        return
    yield f"Refused ({refused:,}):"
    for one in report.refused:
        where = f"{one.source.file}:{one.source.line}" if one.source.line else one.source.file
        hint = f" ({cell(one.hint)})" if one.hint else ""
        reason = f"{one.field} {one.reason}" if one.field else one.reason
        yield f"  {cell(where)}: {cell(reason)}{hint}"
    if refused > len(report.refused):
        yield f"  and {refused - len(report.refused):,} more; --report FILE lists all"


def _notes(report: Report) -> Iterable[str]:
    if not report.notes:
        return
    yield "Noted:"
    for one in report.notes.values():
        where = f"{one.first.file}:{one.first.line}" if one.first.line else one.first.file
        hint = f" ({cell(one.hint)})" if one.hint else ""
        yield f"  {one.count:,} x {cell(one.reason)}{hint}; first {cell(one.ref)} at {cell(where)}"


def taken_names(given: Sequence[str]) -> dict[str, str]:
    """Take what ``--map`` says.

    Raises:
        Invalid: it is not HEADER=COLUMN.
    """
    from demarc.imports.columns import COLUMNS

    names: dict[str, Any] = {}
    for one in given:
        header, equals, column = one.rpartition("=")
        if not equals or not header:
            raise Invalid("--map", f"{one!r} is not HEADER=COLUMN")
        column = column.strip()
        if column and column not in COLUMNS:
            raise Invalid("--map", f"{column} is no column; demarc import columns lists them")
        names[header] = column
    return names


__all__ = ["Options", "carry_out", "counts_as_text", "ground_of", "taken_names"]
