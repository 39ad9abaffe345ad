"""Commands for the audit log."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from demarc.cli.frame import command, group

if TYPE_CHECKING:
    from demarc.cli.answers import Shown
    from demarc.domains.identity.model import Tenant
    from demarc.platform.settings import Settings
    from demarc.views.audit import Entry

audit = group("audit", "Who changed what, and when. Secrets are masked when they are written.")


@command(audit, "search")
async def search(
    settings: "Settings",
    *,
    text: Annotated[
        str | None,
        typer.Argument(help="In the actor's name or in what was written, in the last 90 days."),
    ] = None,
    tenant: Annotated[
        str | None, typer.Option(metavar="SLUG", help="Of this organisation alone.")
    ] = None,
    actor: Annotated[
        str | None, typer.Option(help="As person:ana@example.net, client:crm, cli:root.")
    ] = None,
    kind: Annotated[
        str | None, typer.Option(help="Of thing: service, nas, person, key ...")
    ] = None,
    action: Annotated[str | None, typer.Option(help="As create, update, give_role.")] = None,
    key: Annotated[UUID | None, typer.Option(metavar="ID", help="Of the thing.")] = None,
    since: Annotated[
        str | None, typer.Option(metavar="TIME", help="As 2026-11-01 or 2026-11-01T08:00Z.")
    ] = None,
    until: Annotated[str | None, typer.Option(metavar="TIME", help="Likewise.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Entries at most.")] = 50,
    following: Annotated[
        str | None, typer.Option(metavar="PAGE", help="As the page before says.")
    ] = None,
) -> "Shown":
    """Find entries, the newest first; everything asked for must fit.

    Examples:
        demarc audit search --tenant veloz --kind service --since 2026-11-01
        demarc audit search "nomsa" --json
        demarc audit search --actor person:ana@example.net --action give_role
    """
    from demarc.cli.answers import Shown
    from demarc.cli.desk import opened
    from demarc.views import audit as view

    async with opened(settings) as desk:
        owner: Tenant | None = None
        if tenant is not None:
            async with desk.system() as tx:
                owner = await desk.parts.identity.tenant_named(tx, tenant)
        # a tenant's log is read as the tenant: what it may not see, this does not show
        async with desk.system() if owner is None else desk.tenant(owner.id) as tx:
            found = await view.search(
                tx,
                tenant_id=None if owner is None else owner.id,
                actor=actor,
                kind=kind,
                action=action,
                key=key,
                since=_time("--since", since),
                until=_time("--until", until),
                text=text,
                limit=limit,
                following=following,
            )
    lines = [_line(one) for one in found.entries] or ["none"]
    if found.following:
        lines.append(f"more: --following {found.following}")
    return Shown(found, "\n".join(lines))


def _line(one: "Entry") -> str:
    from demarc.cli.answers import cell

    changes = [
        f"{name}: {cell((one.before or {}).get(name))} -> {cell((one.after or {}).get(name))}"
        for name in dict.fromkeys([*(one.before or {}), *(one.after or {})])
    ]
    whose = f" of {one.tenant}" if one.tenant else ""
    head = f"{one.at:%Y-%m-%d %H:%M:%S}Z {cell(one.actor)} {one.action} {one.kind} {one.key}{whose}"
    return "\n    ".join([head, *changes])


def _time(option: str, text: str | None) -> datetime | None:
    from datetime import UTC

    from demarc.domains.errors import Invalid

    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Invalid(option, f"{text!r} is no time, as 2026-11-01T08:00Z is") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


__all__ = ["audit"]
