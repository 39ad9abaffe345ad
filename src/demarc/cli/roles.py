"""Commands for roles: what people and API clients may do."""

from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from demarc.cli.frame import command, group

if TYPE_CHECKING:
    from demarc.domains.identity.model import Role
    from demarc.platform.settings import Settings

roles = group(
    "role",
    """Roles: what people and API clients may do.

\b
A role is a set of permissions, family:verb, with * for any:
    families  customer device login premise product service session usage
    verbs     read, reveal (secrets), create, update, operate (suspend, disconnect), end
Every organisation has those that come with Demarc, and may have its own.""",
)

Tenant = Annotated[str, typer.Argument(metavar="TENANT", help="The organisation's short name.")]


class RoleShown(msgspec.Struct, frozen=True):
    """A role; without an organisation, all have it."""

    name: str
    tenant: str | None
    title: str
    permissions: list[str]


@command(roles, "list")
async def list_roles(
    settings: "Settings",
    *,
    tenant: Annotated[
        str | None, typer.Option(metavar="SLUG", help="With this organisation's own.")
    ] = None,
) -> list[RoleShown]:
    """List the roles there are, and what each permits.

    Examples:
        demarc role list --tenant veloz
    """
    from demarc.cli.desk import opened

    async with opened(settings) as desk, desk.system() as tx:
        identity = desk.parts.identity
        owner = None if tenant is None else await identity.tenant_named(tx, tenant)
        found = await identity.roles_of(tx, None if owner is None else owner.id)
        return [_shown(one, None if owner is None else owner.slug) for one in found]


@command(roles, "put")
async def put_role(
    settings: "Settings",
    *,
    tenant: Tenant,
    name: Annotated[str, typer.Argument(help="a-z, 0-9 and -.")],
    permissions: Annotated[list[str], typer.Argument(help="As service:read or device:*.")],
    title: Annotated[str | None, typer.Option(help="As people read it.")] = None,
) -> RoleShown:
    """Make a role of an organisation's own, or change what one permits; it counts within seconds.

    Examples:
        demarc role put veloz sales customer:* product:read service:read service:create
    """
    from demarc.cli.desk import opened

    async with opened(settings) as desk, desk.system() as tx:
        identity = desk.parts.identity
        owner = await identity.tenant_named(tx, tenant)
        made = await identity.put_role(
            tx, tenant_id=owner.id, name=name, title=title or name, permissions=permissions
        )
    return _shown(made, owner.slug)


@command(roles, "remove")
async def remove_role(
    settings: "Settings",
    *,
    tenant: Tenant,
    name: Annotated[str, typer.Argument(help="As `demarc role list` names it.")],
) -> None:
    """Remove a role of an organisation's own that nobody has.

    Examples:
        demarc role remove veloz sales
    """
    from demarc.cli.desk import opened

    async with opened(settings) as desk, desk.system() as tx:
        identity = desk.parts.identity
        owner = await identity.tenant_named(tx, tenant)
        await identity.remove_role(tx, tenant_id=owner.id, name=name)


def _shown(one: "Role", tenant: str | None) -> RoleShown:
    return RoleShown(
        name=one.name,
        tenant=None if one.tenant_id is None else tenant,
        title=one.title,
        permissions=one.permissions,
    )


__all__ = ["roles"]
