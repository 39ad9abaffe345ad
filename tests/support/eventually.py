"""Waiting for a thing instead of for a time."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

Thing = TypeVar("Thing")


async def eventually(
    look: Callable[[], Awaitable[Thing]] | Callable[[], Thing],
    wanted: Callable[[Thing], bool] = bool,
    within: float = 20.0,
) -> Thing:
    """Look again and again until what is seen is what is wanted; fail with what was seen last."""
    loop = asyncio.get_running_loop()
    until = loop.time() + within
    while True:
        answer = look()
        seen = await answer if isinstance(answer, Awaitable) else answer
        if wanted(seen):
            return seen
        if loop.time() > until:
            raise AssertionError(f"not within {within} s; last seen: {seen!r}")
        await asyncio.sleep(0.02)
