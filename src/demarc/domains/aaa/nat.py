"""CGNAT: whose ports of which public address are whose, by rule or as NASes tell."""

from collections.abc import Iterable, Iterator
from ipaddress import IPv4Network
from uuid import UUID

import msgspec
import psycopg

from demarc.domains.aaa import nat_queries as queries
from demarc.domains.aaa.nat_queries import NatPool, ToldBlock
from demarc.domains.aaa.sessions import Kind, Record, Subscriber
from demarc.domains.errors import Conflict, Invalid, NotFound
from demarc.domains.identity import audit
from demarc.platform.database import Tx

PORTS = 65_536
_LARGEST_INSIDE = 10
_SMALLEST_BLOCK = 16


class Block(msgspec.Struct, frozen=True):
    """The ports of one inside address.

    Attributes:
        inside: IPv4, dotted; ``public`` likewise.
        port_from: the first; ``port_to`` the last.
    """

    inside: str
    public: str
    port_from: int
    port_to: int


def blocks(pool: NatPool) -> Iterator[Block]:
    """Give the block of each inside address of a rule, in the order of the addresses."""
    per_address = (PORTS - pool.first_port) // pool.block_size
    public = IPv4Network(pool.public)
    for place, inside in enumerate(IPv4Network(pool.inside)):
        first = pool.first_port + place % per_address * pool.block_size
        yield Block(
            str(inside),
            str(public[place // per_address]),
            first,
            first + pool.block_size - 1,
        )


class Nat:
    """Use cases on rules of CGNAT; for the command line and the network's owner."""

    async def create_nat_pool(
        self,
        tx: Tx,
        *,
        owner_id: UUID,
        network_id: UUID,
        name: str,
        inside: str,
        public: str,
        block_size: int = 1024,
        first_port: int = 1024,
    ) -> NatPool:
        """Make a rule that holds from now on.

        Since a credential keeps its inside address, it keeps its ports too; nothing is to be told
        to the NAT box when somebody logs in.

        Args:
            tx: the transaction.
            owner_id: the network's owner.
            network_id: the network.
            name: of the rule.
            inside: the addresses behind the NAT, as CIDR.
            public: those that the Internet sees, as CIDR; all of them are used.
            block_size: ports of each inside address.
            first_port: those below are given to nobody.

        Raises:
            Invalid: a value cannot be used, or there is no block for each inside address.
            Conflict: the network has a rule of that name, or for a part of the addresses.
        """
        within, without = _ipv4("inside", inside), _ipv4("public", public)
        if within.prefixlen < _LARGEST_INSIDE:
            raise Invalid("inside", f"{inside} is larger than a /{_LARGEST_INSIDE}")
        if not 0 <= first_port < PORTS:
            raise Invalid("first_port", f"lies between 0 and {PORTS - 1}")
        if not _SMALLEST_BLOCK <= block_size <= PORTS - first_port:
            raise Invalid("block_size", f"lies between {_SMALLEST_BLOCK} and {PORTS - first_port}")
        room = without.num_addresses * ((PORTS - first_port) // block_size)
        if within.num_addresses > room:
            raise Invalid(
                "public", f"has {room} blocks for {within.num_addresses} addresses of {within}"
            )
        try:
            async with tx.conn.transaction():
                made = await queries.CREATE.one(
                    tx,
                    owner_id=owner_id,
                    network_id=network_id,
                    name=name,
                    inside=str(within),
                    public=str(without),
                    block_size=block_size,
                    first_port=first_port,
                )
        except psycopg.errors.UniqueViolation:
            raise Conflict(f"the network has a NAT pool {name}") from None
        except psycopg.errors.ExclusionViolation:
            raise Conflict(f"a NAT pool has a part of {inside} or of {public}") from None
        if made is None:
            raise RuntimeError("INSERT .. RETURNING gave no row")
        await audit.put(tx, "nat_pool", made.id, before=None, after=made, tenant_id=owner_id)
        return made

    async def nat_pools(self, tx: Tx, network_id: UUID) -> list[NatPool]:
        """Give the rules that hold on a network, by name."""
        return await queries.OF_NETWORK.all(tx, network_id=network_id)

    async def nat_pool_named(self, tx: Tx, network_id: UUID, name: str) -> NatPool:
        """Give a rule that holds on a network.

        Raises:
            NotFound: there is none of that name.
        """
        for pool in await self.nat_pools(tx, network_id):
            if pool.name == name:
                return pool
        raise NotFound("NAT pool", name)

    async def end_nat_pool(self, tx: Tx, pool: NatPool) -> NatPool:
        """Have a rule hold no longer; it is remembered for look-ups of the time when it did.

        Raises:
            NotFound: it has ended already.
        """
        ended = await queries.END.one(tx, id=pool.id)
        if ended is None:
            raise NotFound("NAT pool", pool.name)
        await audit.put(tx, "nat_pool", pool.id, before=pool, after=ended, tenant_id=pool.owner_id)
        return ended


async def note(tx: Tx, told: Iterable[tuple[Subscriber, Record]]) -> None:
    """Note the blocks of ports that accounting records tell of.

    Args:
        tx: of the system.
        told: records with whom they are booked to; those without blocks cost nothing.
    """
    rows = [
        ToldBlock(
            since=record.began or record.at,
            at=record.at,
            over=record.kind is Kind.STOP,
            tenant_id=subscriber.tenant_id,
            owner_id=subscriber.owner_id,
            credential_id=subscriber.credential_id,
            nas_id=record.nas_id,
            nas_address=record.nas_address,
            acct_session_id=record.acct_session_id,
            public_ipv4=block.public_ipv4,
            port_from=block.port_from,
            port_to=block.port_to,
        )
        for subscriber, record in told
        for block in record.nat
    ]
    if rows:
        await queries.NOTE_BLOCKS.run(tx, rows=msgspec.json.encode(rows).decode())


def _ipv4(field: str, text: str) -> IPv4Network:
    try:
        return IPv4Network(text)
    except ValueError:
        raise Invalid(field, f"{text} is not an IPv4 prefix") from None


__all__ = ["PORTS", "Block", "Nat", "NatPool", "blocks", "note"]
