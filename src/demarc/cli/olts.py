"""Commands for OLTs."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Literal
from uuid import UUID

import msgspec
import typer

from demarc.cli.frame import command, group
from demarc.cli.secrets import FROM_ENVIRONMENT, secret

if TYPE_CHECKING:
    from demarc.cli.answers import Shown
    from demarc.cli.desk import Desk
    from demarc.domains.access.model import Olt, OnuRow
    from demarc.platform.database import Tx
    from demarc.platform.settings import Settings

olts = group("olt", "Optical line terminals, read over SNMP.")

Network = Annotated[
    str | None,
    typer.Option("--network", metavar="SLUG", help="May be left out where there is one network."),
]
Reach = Annotated[str, typer.Option(help="Whose workers reach it.")]


class OltShown(msgspec.Struct, frozen=True):
    """An OLT and how its last poll went."""

    id: UUID
    network: str
    name: str
    vendor: str
    address: str
    port: int
    reach: str
    poll_interval: int | None
    last_polled_at: datetime | None
    last_fault: str | None


@command(olts, "list")
async def list_olts(settings: "Settings", network: Network = None) -> list[OltShown]:
    """List OLTs, with when they were last polled and what went wrong.

    Examples:
        demarc olt list
    """
    from demarc.cli.desk import opened

    async with opened(settings) as desk, desk.system() as tx:
        return [
            _olt(one, on.slug)
            for on in await desk.networks_meant(tx, network)
            for one in await desk.parts.access.olts(tx, on.id)
        ]


@command(olts, "add")
async def add_olt(
    settings: "Settings",
    *,
    name: Annotated[str, typer.Argument(help="As you call it.")],
    address: Annotated[str, typer.Argument(help="Where its SNMP agent answers.")],
    network: Network = None,
    port: Annotated[int, typer.Option(min=1, max=65535, help="UDP port of the agent.")] = 161,
    community_env: FROM_ENVIRONMENT = None,
    vendor: Annotated[Literal["huawei"], typer.Option(help="Whose tables it has.")] = "huawei",
    model: Annotated[str | None, typer.Option(help="As its maker calls it.")] = None,
    pop: Annotated[str | None, typer.Option(metavar="CODE", help="The PoP it stands in.")] = None,
    poll_interval: Annotated[
        int | None, typer.Option(min=5, max=86400, help="Seconds between polls.")
    ] = None,
    reach: Annotated[str, typer.Option(help="Whose workers reach it.")] = "default",
) -> OltShown:
    """Add an OLT. Its SNMP community is asked for, or read from a pipe.

    Examples:
        demarc olt add olt-1 192.0.2.9 --pop CTR
        OLT_COMMUNITY=... demarc olt add olt-1 192.0.2.9 --community-env OLT_COMMUNITY
    """
    from ipaddress import ip_address

    from demarc.cli.desk import opened
    from demarc.domains.errors import Conflict, Invalid
    from demarc.domains.network import pops

    try:
        at = str(ip_address(address))
    except ValueError:
        raise Invalid("address", f"{address} is no IP address") from None
    async with opened(settings) as desk, desk.system() as tx:
        on = await desk.network_meant(tx, network)
        if name in {one.name for one in await desk.parts.access.olts(tx, on.id)}:
            raise Conflict(f"there is an OLT {name} on the network; `demarc apply` changes it")
        stands_in = None if pop is None else await pops.named(tx, on.id, pop)
        made = await desk.parts.access.put_olt(
            tx,
            owner_id=on.owner_id,
            network_id=on.id,
            name=name,
            vendor=vendor,
            address=at,
            community=secret("Community", community_env),
            snmp_port=port,
            pop_id=None if stands_in is None else stands_in.id,
            model=model,
            reach=reach,
            poll_interval=poll_interval,
        )
    return _olt(made, on.slug)


@command(olts, "poll")
async def poll_olt(
    settings: "Settings",
    *,
    name: Annotated[str, typer.Argument(help="The OLT, as it is called.")],
    network: Network = None,
) -> "Shown":
    """Read every ONU of an OLT now, from this machine, and show how it went.

    Exit code 1 tells that the OLT did not answer; its fault is shown.

    Examples:
        demarc olt poll olt-1
    """
    from demarc.cli.answers import Shown, as_text
    from demarc.cli.desk import opened
    from demarc.domains.access.jobs import Poller
    from demarc.domains.errors import Conflict
    from demarc.southbound.olt.drivers import DRIVERS

    async with opened(settings) as desk:
        async with desk.system() as tx:
            olt, slug = await _olt_named(desk, tx, network, name)
        if olt.reach not in settings.reach:
            raise Conflict(
                f"{name} is reached by machines of the reach {olt.reach}, which this is not"
            )
        poller = Poller(desk.parts.db, desk.parts.access, DRIVERS, settings.olt_poll_interval)
        await poller.poll(olt_id=str(olt.id))
        async with desk.system() as tx:
            shown = _olt(await desk.parts.access.olt(tx, olt.id), slug)
    return Shown(shown, as_text(shown).rstrip("\n"), 1 if shown.last_fault else 0)


@command(olts, "onus")
async def list_onus(
    settings: "Settings",
    *,
    name: Annotated[str, typer.Argument(help="The OLT, as it is called.")],
    network: Network = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="ONUs at most.")] = 200,
) -> list["OnuRow"]:
    """List the ONUs of an OLT by port, with their last reading and their service.

    Examples:
        demarc olt onus olt-1
        demarc olt onus olt-1 --json | jq '.[] | select(.state == "offline")'
    """
    from demarc.cli.desk import opened

    async with opened(settings) as desk, desk.system() as tx:
        olt, _ = await _olt_named(desk, tx, network, name)
        return await desk.parts.access.onus(tx, olt.id, limit=limit)


async def _olt_named(desk: "Desk", tx: "Tx", network: str | None, name: str) -> tuple["Olt", str]:
    from demarc.domains.errors import Conflict, NotFound

    found = [
        (olt, on.slug)
        for on in await desk.networks_meant(tx, network)
        for olt in await desk.parts.access.olts(tx, on.id)
        if name in (olt.name, str(olt.id))
    ]
    if not found:
        raise NotFound("olt", name)
    if len(found) > 1:
        raise Conflict(f"{name} is on several networks; say which with --network")
    return found[0]


def _olt(olt: "Olt", network: str) -> OltShown:
    return OltShown(
        id=olt.id,
        network=network,
        name=olt.name,
        vendor=olt.vendor,
        address=olt.address,
        port=olt.snmp_port,
        reach=olt.reach,
        poll_interval=olt.poll_interval,
        last_polled_at=olt.last_polled_at,
        last_fault=olt.last_fault,
    )


__all__ = ["olts"]
