"""The life of pools on a real database: how full they are, drained, removed, watched."""

from datetime import UTC, datetime, timedelta

import pytest

from demarc.domains.aaa import addresses
from demarc.domains.aaa.pool_jobs import PoolKeeping
from demarc.domains.errors import Conflict, NotFound
from support.house import build


@pytest.fixture
async def house(db, tmp_path):
    return await build(db, tmp_path)


async def pool(house, name, prefix, **more):
    async with house.db.system() as tx:
        return await house.aaa.create_pool(
            tx,
            owner_id=house.fno.id,
            network_id=house.network.id,
            name=name,
            prefix=prefix,
            **more,
        )


async def named(house, name):
    async with house.db.system() as tx:
        return await house.aaa.pool_named(tx, house.network.id, name)


async def use_of(house, pool):
    async with house.db.system() as tx:
        return (await house.aaa.pool_use(tx, house.network.id))[pool.id]


async def drain(house, pool, **more):
    async with house.db.system() as tx:
        return await house.aaa.drain_pool(tx, pool, **more)


async def leases_of(house, service):
    async with house.db.system() as tx:
        (made,) = await house.aaa.credentials_of(tx, service.id)
        return await addresses.leases_of(tx, made.id)


async def rested(house):
    async with house.db.system() as tx:
        for table in ("ip_address", "ip_prefix"):
            await tx.conn.execute(f"UPDATE {table} SET free_from = free_from - interval '1 hour'")


async def test_what_was_given_back_rests_and_is_not_told_as_free(house):
    main = await named(house, "main")
    service = await house.service()
    use = await use_of(house, main)
    assert (use.total, use.leased, use.free, use.resting, use.reserved) == (254, 1, 253, 0, 2)
    async with house.as_isp() as tx:
        await house.aaa.release(tx, service.id)
    use = await use_of(house, main)
    assert (use.leased, use.free, use.resting) == (0, 253, 1)
    await rested(house)
    use = await use_of(house, main)
    assert (use.free, use.resting) == (254, 0)


async def test_an_ipv6_pool_tells_of_all_its_prefixes(house):
    six = await pool(house, "homes6", "2001:db8::/32", kind="delegated_ipv6")
    await house.service()
    use = await use_of(house, six)
    assert (use.total, use.leased, use.free, use.static) == (2**24, 1, 2**24 - 1, 0)


async def test_a_static_address_counts_as_used_and_is_told(house):
    service = await house.service()
    async with house.as_isp() as tx:
        await house.aaa.create_credential(
            tx,
            tenant_id=house.isp.id,
            owner_id=house.fno.id,
            network_id=house.network.id,
            service_id=service.id,
            realm=None,
            username="static",
            password=None,
            download_bps=1,
            upload_bps=1,
            static_ipv4="100.64.0.200",
        )
    use = await use_of(house, await named(house, "main"))
    assert (use.leased, use.static) == (2, 1)


async def test_what_is_leased_of_a_drained_pool_moves_to_another(house):
    old6 = await pool(house, "old6", "2001:db8:1::/48", kind="delegated_ipv6")
    service = await house.service()
    (before,) = await leases_of(house, service)
    main = await named(house, "main")
    await pool(house, "new", "100.64.1.0/24")
    await pool(house, "new6", "2001:db8:2::/48", kind="delegated_ipv6")
    for one in (main, old6):
        await drain(house, one)
    other = await house.service(of=house.other_isp)
    (fresh,) = await leases_of(house, other)
    assert fresh.address.startswith("100.64.1.")
    # until then it keeps what it had
    assert await leases_of(house, service) == [before]
    await PoolKeeping(house.db).move_drained()
    (after,) = await leases_of(house, service)
    assert after.address.startswith("100.64.1.")
    assert after.prefixes not in {None, before.prefixes, fresh.prefixes}
    assert (await use_of(house, main)).leased == (await use_of(house, old6)).leased == 0
    assert (await use_of(house, main)).resting == 1


async def test_without_room_elsewhere_everybody_keeps_what_they_have(house):
    services = [await house.service(first_name=f"N{number}") for number in range(3)]
    before = [await leases_of(house, service) for service in services]
    await drain(house, await named(house, "main"))
    await pool(house, "tiny", "100.64.1.0/32")
    await PoolKeeping(house.db).move_drained()
    after = [await leases_of(house, service) for service in services]
    moved = [new for old, new in zip(before, after, strict=True) if old != new]
    assert [lease.address for (lease,) in moved] == ["100.64.1.0"]
    with pytest.raises(Conflict, match="exhausted"):
        await house.service(first_name="Late")


async def test_a_drained_pool_can_be_leased_from_again(house):
    main = await named(house, "main")
    await drain(house, main)
    assert (await drain(house, await named(house, "main"), draining=False)).draining_since is None
    (lease,) = await leases_of(house, await house.service())
    assert lease.address == "100.64.0.1"


async def test_a_pool_is_removed_only_when_nobody_has_anything_of_it(house):
    main = await named(house, "main")
    service = await house.service()
    with pytest.raises(Conflict, match="1 of the pool main are leased"):
        async with house.db.system() as tx:
            await house.aaa.remove_pool(tx, main)
    async with house.as_isp() as tx:
        await house.aaa.release(tx, service.id)
    with pytest.raises(Conflict, match="minutes ago"):
        async with house.db.system() as tx:
            await house.aaa.remove_pool(tx, main)
    # what was refused changed nothing
    assert (await named(house, "main")).draining_since is None
    await rested(house)
    async with house.db.system() as tx:
        await house.aaa.remove_pool(tx, main)
    with pytest.raises(NotFound):
        await named(house, "main")
    await pool(house, "again", "100.64.0.0/24")


async def test_a_pool_says_when_it_will_be_full(house):
    main = await named(house, "main")
    await PoolKeeping(house.db).watch()
    async with house.db.system() as tx:
        assert await house.aaa.pool_growth(tx, house.network.id) == {}
        # five more a day, 54 of 254 used today
        await tx.conn.execute(
            """
            INSERT INTO ip_pool_day (pool_id, day, owner_id, used, total)
            SELECT id, current_date - ago, owner_id, 54 - 5 * ago, 254
            FROM ip_pool, generate_series(0, 9) AS ago
            ON CONFLICT (pool_id, day) DO UPDATE SET used = excluded.used
            """
        )
        growth = (await house.aaa.pool_growth(tx, house.network.id))[main.id]
        today = (await (await tx.conn.execute("SELECT current_date")).fetchone())[0]
    assert growth.per_day == pytest.approx(5)
    assert growth.exhausted_on == today + timedelta(days=40)


async def events(house):
    async with house.db.system() as tx:
        rows = await tx.conn.execute(
            "SELECT args->'body' FROM procrastinate_jobs WHERE args->>'name' = 'PoolsNearlyFull'"
        )
        return [body for (body,) in await rows.fetchall()]


async def test_a_pool_that_is_nearly_full_is_told_of_once(house):
    small = await pool(house, "small", "203.0.113.0/29", tenant_id=house.isp.id)
    keeping = PoolKeeping(house.db)
    services = [await house.service(first_name=f"N{number}") for number in range(5)]
    await keeping.watch()
    assert await events(house) == []
    services.append(await house.service(first_name="Last"))
    for _ in range(2):
        await keeping.watch()
    assert await events(house) == [{"pool_ids": [str(small.id)]}]
    # there is room for a while, and then there is not
    for service in services[:2]:
        async with house.as_isp() as tx:
            await house.aaa.release(tx, service.id)
    await rested(house)
    await keeping.watch()
    for name in ("A", "B"):
        await house.service(first_name=name)
    await keeping.watch()
    assert len(await events(house)) == 2


async def test_a_pools_days_are_kept_for_a_year_and_not_for_good(house):
    main = await named(house, "main")
    async with house.db.system() as tx:
        for ago in (399, 401):
            await tx.conn.execute(
                "INSERT INTO ip_pool_day VALUES (%s, %s, %s, 1, 2)",
                [main.id, datetime.now(UTC).date() - timedelta(days=ago), house.fno.id],
            )
    await PoolKeeping(house.db).watch()
    async with house.db.system() as tx:
        left = await (await tx.conn.execute("SELECT count(*) FROM ip_pool_day")).fetchone()
    assert left == (2,)


async def test_an_isp_sees_neither_pools_nor_how_they_fill(house):
    await house.service()
    await PoolKeeping(house.db).watch()
    async with house.as_isp() as tx:
        assert await house.aaa.pools(tx, house.network.id) == []
        assert await house.aaa.pool_use(tx, house.network.id) == {}
        assert await (await tx.conn.execute("SELECT * FROM ip_pool_day")).fetchall() == []
    async with house.as_fno() as tx:
        assert len(await house.aaa.pool_use(tx, house.network.id)) == 1
