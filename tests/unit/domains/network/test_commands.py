"""Commands on a real database: what who gave them, and who carries them out, would notice."""

import asyncio
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from uuid import uuid4

import psycopg
import pytest

from demarc.domains.errors import NotFound
from demarc.domains.network import commands
from demarc.domains.network.commands import CommandWaiter
from demarc.platform.database import SYSTEM, Actor
from support.eventually import eventually
from support.house import build

ANA = Actor("person", uuid4(), "person:ana@example.net")
WITHIN = 30


@pytest.fixture
async def house(db, tmp_path):
    return await build(db, tmp_path)


async def give(house, tx=None, **more):
    values = {
        "tenant_id": house.isp.id,
        "owner_id": house.fno.id,
        "kind": "olt.read_onu",
        "target_kind": "onu",
        "request": {"onu": 7},
        "reach": "north",
    } | more
    if tx is not None:
        return await commands.create(tx, **values)
    async with house.as_isp(ANA) as own:
        return await commands.create(own, **values)


async def rows(house, sql):
    """Ask as the database's owner: the queue of jobs is not for the platform's two roles."""
    async with await psycopg.AsyncConnection.connect(house.db.conninfo) as conn:
        return await (await conn.execute(sql)).fetchall()


async def finish(house, command, answer):
    async with house.db.system() as tx:
        return await commands.done(tx, command.id, answer)


JOBS = "SELECT queue_name, task_name, args FROM procrastinate_jobs"


async def test_a_command_and_its_job_exist_together(house):
    made = await give(house)
    assert (made.state, made.request, made.final) == ("queued", {"onu": 7}, False)
    assert await rows(house, JOBS) == [
        ("reach-north", "olt.read_onu", {"command_id": str(made.id)}),
    ]
    assert await rows(house, "SELECT created_by FROM command") == [(ANA.id,)]


async def test_what_is_rolled_back_leaves_neither_command_nor_job(house):
    class Undone(Exception):
        pass

    with pytest.raises(Undone):
        async with house.as_isp() as tx:
            await give(house, tx)
            raise Undone
    assert await rows(house, "SELECT 1 FROM command") == []
    assert await rows(house, JOBS) == []


async def test_what_waits_for_its_device_has_no_job(house):
    await give(house, kind="cpe.wifi", enqueue=False)
    assert await rows(house, JOBS) == []


async def test_a_command_is_sent_and_answered(house):
    made = await give(house)
    async with house.db.system() as tx:
        sent = await commands.sent(tx, made.id)
        again = await commands.sent(tx, made.id)
        answered = await commands.done(tx, made.id, {"rx_dbm": -19.5})
    assert (sent.state, again.sent_at) == ("sent", sent.sent_at)
    assert (answered.state, answered.answer, answered.final) == ("done", {"rx_dbm": -19.5}, True)
    assert answered.finished_at is not None


async def test_a_fault_is_kept_in_the_devices_own_words(house):
    made = await give(house)
    async with house.db.system() as tx:
        failed = await commands.failed(tx, made.id, "noSuchName", {"error_index": 2})
    assert (failed.state, failed.fault, failed.answer) == (
        *("failed", "noSuchName", {"error_index": 2}),
    )


async def test_a_late_second_answer_does_not_rewrite_the_first(house):
    made = await give(house)
    first = await finish(house, made, {"rx_dbm": -19.5})
    async with house.db.system() as tx:
        assert await commands.done(tx, made.id, {"rx_dbm": -40.0}) is None
        assert await commands.failed(tx, made.id, "late") is None
        assert await commands.sent(tx, made.id) is None
        assert await commands.find(tx, made.id) == first


async def test_two_answers_at_once_are_one(house):
    made = await give(house)
    async with house.db.system() as tx:
        first = await commands.done(tx, made.id, {"by": "first"})
        other = asyncio.create_task(finish(house, made, {"by": "other"}))
        await eventually(lambda: _waiting_for_a_lock(house))
    assert await other is None
    async with house.as_isp() as tx:
        assert await commands.find(tx, made.id) == first


async def _waiting_for_a_lock(house):
    return await rows(
        house,
        "SELECT 1 FROM pg_locks l JOIN pg_stat_activity a USING (pid)"
        " WHERE NOT l.granted AND a.datname = current_database()",
    )


async def test_what_nobody_answers_expires_unless_its_device_may_take_its_time(house):
    past = timedelta(seconds=-1)
    kept = await give(house)
    late = await give(house, within=past)
    patient = await give(house, kind="cpe.wifi", within=past, enqueue=False)
    answered = await give(house, within=past)
    await finish(house, answered, {})
    async with house.db.system() as tx:
        await commands.sent(tx, late.id)
        assert await commands.expire(tx, ["cpe.wifi"]) == 1
        assert await commands.expire(tx, ["cpe.wifi"]) == 0
        states = {
            one.id: (await commands.find(tx, one.id)).state
            for one in (kept, late, patient, answered)
        }
        assert await commands.done(tx, late.id, {}) is None
        expired = await commands.find(tx, late.id)
    assert states == {
        kept.id: "queued",
        late.id: "expired",
        patient.id: "queued",
        answered.id: "done",
    }
    assert "deadline" in expired.fault


async def test_another_isps_command_does_not_exist(house):
    made = await give(house, service_id=(await house.service()).id)
    for whose in (house.as_isp(), house.as_fno()):
        async with whose as tx:
            assert (await commands.find(tx, made.id)).id == made.id
            assert len(await commands.of_service(tx, made.service_id)) == 1
    async with house.as_other_isp() as tx:
        with pytest.raises(NotFound):
            await commands.find(tx, made.id)
        assert await commands.of_service(tx, made.service_id) == []
        assert await commands.sent(tx, made.id) is None
        assert await commands.done(tx, made.id, {"by": "malice"}) is None
    waiter = CommandWaiter(house.db)
    with pytest.raises(NotFound):
        await waiter.wait(house.other_isp.id, SYSTEM, made.id, 5)
    async with house.as_isp() as tx:
        assert (await commands.find(tx, made.id)).state == "queued"


async def test_the_commands_of_a_service_come_newest_first(house):
    service = await house.service()
    made = [await give(house, service_id=service.id) for _ in range(3)]
    async with house.as_isp() as tx:
        found = await commands.of_service(tx, service.id, limit=2)
    assert [one.id for one in found] == [made[2].id, made[1].id]


# waiting: nothing is read again by itself here, so that only a notification helps


class Watched(CommandWaiter):
    """A waiter that tells when a notification has reached it."""

    def __init__(self, db):
        super().__init__(db, reread=600, retry_after=0.05)
        self.woken = asyncio.Event()

    def _wake(self, command_id):
        super()._wake(command_id)
        self.woken.set()


class Meanwhile:
    """A database that tells when a tenant's transaction is over, and may do something then."""

    def __init__(self, db, act=None):
        self._db, self._act = db, act
        self.listen = db.listen
        self.read = asyncio.Event()

    @asynccontextmanager
    async def tenant(self, *args):
        async with self._db.tenant(*args) as tx:
            yield tx
        if self._act is not None:
            act, self._act = self._act, None
            await act()
        self.read.set()


@asynccontextmanager
async def listening(waiter):
    task = asyncio.create_task(waiter.run())
    try:
        yield waiter
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def wait(house, waiter, command, seconds=600):
    return asyncio.wait_for(waiter.wait(house.isp.id, SYSTEM, command.id, seconds), WITHIN)


async def test_who_waits_is_woken_by_the_answer(house):
    made = await give(house)
    db = Meanwhile(house.db)
    async with listening(Watched(db)) as waiter:
        waiting = asyncio.create_task(wait(house, waiter, made))
        await db.read.wait()
        await finish(house, made, {"rx_dbm": -19.5})
        assert (await waiting).answer == {"rx_dbm": -19.5}


async def test_an_answer_before_the_waiting_is_not_waited_for(house):
    made = await give(house)
    await finish(house, made, {"rx_dbm": -19.5})
    async with listening(Watched(house.db)) as waiter:
        assert (await wait(house, waiter, made)).state == "done"


async def test_an_answer_notified_between_the_reading_and_the_waiting_is_not_lost(house):
    made = await give(house)

    async def act():
        waiter.woken.clear()
        await finish(house, made, {"rx_dbm": -19.5})
        await waiter.woken.wait()

    async with listening(Watched(Meanwhile(house.db, act))) as waiter:
        assert (await wait(house, waiter, made)).state == "done"


async def test_all_who_wait_for_a_command_get_its_answer_whoever_leaves_first(house):
    made = await give(house)
    databases = [Meanwhile(house.db) for _ in range(3)]
    async with listening(Watched(Meanwhile(house.db))) as waiter:
        waiting = []
        for db in databases:
            waiter._db = db
            waiting.append(asyncio.create_task(wait(house, waiter, made)))
            await db.read.wait()
        hasty = await wait(house, waiter, made, seconds=0)
        assert hasty.state == "queued"
        await finish(house, made, {"rx_dbm": -19.5})
        assert [(await one).state for one in waiting] == ["done"] * 3


async def test_time_over_gives_the_command_as_it_stands(house):
    made = await give(house)
    async with listening(CommandWaiter(house.db)) as waiter:
        assert (await wait(house, waiter, made, seconds=0.05)).state == "queued"


async def test_who_waits_while_the_connection_is_lost_is_answered_when_it_is_back(house):
    first, second = await give(house), await give(house)
    db = Meanwhile(house.db)
    async with listening(Watched(db)) as waiter:
        waiting = asyncio.create_task(wait(house, waiter, first))
        await db.read.wait()
        listener = await eventually(lambda: _listener(house))
        async with house.db.system() as tx:
            await commands.done(tx, first.id, {"on": "a lost connection"})
            # both take effect together: the notification finds nobody
            await _end(house, listener)
        assert (await waiting).state == "done"
        db.read.clear()
        waiting = asyncio.create_task(wait(house, waiter, second))
        await db.read.wait()
        await finish(house, second, {"on": "the new connection"})
        assert (await waiting).state == "done"


async def _listener(house):
    found = await rows(
        house,
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
        " AND application_name = 'demarc/listen'",
    )
    return found[0][0] if found else None


async def _end(house, pid):
    async with await psycopg.AsyncConnection.connect(house.db.conninfo, autocommit=True) as conn:
        await conn.execute("SELECT pg_terminate_backend(%s, 10000)", [pid])


async def test_without_any_notification_the_command_is_read_again(house):
    made = await give(house)
    db = Meanwhile(house.db)
    waiter = CommandWaiter(db, reread=0.02)
    waiting = asyncio.create_task(wait(house, waiter, made))
    await db.read.wait()
    await finish(house, made, {})
    assert (await waiting).state == "done"
