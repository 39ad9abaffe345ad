"""The RADIUS server of the product, on ports of its own, in the test's own loop."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable
from typing import Any

from demarc.platform.database import Database
from demarc.platform.secrets import KeyRing
from demarc.southbound.radius.limits import Limits
from demarc.southbound.radius.server import RadiusServer
from support.radius_nas import Nas


class Process:
    """A server and how it is reached."""

    def __init__(self, server: RadiusServer, auth: socket.socket, acct: socket.socket) -> None:
        self.server = server
        self.auth: tuple[str, int] = auth.getsockname()
        self.acct: tuple[str, int] = acct.getsockname()
        self.sockets = (auth, acct)
        self.nases: list[Nas] = []

    def nas(self, secret: str, host: str = "127.0.0.1") -> Nas:
        nas = Nas(self.auth, self.acct, secret, host)
        self.nases.append(nas)
        return nas


@contextlib.asynccontextmanager
async def running(
    db: Database, keys: KeyRing, limits: Limits | None = None, **more: Any
) -> AsyncIterator[Process]:
    """Run a server for as long as the block lasts."""
    sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2)]
    for sock in sockets:
        sock.bind(("127.0.0.1", 0))
    server = RadiusServer(db, keys, limits, **more)
    await server.serve(sockets[:1], sockets[1:])
    process = Process(server, *sockets)
    try:
        yield process
    finally:
        await server.stop()
        for nas in process.nases:
            nas.close()
        for sock in sockets:
            sock.close()


async def until(condition: Callable[[], Any], seconds: float = 10) -> Any:
    """Look again and again until a condition holds; it may be asynchronous."""
    async with asyncio.timeout(seconds):
        while True:
            found = condition()
            if asyncio.iscoroutine(found):
                found = await found
            if found:
                return found
            await asyncio.sleep(0.02)
