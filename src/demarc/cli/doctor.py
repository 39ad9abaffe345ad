"""``demarc doctor``: what is set up wrong, and its mend."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

from demarc.cli import flags
from demarc.cli.frame import command

if TYPE_CHECKING:
    from demarc.cli.answers import Shown
    from demarc.cli.examine.finding import Finding
    from demarc.platform.settings import Settings


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    command(app, "doctor", settings=flags.SERVER)(doctor)


async def doctor(settings: "Settings") -> "Shown":
    """Look at what Demarc stands on, and say what is wrong and how to mend it.

    It looks at the database (version, migrations, roles, row-level security, partitions), the keys
    and what is encrypted with them, the clock and who sets it, time zones, ports, the certificate,
    socket buffers, open files and the disk. Give it the settings of the server: a flag, or the
    variables of its environment. Exit code 1 tells that there is a problem.

    Examples:
        demarc doctor
        demarc doctor --json | jq '.[] | select(.state != "ok")'
    """
    from demarc.cli.answers import Shown
    from demarc.cli.examine import database, machine, serving

    stored = await database.examine(settings)
    findings = [*stored.findings, *machine.examine(settings, empty=stored.empty)]
    findings += serving.examine(settings)
    broken = any(finding.state == "problem" for finding in findings)
    return Shown(findings, as_text(findings), 1 if broken else 0)


def as_text(findings: Sequence["Finding"]) -> str:
    """Give findings as people read them."""
    width = max(len(finding.what) for finding in findings)
    lines = []
    for finding in findings:
        lines.append(f"{finding.state:<8} {finding.what.ljust(width)}  {finding.says}")
        if finding.mend is not None:
            lines.append(f"{'':8} {'':{width}}  -> {finding.mend}")
    return "\n".join(lines)


__all__ = ["add_to", "as_text"]
