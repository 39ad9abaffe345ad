"""The radius process: authentication and accounting on UDP, and nothing else on its loop."""

import asyncio
import gc
import socket
from collections.abc import Callable, Sequence

from demarc.app.parts import Parts
from demarc.southbound.radius.limits import Limits
from demarc.southbound.radius.server import RadiusServer


async def radius(
    parts: Parts,
    auth: Sequence[socket.socket],
    acct: Sequence[socket.socket],
    stop: asyncio.Event,
    ready: Callable[[], None],
) -> None:
    """Serve RADIUS on the sockets until told to stop; what was received is then accounted for.

    Args:
        parts: the domains.
        auth: UDP sockets for Access-Request.
        acct: UDP sockets for Accounting-Request.
        stop: set to end.
        ready: called once packets are answered.
    """
    server = RadiusServer(
        parts.db,
        parts.keys,
        Limits(
            credentials=parts.settings.credential_cache_size,
            max_age=parts.settings.credential_cache_max_age,
        ),
    )
    await server.serve(auth, acct)
    _collect_seldom()
    ready()
    waiting = [asyncio.create_task(stop.wait()), asyncio.create_task(server.broken())]
    try:
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        if not stop.is_set():
            # the parent starts another, which begins with what is in the database
            raise RuntimeError("a part of the RADIUS process failed")
    finally:
        for task in waiting:
            task.cancel()
        await server.stop()


def _collect_seldom() -> None:
    """Have the garbage collector look at what is new, and seldom at what is kept.

    A full collection with 100,000 log-ins in memory takes a third of a second, in which packets
    wait; what is kept forms no cycles, so that it frees nothing.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 50, 1000)
