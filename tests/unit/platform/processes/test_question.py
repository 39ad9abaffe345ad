import asyncio
import contextlib
import socket

import pytest

from demarc.platform.processes.question import Asking, answering


@pytest.fixture
def ends():
    ours, theirs = socket.socketpair()
    for end in (ours, theirs):
        end.setblocking(False)
    yield ours, theirs
    ours.close()
    theirs.close()


@contextlib.asynccontextmanager
async def asked(ours, theirs, answer):
    asking = Asking(ours)
    answers = asyncio.create_task(answering(theirs, answer))
    try:
        yield asking
    finally:
        answers.cancel()
        await asyncio.gather(answers, return_exceptions=True)
        await asking.close()


async def test_every_question_gets_its_answer_however_many_there_are(ends):
    given = iter(range(1000))
    async with asked(*ends, lambda: b"%d" % next(given) * 20_000) as asking:
        answers = await asyncio.gather(*(asking.ask(10) for _ in range(50)))
    assert [int(answer[:2]) for answer in answers[10:]] == list(range(10, 50))


async def test_an_answer_that_comes_late_is_not_taken_for_the_next_one(ends):
    ours, theirs = ends
    asking = Asking(ours)
    reader, writer = await asyncio.open_unix_connection(sock=theirs)
    assert await asking.ask(0.01) is None
    first = await reader.readexactly(4)
    second = asyncio.create_task(asking.ask(10))
    number = await reader.readexactly(4)
    writer.write(first + (4).to_bytes(4, "big") + b"late")
    writer.write(number + (5).to_bytes(4, "big") + b"right")
    assert await second == b"right"
    await asking.close()
    writer.close()


@pytest.mark.parametrize("said", [b"", b"\xff" * 8, b"\0\0\0\1\0\0\0\5abc"])
async def test_one_that_is_gone_or_speaks_otherwise_keeps_nobody_waiting(ends, said):
    ours, theirs = ends
    asking = Asking(ours)
    reader, writer = await asyncio.open_unix_connection(sock=theirs)
    question = asyncio.create_task(asking.ask(60))
    await reader.readexactly(4)
    writer.write(said)
    writer.close()
    assert await question is None
    assert await asking.ask(60) is None
    await asking.close()


async def test_asking_ends_with_the_child(ends):
    ours, theirs = ends
    asking = Asking(ours)
    theirs.close()
    assert await asking.ask(60) is None
    await asking.close()
    assert await asking.ask(60) is None
