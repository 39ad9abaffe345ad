"""What is booked without reading a session is what reading it would have booked."""

import asyncio
import contextlib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID
from zoneinfo import ZoneInfo, available_timezones

import msgspec
import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from psycopg import AsyncRawCursor

from demarc.domains.aaa import ledger
from demarc.domains.aaa.accounting import Kind, Record, Subscriber
from demarc.domains.aaa.certain import book_certain, local_day
from demarc.domains.aaa.ledger import Entry
from demarc.platform.database import Database
from demarc.platform.statements import Statement
from support import postgres
from support.house import build

# around the subscriber's midnight (UTC+2), within what there are partitions for
MIDNIGHT = (datetime.now(UTC) - timedelta(days=3)).replace(
    hour=22, minute=0, second=0, microsecond=0
)

SESSIONS = """
    SELECT host(nas_address), acct_session_id, username, framed_ipv4::text,
           framed_ipv6_prefix::text, delegated_ipv6_prefix::text, calling_station_id, nas_port_id,
           started_at, updated_at, session_seconds, input_octets, output_octets,
           ipv6_input_octets, ipv6_output_octets, start_told, {end}
    FROM {table} WHERE credential_id = %s ORDER BY 1, 2, 9, 7, 4, 10, 13
"""
USED = """
    SELECT day, down_octets, up_octets, ipv6_down_octets, ipv6_up_octets FROM usage_daily
    WHERE service_id = %s ORDER BY day
"""


class Undone(Exception):
    """The transaction is not to be kept."""


@pytest.fixture(scope="module")
def twins():
    """Two subscribers in one database who are told the same of, and how to run things there."""
    postgres.server().template()
    with (
        asyncio.Runner() as runner,
        TemporaryDirectory() as folder,
        postgres.server().database() as url,
    ):

        async def begin():
            db = await Database.open(url, tenant_pool=2, system_pool=2)
            house = await build(db, Path(folder))
            subscribers = []
            for name in ("Thandi", "Sipho"):
                service = await house.service(first_name=name)
                async with house.as_isp() as tx:
                    (made,) = await house.aaa.credentials_of(tx, service.id)
                subscribers.append(
                    Subscriber(
                        made.id, made.tenant_id, made.owner_id, made.service_id, made.timezone
                    )
                )
            return db, house.nas.id, subscribers

        db, nas_id, subscribers = runner.run(begin())
        yield runner, db, nas_id, subscribers
        runner.run(db.close())


def mostly(usual, *others):
    """Draw what is usual nine times in ten."""
    return st.integers(0, 9).flatmap(
        lambda number: st.sampled_from(others) if number == 9 else st.just(usual)
    )


@st.composite
def records(draw, nas_id, place):
    """A record of a session that began 1500 s before midnight, more or less."""
    kind = draw(mostly(Kind.INTERIM if place else Kind.START, Kind.START, Kind.STOP))
    after = -1500 + 280 * place + draw(mostly(0, 1, 3, 61, -290, -600, 900, -2000))
    begun = draw(mostly(-1500, None, -1497, -1440, -300, 0))
    octets = mostly(1000 * place, 0, 500, 1000 * place + 100)
    return Record(
        kind=kind,
        nas_id=nas_id,
        nas_address=draw(mostly("127.0.0.1", "2001:db8::1")),
        acct_session_id=draw(mostly("s", "t")),
        username="u",
        at=MIDNIGHT + timedelta(seconds=after),
        exact=draw(mostly(True, False)),
        session_seconds=None if begun is None else max(0, after - begun) or None,
        input_octets=draw(octets),
        output_octets=draw(octets),
        ipv6_input_octets=draw(mostly(10 * place, 0, 20)),
        ipv6_output_octets=draw(mostly(10 * place, 0, 20)),
        framed_ipv4=draw(mostly("192.0.2.1", None, "192.0.2.2")),
        framed_ipv6_prefix=draw(mostly("2001:db8:1::/64", None, "2001:db8:2::/64")),
        delegated_ipv6_prefix=draw(mostly(None, "2001:db8:100::/56")),
        station=draw(mostly("AA", None, "BB")),
        nas_port_id=draw(mostly("ge-0/0/1", None)),
        terminate_cause=draw(st.sampled_from(["User-Request", "Lost-Carrier"])),
    )


@st.composite
def batches(draw, nas_id):
    found, place = [], 0
    for _ in range(draw(st.integers(1, 10))):
        size = draw(mostly(1, 2, 3))
        found.append([draw(records(nas_id, place + more)) for more in range(size)])
        place += size
    return found


async def books_of(tx, subscriber):
    found = []
    for table, end in (
        ("session_live", "NULL, NULL"),
        ("session_closed", "ended_at, terminate_cause"),
    ):
        query = SESSIONS.format(table=table, end=end)
        rows = await tx.conn.execute(query.encode(), [subscriber.credential_id])
        found.append(await rows.fetchall())
    used = await (await tx.conn.execute(USED.encode(), [subscriber.service_id])).fetchall()
    # a day on which nothing was used may have a row or none
    return [*found, [day for day in used if any(day[1:])]]


@settings(
    max_examples=120,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_it_is_booked_as_if_it_had_been_read(twins, data):
    runner, db, nas_id, (quick, slow) = twins
    story = data.draw(batches(nas_id))

    async def compare():
        certain = 0
        with contextlib.suppress(Undone):
            async with db.system() as tx:
                for batch in story:
                    told = [Entry(quick, record) for record in batch]
                    _, rest = await book_certain(tx, told)
                    certain += len(told) - len(rest)
                    if rest:
                        await ledger.book_by_reading(tx, rest)
                    same = [Entry(slow, record) for record in batch]
                    first = len(same) - len(rest)
                    for part in (same[:first], same[first:]):
                        if part:
                            await ledger.book_by_reading(tx, part)
                    assert await books_of(tx, quick) == await books_of(tx, slow)
                raise Undone
        event(f"{min(certain, 4)} or more without reading")

    runner.run(compare())


async def test_nearly_all_that_nases_tell_is_booked_without_reading(db, tmp_path):
    """Else accounting would be as slow as before, and no other test would see it."""
    house = await build(db, tmp_path)
    service = await house.service()
    async with house.as_isp() as tx:
        (made,) = await house.aaa.credentials_of(tx, service.id)
    subscriber = Subscriber(made.id, made.tenant_id, made.owner_id, made.service_id, made.timezone)

    def told(kind, minutes, **more):
        facts = {
            "nas_id": house.nas.id,
            "nas_address": "127.0.0.1",
            "acct_session_id": "s",
            "username": "u",
            "exact": True,
            "framed_ipv4": "192.0.2.1",
            "framed_ipv6_prefix": "2001:db8:1::/64",
            "delegated_ipv6_prefix": "2001:db8:100::/56",
            "station": "AA",
            "nas_port_id": "ge-0/0/1",
        } | more
        at = MIDNIGHT + timedelta(minutes=minutes)
        return Entry(
            subscriber,
            Record(
                kind=kind,
                at=at,
                session_seconds=minutes * 60 or None,
                output_octets=minutes * 1000,
                **facts,
            ),
        )

    async with db.system() as tx:
        for entry in (
            told(Kind.START, 0),
            told(Kind.INTERIM, 5),
            told(Kind.INTERIM, 10, input_octets=2**40),
            # the clocks of line and session are a little apart; a counter is lost
            told(Kind.INTERIM, 15, input_octets=0),
            told(Kind.STOP, 20, terminate_cause="Lost-Carrier"),
        ):
            stand, rest = await book_certain(tx, [entry])
            assert not rest
            assert stand[0].over is (entry.record.kind is Kind.STOP)
        # the day after, that session and another day's beginning are past
        stand, rest = await book_certain(tx, [told(Kind.INTERIM, 25)])
        assert (stand, len(rest)) == ([], 1)


@given(
    zone=st.sampled_from(sorted(available_timezones())),
    at=st.integers(1_000_000_000, 2_000_000_000).map(lambda s: datetime.fromtimestamp(s, UTC)),
    data=st.data(),
)
@settings(max_examples=300, deadline=None)
def test_every_instant_of_a_local_day_shows_its_date(zone, at, data):
    day = local_day(zone, at)
    if day is None:
        event("the calendar runs back or skips")
        return
    assert day.begin <= at < day.end
    other = data.draw(st.integers(int(day.begin.timestamp()), int(day.end.timestamp()) - 1))
    local = datetime.fromtimestamp(other, UTC).astimezone(ZoneInfo(zone))
    assert (local.date() - datetime(2000, 1, 1, tzinfo=UTC).date()).days == day.day


async def test_sessions_are_found_by_their_indexes_however_few_there_are(db):
    """A plan made while the tables were empty is kept when they are not."""
    record = Record(
        kind=Kind.INTERIM,
        nas_id=UUID(int=1),
        nas_address="127.0.0.1",
        acct_session_id="s",
        username="u",
        at=MIDNIGHT,
        exact=True,
    )
    nobody = Subscriber(*[UUID(int=number) for number in range(4)], "UTC")
    asked = []

    async def explain(statement, tx, /, **values):
        query = f"EXPLAIN (COSTS OFF) {statement.sql}".encode()
        cursor = AsyncRawCursor(tx.conn)
        await cursor.execute(query, [values[name] for name in statement.parameters])
        asked.append("\n".join(line for (line,) in await cursor.fetchall()))
        return []

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Statement, "all", explain)
        async with db.system() as tx:
            for kind in Kind:
                told = [
                    Entry(
                        msgspec.structs.replace(nobody, credential_id=UUID(int=number << 64)),
                        msgspec.structs.replace(record, kind=kind),
                    )
                    for number in range(300)
                ]
                await book_certain(tx, told)
    assert len(asked) == 3
    for plan in asked:
        assert "session_live_credential" in plan, plan
        assert "Seq Scan" not in plan, plan
        assert "Hash Join" not in plan, plan
