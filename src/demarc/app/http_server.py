"""uvicorn, made to end without cutting anybody off.

By itself uvicorn closes, when it ends, every connection on which no request is under way: also one
whose request is just arriving, and one that its client means to use again. Here the server first
stops accepting and tells each client, with its next answer, that the connection ends.
"""

import asyncio
import contextlib
from collections.abc import Generator
from typing import Any, cast

import uvicorn

from demarc.app.calls import Calls
from demarc.app.dispatch import AsgiApp

# A client whose connection is open is to have sent what it opened it for by then, or to have used
# it again and been told. What is idle for longer its client must expect to lose at any time.
_LINGER = 1.5
_LOOK = 0.02


class HttpServer(uvicorn.Server):
    """Serves an ASGI app on sockets that others go on listening on.

    Args:
        app: what answers.
        finish_within: seconds a call under way may take once the server ends.
        linger: seconds in which open connections are told that the server ends.
    """

    def __init__(self, app: AsgiApp, *, finish_within: int, linger: float = _LINGER) -> None:
        self._calls = Calls(app)
        self._linger = linger
        super().__init__(
            uvicorn.Config(
                cast("Any", self._calls),
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
                timeout_graceful_shutdown=finish_within,
            )
        )

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        """Leave signals alone: the process decides when it ends."""
        yield

    async def shutdown(self, sockets: Any = None) -> None:
        """Accept nothing more, let clients go, finish what is under way."""
        self._calls.closing = True
        # Nobody is turned away: our sockets are copies, others listen on theirs.
        for server in self.servers:
            server.close()
        connections = self.server_state.connections
        loop = asyncio.get_running_loop()
        until = loop.time() + self._linger
        # a connection accepted just now is not among them yet
        await asyncio.sleep(_LOOK)
        while connections and loop.time() < until:  # noqa: ASYNC110 - uvicorn tells nobody
            await asyncio.sleep(_LOOK)
        await super().shutdown(sockets)
