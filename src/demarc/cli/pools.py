"""Commands for pools of addresses and prefixes."""

from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Literal
from uuid import UUID

import msgspec
import typer

from demarc.cli.frame import command, group

if TYPE_CHECKING:
    from demarc.cli.desk import Desk
    from demarc.domains.aaa.model import Pool
    from demarc.domains.identity.model import Network as OneNetwork
    from demarc.platform.database import Tx
    from demarc.platform.settings import Settings

pools = group("pool", "Addresses and prefixes that are leased to subscribers.")

Network = Annotated[
    str | None,
    typer.Option("--network", metavar="SLUG", help="May be left out where there is one network."),
]
Name = Annotated[str, typer.Argument(help="As you call it.")]


class PoolShown(msgspec.Struct, frozen=True):
    """A pool and how full it is; ``isp`` is the only one whose services are leased from it.

    Attributes:
        prefix: None where the NASes have the pool.
        gives: "ipv4", "framed_ipv6" or "delegated_ipv6", with the length of prefixes.
        used: what somebody has; ``static`` of it by contract.
        resting: given back within the last ten minutes.
        reserved: never leased.
        state: "in use", "draining", or "nearly full".
    """

    id: UUID
    network: str
    name: str
    prefix: str | None
    gives: str
    purpose: str
    isp: str | None
    total: int
    used: int
    free: int
    resting: int
    static: int
    reserved: int
    state: str


class PoolCard(msgspec.Struct, frozen=True):
    """All of a pool.

    Attributes:
        nas_pool: what the NASes call it, where it is theirs.
        per_day: what more is leased of it each day, over the last month.
        exhausted_on: when nothing is left if that goes on.
    """

    id: UUID
    network: str
    name: str
    prefix: str | None
    gives: str
    nas_pool: str | None
    purpose: str
    isp: str | None
    total: int
    used: int
    free: int
    resting: int
    static: int
    reserved: int
    state: str
    draining_since: datetime | None
    per_day: float | None
    exhausted_on: date | None


@command(pools, "list")
async def list_pools(settings: "Settings", network: Network = None) -> list[PoolShown]:
    """List pools, with how much of them is used, free, resting and static.

    Examples:
        demarc pool list
    """
    from demarc.cli.desk import opened

    async with opened(settings) as desk, desk.system() as tx:
        return [
            PoolShown(*(getattr(card, name) for name in PoolShown.__struct_fields__))
            for card in await _cards(desk, tx, network)
        ]


@command(pools, "show")
async def show_pool(settings: "Settings", *, name: Name, network: Network = None) -> PoolCard:
    """Show a pool, and when it will be exhausted if it goes on filling as in the last month.

    Examples:
        demarc pool show homes
    """
    from demarc.cli.desk import opened

    async with opened(settings) as desk, desk.system() as tx:
        on = await desk.network_meant(tx, network)
        pool = await desk.parts.aaa.pool_named(tx, on.id, name)
        return await _card_of(desk, tx, on, pool)


@command(pools, "add")
async def add_pool(
    settings: "Settings",
    *,
    name: Name,
    prefix: Annotated[
        str | None,
        typer.Argument(help="IPv4, /16 to /32, or IPv6. Left out where the NASes have the pool."),
    ] = None,
    network: Network = None,
    kind: Annotated[
        Literal["ipv4", "framed_ipv6", "delegated_ipv6"],
        typer.Option(help="What is leased: addresses, prefixes of lines, or prefixes behind them."),
    ] = "ipv4",
    length: Annotated[
        int | None,
        typer.Option(metavar="BITS", help="Of each IPv6 prefix; /64, and /56 if delegated."),
    ] = None,
    nas_pool: Annotated[
        str | None, typer.Option(metavar="NAME", help="What the NASes call a pool of theirs.")
    ] = None,
    purpose: Annotated[
        Literal["service", "garden"],
        typer.Option(help="For services, or for those who may only reach the ISP."),
    ] = "service",
    isp: Annotated[
        str | None, typer.Option(metavar="SLUG", help="For services of this ISP alone.")
    ] = None,
    exclude: Annotated[
        list[str] | None, typer.Option(metavar="ADDRESS", help="Never lease this one.")
    ] = None,
) -> PoolCard:
    """Add a pool; it can be leased from at once.

    Services of before an IPv6 pool get their prefixes within minutes.

    Examples:
        demarc pool add homes 198.51.100.0/24 --exclude 198.51.100.1
        demarc pool add veloz 203.0.113.0/25 --isp veloz
        demarc pool add lines 2001:db8:a::/48 --kind framed_ipv6
        demarc pool add homes6 2001:db8:100::/40 --kind delegated_ipv6 --length 56
        demarc pool add pd --kind delegated_ipv6 --nas-pool pd-homes
    """
    from demarc.cli.desk import opened

    async with opened(settings) as desk, desk.system() as tx:
        on = await desk.network_meant(tx, network)
        only = None if isp is None else await desk.parts.identity.tenant_named(tx, isp)
        made = await desk.parts.aaa.create_pool(
            tx,
            owner_id=on.owner_id,
            network_id=on.id,
            name=name,
            prefix=prefix,
            kind=kind,
            purpose=purpose,
            length=length,
            nas_pool=nas_pool,
            tenant_id=None if only is None else only.id,
            excluded=exclude,
        )
        return await _card_of(desk, tx, on, made)


@command(pools, "drain")
async def drain_pool(settings: "Settings", *, name: Name, network: Network = None) -> PoolCard:
    """Lease nothing from a pool any more, and move what is leased of it to other pools.

    It is moved within minutes, as far as the others have room; sessions get what they were moved
    to at their next log-in. Static addresses stay.

    Examples:
        demarc pool drain homes
    """
    return await _drain(settings, name, network, draining=True)


@command(pools, "resume")
async def resume_pool(settings: "Settings", *, name: Name, network: Network = None) -> PoolCard:
    """Lease from a drained pool again.

    Examples:
        demarc pool resume homes
    """
    return await _drain(settings, name, network, draining=False)


@command(pools, "remove")
async def remove_pool(settings: "Settings", *, name: Name, network: Network = None) -> None:
    """Remove a pool of which nothing is leased.

    Examples:
        demarc pool remove homes
    """
    from demarc.cli.desk import opened

    async with opened(settings) as desk, desk.system() as tx:
        on = await desk.network_meant(tx, network)
        pool = await desk.parts.aaa.pool_named(tx, on.id, name)
        await desk.parts.aaa.remove_pool(tx, pool)


async def _drain(
    settings: "Settings", name: str, network: str | None, *, draining: bool
) -> PoolCard:
    from demarc.cli.desk import opened

    async with opened(settings) as desk, desk.system() as tx:
        on = await desk.network_meant(tx, network)
        pool = await desk.parts.aaa.pool_named(tx, on.id, name)
        changed = await desk.parts.aaa.drain_pool(tx, pool, draining=draining)
        return await _card_of(desk, tx, on, changed)


async def _card_of(desk: "Desk", tx: "Tx", on: "OneNetwork", pool: "Pool") -> PoolCard:
    cards = await _cards(desk, tx, on.slug)
    return next(card for card in cards if card.id == pool.id)


async def _cards(desk: "Desk", tx: "Tx", network: str | None) -> list[PoolCard]:
    from demarc.domains.aaa.pool_jobs import NEARLY_FULL

    slugs = {one.id: one.slug for one in await desk.parts.identity.tenants(tx)}
    shown = []
    for on in await desk.networks_meant(tx, network):
        use = await desk.parts.aaa.pool_use(tx, on.id)
        growth = await desk.parts.aaa.pool_growth(tx, on.id)
        for one in await desk.parts.aaa.pools(tx, on.id):
            of, grows = use[one.id], growth.get(one.id)
            full = of.total > 0 and of.leased + of.resting >= NEARLY_FULL * of.total
            state = "nearly full" if full else "in use"
            shown.append(
                PoolCard(
                    id=one.id,
                    network=on.slug,
                    name=one.name,
                    prefix=one.prefix,
                    gives=one.kind if one.length is None else f"{one.kind} /{one.length}",
                    nas_pool=one.nas_pool,
                    purpose=one.purpose,
                    isp=slugs[one.tenant_id] if one.tenant_id else None,
                    total=of.total,
                    used=of.leased,
                    free=of.free,
                    resting=of.resting,
                    static=of.static,
                    reserved=of.reserved,
                    state=state if one.draining_since is None else "draining",
                    draining_since=one.draining_since,
                    per_day=None if grows is None else round(grows.per_day, 2),
                    exhausted_on=None if grows is None else grows.exhausted_on,
                )
            )
    return shown


__all__ = ["pools"]
