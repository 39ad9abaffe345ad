"""Commands for what is sold."""

from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import msgspec
import typer

from demarc.cli.frame import command, group

if TYPE_CHECKING:
    from demarc.cli.desk import Desk
    from demarc.domains.identity.model import Network as OnNetwork
    from demarc.platform.database import Tx
    from demarc.platform.settings import Settings

products = group("product", "What is sold, where, and how fast it is.")

Network = Annotated[
    str | None,
    typer.Option("--network", metavar="SLUG", help="May be left out where there is one network."),
]


class ProductShown(msgspec.Struct, frozen=True):
    """A product as commands show it; speeds in bit/s, ``isp`` the only one that sells it.

    Attributes:
        profile: what its log-ins are given beyond its speed.
    """

    id: UUID
    network: str
    code: str
    name: str
    download_bps: int
    upload_bps: int
    price: str | None
    areas: list[str]
    isp: str | None
    profile: str | None
    active: bool


@command(products, "list")
async def list_products(settings: "Settings", network: Network = None) -> list[ProductShown]:
    """List products, those no longer sold included.

    Examples:
        demarc product list --network norte
    """
    from demarc.cli.desk import opened

    async with opened(settings) as desk, desk.system() as tx:
        return [
            product
            for on in await desk.networks_meant(tx, network)
            for product in await _products(desk, tx, on)
        ]


@command(products, "add")
async def add_product(
    settings: "Settings",
    *,
    code: Annotated[str, typer.Argument(help="Your own short name for it.")],
    download: Annotated[str, typer.Argument(help="Towards the subscriber: 100M, 2.5G, 512k.")],
    upload: Annotated[str, typer.Argument(help="From the subscriber.")],
    name: Annotated[str, typer.Option(help="As customers read it.")],
    area: Annotated[
        list[str] | None, typer.Option(metavar="SLUG", help="Where it is sold; may be repeated.")
    ] = None,
    network: Network = None,
    price: Annotated[str | None, typer.Option(help="A month, as 49.90.")] = None,
    currency: Annotated[str | None, typer.Option(help="ISO 4217, as BRL.")] = None,
    isp: Annotated[
        str | None, typer.Option(metavar="SLUG", help="The only ISP that sells it.")
    ] = None,
    profile: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Profile of that ISP, or of the network's owner."),
    ] = None,
) -> ProductShown:
    """Add a product.

    Examples:
        demarc product add home-100 100M 50M --name "Home 100" --area centro
        demarc product add biz-1g 1G 1G --name Business --area centro --price 199 --currency BRL
    """
    from decimal import Decimal, InvalidOperation

    from demarc.apply.values import Speed
    from demarc.cli.desk import opened
    from demarc.domains.errors import Conflict, Invalid

    speeds = {}
    for field, given in (("download", download), ("upload", upload)):
        try:
            speeds[field] = int(Speed.read(given))
        except ValueError as wrong:
            raise Invalid(field, str(wrong)) from None
    try:
        monthly = None if price is None else Decimal(price)
    except InvalidOperation:
        raise Invalid("price", f"{price} is no amount") from None
    async with opened(settings) as desk, desk.system() as tx:
        on = await desk.network_meant(tx, network)
        if code in {one.code for one in await desk.parts.catalog.products(tx, on.id)}:
            raise Conflict(f"there is a product {code}; `demarc apply` changes it")
        only = None if isp is None else await desk.parts.identity.tenant_named(tx, isp)
        meant = None
        if profile is not None:
            meant = await desk.parts.aaa.profile_named(
                tx, on.owner_id if only is None else only.id, profile
            )
        sold_in = [await desk.parts.catalog.area_named(tx, on.id, slug) for slug in area or []]
        await desk.parts.catalog.put_product(
            tx,
            network=on,
            code=code,
            name=name,
            download_bps=speeds["download"],
            upload_bps=speeds["upload"],
            areas=[one.id for one in sold_in],
            isp_id=None if only is None else only.id,
            monthly_price=monthly,
            currency=currency,
            profile_id=None if meant is None else meant.id,
        )
        return next(one for one in await _products(desk, tx, on) if one.code == code)


async def _products(desk: "Desk", tx: "Tx", on: "OnNetwork") -> list[ProductShown]:
    from demarc.apply.offer import as_money

    catalog = desk.parts.catalog
    areas = {one.id: one.slug for one in await catalog.areas(tx, on.id)}
    slugs = {one.id: one.slug for one in await desk.parts.identity.tenants(tx)}
    profiles = {
        one.id: one.name for tenant in slugs for one in await desk.parts.aaa.profiles(tx, tenant)
    }
    return [
        ProductShown(
            id=one.id,
            network=on.slug,
            code=one.code,
            name=one.name,
            download_bps=one.download_bps,
            upload_bps=one.upload_bps,
            price=(
                None
                if one.monthly_price is None
                else f"{as_money(one.monthly_price)} {one.currency}"
            ),
            areas=sorted(areas[area] for area in await catalog.areas_of(tx, one.id)),
            isp=slugs[one.isp_id] if one.isp_id else None,
            profile=profiles.get(one.profile_id) if one.profile_id else None,
            active=one.active,
        )
        for one in await catalog.products(tx, on.id)
    ]


__all__ = ["products"]
