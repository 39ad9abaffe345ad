"""Answered attempts recorded after their replies."""

import asyncio
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from uuid import uuid4

import psycopg
import pytest

from demarc.domains.aaa.logins import AnsweredAttempt
from demarc.platform.telemetry.counters import COUNTERS
from demarc.southbound.radius.attempts import Attempts
from demarc.southbound.radius.limits import Limits
from support.radius_process import until


def attempt(station=None):
    return AnsweredAttempt(
        at=datetime.now(UTC),
        tenant_id=uuid4(),
        owner_id=uuid4(),
        credential_id=uuid4(),
        nas_id=uuid4(),
        accepted=True,
        reply="Access-Accept",
        station=station,
    )


async def recorded(db):
    async with db.system() as tx:
        found = await tx.conn.execute("SELECT calling_station_id FROM auth_attempt ORDER BY at")
        return [station for (station,) in await found.fetchall()]


@pytest.fixture
async def writing(db):
    """Give a queue of a size that is being written."""
    tasks = []

    def start(waiting=100):
        attempts = Attempts(db, Limits(attempts_waiting=waiting))
        tasks.append(asyncio.create_task(attempts.run()))
        return attempts

    yield start
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def away(*_args):
    raise psycopg.OperationalError("the server is away")
    yield


async def test_what_waits_while_the_database_is_away_is_recorded_when_it_is_back(
    db, writing, monkeypatch
):
    with monkeypatch.context() as patched:
        patched.setattr(db, "system", away)
        attempts = writing()
        for number in range(3):
            attempts.add(attempt(f"AA-{number}"))
        await until(lambda: attempts._away)
        assert attempts.waiting == 3
    await until(lambda: not attempts.waiting)
    assert await recorded(db) == ["AA-0", "AA-1", "AA-2"]


async def test_the_oldest_are_lost_when_too_many_wait(db, writing):
    before = COUNTERS.value("radius_attempts_lost")
    attempts = writing(2)
    for number in range(5):
        attempts.add(attempt(f"AA-{number}"))
    await until(lambda: not attempts.waiting)
    assert await recorded(db) == ["AA-3", "AA-4"]
    assert COUNTERS.value("radius_attempts_lost") == before + 3


async def test_one_that_cannot_be_stored_does_not_hold_the_others(db, writing):
    attempts = writing()
    for station in ("AA-0", "zero \0 octet", "AA-2"):
        attempts.add(attempt(station))
    await until(lambda: not attempts.waiting)
    assert await recorded(db) == ["AA-0", "AA-2"]


async def test_at_the_end_all_is_recorded(db, writing):
    attempts = writing(1000)
    for number in range(700):
        attempts.add(attempt(f"AA-{number}"))
    await attempts.stop()
    await until(lambda: not attempts.waiting)
    assert len(await recorded(db)) == 700
