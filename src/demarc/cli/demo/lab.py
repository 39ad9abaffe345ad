"""The lab as a process of its own: told what to simulate, telling what it sees."""

import asyncio
import contextlib
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any

import msgspec

_END_WITHIN = 10


class Lab:
    """The running lab: takes orders as JSON lines, gives its status as JSON lines."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def order(self, kind: str, **what: Any) -> None:
        """Have the lab simulate one more thing: a NAS, an OLT, an ONU, a subscriber."""
        if self._process.stdin is None:
            raise RuntimeError("the lab was started without a way to tell it anything")
        self._process.stdin.write(msgspec.json.encode({"kind": kind, **what}) + b"\n")
        await self._process.stdin.drain()

    async def follow(self, seen: Callable[[dict[str, Any]], None]) -> None:
        """Give each status the lab tells, until it ends."""
        if self._process.stdout is None:
            raise RuntimeError("the lab was started without a way to be heard")
        async for line in self._process.stdout:
            seen(msgspec.json.decode(line))


@asynccontextmanager
async def lab() -> AsyncGenerator[Lab]:
    """Run the lab for as long as the block lasts."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "demarc.lab",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        # Ctrl-C is for the demo, which then ends the lab in order
        start_new_session=True,
    )
    try:
        yield Lab(process)
    finally:
        if process.stdin is not None:
            process.stdin.close()
        with contextlib.suppress(ProcessLookupError):
            try:
                await asyncio.wait_for(process.wait(), _END_WITHIN)
            except TimeoutError:
                process.kill()
                await process.wait()
