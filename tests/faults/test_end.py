"""Demarc is told to end, or is killed whole, while everybody is at it."""

import asyncio
import os
import signal
from contextlib import asynccontextmanager

import httpx

from demarc.platform.postgres import PrivateServer, locate
from support.eventually import eventually
from support.running import Running, kill, quietly, settings_of
from support.slow_nas import slow_nas
from support.witness import all_booked, check_book

LISTENERS = """
    SELECT query FROM pg_stat_activity WHERE application_name = 'demarc/jobs' AND query ~ '^LISTEN'
"""
JOBS = "SELECT status::text FROM procrastinate_jobs WHERE task_name = 'radius.disconnect'"


@asynccontextmanager
async def looked_into(running: Running):
    """Start the database alone, on the data that Demarc has left behind."""
    server = PrivateServer(running.postgres_folder, locate(settings_of(running.data).pg_bin))
    await server.start()
    try:
        yield
    finally:
        await server.stop()


async def suspend(running, line):
    async with running.client(running.estate.fno_token) as fno:
        answer = await fno.post(
            f"/fno/services/{line.service_id}/suspend", json={"reason": "unpaid"}
        )
    assert answer.status_code == 200, answer.text


async def test_told_to_end_it_answers_and_writes_down_what_is_under_way(running, crowd):
    estate = running.estate
    subscribers = await crowd(running)
    await subscribers.log_in(estate.lines[:40])
    orders = running.client(estate.isp_token)
    asked = estate.lines[0]
    async with slow_nas(running) as nas:
        await suspend(running, asked)
        await nas.asked(1)
        async with running.holding("service"):
            order = asyncio.create_task(
                orders.post(
                    "/services",
                    json={
                        "customer_id": estate.customer_id,
                        "product_id": estate.product_id,
                        "premise_id": estate.premise_id,
                    },
                )
            )
            await running.waits_for_lock("web")
            web, worker = running.pid("web"), running.pid("worker")
            assert await running.rows(LISTENERS)
            running.process.terminate()
            await eventually(lambda: said(running, "Shutting down"))
        # the call was under way when the web process had begun to end
        answer = await order

        async def takes_jobs():
            return await running.rows(LISTENERS)

        # the worker takes no more jobs, and waits for the NAS
        await eventually(takes_jobs, lambda found: not found)
        assert web not in running.processes()
        assert worker in running.processes()
        async with running.holding("session_live"):
            nas.answer(0)
            # the last one takes no more packets, and waits for the database
            await eventually(lambda: unread(running), lambda octets: octets > 8192)
            acknowledged = subscribers.witness.acknowledgements
        assert await asyncio.wait_for(running.process.wait(), 30) == 0
        assert subscribers.witness.acknowledgements > acknowledged
    assert not running.processes()
    await orders.aclose()

    assert answer.status_code == 201, answer.text
    async with looked_into(running):
        await check_book(running.conninfo(), subscribers.witness)
        created = "SELECT count(*) FROM service WHERE id::text = %s"
        assert await running.value(created, answer.json()["id"]) == 1
        assert await running.rows(JOBS) == [("succeeded",)]
        assert await running.value("SELECT state FROM command") == "done"


async def test_told_to_end_it_hands_back_a_job_that_takes_too_long(running, crowd):
    line = running.estate.lines[0]
    subscribers = await crowd(running)
    await subscribers.log_in([line])
    async with slow_nas(running) as nas:
        await suspend(running, line)
        await nas.asked(1)
        # the NAS has answered, but the answer cannot be written down
        async with running.holding("command"):
            nas.answer(0)
            await running.waits_for_lock("worker")
            assert await running.end() == 0
        assert not running.processes()
        async with looked_into(running):
            assert await running.rows(JOBS) == [("todo",)]

        await running.start()
        await nas.asked(2)
        nas.answer(1)

        async def command():
            return await running.value("SELECT state FROM command")

        await eventually(command, lambda state: state == "done")


async def test_killed_whole_it_leaves_nobody_behind_and_starts_again_with_all_it_had(
    running, crowd
):
    estate = running.estate
    subscribers = await crowd(running)
    await subscribers.log_in(estate.lines[:40])
    sessions = list(subscribers.sessions.values())
    silent, talking = sessions[:20], sessions[20:]
    async with running.holding("session_live"):
        await subscribers.unanswered(silent)
        assert len(running.processes()) > 4
        await kill(running.process.pid)
        subscribers.fall_silent(silent)
        await running.process.wait()
    await running.all_gone()

    await running.start()
    await subscribers.acknowledged(3, talking)
    await subscribers.hang_up(talking)
    await all_booked(running)
    await check_book(running.conninfo(), subscribers.witness, whole=talking)
    async with running.client(estate.isp_token) as client:
        assert (await client.get("/services")).json()["total"] == len(estate.lines)


async def test_all_its_processes_killed_at_once_it_starts_again_with_all_it_had(running, crowd):
    subscribers = await crowd(running)
    await subscribers.log_in(running.estate.lines[:40])
    sessions = list(subscribers.sessions.values())
    silent, talking = sessions[:20], sessions[20:]
    # as when the machine loses its power, but for what its disk had not written
    everybody = running.processes()
    for pid in everybody:
        os.kill(pid, signal.SIGSTOP)
    subscribers.fall_silent(silent)
    for pid in everybody:
        os.kill(pid, signal.SIGKILL)
    await running.process.wait()
    await running.all_gone()
    async with running.client(running.estate.isp_token) as client:
        assert await quietly(lambda: client.get("/healthz"), httpx.TransportError) is None

    await running.start()
    await subscribers.acknowledged(3, talking)
    await subscribers.hang_up(talking)
    await all_booked(running)
    await check_book(running.conninfo(), subscribers.witness, whole=talking)


async def said(running, event):
    return running.log(event)


async def unread(running):
    return running.unread()
