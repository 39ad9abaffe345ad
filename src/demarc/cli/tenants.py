"""Commands for organisations."""

from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from demarc.cli.frame import command, group

if TYPE_CHECKING:
    from demarc.cli.desk import Desk
    from demarc.platform.database import Tx
    from demarc.platform.settings import Settings

tenants = group("tenant", "Organisations: owners of networks and the ISPs on them.")


class TenantShown(msgspec.Struct, frozen=True):
    """An organisation with its realms and the networks it owns and sells on."""

    slug: str
    name: str
    timezone: str
    currency: str | None
    login_pattern: str
    realms: list[str]
    owns: list[str]
    sells_on: list[str]


@command(tenants, "list")
async def list_tenants(settings: "Settings") -> list[TenantShown]:
    """List the organisations, with the networks they own and sell on.

    Examples:
        demarc tenant list
    """
    from demarc.cli.desk import opened

    async with opened(settings) as desk, desk.system() as tx:
        return await _tenants(desk, tx)


@command(tenants, "add")
async def add_tenant(
    settings: "Settings",
    *,
    slug: Annotated[str, typer.Argument(help="Its short name: a-z, 0-9 and -.")],
    name: Annotated[str, typer.Argument(help="Its name.")],
    timezone: Annotated[str, typer.Option(help="Days of usage are of this zone.")] = "UTC",
    locale: Annotated[str, typer.Option(help="Language of what it is shown.")] = "en",
    country: Annotated[str | None, typer.Option(help="ISO 3166, as BR.")] = None,
    currency: Annotated[str | None, typer.Option(help="ISO 4217, as BRL.")] = None,
    login_pattern: Annotated[
        str, typer.Option(help="How log-ins of new services are made.")
    ] = "{number:06d}",
    owns: Annotated[
        str | None, typer.Option(metavar="NETWORK", help="Make a network of this name for it.")
    ] = None,
    realm: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="Make its log-ins in this realm: u1@NAME; an ISP needs one."
        ),
    ] = None,
    sells_on: Annotated[
        list[str] | None, typer.Option(metavar="NETWORK", help="Let it sell on this network.")
    ] = None,
) -> TenantShown:
    """Add an organisation: the owner of a network, an ISP on one, or both.

    Examples:
        demarc tenant add fibra "Fibra Norte" --timezone America/Sao_Paulo --owns norte
        demarc tenant add veloz Veloz --sells-on norte --realm veloz.example
    """
    from demarc.cli.desk import opened
    from demarc.domains.errors import Conflict, NotFound
    from demarc.domains.services.logins import login

    login(login_pattern, slug, 1)
    async with opened(settings) as desk, desk.system() as tx:
        identity = desk.parts.identity
        try:
            await identity.tenant_named(tx, slug)
        except NotFound:
            pass
        else:
            raise Conflict(f"there is a tenant {slug}; `demarc apply` changes it")
        made = await identity.put_tenant(
            tx,
            slug=slug,
            name=name,
            timezone=timezone,
            locale=locale,
            country=country,
            currency=currency,
            login_pattern=login_pattern,
        )
        if owns is not None:
            await identity.put_network(tx, owner_id=made.id, slug=owns, name=owns)
        if realm is not None:
            await desk.parts.aaa.create_realm(tx, tenant_id=made.id, name=realm)
        for network in sells_on or []:
            await identity.admit_isp(tx, await identity.network_named(tx, network), made.id)
        return next(one for one in await _tenants(desk, tx) if one.slug == slug)


async def _tenants(desk: "Desk", tx: "Tx") -> list[TenantShown]:
    identity = desk.parts.identity
    networks = await identity.networks(tx)
    return [
        TenantShown(
            slug=one.slug,
            name=one.name,
            timezone=one.timezone,
            currency=one.currency,
            login_pattern=one.login_pattern,
            realms=[realm.name for realm in await desk.parts.aaa.realms(tx, one.id)],
            owns=[network.slug for network in networks if network.owner_id == one.id],
            sells_on=[sold.slug for sold in await identity.networks_sold_on(tx, one.id)],
        )
        for one in await identity.tenants(tx)
    ]


__all__ = ["tenants"]
