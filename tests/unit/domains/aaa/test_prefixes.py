"""IPv6 prefixes on a real database: who gets which, and what comes back."""

import asyncio
from ipaddress import IPv6Network
from itertools import islice
from uuid import UUID

import pytest

from demarc.domains.aaa import addresses, prefixes
from demarc.domains.aaa.pool_jobs import PoolKeeping
from demarc.domains.aaa.prefixes import pack
from demarc.domains.errors import Conflict, Invalid
from demarc.platform.statements import Statement
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
            **{"kind": "delegated_ipv6", **more},
        )


async def credential(house, service, username, **more):
    async with house.as_isp() as tx:
        return await house.aaa.create_credential(
            tx,
            tenant_id=house.isp.id,
            owner_id=house.fno.id,
            network_id=house.network.id,
            service_id=service.id,
            realm=None,
            username=username,
            password=None,
            download_bps=10,
            upload_bps=5,
            **more,
        )


async def held(house, made):
    """Give what a credential has: (slot, kind, prefix) each."""
    async with house.db.system() as tx:
        rows = await tx.conn.execute(
            "SELECT slot, kind, prefix::text FROM ip_prefix WHERE credential_id = %s"
            " ORDER BY slot, kind DESC",
            [made.id],
        )
        return await rows.fetchall()


async def rested(house):
    """Let the rest of what was freed be over."""
    async with house.db.system() as tx:
        for table in ("ip_address", "ip_prefix"):
            await tx.conn.execute(f"UPDATE {table} SET free_from = free_from - interval '1 hour'")


async def test_a_credential_gets_a_prefix_of_each_kind_and_the_first_ones_first(house):
    await pool(house, "lines", "2001:db8:a::/48", kind="framed_ipv6")
    await pool(house, "homes", "2001:db8:100::/40")
    service = await house.service()
    first, second = [await credential(house, service, name) for name in ("one", "two")]
    # the service's own credential was there before them
    assert await held(house, first) == [
        (0, "framed_ipv6", "2001:db8:a:1::/64"),
        (0, "delegated_ipv6", "2001:db8:100:100::/56"),
    ]
    assert await held(house, second) == [
        (0, "framed_ipv6", "2001:db8:a:2::/64"),
        (0, "delegated_ipv6", "2001:db8:100:200::/56"),
    ]
    async with house.db.system() as tx:
        leases = await addresses.leases_of(tx, first.id)
    assert [lease.prefixes for lease in leases] == [
        pack("2001:db8:a:1::/64", "2001:db8:100:100::/56")
    ]


async def test_a_large_pool_is_few_rows(house):
    await pool(house, "homes", "2001:db8::/32", length=56)
    service = await house.service()
    for number in range(3):
        await credential(house, service, f"u{number}")
    async with house.db.system() as tx:
        rows = await (await tx.conn.execute("SELECT count(*) FROM ip_prefix")).fetchone()
    assert rows[0] < 1000


@pytest.mark.parametrize("prefix", ["fd12:3456:789a::/48", "2001:db8:0:ff00::/56"])
async def test_prefixes_follow_each_other_whatever_the_pool_begins_with(house, prefix):
    await pool(house, "homes", prefix, length=60)
    service = await house.service()
    made = [await credential(house, service, f"u{number}") for number in range(9)]
    given = [(await held(house, one))[0][2] for one in made]
    expected = list(islice(IPv6Network(prefix).subnets(new_prefix=60), 1, 10))
    assert given == [str(each) for each in expected]


async def test_the_isps_own_prefixes_come_before_all_isps(house):
    await pool(house, "all", "2001:db8:1::/48")
    await pool(house, "acmes", "2001:db8:2::/48", tenant_id=house.isp.id)
    service = await house.service()
    theirs = await house.service(of=house.other_isp)
    async with house.db.system() as tx:
        (ours,) = await house.aaa.credentials_of(tx, service.id)
        (others,) = await house.aaa.credentials_of(tx, theirs.id)
    assert await held(house, ours) == [(0, "delegated_ipv6", "2001:db8:2::/56")]
    assert await held(house, others) == [(0, "delegated_ipv6", "2001:db8:1::/56")]


async def test_an_exhausted_pool_is_said_and_nothing_is_made(house):
    await pool(house, "homes", "2001:db8::/55", length=56)
    service = await house.service()
    await credential(house, service, "two")
    with pytest.raises(Conflict, match="IPv6 pools are exhausted"):
        await credential(house, service, "three")


async def test_the_next_pool_is_taken_when_one_is_full(house):
    await pool(house, "a", "2001:db8::/56")
    await pool(house, "b", "2001:db8:1::/56")
    service = await house.service()
    second = await credential(house, service, "two")
    assert await held(house, second) == [(0, "delegated_ipv6", "2001:db8:1::/56")]


async def test_what_is_freed_rests_and_then_is_leased_again(house):
    await pool(house, "homes", "2001:db8::/56")
    service = await house.service()
    async with house.as_isp() as tx:
        await house.aaa.release(tx, service.id)
    with pytest.raises(Conflict, match="exhausted"):
        await credential(house, service, "two")
    await rested(house)
    assert await held(house, await credential(house, service, "two")) == [
        (0, "delegated_ipv6", "2001:db8::/56")
    ]


async def test_a_prefix_that_a_session_still_uses_is_passed_over(house):
    await pool(house, "homes", "2001:db8::/55", length=56)
    service = await house.service()
    async with house.db.system() as tx:
        await tx.conn.execute(
            """
            INSERT INTO session_live (tenant_id, owner_id, service_id, credential_id, nas_id,
                nas_address, acct_session_id, username, delegated_ipv6_prefix, started_at, updated_at)
            SELECT tenant_id, owner_id, service_id, id, %s, '127.0.0.1', 's', 'u',
                   '2001:db8::/56', now(), now() FROM credential
            """,
            [house.nas.id],
        )
    async with house.as_isp() as tx:
        await house.aaa.release(tx, service.id)
    await rested(house)
    assert await held(house, await credential(house, service, "two")) == [
        (0, "delegated_ipv6", "2001:db8:0:100::/56")
    ]
    with pytest.raises(Conflict, match="exhausted"):
        await credential(house, service, "three")


async def test_a_static_prefix_is_its_credentials_alone(house):
    await pool(house, "homes", "2001:db8:100::/40")
    service = await house.service()
    one = await credential(
        house,
        service,
        "one",
        static_ipv6_prefix="3fff:1::/64",
        static_delegated_prefix="2001:db8:100:100::/56",
    )
    assert await held(house, one) == [
        (0, "framed_ipv6", "3fff:1::/64"),
        (0, "delegated_ipv6", "2001:db8:100:100::/56"),
    ]
    for taken in ("2001:db8:100:100::/56", "2001:db8:100::/56"):
        with pytest.raises(Conflict, match="is taken"):
            await credential(house, service, "two", static_delegated_prefix=taken)
    with pytest.raises(Conflict, match="a part of"):
        await credential(house, service, "two", static_delegated_prefix="3fff:1::/60")
    with pytest.raises(Conflict, match="pool of other prefixes"):
        await credential(house, service, "two", static_delegated_prefix="2001:db8:100::/48")
    # the pool goes on behind it
    assert await held(house, await credential(house, service, "two")) == [
        (0, "delegated_ipv6", "2001:db8:100:200::/56")
    ]


@pytest.mark.parametrize(
    "prefix", ["", "x", "2001:db8::/65", "2001:db8::1/64", "fe80::/64", "ff00::/16", "192.0.2.0/24"]
)
async def test_what_cannot_be_routed_to_somebody_is_no_static_prefix(house, prefix):
    service = await house.service()
    with pytest.raises(Invalid):
        await credential(house, service, "one", static_delegated_prefix=prefix)


async def test_a_static_prefix_of_no_pool_is_forgotten_when_it_has_rested(house):
    service = await house.service()
    one = await credential(house, service, "one", static_delegated_prefix="3fff:1::/56")
    async with house.as_isp() as tx:
        await addresses.release_one(tx, one.id)
    with pytest.raises(Conflict):
        await credential(house, service, "two", static_delegated_prefix="3fff:1::/48")
    async with house.db.system() as tx:
        assert await prefixes.forget_rested(tx) == 0
    await rested(house)
    async with house.db.system() as tx:
        assert await prefixes.forget_rested(tx) == 1
    await credential(house, service, "two", static_delegated_prefix="3fff:1::/48")


async def test_services_of_before_the_pool_get_their_prefixes(house):
    service = await house.service()
    made = [await credential(house, service, f"u{number}") for number in range(7)]
    theirs = await house.service(of=house.other_isp)
    await pool(house, "homes", "2001:db8:100::/40", tenant_id=house.isp.id)
    await PoolKeeping(house.db).fill_up()
    given = [(await held(house, one))[0][2] for one in made]
    assert len(set(given)) == len(made)
    async with house.db.system() as tx:
        (others,) = await house.aaa.credentials_of(tx, theirs.id)
    assert await held(house, others) == []
    await PoolKeeping(house.db).fill_up()
    assert [(await held(house, one))[0][2] for one in made] == given


async def test_a_pool_too_small_for_those_of_before_it_gives_what_it_has(house):
    service = await house.service()
    for number in range(5):
        await credential(house, service, f"u{number}")
    await pool(house, "homes", "2001:db8::/54")
    await PoolKeeping(house.db).fill_up()
    async with house.db.system() as tx:
        found = await tx.conn.execute(
            "SELECT count(*), count(DISTINCT prefix) FROM ip_prefix WHERE credential_id IS NOT NULL"
        )
        assert await found.fetchone() == (4, 4)


async def test_a_further_place_goes_back_whole_when_nobody_used_it_for_a_day(house):
    await pool(house, "lines", "2001:db8:a::/48", kind="framed_ipv6")
    await pool(house, "homes", "2001:db8:100::/40")
    service = await house.service()
    made = await credential(house, service, "one")
    async with house.db.system() as tx:
        for station in ("BB", "CC"):
            lent = await addresses.lease_further(
                tx,
                network_id=house.network.id,
                tenant_id=house.isp.id,
                credential_id=made.id,
                station=station,
            )
        assert len({lease.prefixes for lease in lent}) == 3
        # the second is in use by its delegated prefix alone
        await tx.conn.execute(
            """
            INSERT INTO session_live (tenant_id, owner_id, service_id, credential_id, nas_id,
                nas_address, acct_session_id, username, delegated_ipv6_prefix, started_at, updated_at)
            SELECT c.tenant_id, c.owner_id, c.service_id, c.id, %s, '127.0.0.1', 's', 'u',
                   p.prefix, now(), now()
            FROM credential c JOIN ip_prefix p ON p.credential_id = c.id
            WHERE c.id = %s AND p.slot = 1 AND p.kind = 'delegated_ipv6'
            """,
            [house.nas.id, made.id],
        )
        for table in ("ip_address", "ip_prefix"):
            await tx.conn.execute(f"UPDATE {table} SET assigned_at = now() - interval '2 days'")
        assert await addresses.reclaim(tx) == 1
        left = await addresses.leases_of(tx, made.id)
    assert [lease.prefixes for lease in left] == [one.prefixes for one in lent[:2]]
    assert {slot for slot, _, _ in await held(house, made)} == {0, 1}


async def test_no_prefix_is_leased_twice_however_many_ask_at_once(house):
    await pool(house, "lines", "2001:db8:a::/48", kind="framed_ipv6")
    await pool(house, "homes", "2001:db8:100::/40")
    service = await house.service()
    made = await asyncio.gather(*[credential(house, service, f"u{number}") for number in range(40)])
    given = [prefix for one in made for _, _, prefix in await held(house, one)]
    assert len(given) == len(set(given)) == 80


async def test_a_pool_is_one_of_what_it_says(house):
    for prefix, more in (
        ("192.0.2.0/24", {}),
        ("2001:db8::/65", {}),
        ("2001:db8::/8", {}),
        ("fe80::/48", {}),
        ("2001:db8::/32", {"length": 64}),
        ("2001:db8::/48", {"length": 47}),
        ("2001:db8::/48", {"length": 65}),
        ("2001:db8::/48", {"kind": "ipv4"}),
        ("192.0.2.0/24", {"kind": "ipv4", "length": 32}),
        ("2001:db8::/48", {"excluded": ["2001:db8::1"]}),
        ("2001:db8::/48", {"nas_pool": "pd"}),
        (None, {}),
    ):
        with pytest.raises(Invalid):
            await pool(house, "bad", prefix, **more)
    await pool(house, "one", "2001:db8:100::/40")
    with pytest.raises(Conflict, match="overlaps"):
        await pool(house, "two", "2001:db8:100::/48", kind="framed_ipv6")


async def test_an_isp_sees_no_prefix_of_a_network_it_is_not_on(house):
    await pool(house, "homes", "2001:db8:100::/40")
    await house.service()
    async with house.db.tenant(UUID(int=7)) as tx:
        found = await tx.conn.execute(
            "SELECT demarc_extend_prefixes(%s, 'delegated_ipv6', NULL)", [house.network.id]
        )
        assert await found.fetchone() == (False,)
        rows = await tx.conn.execute("SELECT count(*) FROM ip_prefix")
        assert await rows.fetchone() == (0,)


async def test_services_are_leased_nothing_of_a_garden(house):
    async with house.db.system() as tx:
        await tx.conn.execute("DELETE FROM ip_address")
        await tx.conn.execute("DELETE FROM ip_pool")
    await pool(house, "garden", "100.65.0.0/24", kind="ipv4", purpose="garden")
    await pool(house, "garden6", "2001:db8:100::/40", purpose="garden")
    service = await house.service()
    async with house.db.system() as tx:
        (made,) = await house.aaa.credentials_of(tx, service.id)
        assert await addresses.leases_of(tx, made.id) == []


async def test_a_lease_reads_one_row_however_many_are_free(house):
    await pool(house, "homes", "2001:db8:100::/40")
    await house.service()
    async with house.db.system() as tx:
        await tx.conn.execute("SET LOCAL enable_seqscan = off")
        sql = Statement.registry["aaa.lease_prefix_common"]
        values = {
            "credential_id": f"'{UUID(int=1)}'",
            "network_id": f"'{house.network.id}'",
            "kind": "'delegated_ipv6'",
            "slot": "0",
        }
        text = sql.sql
        for at, name in reversed(list(enumerate(sql.parameters, 1))):
            text = text.replace(f"${at}", values[name])
        plan = [line for (line,) in await (await tx.conn.execute("EXPLAIN " + text)).fetchall()]
    assert any("ip_prefix_free" in line for line in plan)
    assert not any("Sort" in line for line in plan)
