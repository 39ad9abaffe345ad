"""Commands for the places that can be served."""

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

premises = group("premise", "Flats, houses and shops that can be served.")

Network = Annotated[
    str | None,
    typer.Option("--network", metavar="SLUG", help="May be left out where there is one network."),
]
Limit = Annotated[int, typer.Option(min=1, max=1000, help="Premises at most.")]


class PremiseShown(msgspec.Struct, frozen=True):
    """A premise as commands show it; the address with the unit, degrees of WGS 84."""

    id: UUID
    address: str
    area: str | None
    predefined: bool
    latitude: float | None
    longitude: float | None


@command(premises, "list")
async def list_premises(
    settings: "Settings",
    *,
    network: Network = None,
    predefined: Annotated[
        bool, typer.Option("--predefined", help="Those surveyed ahead of any sale alone.")
    ] = False,
    page: Annotated[int, typer.Option(min=1, help="From 1.")] = 1,
    limit: Limit = 50,
) -> list[PremiseShown]:
    """List premises of a network, the oldest first.

    Examples:
        demarc premise list --predefined
        demarc premise list --page 2
    """
    return await _find(settings, network, None, predefined=predefined, page=page, limit=limit)


@command(premises, "search")
async def search_premises(
    settings: "Settings",
    *,
    text: Annotated[str, typer.Argument(help="Words of the address, or parts of them.")],
    network: Network = None,
    limit: Limit = 20,
) -> list[PremiseShown]:
    """Find premises by their address. Case, accents and punctuation do not matter.

    Examples:
        demarc premise search "flores 10"
    """
    return await _find(settings, network, text, predefined=False, page=1, limit=limit)


@command(premises, "add")
async def add_premise(
    settings: "Settings",
    *,
    address: Annotated[str, typer.Argument(help="The whole address, in one line.")],
    area: Annotated[
        str | None,
        typer.Option(metavar="SLUG", help="The area it lies in; without one, nothing is sold."),
    ] = None,
    unit: Annotated[str | None, typer.Option(help="Which flat, house or shop there.")] = None,
    latitude: Annotated[
        float | None, typer.Option(min=-90, max=90, help="Degrees, WGS 84.")
    ] = None,
    longitude: Annotated[
        float | None, typer.Option(min=-180, max=180, help="Degrees, WGS 84.")
    ] = None,
    predefined: Annotated[
        bool, typer.Option("--predefined", help="It was surveyed ahead of any sale.")
    ] = False,
    network: Network = None,
) -> PremiseShown:
    """Enter a premise; its address is made if it is not known yet.

    Examples:
        demarc premise add "Rua das Flores 10, Exemplo" --unit "apt 1" --area centro
        demarc premise add "Rua das Flores 12, Exemplo" --latitude=-3.1 --longitude=-60.0
    """
    from demarc.cli.desk import opened
    from demarc.domains.subscribers.model import Place

    async with opened(settings) as desk:
        async with desk.system() as tx:
            on = await desk.network_meant(tx, network)
        async with desk.tenant(on.owner_id) as tx:
            lies_in = None
            if area is not None:
                lies_in = await desk.parts.catalog.area_named(tx, on.id, area)
            made = await desk.parts.subscribers.create_premise(
                tx,
                network=on,
                place=Place(full_address=address, latitude=latitude, longitude=longitude),
                unit=unit,
                area_id=None if lies_in is None else lies_in.id,
                predefined=predefined,
            )
            areas = await _areas(desk, tx, on)
    return PremiseShown(
        id=made.id,
        address=made.full_address,
        area=areas.get(made.area_id) if made.area_id else None,
        predefined=made.predefined,
        latitude=made.latitude,
        longitude=made.longitude,
    )


async def _find(
    settings: "Settings",
    network: str | None,
    text: str | None,
    *,
    predefined: bool,
    page: int,
    limit: int,
) -> list[PremiseShown]:
    from time import monotonic

    from demarc.cli.desk import opened
    from demarc.views import premises as view
    from demarc.views.totals import Totals

    async with opened(settings) as desk:
        async with desk.system() as tx:
            on = await desk.network_meant(tx, network)
        async with desk.tenant(on.owner_id) as tx:
            areas = await _areas(desk, tx, on)
            found = await view.page_of(
                tx,
                api="cli",
                page=page,
                size=limit,
                totals=Totals(monotonic),
                address=text,
                predefined=predefined,
            )
    return [
        PremiseShown(
            id=one.id,
            address=one.full_address,
            area=areas.get(one.area_id) if one.area_id else None,
            predefined=one.predefined,
            latitude=one.latitude,
            longitude=one.longitude,
        )
        for one in found.items
    ]


async def _areas(desk: "Desk", tx: "Tx", on: "OnNetwork") -> dict[UUID, str]:
    return {one.id: one.slug for one in await desk.parts.catalog.areas(tx, on.id)}


__all__ = ["premises"]
