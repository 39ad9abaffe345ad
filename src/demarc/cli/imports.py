"""``demarc import``: move in from another system."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import msgspec
import typer

from demarc.cli.frame import command, group

if TYPE_CHECKING:
    from demarc.cli.answers import Shown
    from demarc.platform.settings import Settings

imports = group(
    "import",
    """Move in from another system.

\b
    demarc import columns                       what files of subscribers may say
    demarc import subscribers crm.csv --dry-run what would be made of them
    demarc import subscribers crm.csv
    demarc import freeradius radius.sql         users, groups, NASes and accounting
    demarc import list                          what was imported

Every import can be run again: what is there already is left, what the source has changed is
changed, and what was not reached is made. docs/moving.md tells how to move.""",
)

Tenant = Annotated[
    str | None,
    typer.Option("--tenant", metavar="SLUG", help="The ISP; may be left out where there is one."),
]
Network = Annotated[
    str | None,
    typer.Option(
        "--network",
        metavar="SLUG",
        help="Of the lines that name none; may be left out where the ISP sells on one.",
    ),
]
Realm = Annotated[
    str | None,
    typer.Option("--realm", metavar="NAME", help="Of log-ins without one; the ISP's first."),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Do all of it, report, and take it back.")]
Strict = Annotated[bool, typer.Option("--strict", help="Stop at the first line that is refused.")]
ReportFile = Annotated[
    Path | None,
    typer.Option(
        "--report",
        metavar="FILE",
        help="Write every line but the unchanged there: CSV, or JSON Lines by its ending.",
    ),
]
Quiet = Annotated[bool, typer.Option("--quiet", help="Show no progress.")]


class ColumnShown(msgspec.Struct, frozen=True):
    """A column as the command shows it."""

    column: str
    of: str
    meaning: str
    example: str


class RunShown(msgspec.Struct, frozen=True):
    """A run as lists show it."""

    id: UUID
    source: str
    kind: str
    state: str
    lines: int
    created: int
    changed: int
    refused: int
    started_at: datetime
    by: str


@command(imports, "columns", settings=())
def columns(_settings: "Settings") -> list[ColumnShown]:
    """List the columns that files of subscribers may have.

    Examples:
        demarc import columns
    """
    from demarc.imports.columns import COLUMNS

    return [ColumnShown(one.name, one.of, one.meaning, one.example) for one in COLUMNS.values()]


@command(imports, "subscribers")
async def subscribers(
    settings: "Settings",
    *,
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE...",
            help="CSV, .json or .jsonl, each perhaps .gz; read in this order.",
            show_default=False,
        ),
    ],
    tenant: Tenant = None,
    network: Network = None,
    realm: Realm = None,
    source: Annotated[
        str, typer.Option(help="What the old system is called; its references are of it.")
    ] = "files",
    names: Annotated[
        list[str] | None,
        typer.Option(
            "--map",
            metavar="HEADER=COLUMN",
            help="The file's name of a column and ours; with nothing behind = it is left out.",
        ),
    ] = None,
    encoding: Annotated[str, typer.Option(help="utf-8, latin-1 or cp1252; of CSV.")] = "utf-8",
    delimiter: Annotated[
        str | None, typer.Option(help="Between cells of CSV; found out if left out.")
    ] = None,
    dry_run: DryRun = False,
    strict: Strict = False,
    report: ReportFile = None,
    quiet: Quiet = False,
) -> "Shown":
    """Bring customers, premises, products, services and log-ins from files.

    A line may say any of them; a service on it is of the customer, at the premise and of the
    product on the same line, or of those its references name. `demarc import columns` lists all
    columns. Lines that cannot be taken are told with their numbers and reasons; the others are
    brought. Running it again changes nothing but what the files have changed.

    Examples:
        demarc import subscribers crm.csv --dry-run --report wrong.csv
        demarc import subscribers customers.csv services.csv --tenant veloz
        demarc import subscribers old.csv --map "Cliente=name" --map "Obs=" --encoding latin-1
    """
    from zoneinfo import ZoneInfo

    from demarc.cli.desk import opened
    from demarc.cli.importing import Options, carry_out, ground_of, taken_names
    from demarc.domains.errors import Invalid
    from demarc.imports.files import ENCODINGS, Table
    from demarc.imports.rows import Context
    from demarc.imports.subscribers import SubscriberFiles

    if encoding not in ENCODINGS:
        raise Invalid("--encoding", f"is one of {', '.join(ENCODINGS)}")
    if delimiter is not None and len(delimiter) != 1:
        raise Invalid("--delimiter", "is one character")
    tables = [
        Table(file, encoding=encoding, delimiter=delimiter, names=taken_names(names or []))
        for file in files
    ]
    options = Options(tenant, network, realm, source, dry_run, strict, report, quiet)
    async with opened(settings) as desk:
        ground, realms = await ground_of(desk, options)
        context = Context(ground.tenant.slug, ZoneInfo(ground.tenant.timezone), realms)
        return await carry_out(
            desk,
            ground,
            SubscriberFiles(tables, context),
            options,
            kind="subscribers",
            files=[file.name for file in files],
        )


@command(imports, "freeradius")
async def freeradius(
    settings: "Settings",
    *,
    sources: Annotated[
        list[str],
        typer.Argument(
            metavar="SOURCE...",
            help="Dump (.sql, .sql.gz), CSV files named after tables, or postgresql:// URL.",
            show_default=False,
        ),
    ],
    only: Annotated[
        list[str] | None,
        typer.Option("--only", metavar="PART", help="nas, users or accounting; all if left out."),
    ] = None,
    tenant: Tenant = None,
    network: Network = None,
    realm: Realm = None,
    source: Annotated[
        str, typer.Option(help="What this FreeRADIUS is called, where there are several.")
    ] = "freeradius",
    default_speed: Annotated[
        str | None,
        typer.Option(
            metavar="DOWN/UP", help="Of users without a speed, as 100M/50M; else they are refused."
        ),
    ] = None,
    product_prefix: Annotated[
        str, typer.Option(help="Before the codes of products made of groups.")
    ] = "",
    premise_address: Annotated[
        str, typer.Option(help="Address of premises nobody has told yet.")
    ] = "Address not known yet",
    history_since: Annotated[
        str | None,
        typer.Option(metavar="DAY", help="Sessions that ended before are left out; 13 months ago."),
    ] = None,
    zone: Annotated[
        str | None,
        typer.Option("--timezone", help="Of times in the tables without an offset; the ISP's."),
    ] = None,
    encoding: Annotated[str, typer.Option(help="utf-8, latin-1 or cp1252.")] = "utf-8",
    dry_run: DryRun = False,
    strict: Strict = False,
    report: ReportFile = None,
    quiet: Quiet = False,
) -> "Shown":
    """Bring users, groups, NASes and accounting of a FreeRADIUS with SQL.

    Passwords come as they are kept there, hashes too; so do the secrets of NASes, static addresses,
    speeds (of groups, as products), limits, bindings and sessions. What has no place here is noted
    with a hint. The server FreeRADIUS works on is read only. docs/moving-from-freeradius.md goes
    through it step by step.

    Examples:
        demarc import freeradius radius.sql --dry-run --report left-out.csv
        demarc import freeradius radius.sql --default-speed 100M/50M
        demarc import freeradius radcheck.csv radreply.csv radusergroup.csv --only users
        PGPASSWORD=... demarc import freeradius postgresql://radius@192.0.2.5/radius --only nas
    """
    from demarc.cli.desk import opened
    from demarc.cli.importing import Options, carry_out, ground_of
    from demarc.cli.importing_freeradius import Wanted, reader_of, tables_of

    options = Options(tenant, network, realm, source, dry_run, strict, report, quiet)
    wanted = Wanted(only or [], default_speed, product_prefix, premise_address, history_since, zone)
    tables, names = tables_of(sources, encoding)
    async with opened(settings) as desk:
        ground, realms = await ground_of(desk, options)
        reader = reader_of(tables, wanted, ground.tenant.timezone, realms)
        return await carry_out(desk, ground, reader, options, kind="freeradius", files=names)


@command(imports, "list")
async def list_runs(
    settings: "Settings",
    *,
    tenant: Tenant = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Runs at most.")] = 20,
) -> list[RunShown]:
    """List what was imported, the newest first.

    Examples:
        demarc import list --tenant veloz
    """
    from demarc.cli.desk import opened
    from demarc.imports import ledger

    async with opened(settings) as desk:
        async with desk.system() as tx:
            isp = await desk.tenant_meant(tx, tenant)
        async with desk.tenant(isp.id) as tx:
            found = await ledger.runs(tx, limit)
    return [_shown(one) for one in found]


@command(imports, "show")
async def show_run(
    settings: "Settings",
    *,
    run: Annotated[UUID, typer.Argument(help="Its id, as the list shows it.")],
    tenant: Tenant = None,
) -> "Shown":
    """Show a run: its files, and what became of the things in them.

    Examples:
        demarc import show 0b7c...
    """
    from demarc.cli.answers import Shown
    from demarc.cli.desk import opened
    from demarc.cli.importing import counts_as_text
    from demarc.domains.errors import NotFound
    from demarc.imports import ledger

    async with opened(settings) as desk:
        async with desk.system() as tx:
            isp = await desk.tenant_meant(tx, tenant)
        async with desk.tenant(isp.id) as tx:
            found = await ledger.run(tx, run)
    if found is None:
        raise NotFound("import", run)
    text = [
        f"{found.state}: {found.lines:,} lines of {', '.join(found.files)} ({found.source})",
        counts_as_text(found.counts),
    ]
    return Shown(found, "\n".join(text))


def _shown(one: "object") -> RunShown:
    from demarc.imports.ledger import Run

    if not isinstance(one, Run):
        raise TypeError("this shows runs")

    def count(action: str) -> int:
        return sum(counted.get(action, 0) for counted in one.counts.values())

    return RunShown(
        id=one.id,
        source=one.source,
        kind=one.kind,
        state=one.state,
        lines=one.lines,
        created=count("created"),
        changed=count("changed"),
        refused=count("refused"),
        started_at=one.started_at,
        by=one.actor_name,
    )


__all__ = ["imports"]
