"""Accounting booked in a real database: what is read back, and what two writers do."""

import asyncio
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from demarc.domains.aaa import ledger
from demarc.domains.aaa.accounting import NAS_REBOOT, STALE, Kind, Record, Subscriber
from demarc.domains.aaa.ledger import Entry
from support.house import build

NOW = datetime.now(UTC).replace(microsecond=0)
EARLIER = NOW - timedelta(hours=1)


@pytest.fixture
async def house(db, tmp_path):
    return await build(db, tmp_path)


class Books:
    """A service and the records told of it."""

    def __init__(self, house, service, credential):
        self.house, self.service = house, service
        self.subscriber = Subscriber(
            credential.id,
            credential.tenant_id,
            credential.owner_id,
            credential.service_id,
            credential.timezone,
        )

    def entry(self, kind, after=0, octets=0, **more):
        facts = {
            "nas_id": self.house.nas.id,
            "nas_address": "127.0.0.1",
            "acct_session_id": "s",
            "username": "u",
            "exact": True,
            "at": EARLIER + timedelta(seconds=after),
            "session_seconds": after or None,
            "output_octets": octets,
            "station": "AA-01",
            "framed_ipv4": "100.64.0.1",
            "delegated_ipv6_prefix": "2001:db8:1::/56",
        }
        return Entry(self.subscriber, Record(kind=kind, **{**facts, **more}))

    async def book(self, *entries):
        async with self.house.db.system() as tx:
            return await ledger.book(tx, entries)

    async def sessions(self):
        async with self.house.as_isp() as tx:
            return (await self.house.aaa.radius_status(tx, self.service.id)).sessions

    async def down(self):
        async with self.house.as_isp() as tx:
            days = await self.house.aaa.usage(
                tx, self.service.id, (NOW - timedelta(40)).date(), (NOW + timedelta(2)).date()
            )
        return sum(day.down_octets for day in days)


@pytest.fixture
async def books(house):
    service = await house.service()
    async with house.as_isp() as tx:
        (credential,) = await house.aaa.credentials_of(tx, service.id)
    return Books(house, service, credential)


async def test_a_session_is_the_same_row_from_start_to_stop(books):
    (opened,) = await books.book(books.entry(Kind.START))
    (live,) = await books.book(books.entry(Kind.INTERIM, 300, 1000))
    (closed,) = await books.book(books.entry(Kind.STOP, 400, 1500, terminate_cause="User-Request"))
    assert opened.id == live.id == closed.id
    (shown,) = await books.sessions()
    assert (shown.output_octets, shown.terminate_cause) == (1500, "User-Request")
    assert shown.ended_at == EARLIER + timedelta(seconds=400)
    assert await books.down() == 1500


async def test_what_is_booked_again_after_a_lost_acknowledgement_counts_once(books):
    story = [
        books.entry(Kind.START),
        books.entry(Kind.INTERIM, 300, 1000),
        books.entry(Kind.STOP, 400, 1500),
    ]
    for _ in range(2):
        await books.book(*story)
        for entry in story:
            await books.book(entry)
    assert len(await books.sessions()) == 1
    assert await books.down() == 1500


async def test_two_writers_of_the_same_stop_count_it_once(books):
    """A packet sent to a second server, or booked again while the first try still commits."""
    stop = books.entry(Kind.STOP, 400, 1500)
    await asyncio.gather(*[books.book(stop) for _ in range(4)])
    assert len(await books.sessions()) == 1
    assert await books.down() == 1500


async def test_two_credentials_of_one_service_add_to_the_same_day(books, house):
    async with house.as_isp() as tx:
        second = await house.aaa.create_credential(
            tx,
            tenant_id=house.isp.id,
            owner_id=house.fno.id,
            network_id=house.network.id,
            service_id=books.service.id,
            realm=None,
            username="second",
            password=None,
            download_bps=1,
            upload_bps=1,
        )
    other = Books(house, books.service, second)
    await books.book(books.entry(Kind.STOP, 400, 1500), other.entry(Kind.STOP, 300, 200))
    assert await books.down() == 1700


async def test_a_stop_ends_a_session_that_was_concluded_to_be_over(books, house):
    await books.book(books.entry(Kind.INTERIM, 300, 1000))
    async with house.db.system() as tx:
        assert await ledger.close_stale(tx) == 1
    (stale,) = await books.sessions()
    assert (stale.terminate_cause, stale.ended_at) == (STALE, stale.updated_at)
    await books.book(books.entry(Kind.STOP, 3000, 5000, terminate_cause="Lost-Carrier"))
    (shown,) = await books.sessions()
    assert (shown.terminate_cause, shown.output_octets) == ("Lost-Carrier", 5000)
    assert shown.ended_at == EARLIER + timedelta(seconds=3000)
    assert await books.down() == 5000


async def test_a_session_taken_for_stale_lives_on_when_it_is_heard_of(books, house):
    (opened,) = await books.book(books.entry(Kind.INTERIM, 300, 1000))
    async with house.db.system() as tx:
        await ledger.close_stale(tx)
    (again,) = await books.book(books.entry(Kind.INTERIM, 3000, 5000))
    assert again.id == opened.id
    (shown,) = await books.sessions()
    assert shown.ended_at is None
    assert await books.down() == 5000


async def test_sessions_told_of_lately_are_not_stale(books, house):
    lately = datetime.now(UTC) - timedelta(minutes=20)
    await books.book(books.entry(Kind.INTERIM, 300, 1000, at=lately))
    async with house.db.system() as tx:
        assert await ledger.close_stale(tx) == 0


async def test_a_nas_that_restarted_has_no_older_sessions(books, house):
    await books.book(
        books.entry(Kind.INTERIM, 300, 1000),
        books.entry(Kind.INTERIM, 900, 7, acct_session_id="t", station="AA-02"),
    )
    async with house.db.system() as tx:
        closed = await ledger.close_sessions_of_nas(
            tx, house.nas.id, "127.0.0.1", EARLIER + timedelta(seconds=600)
        )
    assert closed == 1
    live, gone = await books.sessions()
    assert (live.acct_session_id, live.ended_at) == ("t", None)
    assert (gone.acct_session_id, gone.terminate_cause) == ("s", NAS_REBOOT)


async def test_what_cannot_be_stored_undoes_the_whole_batch(books):
    with pytest.raises(psycopg.DataError):
        await books.book(
            books.entry(Kind.STOP, 400, 1500), books.entry(Kind.STOP, 1, 2**64, acct_session_id="t")
        )
    assert await books.sessions() == []
    assert await books.down() == 0


async def test_the_day_is_that_of_the_premise(house):
    service = await house.service()
    async with house.as_isp() as tx:
        (credential,) = await house.aaa.credentials_of(tx, service.id)
        assert credential.timezone == "Africa/Johannesburg"
    books = Books(house, service, credential)
    midnight = datetime.combine(NOW.date() - timedelta(days=1), datetime.min.time(), UTC)
    midnight -= timedelta(hours=2)
    start = midnight - timedelta(minutes=10)
    await books.book(
        books.entry(Kind.START, at=start),
        books.entry(Kind.INTERIM, 1200, 1000, at=start + timedelta(minutes=20)),
    )
    async with house.as_isp() as tx:
        days = await house.aaa.usage(
            tx, service.id, NOW.date() - timedelta(days=3), NOW.date() + timedelta(days=1)
        )
    assert [(day.day, day.down_octets) for day in days] == [
        (NOW.date() - timedelta(days=2), 500),
        (NOW.date() - timedelta(days=1), 500),
    ]
