"""Steps for pools of addresses and rules of CGNAT."""

from demarc.apply.document import NatPoolTable, PoolTable
from demarc.apply.plan import Change
from demarc.apply.work import Work
from demarc.domains.aaa.model import Pool
from demarc.domains.aaa.nat import NatPool
from demarc.domains.errors import Invalid


async def pool(work: Work, table: PoolTable) -> Change:
    """Make a pool; one that exists stays as it is, since it is leased from."""
    aaa = work.domains.aaa
    network = await work.network(table)
    isp_id = await work.tenant_id("isp", table.isp)

    async def read() -> dict[str, Pool]:
        return {one.name: one for one in await aaa.pools(work.tx, network.id)}

    known = (await work.listed("pool", network.id, read)).get(table.name)
    if known is not None:
        _check_same(known, table, isp_same=known.tenant_id == isp_id)
    values = {
        "prefix": None if table.prefix is None else str(table.prefix),
        "nas_pool": table.nas_pool,
        "kind": table.kind,
        "length": table.length,
        "purpose": table.purpose,
        "isp": table.isp,
    }
    return await work.bring(
        table,
        None if known is None else values,
        values,
        lambda: aaa.create_pool(
            work.tx,
            owner_id=network.owner_id,
            network_id=network.id,
            name=table.name,
            prefix=None if table.prefix is None else str(table.prefix),
            kind=table.kind,
            purpose=table.purpose,
            length=table.length,
            nas_pool=table.nas_pool,
            tenant_id=isp_id,
        ),
    )


def _check_same(known: Pool, table: PoolTable, *, isp_same: bool) -> None:
    if known.prefix != table.prefix:
        raise Invalid("prefix", f"of a pool stays as it is, {known.prefix}; describe a new pool")
    same = {
        "isp": isp_same,
        "nas_pool": known.nas_pool == table.nas_pool,
        "kind": known.kind == table.kind,
        "length": table.length in {known.length, None},
        "purpose": known.purpose == table.purpose,
    }
    for key, stays in same.items():
        if not stays:
            raise Invalid(key, "of a pool stays as it is; describe a new pool")


async def nat_pool(work: Work, table: NatPoolTable) -> Change:
    """Make a rule of CGNAT; one that holds stays as it is, since look-ups go by it."""
    aaa = work.domains.aaa
    network = await work.network(table)

    async def read() -> dict[str, NatPool]:
        return {one.name: one for one in await aaa.nat_pools(work.tx, network.id)}

    known = (await work.listed("nat_pool", network.id, read)).get(table.name)
    values = {
        "inside": str(table.inside),
        "public": str(table.public),
        "block_size": table.block_size,
        "first_port": table.first_port,
    }
    for key, value in values.items():
        if known is not None and getattr(known, key) != value:
            raise Invalid(key, "of a NAT pool stays as it is; end it and describe another")
    return await work.bring(
        table,
        None if known is None else values,
        values,
        lambda: aaa.create_nat_pool(
            work.tx,
            owner_id=network.owner_id,
            network_id=network.id,
            name=table.name,
            inside=str(table.inside),
            public=str(table.public),
            block_size=table.block_size,
            first_port=table.first_port,
        ),
    )


__all__ = ["nat_pool", "pool"]
