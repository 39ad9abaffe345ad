"""The web process: the APIs behind one base URL."""

import asyncio
import contextlib
import socket
from collections.abc import Callable, Generator, Sequence
from typing import cast

import uvicorn

from demarc.app.dispatch import AsgiApp, Dispatcher
from demarc.app.health import Health
from demarc.app.parts import Parts
from demarc.domains.access.live import LiveStatus
from demarc.domains.identity.authentication import Authenticator
from demarc.domains.network.commands import CommandWaiter
from demarc.northbound.aex.app import aex_app
from demarc.platform import changes
from demarc.platform.secrets import FailureLimiter, VerifiedMemory

# A call under way may take as long as its device; a connection without one is closed at once.
_FINISH_WITHIN = 12


class _Server(uvicorn.Server):
    """uvicorn without signal handlers: the process decides when it ends."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


async def web(
    parts: Parts, sockets: Sequence[socket.socket], stop: asyncio.Event, ready: Callable[[], None]
) -> None:
    """Serve the APIs on the sockets until told to stop; calls under way are finished.

    Args:
        parts: the domains.
        sockets: listening TCP sockets.
        stop: set to end.
        ready: called once connections are answered.
    """
    waiter = CommandWaiter(parts.db)
    authenticator = Authenticator(parts.db, parts.passwords, VerifiedMemory(), FailureLimiter())
    aex = aex_app(
        db=parts.db,
        authenticator=authenticator,
        identity=parts.identity,
        catalog=parts.catalog,
        subscribers=parts.subscribers,
        services=parts.services,
        aaa=parts.aaa,
        access=parts.access,
        live=LiveStatus(parts.db, parts.access, waiter),
        public_url=parts.settings.public_url,
    )

    async def database() -> str | None:
        async with parts.db.system() as tx:
            await tx.conn.execute("SELECT 1")
        return None

    server = _Server(
        uvicorn.Config(
            Dispatcher({"aex": cast("AsgiApp", aex), "health": Health({"database": database})}),
            loop="uvloop",
            http="httptools",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            limit_concurrency=1000,
            backlog=2048,
            timeout_keep_alive=20,
            timeout_graceful_shutdown=_FINISH_WITHIN,
        )
    )
    background = [
        asyncio.create_task(waiter.run()),
        asyncio.create_task(_follow_identity(parts, authenticator)),
    ]
    serving = asyncio.create_task(server.serve(sockets=list(sockets)))
    try:
        # uvicorn tells nobody that it has started
        while not server.started and not serving.done():  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        ready()
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
        server.should_exit = True
        await serving
    finally:
        for task in background:
            task.cancel()
        await asyncio.gather(*background, return_exceptions=True)
        await parts.passwords.close()


async def _follow_identity(parts: Parts, authenticator: Authenticator) -> None:
    kinds = ["person", "api_client", "api_token", "network_isp"]
    async for batch in changes.follow(parts.db, kinds):
        people = [change.key for change in batch or () if change.kind == "person"]
        if batch is None or len(people) < len(batch):
            authenticator.forget()
        for person in people:
            authenticator.forget_person(person)
