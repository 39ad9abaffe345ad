"""Jobs and events: they exist if their transaction commits, and survive their worker."""

import asyncio
from uuid import UUID

import msgspec
import psycopg
import pytest

from demarc.platform import jobs
from demarc.platform.events import Listeners, emit
from demarc.platform.jobs import UPKEEP, Task, Worker, defer
from support.eventually import eventually


class Run:
    """A worker at work for as long as the block lasts."""

    def __init__(self, worker):
        self._worker = worker
        self._stop = asyncio.Event()

    async def __aenter__(self):
        self._task = asyncio.create_task(self._worker.run(self._stop))
        return self

    def stop(self):
        self._stop.set()

    async def __aexit__(self, *error):
        self._stop.set()
        await asyncio.wait_for(self._task, 20)


async def test_a_job_of_a_transaction_that_fails_does_not_exist(db, database_url):
    with pytest.raises(RuntimeError):
        async with db.system() as tx:
            await defer(tx, task="noted", queue=UPKEEP, args={"word": "never"})
            raise RuntimeError
    async with db.system() as tx:
        await defer(tx, task="noted", queue=UPKEEP, args={"word": "once"})
    heard: asyncio.Queue[str] = asyncio.Queue()

    async def noted(*, word):
        await heard.put(word)

    async with Run(Worker(database_url, [Task("noted", noted)], [UPKEEP])):
        assert await asyncio.wait_for(heard.get(), 20) == "once"
    assert heard.empty()


async def test_an_application_transaction_may_add_a_job_but_not_see_any(db):
    tenant = UUID(int=1)
    async with db.tenant(tenant) as tx:
        assert await defer(tx, task="noted", queue=UPKEEP, args={})
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        async with db.tenant(tenant) as tx:
            await tx.conn.execute("SELECT * FROM procrastinate_jobs")


async def test_only_one_job_with_a_lock_waits(db):
    async with db.system() as tx:
        assert await defer(tx, task="poll", queue=UPKEEP, args={}, waiting_lock="olt 1")
        assert not await defer(tx, task="poll", queue=UPKEEP, args={}, waiting_lock="olt 1")


async def test_a_failing_job_is_tried_again(db, database_url):
    tries = []
    done = asyncio.Event()

    async def fails_once():
        tries.append(1)
        if len(tries) == 1:
            raise OSError("the device did not answer")
        done.set()

    async with db.system() as tx:
        await defer(tx, task="fails_once", queue=UPKEEP, args={})
    async with Run(Worker(database_url, [Task("fails_once", fails_once)], [UPKEEP])):
        await asyncio.wait_for(done.wait(), 30)
    assert len(tries) == 2


async def test_a_job_whose_worker_died_runs_again(db, database_url):
    # what a worker killed in the middle leaves behind: a job under way, a heartbeat long ago
    with psycopg.connect(database_url, autocommit=True) as conn:
        worker = conn.execute(
            "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - interval '1 hour')"
            " RETURNING id"
        ).fetchone()[0]
        conn.execute(
            "INSERT INTO procrastinate_jobs (queue_name, task_name, status, worker_id)"
            " VALUES ('upkeep', 'orphan', 'doing', %s)",
            [worker],
        )
    done = asyncio.Event()

    async def orphan():
        done.set()

    async with Run(Worker(database_url, [Task("orphan", orphan)], [UPKEEP])):
        await asyncio.wait_for(done.wait(), 30)


@pytest.mark.parametrize("attempts", [1, 5])
async def test_a_job_that_the_end_of_its_worker_cuts_short_is_handed_back(
    db, database_url, monkeypatch, attempts
):
    monkeypatch.setattr(jobs, "_FINISH_WITHIN", 0.1)
    begun: asyncio.Queue[None] = asyncio.Queue()
    finish = asyncio.Event()
    finished = []

    async def long():
        begun.put_nowait(None)
        await finish.wait()
        finished.append(1)

    async with db.system() as tx:
        await defer(tx, task="long", queue=UPKEEP, args={})
    task = Task("long", long, attempts=attempts)
    async with Run(Worker(database_url, [task], [UPKEEP])):
        await asyncio.wait_for(begun.get(), 20)
    assert finished == []
    # waiting, and nobody's; the next worker has it at once
    with psycopg.connect(database_url) as conn:
        assert conn.execute("SELECT status, worker_id FROM procrastinate_jobs").fetchall() == [
            ("todo", None)
        ]
        assert conn.execute("SELECT count(*) FROM procrastinate_workers").fetchone() == (0,)
    async with Run(Worker(database_url, [task], [UPKEEP])):
        await asyncio.wait_for(begun.get(), 20)
        finish.set()
    assert finished == [1]


async def test_a_job_under_way_is_finished_before_its_worker_ends(db, database_url):
    begun, finish = asyncio.Event(), asyncio.Event()
    finished = []

    async def short():
        begun.set()
        await finish.wait()
        finished.append(1)

    async with db.system() as tx:
        await defer(tx, task="short", queue=UPKEEP, args={})
    async with Run(Worker(database_url, [Task("short", short)], [UPKEEP])) as run:
        await asyncio.wait_for(begun.wait(), 20)
        run.stop()
        finish.set()
    assert finished == [1]


async def test_a_job_is_given_up_after_its_attempts(db, database_url):
    tries: asyncio.Queue[None] = asyncio.Queue()

    async def hopeless():
        tries.put_nowait(None)
        raise OSError("the device is gone")

    async with db.system() as tx:
        await defer(tx, task="hopeless", queue=UPKEEP, args={})
    async with Run(Worker(database_url, [Task("hopeless", hopeless, attempts=2)], [UPKEEP])):
        for _ in range(2):
            await asyncio.wait_for(tries.get(), 30)
        await eventually(lambda: status(database_url), lambda seen: seen == "failed")
    assert tries.empty()


def status(database_url):
    with psycopg.connect(database_url) as conn:
        return conn.execute("SELECT status FROM procrastinate_jobs").fetchone()[0]


class Happened(msgspec.Struct, frozen=True):
    what: str


async def test_an_event_reaches_each_listener_with_its_id(db, database_url):
    heard: asyncio.Queue[tuple[str, UUID, str]] = asyncio.Queue()
    wired = Listeners(db)

    def listener(name):
        async def listen(tx, event_id, event):
            await heard.put((name, event_id, event.what))

        return listen

    wired.on(Happened, "first", listener("first"))
    wired.on(Happened, "second", listener("second"))
    async with db.system() as tx:
        await emit(tx, Happened("light"))
    async with Run(Worker(database_url, wired.tasks(), ["events"])):
        both = [await asyncio.wait_for(heard.get(), 20) for _ in range(2)]
    assert {name for name, _, _ in both} == {"first", "second"}
    assert len({event_id for _, event_id, _ in both}) == 1
    assert {what for _, _, what in both} == {"light"}
