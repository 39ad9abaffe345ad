"""A database that is away, and a row that cannot be stored."""

import asyncio

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from demarc.southbound.radius.outage import is_outage, within, write_isolating


@given(good=st.lists(st.booleans(), min_size=1, max_size=60))
def test_all_but_the_poisoned_are_written_in_order(good):
    written = []

    async def write(items):
        if not all(good[at] for at in items):
            raise psycopg.DataError("out of range")
        written.extend(items)

    items = list(range(len(good)))
    poisoned = asyncio.run(write_isolating(items, write))
    assert written == [at for at in items if good[at]]
    assert [at for at, _ in poisoned] == [at for at in items if not good[at]]


async def test_an_outage_is_not_taken_for_poison():
    async def write(_items):
        raise psycopg.errors.AdminShutdown("going down")

    with pytest.raises(psycopg.OperationalError):
        await write_isolating([1, 2, 3], write)


async def test_another_writer_in_the_way_is_tried_again():
    tries = []

    async def write(items):
        tries.append(items)
        if len(tries) < 3:
            raise psycopg.errors.DeadlockDetected("deadlock")

    assert await write_isolating([1, 2], write) == []
    assert len(tries) == 3


async def test_work_that_takes_too_long_is_given_up_without_waiting_for_its_end():
    never = asyncio.Event()

    async def stubborn():
        try:
            await never.wait()
        finally:
            await asyncio.shield(asyncio.sleep(0))

    with pytest.raises(TimeoutError) as late:
        await within(0.01, stubborn())
    assert is_outage(late.value)


def test_only_what_says_nothing_of_the_row_is_an_outage():
    assert is_outage(psycopg.OperationalError())
    assert is_outage(psycopg.errors.ReadOnlySqlTransaction())
    assert is_outage(ConnectionResetError())
    assert not is_outage(psycopg.errors.NumericValueOutOfRange())
    assert not is_outage(psycopg.errors.CheckViolation())
    assert not is_outage(ValueError())
