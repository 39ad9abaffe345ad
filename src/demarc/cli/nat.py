"""Commands for CGNAT, among those of pools: rules, and what a NAT box is to be told of them."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import groupby
from typing import TYPE_CHECKING, Annotated, Literal
from uuid import UUID

import msgspec
import typer

from demarc.cli.answers import Shown
from demarc.cli.frame import command
from demarc.cli.pools import Name, Network, pools

if TYPE_CHECKING:
    from demarc.domains.aaa.nat import Block, NatPool
    from demarc.platform.settings import Settings


class NatPoolShown(msgspec.Struct, frozen=True):
    """A rule of CGNAT: each inside address has so many ports of a public one."""

    id: UUID
    network: str
    name: str
    inside: str
    public: str
    block_size: int
    first_port: int
    since: datetime


@command(pools, "nat-list")
async def list_nat(settings: "Settings", network: Network = None) -> list[NatPoolShown]:
    """List the rules of CGNAT that hold.

    Examples:
        demarc pool nat-list
    """
    from demarc.cli.desk import opened

    async with opened(settings) as desk, desk.system() as tx:
        return [
            _shown(on.slug, one)
            for on in await desk.networks_meant(tx, network)
            for one in await desk.parts.aaa.nat_pools(tx, on.id)
        ]


@command(pools, "nat-add")
async def add_nat(
    settings: "Settings",
    *,
    name: Name,
    inside: Annotated[str, typer.Argument(help="The addresses behind the NAT, IPv4.")],
    public: Annotated[str, typer.Argument(help="Those that the Internet sees; all are used.")],
    network: Network = None,
    block_size: Annotated[
        int, typer.Option(min=16, max=65536, help="Ports of each inside address.")
    ] = 1024,
    first_port: Annotated[
        int, typer.Option(min=0, max=65535, help="Those below are given to nobody.")
    ] = 1024,
) -> NatPoolShown:
    """Add a rule of CGNAT: which ports of which public address each inside address has.

    It holds from now on. A log-in keeps its inside address, and so its ports: the NAT box is told
    the rule once (nat-export), and `demarc lookup` finds who had a port without any log of it.

    Examples:
        demarc pool nat-add cgnat 100.64.0.0/22 203.0.113.0/28
        demarc pool nat-add cgnat 100.64.0.0/24 203.0.113.0/30 --block-size 512
    """
    from demarc.cli.desk import opened

    async with opened(settings) as desk, desk.system() as tx:
        on = await desk.network_meant(tx, network)
        made = await desk.parts.aaa.create_nat_pool(
            tx,
            owner_id=on.owner_id,
            network_id=on.id,
            name=name,
            inside=inside,
            public=public,
            block_size=block_size,
            first_port=first_port,
        )
        return _shown(on.slug, made)


@command(pools, "nat-end")
async def end_nat(settings: "Settings", *, name: Name, network: Network = None) -> None:
    """Have a rule hold no longer. Look-ups of before go on to know it.

    Examples:
        demarc pool nat-end cgnat
    """
    from demarc.cli.desk import opened

    async with opened(settings) as desk, desk.system() as tx:
        on = await desk.network_meant(tx, network)
        pool = await desk.parts.aaa.nat_pool_named(tx, on.id, name)
        await desk.parts.aaa.end_nat_pool(tx, pool)


@command(pools, "nat-export")
async def export_nat(
    settings: "Settings",
    *,
    name: Name,
    network: Network = None,
    form: Annotated[
        Literal["csv", "routeros"], typer.Option("--format", help="For whom it is written.")
    ] = "csv",
) -> Shown:
    """Write the blocks of a rule, as a list or as commands of RouterOS.

    Examples:
        demarc pool nat-export cgnat > cgnat.csv
        demarc pool nat-export cgnat --format routeros > cgnat.rsc
    """
    from demarc.cli.desk import opened
    from demarc.domains.aaa.nat import blocks

    async with opened(settings) as desk, desk.system() as tx:
        on = await desk.network_meant(tx, network)
        pool = await desk.parts.aaa.nat_pool_named(tx, on.id, name)
    every = list(blocks(pool))
    lines = _routeros(pool.name, every) if form == "routeros" else _csv(every)
    return Shown(every, "\n".join(lines))


def _csv(blocks: Iterable["Block"]) -> Iterator[str]:
    yield "inside,public,port_from,port_to"
    for block in blocks:
        yield f"{block.inside},{block.public},{block.port_from},{block.port_to}"


def _routeros(name: str, blocks: Iterable["Block"]) -> Iterator[str]:
    """Give rules in a chain for each public address: a packet passes few that are not its own."""
    yield "/ip firewall nat"
    for public, of_it in groupby(blocks, key=lambda block: block.public):
        mine = list(of_it)
        chain = f"{name}-{public}"
        yield (
            f"add chain=srcnat src-address={mine[0].inside}-{mine[-1].inside} action=jump "
            f'jump-target="{chain}"'
        )
        for block in mine:
            for protocol in ("tcp", "udp"):
                yield (
                    f'add chain="{chain}" protocol={protocol} src-address={block.inside} '
                    f"action=src-nat to-addresses={public} "
                    f"to-ports={block.port_from}-{block.port_to}"
                )
        # what has no ports, as ICMP
        yield f'add chain="{chain}" action=src-nat to-addresses={public}'


def _shown(network: str, pool: "NatPool") -> NatPoolShown:
    return NatPoolShown(
        id=pool.id,
        network=network,
        name=pool.name,
        inside=pool.inside,
        public=pool.public,
        block_size=pool.block_size,
        first_port=pool.first_port,
        since=pool.valid_from,
    )


__all__ = ["pools"]
