"""The ACS process: CWMP on a port of its own, and nothing else on its loop."""

import asyncio
import socket
from collections.abc import Callable, Sequence
from typing import cast

from demarc.app.calls import Calls
from demarc.app.dispatch import AsgiApp
from demarc.app.http_server import HttpServer
from demarc.app.https import certificate_of
from demarc.app.parts import Parts
from demarc.app.proxies import Proxies
from demarc.platform.telemetry import metrics
from demarc.southbound.cwmp.acs import Acs

_FINISH_WITHIN = 10


async def acs(
    parts: Parts,
    cwmp: Sequence[socket.socket],
    cwmps: Sequence[socket.socket],
    stop: asyncio.Event,
    ready: Callable[[], None],
) -> None:
    """Speak with devices on the sockets until told to stop; what is under way is answered.

    Args:
        parts: the domains.
        cwmp: listening TCP sockets; they speak HTTPS where there is a certificate and no other
            socket for it.
        cwmps: listening TCP sockets for HTTPS beside them.
        stop: set to end.
        ready: called once devices are answered.

    Raises:
        TlsProblem: there is to be HTTPS, and its certificate cannot be used.
    """
    settings = parts.settings
    certificate = certificate_of(settings)
    if certificate is not None and settings.cwmp_https_port is None:
        cwmp, cwmps = (), cwmp
    app = Acs(
        db=parts.db, cpes=parts.cpes, key=parts.keys.hmac("cwmp.nonces", b""), node=settings.node
    )
    server = HttpServer(
        Calls(cast("AsgiApp", app), Proxies(settings.trusted_proxies), api="cwmp"),
        secure=cwmps,
        tls=None if certificate is None else certificate.context,
        finish_within=_FINISH_WITHIN,
    )
    metrics.ask("cwmp_sessions", lambda: app.sessions)
    background = [asyncio.create_task(app.run())]
    if certificate is not None:
        background.append(asyncio.create_task(certificate.watch()))
    serving = asyncio.create_task(server.serve(sockets=list(cwmp)))
    try:
        # uvicorn tells nobody that it has started
        while not server.started and not serving.done():  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        ready()
        stopping = asyncio.create_task(stop.wait())
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


__all__ = ["acs"]
