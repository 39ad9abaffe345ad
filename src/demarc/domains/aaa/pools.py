"""Pools of addresses and prefixes: made, how full they are, drained and removed."""

from ipaddress import IPv4Network, IPv6Network, ip_network
from uuid import UUID

from demarc.domains.aaa import pool_queries as queries
from demarc.domains.aaa.model import Pool, PoolKind, PoolPurpose
from demarc.domains.aaa.pool_queries import Growth, PoolUse
from demarc.domains.errors import Conflict, Invalid, NotFound
from demarc.domains.identity import audit
from demarc.platform.database import Tx

LARGEST_IPV4 = 16
"""The shortest prefix of an IPv4 pool: all of its addresses are rows."""

LARGEST_IPV6 = 16
LONGEST_LEASED = 64
"""Prefixes that are leased are at most as long as the one of a link (RFC 4291, 2.5.1)."""

MOST_PREFIXES_BITS = 24
"""An IPv6 pool holds at most 2 to the power of this many prefixes."""

DEFAULT_LENGTHS = {"framed_ipv6": 64, "delegated_ipv6": 56}


class Pools:
    """Use cases on pools; for the command line and the network's owner."""

    async def create_pool(
        self,
        tx: Tx,
        *,
        owner_id: UUID,
        network_id: UUID,
        name: str,
        prefix: str | None = None,
        kind: PoolKind = "ipv4",
        purpose: PoolPurpose = "service",
        length: int | None = None,
        nas_pool: str | None = None,
        tenant_id: UUID | None = None,
        excluded: list[str] | None = None,
    ) -> Pool:
        """Make a pool; what it has can be leased at once.

        Of an IPv4 pool the network's own and its broadcast address are left out (RFC 950), except
        of /31 and /32, and so is what is excluded: the gateway's, and what is given out by hand.

        Args:
            tx: the transaction.
            owner_id: the network's owner.
            network_id: the network.
            name: of the pool.
            prefix: IPv4, /16 to /32; or IPv6, /16 to /64. None where the NASes have the pool.
            kind: what is leased of it.
            purpose: for services, or for a walled garden.
            length: of each IPv6 prefix that is leased; None for /64 and, delegated, /56.
            nas_pool: what the NASes call the pool, where it is theirs.
            tenant_id: the only ISP whose services get its addresses.
            excluded: IPv4 addresses that are never leased.

        Raises:
            Invalid: the prefix is none, or an excluded address lies outside.
            Conflict: the network has a pool of that name or prefix, or one that overlaps.
        """
        if (prefix is None) == (nas_pool is None):
            raise Invalid("prefix", "is given, or the name of a pool that the NASes have")
        network = None if prefix is None else _network(prefix, kind)
        length = _length(network, kind, length)
        _check_excluded(network, excluded or [])
        if network is not None:
            await self._check_apart(tx, network_id, name, network)
        made = await queries.CREATE_POOL.one(
            tx,
            owner_id=owner_id,
            network_id=network_id,
            tenant_id=tenant_id,
            name=name,
            prefix=None if network is None else str(network),
            kind=kind,
            purpose=purpose,
            length=length,
            nas_pool=nas_pool,
        )
        if made is None:
            raise Conflict(f"the network has a pool {name}, or one of {prefix}")
        if isinstance(network, IPv4Network):
            await _fill(tx, made, network, excluded or [])
        await audit.put(tx, "pool", made.id, before=None, after=made, tenant_id=owner_id)
        return made

    @staticmethod
    async def _check_apart(
        tx: Tx, network_id: UUID, name: str, network: IPv4Network | IPv6Network
    ) -> None:
        for other in await queries.POOLS_OF_NETWORK.all(tx, network_id=network_id):
            if other.prefix is None or other.name == name:
                continue
            taken = ip_network(other.prefix)
            if taken.version == network.version and taken.overlaps(network):
                raise Conflict(f"{network} overlaps the pool {other.name}")

    async def pools(self, tx: Tx, network_id: UUID) -> list[Pool]:
        """Give the pools of a network, by name."""
        return await queries.POOLS_OF_NETWORK.all(tx, network_id=network_id)

    async def pool_use(self, tx: Tx, network_id: UUID) -> dict[UUID, PoolUse]:
        """Tell how full a network's pools are."""
        return {use.pool_id: use for use in await queries.POOL_USE.all(tx, network_id=network_id)}

    async def pool_growth(self, tx: Tx, network_id: UUID) -> dict[UUID, Growth]:
        """Tell how a network's pools fill; of those that were watched for three days."""
        return {one.pool_id: one for one in await queries.GROWTH.all(tx, network_id=network_id)}

    async def pool_named(self, tx: Tx, network_id: UUID, name: str) -> Pool:
        """Give a pool of a network.

        Raises:
            NotFound: there is none of that name.
        """
        for pool in await self.pools(tx, network_id):
            if pool.name == name:
                return pool
        raise NotFound("pool", name)

    async def drain_pool(self, tx: Tx, pool: Pool, *, draining: bool = True) -> Pool:
        """Have nothing leased from a pool any more, and what is leased moved to other pools.

        Sessions go on with what they have; at their next log-in they get what they were moved to.
        What a contract asks for stays.

        Args:
            tx: the transaction.
            pool: which.
            draining: False to lease from it again.

        Raises:
            NotFound: there is no such pool any more.
        """
        changed = await queries.SET_DRAINING.one(tx, id=pool.id, draining=draining)
        if changed is None:
            raise NotFound("pool", pool.name)
        leasable = not draining and pool.purpose == "service"
        await queries.SET_ADDRESSES_LEASABLE.run(tx, pool_id=pool.id, leasable=leasable)
        await queries.SET_PREFIXES_LEASABLE.run(tx, pool_id=pool.id, leasable=leasable)
        await audit.put(tx, "pool", pool.id, before=pool, after=changed, tenant_id=pool.owner_id)
        return changed

    async def remove_pool(self, tx: Tx, pool: Pool) -> None:
        """Remove a pool that nobody has anything of.

        Raises:
            Conflict: something of it is leased, or was given back minutes ago.
        """
        # nothing is leased of it from here on, until this commits
        drained = await self.drain_pool(tx, pool)
        use = (await self.pool_use(tx, pool.network_id))[pool.id]
        if use.leased:
            raise Conflict(f"{use.leased} of the pool {pool.name} are leased; drain it first")
        if use.resting:
            raise Conflict(f"{use.resting} of the pool {pool.name} were given back minutes ago")
        await queries.REMOVE_POOL.run(tx, id=pool.id)
        await audit.write(
            tx,
            action="remove",
            kind="pool",
            key=pool.id,
            before={"name": drained.name, "prefix": drained.prefix},
            tenant_id=pool.owner_id,
        )


async def _fill(tx: Tx, pool: Pool, network: IPv4Network, excluded: list[str]) -> None:
    """Make the addresses of an IPv4 pool into rows."""
    reserved = []
    if network.prefixlen < 31:  # noqa: PLR2004 - RFC 3021: both addresses of a /31 are hosts'
        reserved = [str(network.network_address), str(network.broadcast_address)]
    await queries.FILL_POOL.run(
        tx,
        network_id=pool.network_id,
        owner_id=pool.owner_id,
        pool_id=pool.id,
        tenant_id=pool.tenant_id,
        first=str(network.network_address),
        count=network.num_addresses,
        excluded=[*reserved, *excluded],
        leasable=pool.purpose == "service",
    )


def _network(text: str, kind: PoolKind) -> IPv4Network | IPv6Network:
    try:
        network = ip_network(text)
    except ValueError:
        family = "IPv4" if kind == "ipv4" else "IPv6"
        raise Invalid("prefix", f"{text} is not an {family} prefix") from None
    if isinstance(network, IPv4Network):
        if kind != "ipv4":
            raise Invalid("prefix", f"{text} is not an IPv6 prefix")
        if network.prefixlen < LARGEST_IPV4:
            raise Invalid("prefix", f"{text} is larger than a /{LARGEST_IPV4}")
        return network
    if kind == "ipv4":
        raise Invalid("prefix", f"{text} is not an IPv4 prefix")
    if not LARGEST_IPV6 <= network.prefixlen <= LONGEST_LEASED:
        raise Invalid("prefix", f"{text} is not a /{LARGEST_IPV6} to /{LONGEST_LEASED}")
    if network.is_multicast or network.is_link_local or network.is_loopback:
        raise Invalid("prefix", f"{text} holds no addresses of hosts that are routed")
    return network


def _length(
    network: IPv4Network | IPv6Network | None, kind: PoolKind, length: int | None
) -> int | None:
    if not isinstance(network, IPv6Network):
        if length is not None:
            raise Invalid("length", "is of the prefixes that are leased from an IPv6 prefix")
        return None
    length = DEFAULT_LENGTHS[kind] if length is None else length
    if not network.prefixlen <= length <= LONGEST_LEASED:
        raise Invalid("length", f"lies between /{network.prefixlen} and /{LONGEST_LEASED}")
    if length - network.prefixlen > MOST_PREFIXES_BITS:
        raise Invalid("length", f"makes more than 2^{MOST_PREFIXES_BITS} prefixes")
    return length


def _check_excluded(network: IPv4Network | IPv6Network | None, excluded: list[str]) -> None:
    if not excluded:
        return
    if not isinstance(network, IPv4Network):
        raise Invalid("excluded", "addresses are those of an IPv4 pool")
    known = {str(host) for host in network}
    for address in excluded:
        if address not in known:
            raise Invalid("excluded", f"holds {address}, which is not in {network}")


__all__ = [
    "DEFAULT_LENGTHS",
    "LARGEST_IPV4",
    "LARGEST_IPV6",
    "LONGEST_LEASED",
    "MOST_PREFIXES_BITS",
    "Pools",
]
