"""``demarc serve``, ``demarc demo`` and ``demarc migrate``."""

from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from demarc.cli import flags
from demarc.cli.frame import command

if TYPE_CHECKING:
    from demarc.cli.answers import Shown
    from demarc.platform.settings import Settings


class Migrated(msgspec.Struct, frozen=True):
    """Migrations of a database: those applied by this command, or those it lacks."""

    applied: list[str]
    pending: list[str]


def add_to(app: typer.Typer) -> None:
    """Add the three."""
    command(app, "demo", settings=flags.DEMO, shows=False)(demo)
    command(app, "serve", settings=flags.SERVER, shows=False)(serve)
    command(app, "migrate")(migrate)


def demo(settings: "Settings") -> Any:
    """Bring up a whole ISP on this machine, and show it live.

    It makes a network with two ISPs, lets simulated subscribers log in over RADIUS, reads their
    ONUs over SNMP, and prints one working curl for each API. Ctrl-C ends it; the data stays.

    Examples:
        demarc demo
        demarc demo --subscribers 200 --http-port 9090 --data demo-data
    """
    from demarc.cli.demo import demo as run

    return run(settings)


def serve(settings: "Settings") -> Any:
    """Run Demarc: its database if none is given, RADIUS, the APIs and the workers.

    Every setting is a flag here and a variable of the environment; the flag wins. SIGTERM ends it
    when requests under way are answered and accounting is written.

    Examples:
        demarc serve
        demarc serve --http-host 0.0.0.0 --radius-host 0.0.0.0 --data /var/lib/demarc
        DEMARC_DATABASE_URL=postgresql://demarc@db.example/demarc demarc serve
    """
    from demarc.app.serve import serve as run

    return run(settings)


async def migrate(
    settings: "Settings",
    *,
    check: Annotated[
        bool, typer.Option("--check", help="Only tell what is missing; exit 1 if something is.")
    ] = False,
) -> "Migrated | Shown":
    """Bring the database to this version's schema.

    The code of the version before goes on running on it: migrate first, restart then.

    Examples:
        demarc migrate
        demarc migrate --check --json
    """
    from demarc.app.parts import migrated, server
    from demarc.cli.answers import Shown, as_text
    from demarc.platform.migrations import pending

    async with server(settings) as conninfo:
        if not check:
            return Migrated(applied=await migrated(settings, conninfo), pending=[])
        missing = [step.title for step in await pending(conninfo)]
    found = Migrated(applied=[], pending=missing)
    return Shown(found, as_text(found).rstrip("\n"), 1 if missing else 0)


__all__ = ["add_to"]
