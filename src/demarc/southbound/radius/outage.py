"""Telling a database that is away from a row that cannot be stored."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, TypeVar

import psycopg
from psycopg import errors

Item = TypeVar("Item")
Result = TypeVar("Result")

_AGAIN = (errors.SerializationFailure, errors.DeadlockDetected, errors.UniqueViolation)
_TRIES = 3


def is_outage(error: BaseException) -> bool:
    """Tell whether an error says nothing of the row, so that trying again later may help."""
    if isinstance(error, psycopg.DataError | psycopg.IntegrityError):
        return False
    return isinstance(error, psycopg.Error | OSError | TimeoutError)


# cancelled, but not yet gone: a task nobody holds may vanish before it has cleaned up
_abandoned: set["asyncio.Task[Any]"] = set()


async def within(seconds: float, work: Coroutine[Any, Any, Result]) -> Result:
    """Do work on the database in a given time.

    Unlike ``asyncio.timeout`` it does not wait for the cancelled work: a database that does not
    answer does not answer a request to stop either.

    Raises:
        TimeoutError: it took longer; it is cancelled then.
    """
    task = asyncio.ensure_future(work)
    try:
        await asyncio.wait({task}, timeout=seconds)
    finally:
        if not task.done():
            task.cancel()
            _abandoned.add(task)
            task.add_done_callback(_abandoned.discard)
            # what it fails with no longer interests anybody
            task.add_done_callback(lambda done: done.cancelled() or done.exception())
    if not task.done():
        raise TimeoutError(f"the database did not answer within {seconds} s")
    return task.result()


async def write_isolating(
    items: Sequence[Item], write: Callable[[Sequence[Item]], Awaitable[None]]
) -> list[tuple[Item, Exception]]:
    """Write items in one go; if one of them cannot be, write the others without it.

    Args:
        items: in order; parts of them keep it.
        write: writes all it is given, or raises and writes none.

    Returns:
        The items that cannot be written, and why.

    Raises:
        psycopg.Error: the database is away (see ``is_outage``). Some items may have been written.
    """
    try:
        await _write_again(items, write)
    except Exception as error:
        if is_outage(error):
            raise
        if len(items) == 1:
            return [(items[0], error)]
        half = len(items) // 2
        poisoned = await write_isolating(items[:half], write)
        return poisoned + await write_isolating(items[half:], write)
    return []


async def _write_again(
    items: Sequence[Item], write: Callable[[Sequence[Item]], Awaitable[None]]
) -> None:
    """Write, and once more if another writer was in the way."""
    for left in reversed(range(_TRIES)):
        try:
            await write(items)
        except _AGAIN:
            if not left:
                raise
        else:
            return


__all__ = ["is_outage", "within", "write_isolating"]
