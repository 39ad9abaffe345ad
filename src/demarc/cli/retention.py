"""Commands for how long things are kept."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import msgspec
import typer

from demarc.cli.frame import command, group

if TYPE_CHECKING:
    from demarc.platform.settings import Settings

rules = group(
    "retention",
    """For how long what is kept. A worker lets go of what is past its time, every hour.

\b
A rule holds for the whole installation. A tenant may have its own for some kinds, which is longer:
what is let go of for others is kept for it.""",
)

Kind = Annotated[str, typer.Argument(metavar="KIND", help="As `demarc retention list` names it.")]
Tenant = Annotated[
    str | None, typer.Option("--tenant", metavar="SLUG", help="This organisation's own rule.")
]


class RuleShown(msgspec.Struct, frozen=True):
    """A rule: days, None for good; what it may be at least; what was let go by it."""

    kind: str
    days: int | None
    at_least: int
    tenants: dict[str, int | None]
    removed: int | None
    applied_at: datetime | None
    what: str


@command(rules, "list")
async def list_rules(settings: "Settings") -> list[RuleShown]:
    """List what is kept for how many days ("-" is for good), and what was let go.

    Examples:
        demarc retention list
    """
    from demarc.cli.desk import opened
    from demarc.domains.identity import retention

    async with opened(settings) as desk, desk.system() as tx:
        slugs: dict[UUID, str] = {one.id: one.slug for one in await desk.parts.identity.tenants(tx)}
        done = await retention.applied(tx)
        return [
            RuleShown(
                kind=kind,
                days=kept.days,
                at_least=retention.KINDS[kind].floor,
                tenants={slugs[one]: days for one, days in kept.tenants.items()},
                removed=done[kind].in_all if kind in done else None,
                applied_at=done[kind].applied_at if kind in done else None,
                what=retention.KINDS[kind].what,
            )
            for kind, kept in (await retention.in_force(tx)).items()
        ]


@command(rules, "set")
async def set_rule(
    settings: "Settings",
    *,
    kind: Kind,
    days: Annotated[str, typer.Argument(help="For so many days, or: ever.")],
    tenant: Tenant = None,
) -> RuleShown:
    """Say for how long a kind of thing is kept.

    Examples:
        demarc retention set session_closed 760
        demarc retention set audit ever --tenant veloz
    """
    from demarc.domains.errors import Invalid

    if days != "ever" and not days.isdecimal():
        raise Invalid("days", "must be a number, or: ever")
    return await _changed(settings, kind, tenant, None if days == "ever" else int(days))


@command(rules, "unset")
async def unset(settings: "Settings", *, kind: Kind, tenant: Tenant = None) -> RuleShown:
    """Go back to the time that comes with Demarc, or for a tenant to that of all.

    Examples:
        demarc retention unset session_closed
    """
    return await _changed(settings, kind, tenant, None, drop=True)


async def _changed(
    settings: "Settings", kind: str, tenant: str | None, days: int | None, *, drop: bool = False
) -> RuleShown:
    from demarc.cli.desk import opened
    from demarc.domains.identity import retention

    async with opened(settings) as desk, desk.system() as tx:
        identity = desk.parts.identity
        owner = None if tenant is None else await identity.tenant_named(tx, tenant)
        tenant_id = None if owner is None else owner.id
        if drop:
            await retention.drop(tx, kind, tenant_id=tenant_id)
        else:
            await retention.put(tx, kind, days, tenant_id=tenant_id)
        kept = (await retention.in_force(tx))[kind]
        slugs = {one.id: one.slug for one in await identity.tenants(tx)}
    return RuleShown(
        kind=kind,
        days=kept.days,
        at_least=retention.KINDS[kind].floor,
        tenants={slugs[one]: longer for one, longer in kept.tenants.items()},
        removed=None,
        applied_at=None,
        what=retention.KINDS[kind].what,
    )


__all__ = ["rules"]
