"""The web process: the APIs behind one base URL."""

import asyncio
import socket
from collections.abc import Callable, Sequence
from typing import cast

from demarc.app.dispatch import AsgiApp, Dispatcher
from demarc.app.health import Health, Probe
from demarc.app.http_server import HttpServer
from demarc.app.parts import Parts
from demarc.domains.access.live import LiveStatus
from demarc.domains.identity.authentication import Authenticator
from demarc.domains.network.commands import CommandWaiter
from demarc.northbound.aex.app import aex_app
from demarc.platform import changes
from demarc.platform.database import Database
from demarc.platform.migrations import pending
from demarc.platform.secrets import FailureLimiter, VerifiedMemory

# A call under way may take as long as its device.
_FINISH_WITHIN = 12


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
        public_url=parts.settings.given_url,
    )

    server = HttpServer(
        Dispatcher({"aex": cast("AsgiApp", aex), "health": Health(_probes(parts.db))}),
        finish_within=_FINISH_WITHIN,
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
        # what runs beside ends only by failing; a new process is better than one without it
        await asyncio.wait({serving, stopping, *background}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        server.should_exit = True
        await serving
        for task in background:
            if task.done():
                task.result()
    finally:
        for task in background:
            task.cancel()
        await asyncio.gather(*background, return_exceptions=True)
        await parts.passwords.close()


def _probes(db: Database) -> dict[str, Probe]:
    complete = False

    async def database() -> str | None:
        async with db.system() as tx:
            await tx.conn.execute("SELECT 1")
        return None

    async def schema() -> str | None:
        nonlocal complete
        if not complete:  # which it stays
            complete = not await pending(db.conninfo)
        return None if complete else "migrations are pending"

    return {"database": database, "schema": schema}


async def _follow_identity(parts: Parts, authenticator: Authenticator) -> None:
    kinds = ["person", "api_client", "api_token", "network_isp"]
    async for batch in changes.follow(parts.db, kinds):
        people = [change.key for change in batch or () if change.kind == "person"]
        if batch is None or len(people) < len(batch):
            authenticator.forget()
        for person in people:
            authenticator.forget_person(person)
