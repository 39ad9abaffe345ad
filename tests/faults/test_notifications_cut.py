"""Nobody can tell RADIUS that a service was suspended: it finds out."""

import asyncio
import os
import signal
from contextlib import asynccontextmanager

import pytest

from demarc.app.parts import opened
from demarc.domains.aaa.logins import all_nases
from demarc.protocols.radius.packet import Code
from support.eventually import eventually
from support.house import NAS_SECRET
from support.radius_nas import Nas
from support.running import settings_of, state

LISTENERS = "SELECT pid FROM pg_stat_activity WHERE application_name = 'demarc/listen'"


@pytest.fixture
async def log_in():
    """Logs a line in on an installation; gives the code of the answer."""
    nases = []

    async def log_in(running, line, secret=NAS_SECRET):
        nases.append(Nas(running.auth, running.acct, secret))
        return (await nases[-1].login(line.username, line.password, station="AA-01")).code

    yield log_in
    for nas in nases:
        nas.close()


async def suspend(running, line):
    async with running.client(running.estate.fno_token) as fno:
        answer = await fno.post(
            f"/fno/services/{line.service_id}/suspend", json={"reason": "unpaid"}
        )
    assert answer.status_code == 200, answer.text


@asynccontextmanager
async def nothing_is_heard(running):
    """As by a network that swallows everything: the connections stand, and nothing comes."""
    listeners = [pid for (pid,) in await running.rows(LISTENERS)]
    assert listeners
    for pid in listeners:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
        assert {state(pid) for pid in listeners} == {"T"}
    finally:
        for pid in listeners:
            os.kill(pid, signal.SIGCONT)


async def test_a_suspension_is_obeyed_within_the_age_limit_though_nothing_is_heard(running, log_in):
    line = running.estate.lines[0]
    assert await log_in(running, line) == Code.ACCESS_ACCEPT
    async with nothing_is_heard(running):
        await suspend(running, line)
        await eventually(
            lambda: log_in(running, line), lambda code: code == Code.ACCESS_REJECT, within=15
        )


async def test_a_nas_is_known_within_the_age_limit_though_nothing_is_heard(running, log_in):
    line = running.estate.lines[0]
    assert await log_in(running, line) == Code.ACCESS_ACCEPT
    settings = settings_of(
        running.data, database_url=running.conninfo(), key_file=running.data / "keys.toml"
    )
    async with nothing_is_heard(running), opened(settings) as parts:
        async with parts.db.system() as tx:
            (nas,) = await all_nases(tx)
            await parts.aaa.change_nas(tx, nas, secret="another-secret-of-tests")
        # asks ten times in ten seconds
        answer = await log_in(running, line, "another-secret-of-tests")
        assert answer == Code.ACCESS_ACCEPT


async def test_what_happened_during_a_cut_is_caught_up_after_it(installed, log_in):
    # nothing gets too old here within the time of the test
    running = installed(credential_cache_max_age=3600)
    await running.start()
    line, other = running.estate.lines[:2]
    for each in (line, other):
        assert await log_in(running, each) == Code.ACCESS_ACCEPT
    suspended = asyncio.Event()

    async def cut():
        async with await running.connect() as conn:
            while not suspended.is_set():
                await conn.execute(f"SELECT pg_terminate_backend(pid) FROM ({LISTENERS}) AS l")

    cutting = asyncio.create_task(cut())
    await eventually(lambda: running.rows(LISTENERS), lambda found: not found)
    await suspend(running, line)
    suspended.set()
    await cutting
    await eventually(lambda: log_in(running, line), lambda code: code == Code.ACCESS_REJECT)
    assert await log_in(running, other) == Code.ACCESS_ACCEPT
    assert await running.end() == 0
