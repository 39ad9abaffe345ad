"""Who had an address at a time, on a real database with sessions as accounting books them."""

from datetime import UTC, datetime, timedelta, timezone
from ipaddress import IPv4Network
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demarc.domains.aaa import ledger
from demarc.domains.aaa.accounting import Kind, Record, Subscriber
from demarc.domains.aaa.ledger import Entry, book
from demarc.domains.aaa.nat import PORTS, blocks
from demarc.domains.aaa.nat_queries import NatPool
from demarc.domains.aaa.sessions import PortBlock
from demarc.domains.errors import Conflict, Invalid
from demarc.domains.identity import audit
from demarc.platform.statements import Statement
from support.house import build

NOW = datetime.now(UTC).replace(microsecond=0)
HOUR = timedelta(hours=1)
PUBLIC = "203.0.113.7"


@pytest.fixture
async def house(db, tmp_path):
    return await build(db, tmp_path)


async def subscriber_of(house, service):
    async with house.db.system() as tx:
        (made,) = await house.aaa.credentials_of(tx, service.id)
    return Subscriber(made.id, made.tenant_id, made.owner_id, service.id, "UTC")


def record(house, kind, at, session, **more):
    return Record(
        kind=kind,
        nas_id=house.nas.id,
        nas_address="127.0.0.1",
        acct_session_id=session,
        username="u",
        at=at,
        exact=True,
        station="AA-01",
        nas_port_id="gpon 1/2",
        **more,
    )


async def session(house, service, start, stop=None, *, name="s1", **more):
    """Book a session, from its Start to its Stop."""
    subscriber = await subscriber_of(house, service)
    records = [record(house, Kind.START, start, name, **more)]
    if stop is not None:
        seconds = int((stop - start).total_seconds())
        records.append(
            record(house, Kind.STOP, stop, name, session_seconds=seconds, input_octets=1, **more)
        )
    async with house.db.system() as tx:
        for one in records:
            await book(tx, [Entry(subscriber, one)])


async def ask(house, address, at, *, by=None, **more):
    context = house.db.system() if by is None else house.db.tenant(by.id)
    async with context as tx:
        return await house.aaa.lookup(tx, address=address, at=at, reason="order 12/26", **more)


async def services(house, *args, **more):
    return [holder.service_id for holder in (await ask(house, *args, **more)).holders]


async def test_one_address_was_two_peoples_one_after_the_other(house):
    first, second = await house.service(), await house.service(of=house.other_isp)
    await session(house, first, NOW - 5 * HOUR, NOW - 3 * HOUR, framed_ipv4="198.51.100.9")
    await session(house, second, NOW - 2 * HOUR, framed_ipv4="198.51.100.9", name="s2")
    assert await services(house, "198.51.100.9", NOW - 4 * HOUR) == [first.id]
    assert await services(house, "198.51.100.9", NOW - HOUR) == [second.id]
    assert await services(house, "198.51.100.9", NOW - 6 * HOUR) == []
    between = NOW - timedelta(hours=2, minutes=30)
    assert await services(house, "198.51.100.9", between) == []
    both = await ask(house, "198.51.100.9", between, tolerance=HOUR)
    assert [holder.service_id for holder in both.holders] == [first.id, second.id]
    (ended, lives) = both.holders
    assert ended.terminate_cause is None  # its NAS told none
    assert (ended.evidence, ended.station, ended.line, ended.nas) == (
        *("session", "AA-01", "gpon 1/2", "bng"),
    )
    assert (ended.started_at, ended.ended_at) == (NOW - 5 * HOUR, NOW - 3 * HOUR)
    assert lives.ended_at is None
    assert (ended.login, lives.login) == ("u0001@acme", "u0001@beta")


async def test_the_time_is_that_of_its_zone(house):
    service = await house.service()
    await session(house, service, NOW - 2 * HOUR, NOW - HOUR, framed_ipv4=PUBLIC)
    at = (NOW - timedelta(minutes=90)).astimezone(timezone(timedelta(hours=-3)))
    assert await services(house, PUBLIC, at) == [service.id]
    with pytest.raises(Invalid, match="time zone"):
        await ask(house, PUBLIC, at.replace(tzinfo=None))


@pytest.mark.parametrize("kind", ["framed_ipv6_prefix", "delegated_ipv6_prefix"])
async def test_an_ipv6_address_is_of_whom_its_prefix_was(house, kind):
    first, second = await house.service(), await house.service(of=house.other_isp)
    await session(house, first, NOW - 3 * HOUR, NOW - HOUR, **{kind: "2001:db8:7:100::/56"})
    await session(house, second, NOW - 3 * HOUR, name="s2", **{kind: "2001:db8:7:200::/56"})
    then = NOW - 2 * HOUR
    assert await services(house, "2001:db8:7:1ab::5", then) == [first.id]
    assert await services(house, "2001:db8:7:200::1", then) == [second.id]
    assert await services(house, "2001:db8:7:300::1", then) == []
    assert await services(house, "2001:db8:7:1ab::5", NOW) == []


async def nat_pool(house, **more):
    async with house.db.system() as tx:
        return await house.aaa.create_nat_pool(
            tx,
            owner_id=house.fno.id,
            network_id=house.network.id,
            **{
                "name": "cgnat",
                "inside": "100.64.0.0/24",
                "public": "203.0.113.0/29",
                **more,
            },
        )


async def long_held(house):
    """Let the rules that hold now have held for days."""
    async with house.db.system() as tx:
        await tx.conn.execute("UPDATE nat_pool SET valid_from = valid_from - interval '9 days'")


async def test_a_port_behind_a_rule_tells_one_of_many(house):
    pool = await nat_pool(house)
    await long_held(house)
    who = {}
    for number, isp in enumerate((house.isp, house.other_isp, house.isp)):
        service = await house.service(of=isp, first_name=f"N{number}")
        inside = f"100.64.0.{62 + number}"
        who[inside] = service.id
        await session(house, service, NOW - HOUR, name=f"s{number}", framed_ipv4=inside)
    then = NOW - timedelta(minutes=5)
    for block in blocks(pool):
        if block.inside not in who:
            continue
        for port in (block.port_from, block.port_to):
            (holder,) = (await ask(house, block.public, then, port=port)).holders
            assert holder.service_id == who[block.inside]
            assert (holder.evidence, holder.ipv4) == ("nat rule", block.inside)
            assert (holder.port_from, holder.port_to) == (block.port_from, block.port_to)
    # without a port all that shared it are told: 63 blocks of 1024 ports begin with .0 and .63
    assert set(await services(house, "203.0.113.0", then)) == {who["100.64.0.62"]}
    assert set(await services(house, "203.0.113.1", then)) == {
        who["100.64.0.63"],
        who["100.64.0.64"],
    }
    assert await services(house, "203.0.113.0", then, port=80) == []


async def test_what_a_rule_gave_is_told_of_when_it_held(house):
    old = await nat_pool(house)
    await long_held(house)
    service = await house.service()
    await session(house, service, NOW - 5 * HOUR, framed_ipv4="100.64.0.1")
    async with house.db.system() as tx:
        await house.aaa.end_nat_pool(tx, old)
        await tx.conn.execute("UPDATE nat_pool SET valid_until = now() - interval '2 hours'")
    # the same addresses, the other way round
    await nat_pool(house, block_size=256)
    then = NOW - 3 * HOUR
    assert await services(house, "203.0.113.0", then, port=2048 + 5) == [service.id]
    assert await services(house, "203.0.113.0", NOW - HOUR, port=2048 + 5) == []
    later = datetime.now(UTC) + timedelta(seconds=1)
    assert await services(house, "203.0.113.0", later, port=1024 + 256) == [service.id]


async def test_a_rule_of_one_network_says_nothing_of_another(house):
    await nat_pool(house)
    await long_held(house)
    service = await house.service()
    await session(house, service, NOW - HOUR, framed_ipv4="100.64.0.1")
    async with house.db.system() as tx:
        await tx.conn.execute("UPDATE credential SET network_id = gen_random_uuid()")
    assert await services(house, "203.0.113.0", NOW - timedelta(minutes=1), port=2050) == []


def told(first, last):
    return {"nat": (PortBlock(PUBLIC, first, last),)}


async def test_blocks_are_whose_the_nas_said(house):
    first, second = await house.service(), await house.service(of=house.other_isp)
    await session(
        *(house, first, NOW - 5 * HOUR, NOW - 3 * HOUR), framed_ipv4="10.0.0.1", **told(1024, 2047)
    )
    await session(
        *(house, second, NOW - 2 * HOUR), name="s2", framed_ipv4="10.0.0.2", **told(1024, 2047)
    )
    assert await services(house, PUBLIC, NOW - 4 * HOUR, port=1500) == [first.id]
    assert await services(house, PUBLIC, NOW - HOUR, port=1500) == [second.id]
    assert await services(house, PUBLIC, NOW - HOUR, port=2048) == []
    assert await services(house, PUBLIC, NOW - 6 * HOUR, port=1500) == []
    (holder,) = (await ask(house, PUBLIC, NOW - HOUR, port=1500)).holders
    assert (holder.evidence, holder.port_from, holder.port_to) == ("nat block", 1024, 2047)


async def test_a_block_that_is_told_again_and_again_is_one(house):
    service = await house.service()
    subscriber = await subscriber_of(house, service)
    async with house.db.system() as tx:
        for minutes in (60, 50, 50, 40):
            at = NOW - timedelta(minutes=minutes)
            kind = Kind.START if minutes == 60 else Kind.INTERIM
            seconds = (60 - minutes) * 60 or None
            await book(
                tx,
                [
                    Entry(
                        subscriber,
                        record(house, kind, at, "s1", session_seconds=seconds, **told(0, 99)),
                    )
                ],
            )
        rows = await tx.conn.execute("SELECT since, until FROM nat_block")
        assert await rows.fetchall() == [(NOW - HOUR, None)]
        stop = record(
            house, Kind.STOP, NOW - timedelta(minutes=30), "s1", session_seconds=1800, **told(0, 99)
        )
        await book(tx, [Entry(subscriber, stop), Entry(subscriber, stop)])
        rows = await tx.conn.execute("SELECT since, until FROM nat_block")
        assert await rows.fetchall() == [(NOW - HOUR, NOW - timedelta(minutes=30))]


async def test_a_session_whose_end_nobody_told_is_told_of_for_a_while(house):
    service = await house.service()
    await session(house, service, NOW - 9 * HOUR, framed_ipv4=PUBLIC)
    async with house.db.system() as tx:
        await tx.conn.execute("UPDATE session_live SET updated_at = %s", [NOW - 3 * HOUR])
        assert await ledger.close_stale(tx) == 1
    (holder,) = (await ask(house, PUBLIC, NOW - 3 * HOUR + timedelta(minutes=20))).holders
    assert (holder.terminate_cause, holder.told_until) == ("Stale", NOW - 3 * HOUR)
    assert await services(house, PUBLIC, NOW - 2 * HOUR) == []


async def test_without_a_session_it_is_told_to_whom_the_address_is_leased(house):
    service = await house.service()
    (holder,) = (await ask(house, "100.64.0.1", datetime.now(UTC))).holders
    assert (holder.evidence, holder.service_id, holder.session_id) == ("lease", service.id, None)
    assert await services(house, "100.64.0.1", NOW - HOUR) == []


async def test_a_prefix_that_is_leased_is_told_to_whom_without_a_session(house):
    async with house.db.system() as tx:
        await house.aaa.create_pool(
            tx,
            owner_id=house.fno.id,
            network_id=house.network.id,
            name="homes6",
            kind="delegated_ipv6",
            prefix="2001:db8:100::/40",
        )
    service = await house.service()
    now = datetime.now(UTC)
    for by, seen in ((house.isp, 1), (house.fno, 1), (house.other_isp, 0)):
        found = await ask(house, "2001:db8:100:77::1", now, by=by)
        assert [one.service_id for one in found.holders] == [service.id] * seen
    (holder,) = (await ask(house, "2001:db8:100:77::1", now)).holders
    assert (holder.evidence, holder.delegated_ipv6_prefix) == ("lease", "2001:db8:100::/56")


async def test_everybody_is_told_of_their_own_alone(house):
    ours, theirs = await house.service(), await house.service(of=house.other_isp)
    await nat_pool(house)
    await long_held(house)
    await session(house, ours, NOW - HOUR, framed_ipv4="100.64.0.1", **told(5000, 5999))
    await session(
        *(house, theirs, NOW - HOUR), name="s2", framed_ipv4="100.64.0.2", **told(6000, 6999)
    )
    then = NOW - timedelta(minutes=5)
    for address, port in (("203.0.113.0", None), (PUBLIC, None), ("100.64.0.1", None)):
        seen = {
            one: set(await services(house, address, then, port=port, by=one_))
            for one, one_ in (
                ("isp", house.isp),
                ("other", house.other_isp),
                ("fno", house.fno),
                ("all", None),
            )
        }
        assert seen["isp"] == {ours.id}
        assert seen["other"] == ({theirs.id} if address != "100.64.0.1" else set())
        assert seen["fno"] == seen["all"] == seen["isp"] | seen["other"]
    # the network's owner has NASes, an ISP on it sees none
    (holder,) = (await ask(house, "100.64.0.1", then, by=house.isp)).holders
    assert (holder.nas, holder.nas_address) == (None, "127.0.0.1")


async def entries(house, tenant, key):
    async with house.db.tenant(tenant.id) as tx:
        return await audit.of(tx, "address", key)


async def test_who_asked_and_why_is_written_down_where_it_concerns(house):
    service = await house.service()
    await session(house, service, NOW - HOUR, framed_ipv4=PUBLIC)
    found = await ask(house, PUBLIC, NOW - timedelta(minutes=1), port=4711)
    for tenant in (house.isp, house.fno):
        (entry,) = await entries(house, tenant, found.id)
        assert (entry.action, entry.actor_name) == ("lookup", "demarc")
        assert entry.after["reason"] == "order 12/26"
        assert (entry.after["address"], entry.after["port"]) == (PUBLIC, 4711)
        assert entry.after["services"] == [str(service.id)]
    assert await entries(house, house.other_isp, found.id) == []
    nothing = await ask(house, "192.0.2.99", NOW, by=house.other_isp)
    (entry,) = await entries(house, house.other_isp, nothing.id)
    assert entry.after["services"] == []


@pytest.mark.parametrize(
    "more",
    [
        {"reason": " "},
        {"reason": "x" * 1001},
        {"address": "203.0.113"},
        {"address": "fe80::1%eth0"},
        {"port": 65536},
        {"tolerance": timedelta(days=2)},
        {"tolerance": -HOUR},
    ],
)
async def test_what_cannot_be_asked_is_refused_and_not_written_down(house, more):
    with pytest.raises(Invalid):
        async with house.db.system() as tx:
            await house.aaa.lookup(
                tx, **{"address": PUBLIC, "at": NOW, "reason": "because", **more}
            )


async def test_an_answer_is_bounded_and_says_so(house):
    await house.service()
    async with house.db.system() as tx:
        await tx.conn.execute(
            """
            INSERT INTO session_live (tenant_id, owner_id, service_id, credential_id, nas_id,
                nas_address, acct_session_id, username, framed_ipv4, started_at, updated_at)
            SELECT tenant_id, owner_id, service_id, id, %s, '127.0.0.1', n::text, 'u', %s,
                   now() - interval '1 hour', now()
            FROM credential, generate_series(1, 300) AS n
            """,
            [house.nas.id, PUBLIC],
        )
    found = await ask(house, PUBLIC, NOW)
    assert (len(found.holders), found.more) == (200, True)


async def test_every_table_is_read_by_an_index(house):
    statement = Statement.registry["aaa.lookup"]
    async with house.db.system() as tx:
        await tx.conn.execute("SET LOCAL enable_seqscan = off")
        values = {
            "address": "'203.0.113.7'",
            "port": "1500",
            "prefixes": "ARRAY['2001:db8::/64']",
            "since": "now()",
            "until": "now()",
            "limit": "10",
        }
        sql = statement.sql
        for at, name in reversed(list(enumerate(statement.parameters, 1))):
            sql = sql.replace(f"${at}", values[name])
        plan = [row for (row,) in await (await tx.conn.execute("EXPLAIN " + sql)).fetchall()]
    text = "\n".join(plan)
    for table in ("session_live", "session_closed", "nat_block"):
        assert f"Seq Scan on {table}" not in text
    # the months before the time that is asked of are not looked into
    last_month = (NOW.replace(day=1) - timedelta(days=20)).strftime("session_closed_%Y%m")
    assert last_month not in text


# rules


def rule(**more):
    return NatPool(
        **{
            "id": NOW,
            "owner_id": NOW,
            "network_id": NOW,
            "name": "x",
            "valid_from": NOW,
            "valid_until": None,
            **more,
        }
    )


@given(
    bits=st.integers(24, 32),
    block_size=st.integers(16, 64512),
    first_port=st.integers(0, 1024),
)
def test_no_two_inside_addresses_share_a_port(bits, block_size, first_port):
    inside = IPv4Network((0x0A000000, bits))
    per_address = (PORTS - first_port) // block_size
    needed = -(-inside.num_addresses // per_address)
    public = IPv4Network((0xCB007100, 32 - (needed - 1).bit_length()), strict=False)
    made = list(
        blocks(
            rule(
                inside=str(inside),
                public=str(public),
                block_size=block_size,
                first_port=first_port,
            )
        )
    )
    assert [block.inside for block in made] == [str(each) for each in inside]
    taken = sorted((block.public, block.port_from, block.port_to) for block in made)
    for (address, _, last), (next_address, first, _) in pairwise(taken):
        assert address != next_address or last < first
    for block in made:
        assert first_port <= block.port_from <= block.port_to < PORTS


@pytest.mark.parametrize(
    "more",
    [
        {"inside": "100.64.0.0/9"},
        {"inside": "2001:db8::/64"},
        {"public": "203.0.113.0/31"},
        {"block_size": 15},
        {"block_size": 64513},
        {"first_port": 65536},
        {"public": "x"},
    ],
)
async def test_a_rule_that_cannot_hold_is_refused(house, more):
    with pytest.raises(Invalid):
        await nat_pool(house, **more)


async def test_no_two_rules_that_hold_have_an_address_in_common(house):
    pool = await nat_pool(house)
    for more in (
        {"inside": "10.0.0.0/30"},
        {"public": "192.0.2.0/28"},
        {"inside": "10.0.0.0/30", "public": "192.0.2.0/28"},
    ):
        with pytest.raises(Conflict):
            await nat_pool(house, **{"name": "other" if len(more) == 1 else "cgnat", **more})
    async with house.db.system() as tx:
        await house.aaa.end_nat_pool(tx, pool)
    await nat_pool(house)
