"""``demarc``: every command there is."""

from importlib.metadata import version
from typing import Annotated

import typer

from demarc.cli import (
    apply,
    audit,
    backup,
    catalogue,
    clients,
    cpes,
    customers,
    doctor,
    imports,
    keys,
    lookup,
    nat,
    olts,
    people,
    plant,
    premises,
    profiles,
    retention,
    roles,
    serve,
    service_terms,
    tenants,
    tokens,
    usage,
)
from demarc.cli.frame import group

app = group(
    "demarc",
    """One platform that runs an internet service provider.

\b
To begin:
    demarc demo                          a whole ISP on this machine, live
    demarc apply network.toml --dry-run  what a described network would change
    demarc serve                         Demarc alone
    demarc doctor                        what is set up wrong, and its mend

Every setting is a flag of `demarc serve` and a variable of the environment: --http-port,
DEMARC_HTTP_PORT. What shows something takes --json. Exit codes: 0 done, 1 refused (nothing was
changed), 2 the command line or a setting cannot be taken.""",
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(version("demarc"))
        raise typer.Exit


@app.callback()
def at_first(
    ctx: typer.Context,
    data: Annotated[
        str | None,
        typer.Option(help="Folder for the private database and the keys.", metavar="FOLDER"),
    ] = None,
    database_url: Annotated[
        str | None, typer.Option(help="PostgreSQL to use instead.", metavar="URL")
    ] = None,
    key_file: Annotated[
        str | None, typer.Option(help="File with the keys.", metavar="FILE")
    ] = None,
    _version: Annotated[
        bool,
        typer.Option("--version", help="Show the version.", is_eager=True, callback=_show_version),
    ] = False,
) -> None:
    """Take what may stand before the command."""
    given = {"data": data, "database_url": database_url, "key_file": key_file}
    ctx.obj = {name: value for name, value in given.items() if value}


serve.add_to(app)
apply.add_to(app)
backup.add_to(app)
doctor.add_to(app)
lookup.add_to(app)
usage.add_to(app)
for part in (
    people.users,
    tokens.tokens,
    clients.clients,
    cpes.cpes,
    roles.roles,
    keys.keys,
    retention.rules,
    audit.audit,
    tenants.tenants,
    plant.nases,
    nat.pools,
    profiles.profiles,
    olts.olts,
    catalogue.products,
    premises.premises,
    customers.customers,
    service_terms.services,
    imports.imports,
):
    app.add_typer(part)


def run() -> None:
    """Run the command line."""
    app()


__all__ = ["app", "run"]
