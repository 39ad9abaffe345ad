"""Commands for profiles: what log-ins are given beyond their speed."""

from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import msgspec
import typer

from demarc.cli.frame import command, group

if TYPE_CHECKING:
    from demarc.domains.aaa.policy_queries import StoredProfile
    from demarc.platform.settings import Settings

profiles = group(
    "profile",
    "What log-ins are given beyond their speed: gardens, hours, quotas, bindings.",
)

Tenant = Annotated[
    str | None,
    typer.Option(metavar="SLUG", help="Whose it is; may be left out where there is one ISP."),
]
Name = Annotated[str, typer.Argument(help="As you call it.")]


class ProfileShown(msgspec.Struct, frozen=True):
    """A profile; ``default`` where it is for all log-ins that have no other."""

    id: UUID
    tenant: str
    name: str
    default: bool
    settings: dict[str, Any]


@command(profiles, "list")
async def list_profiles(settings: "Settings", tenant: Tenant = None) -> list[ProfileShown]:
    """List profiles, with what they say.

    Examples:
        demarc profile list
    """
    from demarc.cli.desk import opened

    async with opened(settings) as desk, desk.system() as tx:
        identity = desk.parts.identity
        slugs = {one.id: one.slug for one in await identity.tenants(tx)}
        if tenant is not None:
            meant = await identity.tenant_named(tx, tenant)
            slugs = {meant.id: meant.slug}
        return [
            _shown(one, slug)
            for tenant_id, slug in slugs.items()
            for one in await desk.parts.aaa.profiles(tx, tenant_id)
        ]


@command(profiles, "show")
async def show_profile(settings: "Settings", *, name: Name, tenant: Tenant = None) -> ProfileShown:
    """Show a profile.

    Examples:
        demarc profile show home --tenant veloz
    """
    from demarc.cli.desk import opened

    async with opened(settings) as desk, desk.system() as tx:
        owner = await desk.tenant_meant(tx, tenant)
        return _shown(await desk.parts.aaa.profile_named(tx, owner.id, name), owner.slug)


@command(profiles, "set")
async def set_profile(
    settings: "Settings",
    *,
    name: Name,
    values: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[KEY=VALUE]...",
            help="Settings as in a network file; lists are separated by ';', KEY= takes one back.",
        ),
    ] = None,
    tenant: Tenant = None,
    default: Annotated[
        bool | None,
        typer.Option(
            "--default/--no-default", help="For all log-ins of the tenant that have no other."
        ),
    ] = None,
) -> ProfileShown:
    """Make a profile, or change what is named of it. Sessions that live are told.

    Examples:
        demarc profile set home suspended=garden garden_filter=unpaid garden_download=512k
        demarc profile set home quota=500G throttle_download=2M throttle_upload=1M --default
        demarc profile set nights "hours=daily 22:00-06:00" outside=reject
        demarc profile set home quota=
    """
    from demarc.cli.desk import opened
    from demarc.domains.aaa.profiles import of_text, read_settings
    from demarc.domains.errors import Invalid, NotFound

    given = []
    for text in values or []:
        key, equals, value = text.partition("=")
        if not equals:
            raise Invalid(key, "is not of the form KEY=VALUE")
        given.append((key.strip(), value.strip()))
    async with opened(settings) as desk, desk.system() as tx:
        owner = await desk.tenant_meant(tx, tenant)
        before, was_default = None, False
        try:
            known = await desk.parts.aaa.profile_named(tx, owner.id, name)
        except NotFound:
            pass
        else:
            before = read_settings(msgspec.json.encode(known.settings).decode())
            was_default = known.is_default
        made = await desk.parts.aaa.put_profile(
            tx,
            tenant_id=owner.id,
            name=name,
            settings=of_text(given, before),
            is_default=was_default if default is None else default,
        )
        return _shown(made, owner.slug)


@command(profiles, "remove")
async def remove_profile(
    settings: "Settings", *, name: Name, tenant: Tenant = None
) -> list[ProfileShown]:
    """Remove a profile that no product and no service has, and show those that are left.

    Examples:
        demarc profile remove nights
    """
    from demarc.cli.desk import opened

    async with opened(settings) as desk, desk.system() as tx:
        aaa = desk.parts.aaa
        owner = await desk.tenant_meant(tx, tenant)
        await aaa.drop_profile(tx, await aaa.profile_named(tx, owner.id, name))
        return [_shown(one, owner.slug) for one in await aaa.profiles(tx, owner.id)]


class Waiting(msgspec.Struct, frozen=True):
    """How many log-ins with live sessions wait to be told what they should have."""

    waiting: int


@command(profiles, "waiting")
async def show_waiting(settings: "Settings") -> Waiting:
    """Show how many live sessions are still to be told of changes, of products and profiles.

    Examples:
        demarc profile waiting
    """
    from demarc.cli.desk import opened

    async with opened(settings) as desk, desk.system() as tx:
        return Waiting(await desk.parts.aaa.waiting(tx))


def _shown(one: "StoredProfile", tenant: str) -> ProfileShown:
    return ProfileShown(one.id, tenant, one.name, one.is_default, one.settings)


__all__ = ["profiles"]
