"""The database stays away for longer than NASes wait, and the RADIUS process is killed meanwhile."""

import asyncio
import contextlib
import os
import signal
from pathlib import Path

import psycopg

from demarc.platform.postgres import PrivateServer, locate
from support.eventually import eventually
from support.postgres import BINARIES
from support.running import kill, quietly
from support.witness import all_booked, check_book, spool


@contextlib.asynccontextmanager
async def away(running):
    """Kill the database, and have it not start for as long as the block lasts."""
    configuration = running.postgres_folder / "postgresql.conf"
    right = configuration.read_text()
    configuration.write_text("nonsense = on\n")
    await kill(running.postmaster())
    try:
        yield
    finally:
        configuration.write_text(right)

    async def runs():
        return await quietly(lambda: running.value("SELECT 1"), psycopg.OperationalError)

    await eventually(runs, within=40)


async def test_an_outage_longer_than_a_nas_waits_loses_and_doubles_nothing(running, crowd):
    subscribers = await crowd(running)
    await subscribers.log_in(running.estate.lines[:20])
    sessions = list(subscribers.sessions.values())
    ending, silent, talking = sessions[:5], sessions[5:10], sessions[10:]
    async with away(running):
        # acknowledged from the disk
        await subscribers.acknowledged(3)
        await subscribers.hang_up(ending)
        await subscribers.acknowledged(2, silent)
        subscribers.fall_silent(silent)
        assert spool(running).stat().st_mode & 0o777 == 0o600
    await all_booked(running)
    # and at once again
    await subscribers.acknowledged(3, talking)
    assert not spool(running).exists()
    await subscribers.hang_up(talking)
    written = await check_book(running.conninfo(), subscribers.witness, whole=ending + talking)
    assert written.live == len(silent)


async def test_a_process_killed_while_it_keeps_accounting_on_disk_loses_nothing(running, crowd):
    subscribers = await crowd(running)
    await subscribers.log_in(running.estate.lines[:20])
    sessions = list(subscribers.sessions.values())
    silent, talking = sessions[:8], sessions[8:]
    async with away(running):
        await subscribers.acknowledged(2)
        first = running.pid("radius")
        os.kill(first, signal.SIGKILL)
        subscribers.fall_silent(silent)
        # its successor has never seen the database, but it knows the NASes
        second = await running.successor("radius", of=first)
        await subscribers.acknowledged(2, talking)
        assert running.log("begins without the database: accounting is kept on disk")
        await kill(second)
        await running.successor("radius", of=second)
        await subscribers.acknowledged(1, talking)
    await all_booked(running)
    await subscribers.acknowledged(2, talking)
    await subscribers.hang_up(talking)
    written = await check_book(running.conninfo(), subscribers.witness, whole=talking)
    assert written.live == len(silent)


async def test_a_process_killed_while_it_books_the_spool_books_all_once(running, crowd):
    subscribers = await crowd(running)
    await subscribers.log_in(running.estate.lines[:30])
    sessions = list(subscribers.sessions.values())
    silent, talking = sessions[:10], sessions[10:]
    async with away(running):
        await subscribers.acknowledged(4)
        subscribers.fall_silent(silent)
    victim = running.pid("radius")
    for _ in range(3):
        # at whatever it is doing: before a batch, in it, between commit and the next
        os.kill(victim, signal.SIGKILL)
        victim = await running.successor("radius", of=victim)
        await asyncio.sleep(0)
    await all_booked(running)
    await subscribers.acknowledged(2, talking)
    await subscribers.hang_up(talking)
    written = await check_book(running.conninfo(), subscribers.witness, whole=talking)
    assert written.live == len(silent)


async def test_a_node_started_without_the_database_keeps_what_its_nases_tell(installed, crowd):
    node = installed()
    await node.start()
    subscribers = await crowd(node)
    await subscribers.log_in(node.estate.lines[:10])
    sessions = list(subscribers.sessions.values())
    database = node.conninfo()
    assert await node.end() == 0

    # the same as a node for RADIUS alone, whose database is elsewhere and away
    node.more |= {"roles": "radius", "database_url": database}
    await node.start()
    await subscribers.acknowledged(2, sessions)
    assert node.log("the database is away")
    private = PrivateServer(
        node.postgres_folder, locate(Path(found) if (found := os.environ.get(BINARIES)) else None)
    )
    await private.start()
    watching = asyncio.create_task(private.watch())
    try:
        await all_booked(node)
        await subscribers.acknowledged(2, sessions)
        await subscribers.hang_up(sessions)
        await check_book(node.conninfo(), subscribers.witness, whole=sessions)
        # and subscribers log in again
        others = await crowd(node)
        await others.log_in(node.estate.lines[20:22])
        assert await node.end() == 0
    finally:
        await private.stop()
        await watching
