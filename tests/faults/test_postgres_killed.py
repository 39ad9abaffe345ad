"""The private PostgreSQL is killed, or cannot start, while NASes account and subscribers log in."""

import asyncio
import os
import signal

import psycopg
import pytest

from demarc.protocols.radius.packet import Code
from support.eventually import eventually
from support.house import NAS_SECRET
from support.radius_nas import Nas
from support.running import kill, quietly
from support.witness import all_booked, check_book

OUTCOMES = {Code.ACCESS_ACCEPT: "accepted", Code.ACCESS_REJECT: "refused"}


class Door:
    """Subscribers who log in, and what they were told."""

    def __init__(self, running):
        self._nas = Nas(running.auth, running.acct, NAS_SECRET)
        self.told: dict[str, list[str]] = {}

    async def knock(self, line, password=None):
        """Log in once: the NAS asks three times, for a second each."""
        request = self._nas.send(
            Code.ACCESS_REQUEST,
            [
                ("User-Name", line.username),
                ("User-Password", password or line.password),
                ("Calling-Station-Id", f"AA-{line.username}"),
            ],
        )
        outcome = "silence"
        for again in (True, True, False):
            try:
                reply = await self._nas.answer(request, 1)
            except TimeoutError:
                if again:
                    self._nas.send_octets(request)
            else:
                outcome = OUTCOMES[reply.code]
                break
        self.told.setdefault(line.username, []).append(outcome)
        return outcome

    def close(self):
        self._nas.close()


@pytest.fixture
async def door(running):
    made = Door(running)
    yield made
    made.close()


async def victim_of(running, victim):
    if victim == "postmaster":
        return running.postmaster()
    # one that is writing accounting down
    return await running.value(
        "SELECT pid FROM pg_stat_activity"
        " WHERE application_name LIKE 'demarc/radius/%' AND wait_event_type = 'Lock' LIMIT 1"
    )


@pytest.mark.parametrize("victim", ["postmaster", "backend"])
async def test_what_was_acknowledged_counts_once_though_postgresql_is_killed(
    running, crowd, door, victim
):
    lines = running.estate.lines
    subscribers = await crowd(running)
    await subscribers.log_in(lines[:40])
    sessions = list(subscribers.sessions.values())
    held, sudden, talking = sessions[:13], sessions[13:26], sessions[26:]
    known, new = lines[40], lines[41]
    assert await door.knock(known) == "accepted"

    # killed with a batch under way: a part of the NAS has said its last
    server = running.postmaster()
    async with running.holding("session_live"):
        await subscribers.unanswered(held)
        await running.waits_for_lock("radius")
        await kill(await victim_of(running, victim))
        subscribers.fall_silent(held)
    # whoever logs in meanwhile is let in, or told nothing; nobody is refused
    assert await door.knock(known) == "accepted"
    assert await eventually(lambda: door.knock(new), lambda told: told == "accepted")
    assert "refused" not in door.told[new.username]

    # it runs again by itself, and what was said once more counts once
    await subscribers.acknowledged(3, sudden + talking)
    await all_booked(running)
    await check_book(running.conninfo(), subscribers.witness)
    assert (running.postmaster() == server) is (victim == "backend")

    # and killed at whatever it is doing, with another part's last words just acknowledged
    for pid in running.postgres_processes() if victim == "postmaster" else [running.postmaster()]:
        os.kill(pid, signal.SIGKILL)
    subscribers.fall_silent(sudden)
    await subscribers.acknowledged(3, talking)
    await subscribers.hang_up(talking)
    await all_booked(running)
    await check_book(running.conninfo(), subscribers.witness, whole=talking)


async def found(client):
    return (await client.get("/services")).status_code


async def test_without_a_database_those_known_log_in_and_nobody_is_refused(running, crowd, door):
    lines = running.estate.lines
    subscribers = await crowd(running)
    await subscribers.log_in(lines[:10])
    known, new = lines[40], lines[41]
    assert await door.knock(known) == "accepted"
    assert await door.knock(known, "wrong") == "refused"
    client = running.client(running.estate.isp_token)
    assert set(await asyncio.gather(*(found(client) for _ in range(12)))) == {200}

    # killed, and not to be started until its configuration is right again; what is accounted
    # meanwhile is test_accounting_spool's
    configuration = running.postgres_folder / "postgresql.conf"
    right = configuration.read_text()
    configuration.write_text("nonsense = on\n")
    await kill(running.postmaster())
    told = await asyncio.gather(
        door.knock(new), door.knock(new, "wrong"), *(door.knock(known) for _ in range(3))
    )
    assert told == ["silence", "silence", "accepted", "accepted", "accepted"]
    # what is known of it has got old by now
    assert await door.knock(known) == "accepted"
    assert (await client.get("/healthz")).status_code == 200
    assert (await client.get("/readyz")).status_code == 503
    assert await found(client) == 503
    configuration.write_text(right)

    async def runs():
        return await quietly(lambda: running.value("SELECT 1"), psycopg.OperationalError)

    await eventually(runs)
    # nobody pays for the connections of before
    assert {await found(client) for _ in range(12)} == {200}
    await client.aclose()
    assert await eventually(lambda: door.knock(new), lambda told: told == "accepted")
    assert "refused" not in door.told[new.username]
    assert await door.knock(new, "wrong") == "refused"
    await subscribers.acknowledged(2)
    await subscribers.hang_up(subscribers.sessions.values())
    sessions = subscribers.sessions.values()
    await all_booked(running)
    await check_book(running.conninfo(), subscribers.witness, whole=sessions)


async def test_a_database_that_hangs_holds_nobody_up_for_good(running, crowd, door):
    lines = running.estate.lines
    subscribers = await crowd(running)
    await subscribers.log_in(lines[:10])
    known, new = lines[40], lines[41]
    assert await door.knock(known) == "accepted"

    # no connection is cut; there is just no answer any more
    frozen = running.postgres_processes()
    for pid in frozen:
        os.kill(pid, signal.SIGSTOP)
    try:
        told = await asyncio.gather(door.knock(known), door.knock(new))
        assert told == ["accepted", "silence"]
        assert await door.knock(known) == "accepted"
    finally:
        for pid in frozen:
            os.kill(pid, signal.SIGCONT)

    assert await eventually(lambda: door.knock(new), lambda told: told == "accepted")
    assert "refused" not in door.told[known.username] + door.told[new.username]
    await subscribers.acknowledged(2)
    await subscribers.hang_up(subscribers.sessions.values())
    sessions = subscribers.sessions.values()
    await all_booked(running)
    await check_book(running.conninfo(), subscribers.witness, whole=sessions)
