"""Several RADIUS processes on one database: each knows who is logged in by the others."""

from datetime import UTC, datetime, timedelta

import pytest

from demarc.domains.aaa.stations import Stations
from demarc.platform.clock import now
from demarc.protocols.radius.dictionary import DICTIONARY
from demarc.protocols.radius.packet import Code
from demarc.southbound.radius.live_sessions import LiveSessions
from support.house import NAS_SECRET, build
from support.radius_process import running, until

MESSAGE = DICTIONARY["Reply-Message"]


@pytest.fixture
async def house(db, tmp_path):
    return await build(db, tmp_path)


async def line(house, sessions=1):
    """Give a log-in for so many stations at a time."""
    service = await house.service()
    async with house.db.system() as tx:
        await tx.conn.execute(
            "UPDATE credential SET max_sessions = %s WHERE service_id = %s", [sessions, service.id]
        )
    async with house.as_isp() as tx:
        status = await house.aaa.radius_status(tx, service.id)
    return service, status.username, status.password


async def changes_of_sessions(house):
    async with house.db.system() as tx:
        asked = await tx.conn.execute("SELECT count(*) FROM change WHERE kind = 'session'")
        return (await asked.fetchone())[0]


async def both(house, first, second):
    await until(
        lambda: first.server.status().other_nodes == 1 == second.server.status().other_nodes
    )


async def answer(nas, username, password, station):
    reply = await nas.login(username, password, station=station)
    return "accepted" if reply.code == Code.ACCESS_ACCEPT else reply.text(MESSAGE)


async def test_a_session_that_begins_on_one_counts_on_the_other_until_it_ends(house):
    _, username, password = await line(house)
    async with running(house.db, house.keys) as one, running(house.db, house.keys) as two:
        await both(house, one, two)
        first, second = one.nas(NAS_SECRET), two.nas(NAS_SECRET)
        assert await answer(first, username, password, "AA-01") == "accepted"
        told = {"Calling_Station_Id": "AA-01", "Framed_IP_Address": "100.64.0.1"}
        await first.account("Start", username, "s1", **told)
        await until(lambda: two.server.status().logged_in == 1)
        assert await answer(second, username, password, "BB-02") == "too many sessions"
        # the station itself may come back by any node
        assert await answer(second, username, password, "AA-01") == "accepted"
        await second.account("Stop", username, "s1", **told)

        async def free():
            return await answer(first, username, password, "CC-03") == "accepted"

        await until(free)


async def test_a_node_alone_tells_nobody(house):
    _, username, password = await line(house)
    async with running(house.db, house.keys) as one:
        nas = one.nas(NAS_SECRET)
        await answer(nas, username, password, "AA-01")
        await nas.account("Start", username, "s1", Calling_Station_Id="AA-01")
        assert one.server.status().other_nodes == 0
    assert await changes_of_sessions(house) == 0


async def test_interims_tell_nobody_and_one_that_ends_says_so(house):
    _, username, _ = await line(house)
    async with running(house.db, house.keys) as one:
        async with running(house.db, house.keys) as two:
            await both(house, one, two)
            nas = one.nas(NAS_SECRET)
            await nas.account("Start", username, "s1", Calling_Station_Id="AA-01")
            before = await changes_of_sessions(house)
            for octets in (1, 2, 3):
                await nas.account(
                    "Interim-Update", username, "s1", Calling_Station_Id="AA-01",
                    Acct_Output_Octets=octets,
                )  # fmt: skip
            assert await changes_of_sessions(house) == before == 1
        # the second has ended in order
        await until(lambda: one.server.status().other_nodes == 0)
        await nas.account("Stop", username, "s1", Calling_Station_Id="AA-01")
        assert await changes_of_sessions(house) == before


# -- what is read ----------------------------------------------------------------------------------


class Reading:
    """An index of stations and what fills it, at a time that is set."""

    def __init__(self, house):
        self.house = house
        self.seconds = 1000.0
        self.stations = Stations()
        self.live = LiveSessions(house.db, self.stations, now, lambda: self.seconds)

    async def known(self):
        uses = self.stations.sessions(self.stations.credentials())
        return sorted(use.session[2] for use in uses if use.active(self.seconds))


async def store(house, service, session, *, updated=None, address=None):
    async with house.db.system() as tx:
        await tx.conn.execute(
            """
            INSERT INTO session_live (tenant_id, owner_id, service_id, credential_id, nas_id,
                nas_address, acct_session_id, username, calling_station_id, framed_ipv4,
                started_at, updated_at)
            SELECT k.tenant_id, k.owner_id, k.service_id, k.id, %s, '127.0.0.1', %s, k.username,
                   %s, %s::inet, now(), %s FROM credential k WHERE service_id = %s
            """,
            [house.nas.id, session, f"of-{session}", address, updated or now(), service.id],
        )


async def drop(house, session):
    async with house.db.system() as tx:
        await tx.conn.execute("DELETE FROM session_live WHERE acct_session_id = %s", [session])


async def credential_of(house, service):
    async with house.as_isp() as tx:
        (credential,) = await house.aaa.credentials_of(tx, service.id)
    return credential.id


@pytest.mark.parametrize("by", ["credential", "slices"])
async def test_what_is_in_the_database_is_known_and_what_is_not_is_dropped(house, by):
    service = await house.service()
    credential_id = await credential_of(house, service)
    reading = Reading(house)

    async def refresh():
        if by == "credential":
            await reading.live.refresh([credential_id])
        else:
            for number in range(256):
                await reading.live.refresh_slice(number)

    await store(house, service, "s1", address="100.64.0.1")
    await store(house, service, "s2")
    await store(house, service, "old", updated=datetime.now(UTC) - timedelta(days=1))
    await refresh()
    assert await reading.known() == ["s1", "s2"]
    await drop(house, "s1")
    await store(house, service, "s3", address="100.64.0.1")
    await refresh()
    assert await reading.known() == ["s2", "s3"]


async def test_a_session_of_another_node_lives_for_as_long_as_its_interims_come(house):
    service = await house.service()
    reading = Reading(house)
    await store(house, service, "s1")
    await reading.live.load()
    reading.seconds += 24 * 60
    assert await reading.known() == ["s1"]
    for number in range(256):
        await reading.live.refresh_slice(number)
    reading.seconds += 24 * 60
    assert await reading.known() == ["s1"]
    reading.seconds += 24 * 60
    assert await reading.known() == []


async def test_what_was_heard_here_is_not_made_older_by_a_nass_clock(house):
    service = await house.service()
    reading = Reading(house)
    await store(house, service, "s1")
    await reading.live.load()
    (use,) = reading.stations.sessions([await credential_of(house, service)])
    use.session_until = until = reading.seconds + 1e6
    await reading.live.refresh([use.credential_id])
    assert use.session_until == until
