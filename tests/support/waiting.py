"""Waiting for what will be true, without guessing how long it takes."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")


async def eventually(
    look: Callable[[], T] | Callable[[], Awaitable[T]], *, within: float = 30.0
) -> T:
    """Look again and again until there is something true to see, and give it.

    Args:
        look: a function or coroutine function; what it raises is raised.
        within: seconds after which the wait has failed.
    """
    until = time.monotonic() + within
    while True:
        seen = look()
        if isinstance(seen, Awaitable):
            seen = await seen
        if seen:
            return seen
        if time.monotonic() > until:
            raise TimeoutError(f"it did not come true within {within:.0f} s")
        await asyncio.sleep(0.02)
