"""Requests carried out once for a key, and what is kept when they fail."""

import asyncio
from uuid import uuid4

import pytest

from demarc.platform.database import Actor
from demarc.platform.idempotency import Answer, KeyReused, once

CLIENT = Actor("client", uuid4(), "client:tests")


@pytest.fixture
async def tenant_id(db):
    async with db.system() as tx:
        row = await (
            await tx.conn.execute("INSERT INTO tenant (slug, name) VALUES ('t', 'T') RETURNING id")
        ).fetchone()
    return row[0]


class Work:
    def __init__(self):
        self.times = 0

    async def __call__(self):
        self.times += 1
        return Answer(201, f"/things/{self.times}", b"body")


async def send(db, tenant_id, work, *, key="k", request=b"r", actor=CLIENT):
    async with db.tenant(tenant_id, actor) as tx:
        return await once(tx, key=key, request=request, perform=work)


async def test_the_same_key_gives_the_same_answer_and_does_the_work_once(db, tenant_id):
    work = Work()
    answers = [await send(db, tenant_id, work) for _ in range(3)]
    assert answers == [Answer(201, "/things/1", b"body")] * 3
    assert work.times == 1


async def test_another_key_or_actor_is_another_request(db, tenant_id):
    work = Work()
    await send(db, tenant_id, work)
    await send(db, tenant_id, work, key="other")
    await send(db, tenant_id, work, actor=Actor("client", uuid4(), "client:other"))
    assert work.times == 3


async def test_a_key_of_another_request_is_refused(db, tenant_id):
    work = Work()
    await send(db, tenant_id, work)
    with pytest.raises(KeyReused):
        await send(db, tenant_id, work, request=b"another")
    assert work.times == 1


async def test_at_the_same_time_the_work_is_done_once(db, tenant_id):
    work = Work()
    answers = await asyncio.gather(*(send(db, tenant_id, work) for _ in range(6)))
    assert set(answers) == {Answer(201, "/things/1", b"body")}
    assert work.times == 1


async def test_work_that_fails_leaves_the_key_free(db, tenant_id):
    async def failing():
        raise RuntimeError

    with pytest.raises(RuntimeError):
        await send(db, tenant_id, failing)
    assert await send(db, tenant_id, Work()) == Answer(201, "/things/1", b"body")
