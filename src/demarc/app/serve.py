"""``demarc serve``: the database, the sockets, and a process for each role."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import msgspec

from demarc.app.child import CONNINFO, SETTINGS
from demarc.app.parts import keys_of, server
from demarc.platform.migrations import FIRST, migrate
from demarc.platform.processes import Parent, Role, tcp, udp
from demarc.platform.settings import PREFIX, Settings
from demarc.platform.telemetry import configure_logs, get_logger

_log = get_logger(__name__)


class Serving:
    """What runs.

    Attributes:
        settings: with the ports really taken.
        parent: keeps the children.
    """

    def __init__(self, settings: Settings, parent: Parent) -> None:
        self.settings = settings
        self.parent = parent

    async def wait(self) -> None:
        """Wait for good, or until the children cannot be kept."""
        await self.parent.wait()


@asynccontextmanager
async def serving(settings: Settings) -> AsyncGenerator[Serving]:
    """Run everything for as long as the block lasts, and end it in order.

    Order of the end: calls and packets under way are answered, jobs handed back, what was
    accounted for is written, and last the private database is shut down.

    Raises:
        OSError: an address cannot be listened on; the text names it.
        ServerProblem: the private database cannot be started.
        KeyFileError: the keys cannot be read.
        ChildFailed: a role cannot start.
    """
    http = tcp(settings.http_host, settings.http_port)
    auth = udp(settings.radius_host, settings.radius_auth_port)
    acct = udp(settings.radius_host, settings.radius_acct_port)
    try:
        settings = msgspec.structs.replace(
            settings,
            http_port=http.getsockname()[1],
            radius_auth_port=auth.getsockname()[1],
            radius_acct_port=acct.getsockname()[1],
            # where it was made of port 0, it is made again of the port taken
            public_url="" if settings.public_url.endswith(":0") else settings.public_url,
        )
        async with server(settings) as conninfo:
            applied = await migrate(conninfo)
            keys_of(settings, may_create=FIRST in applied)
            parent = Parent(
                _roles(settings, conninfo), {"http": [http], "auth": [auth], "acct": [acct]}
            )
            await parent.start()
            try:
                yield Serving(settings, parent)
            finally:
                await parent.stop()
    finally:
        for each in (http, auth, acct):
            each.close()


def _roles(settings: Settings, conninfo: str) -> list[Role]:
    env = {
        **{name: value for name, value in os.environ.items() if not name.startswith(PREFIX)},
        SETTINGS: settings.to_json(),
        CONNINFO: conninfo,
    }

    def role(name: str, *sockets: str, kind: str = "", overlap: bool = True) -> Role:
        argv = [sys.executable, "-m", "demarc.app.child", kind or name]
        return Role(name=name, argv=argv, sockets=sockets, env=env, overlap=overlap)

    webs = [
        role(f"web-{number}" if number else "web", "http", kind="web")
        for number in range(settings.web_processes)
    ]
    # ended in the reverse order: the web first, RADIUS last
    return [role("radius", "auth", "acct", overlap=False), role("worker"), *webs]


async def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT; SIGHUP starts every process anew without a lost connection.

    Raises:
        OSError, ServerProblem, KeyFileError, ChildFailed: as `serving`.
    """
    configure_logs(settings, "parent")
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for wanted in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(wanted, stop.set)
    async with serving(settings) as running:
        renewing: set[asyncio.Task[None]] = set()

        def renew() -> None:
            task = asyncio.create_task(running.parent.restart())
            renewing.add(task)
            task.add_done_callback(renewing.discard)

        loop.add_signal_handler(signal.SIGHUP, renew)
        bound = running.settings
        _log.info(
            "serving",
            http=bound.public_url,
            radius=f"{bound.radius_host}:{bound.radius_auth_port}/{bound.radius_acct_port}",
        )
        waiting = [asyncio.create_task(stop.wait()), asyncio.create_task(running.wait())]
        done, pending = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for task in (*pending, *renewing):
            task.cancel()
        _log.info("ending")
        for task in done:
            task.result()
    _log.info("ended")
