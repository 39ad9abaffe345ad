"""RADIUS while the database, or the way to it, is cut: what was acknowledged is never lost."""

import asyncio
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from demarc.platform.telemetry.counters import COUNTERS
from demarc.protocols.radius.dictionary import DICTIONARY
from demarc.protocols.radius.packet import Code
from support.house import NAS_SECRET, build
from support.radius_process import running, until

pytestmark = pytest.mark.faults

MESSAGE = DICTIONARY["Reply-Message"]


class Hands:
    """A monotonic clock that is moved by hand."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
async def house(db, tmp_path):
    return await build(db, tmp_path)


async def login_of(house, service):
    async with house.as_isp() as tx:
        status = await house.aaa.radius_status(tx, service.id)
    return status.username, status.password


async def kill_connections(house, names):
    """End the connections of some application names, as a broken network would."""
    async with await psycopg.AsyncConnection.connect(house.db.conninfo, autocommit=True) as conn:
        found = await conn.execute(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
            " WHERE application_name LIKE ANY(%s) AND datname = current_database()"
            " AND pid <> pg_backend_pid()",
            [names],
        )
        return (await found.fetchone())[0]


async def test_a_suspension_nobody_could_tell_of_is_obeyed_within_the_age_limit(house, monkeypatch):
    clock = Hands()
    service = await house.service()
    username, password = await login_of(house, service)
    async with running(house.db, house.keys, monotonic_clock=clock) as process:
        nas = process.nas(NAS_SECRET)
        assert (await nas.login(username, password)).code == Code.ACCESS_ACCEPT

        @asynccontextmanager
        async def cut(*_channels):
            raise psycopg.OperationalError("the network is cut")
            yield

        monkeypatch.setattr(house.db, "listen", cut)
        assert await kill_connections(house, ["demarc/listen"]) == 1
        async with house.as_isp() as tx:
            await house.services.suspend(tx, service.id, reason="unpaid")
        clock.now += 30
        # still within the limit: what is in memory is not known to be old
        assert (await nas.login(username, password)).code == Code.ACCESS_ACCEPT
        clock.now += 1
        reply = await nas.login(username, password)
        assert reply.text(MESSAGE) == "service suspended"


async def test_after_the_cut_what_was_missed_is_caught_up(house, monkeypatch):
    service = await house.service()
    username, password = await login_of(house, service)
    listen = house.db.listen
    mended = asyncio.Event()

    @asynccontextmanager
    async def cut(*channels):
        if not mended.is_set():
            raise psycopg.OperationalError("the network is cut")
        async with listen(*channels) as conn:
            yield conn

    # the clock stands still, so that only the news can make the process read again
    async with running(house.db, house.keys, monotonic_clock=Hands()) as process:
        nas = process.nas(NAS_SECRET)
        assert (await nas.login(username, password)).code == Code.ACCESS_ACCEPT
        monkeypatch.setattr(house.db, "listen", cut)
        await kill_connections(house, ["demarc/listen"])
        async with house.as_isp() as tx:
            await house.services.suspend(tx, service.id, reason="unpaid")
        assert (await nas.login(username, password)).code == Code.ACCESS_ACCEPT
        mended.set()

        async def refused():
            return (await nas.login(username, password)).code == Code.ACCESS_REJECT

        await until(refused)


async def test_log_ins_go_on_without_the_database_for_a_while_and_no_longer(house, monkeypatch):
    clock = Hands()
    username, password = await login_of(house, await house.service())
    async with running(house.db, house.keys, monotonic_clock=clock) as process:
        nas = process.nas(NAS_SECRET)
        assert (await nas.login(username, password)).code == Code.ACCESS_ACCEPT

        @asynccontextmanager
        async def away(*_args):
            raise psycopg.OperationalError("the server is away")
            yield

        monkeypatch.setattr(house.db, "system", away)
        for seconds in (20, 20, 19):
            clock.now += seconds
            assert (await nas.login(username, password)).code == Code.ACCESS_ACCEPT
        clock.now += 2
        before = COUNTERS.value("radius_dropped", reason="database_away")
        nas.send(Code.ACCESS_REQUEST, [("User-Name", username), ("User-Password", password)])
        await until(lambda: COUNTERS.value("radius_dropped", reason="database_away") == before + 1)
        monkeypatch.undo()
        assert (await nas.login(username, password)).code == Code.ACCESS_ACCEPT


async def shown(house, service):
    async with house.as_isp() as tx:
        status = await house.aaa.radius_status(tx, service.id)
        today = datetime.now(UTC).date()
        days = await house.aaa.usage(tx, service.id, today - timedelta(2), today + timedelta(1))
    return status.sessions, sum(day.down_octets for day in days)


async def test_one_poisoned_packet_does_not_hold_the_others(house):
    service, big = await house.service(), await house.service(first_name="Thandi")
    (username, _), (poisoned, _) = await login_of(house, service), await login_of(house, big)
    async with running(house.db, house.keys) as process:
        nas = process.nas(NAS_SECRET)
        most = {"Acct_Output_Octets": 2**32 - 1, "Acct_Output_Gigawords": 2**31 - 1}
        # the day's sum is full already; the next session overflows it only in the database
        await nas.account("Stop", poisoned, "full", Acct_Session_Time=1, **most)
        requests = [
            [
                ("Acct-Status-Type", "Stop"),
                ("User-Name", poisoned if number == 13 else username),
                ("Acct-Session-Id", f"s{number}"),
                ("Acct-Session-Time", 1),
                ("Acct-Output-Octets", 100),
            ]
            for number in range(30)
        ]
        sent = [nas.send(Code.ACCOUNTING_REQUEST, pairs) for pairs in requests]
        replies = await asyncio.gather(*[nas.answer(octets) for octets in sent])
        assert {reply.code for reply in replies} == {Code.ACCOUNTING_RESPONSE}
    sessions, down = await shown(house, service)
    assert (len(sessions), down) == (29, 2900)
    assert len((await shown(house, big))[0]) == 1
    async with house.db.system() as tx:
        kept = await tx.conn.execute("SELECT reason, packet FROM accounting_quarantine")
        ((reason, packet),) = await kept.fetchall()
    assert "NumericValueOutOfRange" in reason
    assert packet == sent[13]


async def test_connections_killed_under_load_lose_and_double_nothing_acknowledged(house):
    services = [await house.service(first_name=f"N{number}") for number in range(4)]
    names = [(await login_of(house, service))[0] for service in services]
    begun = datetime.now(UTC) - timedelta(minutes=30)
    acknowledged: dict[str, int] = {}
    packets = [0]

    async def session(nas, name, session_id, station):
        """A session from start to stop; what is acknowledged is noted."""
        facts = {"Calling_Station_Id": station}
        await nas.account("Start", name, session_id, Event_Timestamp=begun, **facts)
        for minutes in (5, 10, 15):
            await nas.account(
                "Stop" if minutes == 15 else "Interim-Update",
                name,
                session_id,
                Event_Timestamp=begun + timedelta(minutes=minutes),
                Acct_Session_Time=minutes * 60,
                Acct_Output_Octets=minutes * 1000,
                **facts,
            )
            acknowledged[session_id] = minutes * 1000
            packets[0] += 1

    async def line(nas, name, station):
        for number in range(8):
            await session(nas, name, f"{station}-{number}", station)

    async with running(house.db, house.keys) as process:
        nases = [process.nas(NAS_SECRET) for _ in range(4)]
        lines = [
            asyncio.create_task(line(nases[number % 4], names[number % 4], f"AA-{number}"))
            for number in range(80)
        ]
        # again and again when some of it is through, while the rest is under way
        kills = 0
        for reached in range(50, 1900, 150):
            await until(lambda reached=reached: packets[0] >= reached, 60)
            kills += await kill_connections(house, ["%/system"])
        await asyncio.gather(*lines)
    assert kills > 8
    assert len(acknowledged) == 640
    async with await psycopg.AsyncConnection.connect(house.db.conninfo) as conn:
        found = await conn.execute("SELECT acct_session_id, output_octets FROM session_closed")
        assert dict(await found.fetchall()) == acknowledged
        assert found.rowcount == 640
        found = await conn.execute("SELECT sum(down_octets) FROM usage_daily")
        assert (await found.fetchone())[0] == sum(acknowledged.values())
