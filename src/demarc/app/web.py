"""The web process: the APIs behind one base URL."""

import asyncio
import socket
from collections.abc import Callable, Sequence
from typing import cast

from demarc.app.calls import Calls
from demarc.app.dispatch import AsgiApp, Dispatcher
from demarc.app.health import Health, Probe
from demarc.app.http_server import HttpServer
from demarc.app.https import certificate_of
from demarc.app.parts import Parts
from demarc.app.proxies import Proxies
from demarc.domains.access.live import LiveStatus
from demarc.domains.cpe.family import Families
from demarc.domains.identity.authentication import Authenticator
from demarc.domains.network.commands import CommandWaiter
from demarc.northbound.aex.app import aex_app
from demarc.northbound.flashman.app import flashman_app
from demarc.platform import changes
from demarc.platform.database import Database
from demarc.platform.migrations import pending
from demarc.platform.secrets import FailureLimiter, VerifiedMemory
from demarc.platform.telemetry import metrics

# A call under way may take as long as its device.
_FINISH_WITHIN = 12


async def web(
    parts: Parts,
    http: Sequence[socket.socket],
    https: Sequence[socket.socket],
    stop: asyncio.Event,
    ready: Callable[[], None],
) -> None:
    """Serve the APIs on the sockets until told to stop; calls under way are finished.

    Args:
        parts: the domains.
        http: listening TCP sockets; they speak HTTPS where there is a certificate and no other
            socket for it.
        https: listening TCP sockets for HTTPS beside them.
        stop: set to end.
        ready: called once connections are answered.

    Raises:
        TlsProblem: there is to be HTTPS, and its certificate cannot be used.
    """
    settings = parts.settings
    certificate = certificate_of(settings)
    if certificate is not None and settings.https_port is None:
        http, https = (), http
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
        public_url=settings.given_url,
    )
    flashman = flashman_app(
        db=parts.db,
        authenticator=authenticator,
        cpes=parts.cpes,
        families=Families.load(),
        aaa=parts.aaa,
    )
    apps: dict[str, AsgiApp] = {
        "aex": cast("AsgiApp", aex),
        "flashman": cast("AsgiApp", flashman),
        "health": Health(_probes(parts.db)),
    }

    server = HttpServer(
        Calls(
            Dispatcher(apps),
            Proxies(settings.trusted_proxies),
            hsts_max_age=settings.hsts_max_age,
        ),
        secure=https,
        tls=None if certificate is None else certificate.context,
        finish_within=_FINISH_WITHIN,
    )
    metrics.ask("http_connections", lambda: server.connections)
    background = [
        asyncio.create_task(waiter.run()),
        asyncio.create_task(_follow_identity(parts, authenticator)),
    ]
    if certificate is not None:
        metrics.ask("tls_certificate_expiry_timestamp_seconds", certificate.expires_at, use="https")
        background.append(asyncio.create_task(certificate.watch()))
    serving = asyncio.create_task(server.serve(sockets=list(http)))
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
    kinds = ["person", "api_client", "api_token", "network_isp", "role"]
    async for batch in changes.follow(parts.db, kinds):
        people = [change.key for change in batch or () if change.kind == "person"]
        if batch is None or len(people) < len(batch):
            authenticator.forget()
        for person in people:
            authenticator.forget_person(person)
