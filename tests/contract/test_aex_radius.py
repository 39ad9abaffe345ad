"""RADIUS status and usage: what was really attempted, counted and kept."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from demarc.domains.aaa.accounting import Kind, Record, Subscriber
from demarc.domains.aaa.ledger import Entry, book
from demarc.domains.aaa.logins import AnsweredAttempt, record_attempts

SESSION = [
    "session_id",
    "username",
    "ipaddress",
    "acct_start_time",
    "acct_stop_time",
    "session_time",
    "input_octets",
    "output_octets",
    "ipv6_input_octets",
    "ipv6_output_octets",
    "terminate_cause",
    "update_time",
]
DAY = [
    "date",
    "bytes_downloaded",
    "bytes_uploaded",
    "i_pv6_bytes_downloaded",
    "i_pv6_bytes_uploaded",
    "total_bytes_downloaded",
    "total_bytes_uploaded",
]
# the middle of a day in Johannesburg, recent enough for today's partitions
NOON = (datetime.now(UTC) - timedelta(days=2)).replace(hour=10, minute=0, second=0, microsecond=0)


@pytest.fixture
async def line(office):
    """A service and the account of its line."""
    return Line(office, await office.new_service())


class Line:
    def __init__(self, office, service_id):
        self.office = office
        self.house = office.house
        self.service_id = service_id

    async def credential(self):
        async with self.house.as_isp() as tx:
            (found,) = await self.house.aaa.credentials_of(tx, UUID(self.service_id))
        return found

    async def attempt(self, reply, *, at, accepted):
        known = await self.credential()
        async with self.house.db.system() as tx:
            await record_attempts(
                tx,
                [
                    AnsweredAttempt(
                        at=at,
                        tenant_id=known.tenant_id,
                        owner_id=known.owner_id,
                        credential_id=known.id,
                        nas_id=self.house.nas.id,
                        accepted=accepted,
                        reply=reply,
                        station="AA-BB-CC-00-00-01",
                    )
                ],
            )

    async def account(self, kind, *, at, session="S-1", **more):
        known = await self.credential()
        subscriber = Subscriber(
            known.id, known.tenant_id, known.owner_id, known.service_id, known.timezone
        )
        record = Record(
            kind=kind,
            nas_id=self.house.nas.id,
            nas_address="127.0.0.1",
            acct_session_id=session,
            username="u0001@acme",
            at=at,
            exact=True,
            framed_ipv4="100.64.0.9",
            station="AA-BB-CC-00-00-01",
            **more,
        )
        async with self.house.db.system() as tx:
            await book(tx, [Entry(subscriber, record)])

    async def status(self, caller=None):
        answer = await (caller or self.office.isp).get(f"/services/{self.service_id}/radius/status")
        assert answer.status_code == 200
        return answer.json()

    async def usage(self, **params):
        answer = await self.office.isp.get(
            f"/services/{self.service_id}/radius/usage", params=params
        )
        assert answer.status_code == 200
        return answer.json()


async def test_radius_status_1_gives_the_log_in_of_this_service(line):
    other = await line.office.new_service()
    mine = await line.status()
    theirs = (await line.office.isp.get(f"/services/{other}/radius/status")).json()
    assert list(mine) == ["username", "password", "authentication_attempts", "accounting"]
    assert (mine["username"], theirs["username"]) == ("u0001@acme", "u0002@acme")
    assert mine["password"] != theirs["password"]
    known = await line.credential()
    assert mine["password"] == line.house.aaa.password(known)
    assert (mine["authentication_attempts"], mine["accounting"]) == ([], [])


async def test_radius_status_2_shows_attempts_newest_first(line):
    first = datetime.now(UTC).replace(microsecond=250_000) - timedelta(minutes=1)
    second = first + timedelta(seconds=5)
    await line.attempt("Access-Reject: wrong password", at=first, accepted=False)
    await line.attempt("Access-Accept", at=second, accepted=True)
    attempts = (await line.status())["authentication_attempts"]
    assert attempts == [
        {"date": f"{second:%Y-%m-%dT%H:%M:%S}.250Z", "reply": "Access-Accept"},
        {"date": f"{first:%Y-%m-%dT%H:%M:%S}.250Z", "reply": "Access-Reject: wrong password"},
    ]


async def test_radius_status_3_shows_an_open_session_with_its_counters(line):
    await line.account(Kind.START, at=NOON)
    await line.account(
        Kind.INTERIM,
        at=NOON + timedelta(minutes=5),
        session_seconds=300,
        input_octets=1_000,
        output_octets=5_000_000_000,
        ipv6_input_octets=400,
        ipv6_output_octets=2_000_000_000,
    )
    (session,) = (await line.status())["accounting"]
    assert list(session) == SESSION
    assert session == {
        "session_id": "S-1",
        "username": "u0001@acme",
        "ipaddress": "100.64.0.9",
        "acct_start_time": f"{NOON:%Y-%m-%dT%H:%M:%S}.000Z",
        "acct_stop_time": None,
        "session_time": 300,
        # the NAS's counters hold both; here IPv4 stands apart from IPv6
        "input_octets": 600,
        "output_octets": 3_000_000_000,
        "ipv6_input_octets": 400,
        "ipv6_output_octets": 2_000_000_000,
        "terminate_cause": None,
        "update_time": f"{NOON + timedelta(minutes=5):%Y-%m-%dT%H:%M:%S}.000Z",
    }


async def test_radius_status_3_shows_how_a_session_ended(line):
    await line.account(Kind.START, at=NOON)
    await line.account(
        Kind.STOP,
        at=NOON + timedelta(minutes=10),
        session_seconds=600,
        input_octets=70,
        output_octets=90,
        terminate_cause="User-Request",
    )
    (session,) = (await line.status())["accounting"]
    assert session["acct_stop_time"] == f"{NOON + timedelta(minutes=10):%Y-%m-%dT%H:%M:%S}.000Z"
    assert session["terminate_cause"] == "User-Request"
    assert (session["session_time"], session["input_octets"]) == (600, 70)


async def test_radius_status_3_tells_no_cause_where_the_nas_told_none(line):
    await line.account(Kind.START, at=NOON)
    await line.account(Kind.STOP, at=NOON + timedelta(minutes=10), session_seconds=600)
    (session,) = (await line.status())["accounting"]
    assert session["acct_stop_time"] is not None
    assert session["terminate_cause"] is None


async def test_usage_1_counts_what_this_service_used(line):
    other = await line.office.new_service()
    await line.account(Kind.START, at=NOON)
    await line.account(
        Kind.STOP,
        at=NOON + timedelta(minutes=10),
        session_seconds=600,
        input_octets=70,
        output_octets=90,
    )
    assert [day["total_bytes_downloaded"] for day in await line.usage()] == [90]
    theirs = await line.office.isp.get(f"/services/{other}/radius/usage")
    assert theirs.json() == []


async def test_usage_2_gives_days_in_order_with_ipv4_ipv6_and_both(line):
    await line.account(Kind.START, at=NOON)
    await line.account(
        Kind.INTERIM,
        at=NOON + timedelta(minutes=10),
        session_seconds=600,
        input_octets=1_000,
        output_octets=9_000,
        ipv6_input_octets=200,
        ipv6_output_octets=3_000,
    )
    await line.account(
        Kind.STOP,
        at=NOON + timedelta(minutes=20),
        session_seconds=1_200,
        input_octets=1_500,
        output_octets=10_000,
        ipv6_input_octets=200,
        ipv6_output_octets=3_000,
    )
    later = NOON + timedelta(days=1)
    await line.account(Kind.START, at=later, session="S-2")
    await line.account(
        Kind.STOP,
        at=later + timedelta(minutes=1),
        session="S-2",
        session_seconds=60,
        input_octets=1,
        output_octets=2,
    )
    days = await line.usage()
    assert [list(day) for day in days] == [DAY, DAY]
    assert days == [
        dict(zip(DAY, [f"{NOON:%Y-%m-%d}", 7_000, 1_300, 3_000, 200, 10_000, 1_500], strict=True)),
        dict(zip(DAY, [f"{later:%Y-%m-%d}", 2, 1, 0, 0, 2, 1], strict=True)),
    ]
    assert await line.usage(to=f"{NOON:%Y-%m-%d}") == days[:1]
    assert await line.usage(**{"from": f"{later:%Y-%m-%d}"}) == days[1:]


@pytest.mark.parametrize(
    "params",
    [
        {"from": "yesterday"},
        {"from": "20240101"},
        {"to": "2024-02-30"},
        {"to": "null"},
        {"from": "2024-02-02", "to": "2024-02-01"},
    ],
)
async def test_usage_refuses_what_is_no_period(line, params):
    refused = await line.office.isp.get(f"/services/{line.service_id}/radius/usage", params=params)
    assert refused.status_code == 400
    assert refused.json()["errors"][0]["field"] in params


async def test_usage_begins_with_the_calendar(line):
    assert await line.usage(to="0001-01-02") == []
