"""Results as a file to compute with and a page to read."""

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from figures import Figure, Machine

_HERE = Path(__file__).parent
RESULTS = _HERE / "results"
_OBSERVED = _HERE / "observed.toml"

_DISTURBED = 0.15
"""Cores that others may use before a figure says less."""

_INTRODUCTION = """# What was measured

Made by `make bench`; `benchmarks/run.py --help` says how to measure less. The figures of all days
are beside this page, one JSON file a day. Compare ratios within one run: machines differ.

`CPU µs each` is of the named process for one answer. `cores` is what each kind of process used of
the machine's cores; all of them, and the load generator, share it. A figure marked ⚠ had answers
that were lost or wrong; one marked ~ was disturbed by others' work on the machine.
"""


class Report(msgspec.Struct, frozen=True):
    """A day's results."""

    machine: Machine
    figures: list[Figure]
    options: dict[str, Any]


def write(report: Report) -> Path:
    """Write the day's file and the page; figures measured again replace those of that day."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{report.machine.at:%Y-%m-%d}.json"
    if path.exists():
        earlier = msgspec.json.decode(path.read_bytes(), type=Report)
        cases = {figure.case for figure in report.figures}
        kept = [figure for figure in earlier.figures if figure.case not in cases]
        report = msgspec.structs.replace(report, figures=[*report.figures, *kept])
    path.write_bytes(msgspec.json.format(msgspec.json.encode(report), indent=1) + b"\n")
    (RESULTS / "README.md").write_text(page(report), encoding="utf-8")
    return path


def page(report: Report) -> str:
    """Give the page."""
    machine = report.machine
    observed = tomllib.loads(_OBSERVED.read_text(encoding="utf-8")) if _OBSERVED.exists() else {}
    parts = [
        _INTRODUCTION,
        f"## {machine.at:%Y-%m-%d}\n",
        f"- {machine.cores} cores of {machine.processor}, {machine.memory_gib:g} GiB",
        f"- Linux {machine.kernel}",
        f"- Python {machine.python}, PostgreSQL {machine.postgres}, Demarc {machine.version}",
        f"- load before the run: {machine.load_before:g}\n",
        "| what | found | goal | beside |",
        "| --- | ---: | --- | --- |",
        *(_row(figure) for figure in report.figures),
        "",
        "## Under which conditions, and what limits it\n",
    ]
    for case in dict.fromkeys(figure.case for figure in report.figures):
        parts += _notes(case, [each for each in report.figures if each.case == case], observed)
    return "\n".join(parts) + "\n"


def _row(figure: Figure) -> str:
    mark = " ⚠" if figure.wrong else " ~" if figure.load.get("others", 0.0) > _DISTURBED else ""
    beside = "; ".join(f"{name}: {_shown(value)}" for name, value in figure.beside.items())
    return (
        f"| {figure.what} | {_shown(figure.value)} {figure.unit}{mark} | {figure.goal} | {beside} |"
    )


def _notes(case: str, figures: Sequence[Figure], observed: Mapping[str, Any]) -> list[str]:
    lines = [f"### {case}\n"]
    for conditions in dict.fromkeys(figure.conditions for figure in figures):
        lines.append(f"- {conditions}")
    for figure in figures:
        if figure.load:
            cores = ", ".join(f"{role} {used:.2f}" for role, used in figure.load.items())
            lines.append(f"- cores, {figure.what}: {cores}")
    seen = observed.get(case)
    if seen:
        lines.append(f"- Limit ({seen['date']}): {' '.join(seen['limit'].split())}")
    return [*lines, ""]


def _shown(value: object) -> str:
    if isinstance(value, float) and value >= 100:
        return f"{value:,.0f}"
    return f"{value:,}" if isinstance(value, int | float) else str(value)
