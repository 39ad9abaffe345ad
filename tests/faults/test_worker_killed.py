"""The worker is killed in the middle of a job: another does it, and the device's answer is kept."""

from support.eventually import eventually
from support.running import kill
from support.slow_nas import slow_nas

COMMANDS = "SELECT state, answer->>'code', fault FROM command"
JOBS = "SELECT status::text FROM procrastinate_jobs WHERE task_name = 'radius.disconnect'"


async def suspend(running, line):
    async with running.client(running.estate.fno_token) as fno:
        answer = await fno.post(
            f"/fno/services/{line.service_id}/suspend", json={"reason": "unpaid"}
        )
    assert answer.status_code == 200, answer.text


async def test_a_job_of_a_killed_worker_is_done_by_another(running, crowd):
    line = running.estate.lines[0]
    subscribers = await crowd(running)
    await subscribers.log_in([line])
    async with slow_nas(running) as nas:
        await suspend(running, line)
        await nas.asked(1)
        await kill(running.pid("worker"))
        assert await running.rows(COMMANDS) == [("sent", None, None)]
        # the dead worker is missed within half a minute
        await nas.asked(2, within=35)
        nas.answer(1)

        async def commands():
            return await running.rows(COMMANDS)

        await eventually(commands, lambda found: found == [("done", "Disconnect-ACK", None)])

        async def jobs():
            return await running.rows(JOBS)

        # nobody is left to ask the NAS a third time
        await eventually(jobs, lambda found: found == [("succeeded",)])
        assert len(nas.requests) == 2
        nas.answer(0)
        assert await running.rows(COMMANDS) == [("done", "Disconnect-ACK", None)]


async def test_jobs_are_done_again_when_postgresql_was_killed(running, crowd):
    line = running.estate.lines[0]
    subscribers = await crowd(running)
    await subscribers.log_in([line])
    async with slow_nas(running) as nas:
        await kill(running.postmaster())
        await subscribers.acknowledged(1)
        await suspend(running, line)
        await nas.asked(1, within=35)
        nas.answer(0)

        async def commands():
            return await running.rows(COMMANDS)

        await eventually(commands, lambda found: found == [("done", "Disconnect-ACK", None)])
