"""``demarc apply``: bring the database to what a file describes."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from demarc.cli.frame import command

if TYPE_CHECKING:
    from demarc.apply.plan import Plan
    from demarc.cli.answers import Shown
    from demarc.platform.settings import Settings

_SIGN = {"create": "+", "update": "~"}


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    command(app, "apply")(apply)


async def apply(
    settings: "Settings",
    *,
    file: Annotated[Path, typer.Argument(help="The network file, TOML; - reads standard input.")],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would change, and change nothing.")
    ] = False,
    verbose: Annotated[
        bool,
        typer.Option(
            "--verbose",
            "-v",
            help="Also show what stays as it is, and what is in the database alone.",
        ),
    ] = False,
) -> "Shown":
    """Bring the database to what a network file describes.

    The file describes organisations, networks, realms, areas, products, PoPs, NASes, pools, OLTs,
    premises, people and API clients. All of it is done or, if anything in it is wrong, nothing:
    every mistake is then told with its line. Applying a file again changes nothing. What is not in
    the file stays: nothing is ever deleted. docs/network-file.md lists every key.

    Examples:
        demarc apply network.toml --dry-run
        demarc apply network.toml
        BNG_SECRET=... demarc apply network.toml     # [[nas]] secret_env = "BNG_SECRET"

    A small file:
        [[tenant]]
        slug = "fibra"
        name = "Fibra Norte"

        [[network]]
        slug = "norte"
        name = "Norte"
        owner = "fibra"
        isps = ["fibra"]

        [[nas]]
        name = "bng-1"
        address = "192.0.2.1"
        secret_env = "BNG_SECRET"
        vendor = "mikrotik"
    """
    from demarc.apply.applying import apply as bring
    from demarc.apply.parse import parse
    from demarc.apply.work import Domains
    from demarc.cli.answers import Shown
    from demarc.cli.desk import opened

    # everything that is wrong with the file itself is told before the database is asked
    document = parse(_read(file), os.environ)
    async with opened(settings) as desk, desk.system() as tx:
        plan = await bring(
            tx,
            Domains(
                identity=desk.parts.identity,
                catalog=desk.parts.catalog,
                subscribers=desk.parts.subscribers,
                access=desk.parts.access,
                aaa=desk.parts.aaa,
            ),
            document,
            dry_run=dry_run,
            tell_absent=verbose,
        )
    return Shown(plan, as_text(plan, verbose=verbose))


def _read(file: Path) -> str:
    from demarc.domains.errors import Invalid

    try:
        return sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise Invalid(str(file), "is not UTF-8 text") from None


def as_text(plan: "Plan", *, verbose: bool) -> str:
    """Give a plan as people read it."""
    from demarc.cli.answers import cell

    lines = []
    for change in plan.changes:
        if change.action == "unchanged":
            if verbose:
                lines.append(f"  {change.kind} {cell(change.name)}")
            continue
        lines.append(f"{_SIGN[change.action]} {change.kind} {cell(change.name)}")
        for key, field in change.fields.items():
            was = f"{cell(field.before)} -> " if change.action == "update" else ""
            lines.append(f"    {key}: {was}{cell(field.after)}")
    for absent in plan.absent:
        lines.append(f"? {absent.kind} {cell(absent.name)} is in the database alone; it stays")
    created, updated = plan.count("create"), plan.count("update")
    if not created and not updated:
        lines.append("Nothing to do: the database is as the file describes.")
    else:
        done = "" if plan.carried_out else "would be "
        lines.append(
            f"{created} {done}created, {updated} {done}updated,"
            f" {plan.count('unchanged')} as described already."
        )
    return "\n".join(lines)


__all__ = ["add_to", "as_text"]
