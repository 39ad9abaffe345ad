"""Credentials and addresses on a real database: what an ISP and its subscribers would notice."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from demarc.domains.aaa import addresses
from demarc.domains.aaa.accounting import Kind, Record, Subscriber
from demarc.domains.aaa.ledger import Entry, book
from demarc.domains.aaa.logins import logins_by_name
from demarc.domains.errors import Conflict, Invalid, NotFound
from support.house import build


@pytest.fixture
async def house(db, tmp_path):
    return await build(db, tmp_path)


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


async def leases(house, made):
    async with house.db.system() as tx:
        return [lease.address for lease in await addresses.leases_of(tx, made.id)]


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


async def test_a_pool_has_neither_network_nor_broadcast_nor_what_is_excluded(house):
    await pool(house, "small", "198.51.100.0/29", excluded=["198.51.100.1"])
    await pool(house, "link", "198.51.100.8/31")
    async with house.db.system() as tx:
        pools = {one.name: one.id for one in await house.aaa.pools(tx, house.network.id)}
        use = await house.aaa.pool_use(tx, house.network.id)
    assert use[pools["small"]].total == 5
    assert use[pools["link"]].total == 2
    assert use[pools["main"]].total == 254


@pytest.mark.parametrize(
    ("prefix", "excluded"),
    [
        ("10.0.0.0/8", []),
        ("2001:db8::/64", []),
        ("10.0.0.1/24", []),
        ("x", []),
        ("10.0.0.0/24", ["10.0.1.1"]),
    ],
)
async def test_a_prefix_that_cannot_be_a_pool_is_refused(house, prefix, excluded):
    with pytest.raises(Invalid):
        await pool(house, "bad", prefix, excluded=excluded)


async def test_pools_of_one_network_do_not_overlap(house):
    with pytest.raises(Conflict, match="overlaps"):
        await pool(house, "again", "100.64.0.128/25")


async def test_the_isps_own_pool_comes_before_the_networks(house):
    await pool(house, "acme", "203.0.113.0/30", tenant_id=house.isp.id)
    service = await house.service()
    first = await credential(house, service, "first")
    other = await house.service(of=house.other_isp)
    async with house.as_other_isp() as tx:
        (others,) = await house.aaa.credentials_of(tx, other.id)
    assert await leases(house, first) == ["203.0.113.2"]
    assert await leases(house, others) == ["100.64.0.1"]


async def test_no_address_is_leased_twice_however_many_ask_at_once(house):
    service = await house.service()
    await pool(house, "acme", "203.0.113.0/27", tenant_id=house.isp.id)
    made = await asyncio.gather(*[credential(house, service, f"u{number}") for number in range(12)])
    given = [address for one in made for address in await leases(house, one)]
    assert len(given) == len(set(given)) == 12


async def test_an_exhausted_pool_is_said_and_nothing_is_made(house):
    await pool(house, "acme", "203.0.113.0/30", tenant_id=house.isp.id)
    async with house.db.system() as tx:
        await tx.conn.execute(
            "DELETE FROM ip_address WHERE credential_id IS NULL AND reserved_for IS NULL"
        )
    service = await house.service()
    await credential(house, service, "one")
    with pytest.raises(Conflict, match="exhausted"):
        await credential(house, service, "two")
    async with house.as_isp() as tx:
        assert "two" not in [c.username for c in await house.aaa.credentials_of(tx, service.id)]


async def test_a_static_address_is_its_credentials_alone(house):
    service = await house.service()
    made = await credential(house, service, "one", static_ipv4="100.64.0.77")
    outside = await credential(house, service, "two", static_ipv4="192.0.2.5")
    assert await leases(house, made) == ["100.64.0.77"]
    assert await leases(house, outside) == ["192.0.2.5"]
    for taken in ("100.64.0.77", "192.0.2.5"):
        with pytest.raises(Conflict, match="taken"):
            await credential(house, service, "three", static_ipv4=taken)
    with pytest.raises(Invalid):
        await credential(house, service, "three", static_ipv4="300.1.2.3")


async def test_an_address_of_anothers_pool_cannot_be_had(house):
    await pool(house, "beta", "203.0.113.0/30", tenant_id=house.other_isp.id)
    service = await house.service()
    with pytest.raises(Conflict, match="taken"):
        await credential(house, service, "one", static_ipv4="203.0.113.1")


async def test_a_login_is_unique_in_its_realm(house):
    service = await house.service()
    await credential(house, service, "one")
    with pytest.raises(Conflict, match="taken"):
        await credential(house, service, "one")


async def test_a_released_address_rests_before_it_is_leased_again(house):
    await pool(house, "acme", "203.0.113.0/30", tenant_id=house.isp.id)
    service = await house.service()
    (before,) = await leases(house, (await all_of(house, service))[0])
    async with house.as_isp() as tx:
        await house.aaa.release(tx, service.id)
    (closed,) = await all_of(house, service)
    assert closed.access == "closed"
    assert await leases(house, closed) == []
    another = await house.service()
    (after,) = await leases(house, (await all_of(house, another))[0])
    assert after != before


async def all_of(house, service):
    async with house.as_isp() as tx:
        return await house.aaa.credentials_of(tx, service.id)


async def test_an_address_with_a_live_session_is_not_leased_to_another(house):
    service = await house.service()
    (made,) = await all_of(house, service)
    at = datetime.now(UTC)
    async with house.db.system() as tx:
        record = Record(
            kind=Kind.START,
            nas_id=house.nas.id,
            nas_address="127.0.0.1",
            acct_session_id="s",
            username="u",
            at=at,
            exact=True,
            framed_ipv4="100.64.0.2",
        )
        subscriber = Subscriber(made.id, house.isp.id, house.fno.id, service.id, "UTC")
        await book(tx, [Entry(subscriber, record)])
        given = await addresses.lease(
            tx, network_id=house.network.id, tenant_id=house.isp.id, credential_id=made.id
        )
    assert given == "100.64.0.3"


async def test_an_address_of_another_isps_live_session_is_passed_over_though_unseen(house):
    theirs = await house.service(of=house.other_isp)
    async with house.as_other_isp() as tx:
        (made,) = await house.aaa.credentials_of(tx, theirs.id)
    async with house.db.system() as tx:
        record = Record(
            kind=Kind.START,
            nas_id=house.nas.id,
            nas_address="127.0.0.1",
            acct_session_id="s",
            username="u",
            at=datetime.now(UTC),
            exact=True,
            framed_ipv4="100.64.0.2",
        )
        subscriber = Subscriber(made.id, house.other_isp.id, house.fno.id, theirs.id, "UTC")
        await book(tx, [Entry(subscriber, record)])
    ours = await house.service()
    assert await leases(house, (await all_of(house, ours))[0]) == ["100.64.0.3"]


async def test_a_further_address_goes_back_when_nobody_used_it_for_a_day(house):
    service = await house.service()
    (made,) = await all_of(house, service)
    async with house.db.system() as tx:
        for _ in range(2):
            await addresses.lease_further(
                tx,
                network_id=house.network.id,
                tenant_id=house.isp.id,
                credential_id=made.id,
                station="BB",
            )
        assert await addresses.reclaim(tx) == 0
        await tx.conn.execute(
            "UPDATE ip_address SET assigned_at = assigned_at - interval '2 days'"
            " WHERE address <> '100.64.0.3'"
        )
        assert await addresses.reclaim(tx) == 1
    assert await leases(house, made) == ["100.64.0.1", "100.64.0.3"]


async def test_no_more_addresses_are_lent_than_sessions_allowed(house):
    service = await house.service()
    made = await credential(house, service, "one", max_sessions=2)
    async with house.db.system() as tx:
        for _ in range(3):
            lent = await addresses.lease_further(
                tx,
                network_id=house.network.id,
                tenant_id=house.isp.id,
                credential_id=made.id,
                station=None,
            )
    assert len(lent) == 2


async def test_the_owner_of_the_network_sees_the_login_as_it_is_typed(house):
    service = await house.service()
    async with house.as_fno() as tx:
        assert (await house.aaa.radius_status(tx, service.id)).username == "u0001@acme"
    async with house.as_other_isp() as tx:
        with pytest.raises(NotFound):
            await house.aaa.radius_status(tx, service.id)


async def test_a_password_is_read_back_and_stored_encrypted(house):
    service = await house.service()
    made = await credential(house, service, "one")
    async with house.as_isp() as tx:
        await house.aaa.set_password(tx, made, "Sesame-öffne")
    one = next(c for c in await all_of(house, service) if c.username == "one")
    assert house.aaa.password(one) == "Sesame-öffne"
    assert b"Sesame" not in one.secret


async def test_what_a_transition_sets_is_what_radius_reads(house):
    service = await house.service()
    (made,) = await all_of(house, service)
    async with house.as_isp() as tx:
        await house.aaa.set_access(tx, service.id, "suspended")
        await house.aaa.set_offer(tx, [service.id], download_bps=7, upload_bps=3, profile_id=None)
    async with house.db.system() as tx:
        (login,) = await logins_by_name(
            tx, [(made.realm_id, made.username, "pppoe"), (made.realm_id, "nobody", "pppoe")]
        )
    assert (login.access, login.download_bps, login.upload_bps) == ("suspended", 7, 3)
    assert [lease.address for lease in login.leases] == ["100.64.0.1"]


async def test_usage_wants_a_period_that_ends_after_it_begins(house):
    service = await house.service()
    today = datetime.now(UTC).date()
    async with house.as_isp() as tx:
        with pytest.raises(Invalid):
            await house.aaa.usage(tx, service.id, today, today - timedelta(days=1))
        with pytest.raises(Invalid):
            await house.aaa.usage_by_month(tx, service.id, today, today - timedelta(days=1))


async def test_a_nas_keeps_its_secret_encrypted_and_changes_what_it_may(house):
    async with house.as_fno() as tx:
        (nas,) = await house.aaa.nases(tx, house.network.id)
        assert house.aaa.nas_secret(nas) == b"a-secret-of-tests"
        changed = await house.aaa.change_nas(tx, nas, secret="other", coa_port=1700)
        assert house.aaa.nas_secret(changed) == b"other"
        assert changed.coa_port == 1700
        with pytest.raises(Invalid):
            await house.aaa.change_nas(tx, nas, name="renamed")
        with pytest.raises(NotFound):
            await house.aaa.find_nas(tx, uuid4())
    async with house.as_isp() as tx:
        assert await house.aaa.nases(tx, house.network.id) == []
