"""uvicorn, made to end without cutting anybody off.

By itself uvicorn closes, when it ends, every connection on which no request is under way: also one
whose request is just arriving, and one that its client means to use again. Here the server first
stops accepting and tells each client, with its next answer, that the connection ends.
"""

import asyncio
import contextlib
import socket
import ssl
import weakref
from collections.abc import Generator, Sequence
from typing import Any, cast

import uvicorn

from demarc.app.calls import Calls
from demarc.app.http_protocol import Connection

# A client whose connection is open is to have sent what it opened it for by then, or to have used
# it again and been told. What is idle for longer its client must expect to lose at any time.
_LINGER = 1.5
_LOOK = 0.02
_HANDSHAKE_WITHIN = 15.0


class HttpServer(uvicorn.Server):
    """Serves an ASGI app on sockets that others go on listening on.

    Args:
        calls: what answers.
        secure: sockets that speak HTTPS; those given to ``serve`` speak HTTP.
        tls: the context of these.
        finish_within: seconds a call under way may take once the server ends.
        linger: seconds in which open connections are told that the server ends.
    """

    def __init__(
        self,
        calls: Calls,
        *,
        secure: Sequence[socket.socket] = (),
        tls: ssl.SSLContext | None = None,
        finish_within: int,
        linger: float = _LINGER,
    ) -> None:
        self._calls = calls
        self._secure = list(secure)
        self._tls = tls
        self._linger = linger
        # uvicorn knows of a connection once hands are shaken; one that fails to is but forgotten
        self._accepted: weakref.WeakSet[Connection] = weakref.WeakSet()
        super().__init__(
            uvicorn.Config(
                cast("Any", self._calls),
                loop="uvloop",
                http=Connection,
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

    @property
    def connections(self) -> int:
        """How many connections of clients are open."""
        return len(self.server_state.connections)

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        """Leave signals alone: the process decides when it ends."""
        yield

    async def startup(self, sockets: Any = None) -> None:
        """Accept connections, on the sockets for HTTPS too."""
        await super().startup(sockets=sockets)

        def connection() -> asyncio.Protocol:
            accepted = Connection(
                config=self.config,
                server_state=self.server_state,
                app_state=self.lifespan.state,
            )
            self._accepted.add(accepted)
            return accepted

        loop = asyncio.get_running_loop()
        for each in self._secure:
            self.servers.append(
                await loop.create_server(
                    connection,
                    sock=each,
                    ssl=self._tls,
                    ssl_handshake_timeout=_HANDSHAKE_WITHIN,
                    backlog=self.config.backlog,
                )
            )

    async def shutdown(self, sockets: Any = None) -> None:
        """Accept nothing more, let clients go, finish what is under way."""
        self._calls.closing = True
        # Nobody is turned away: our sockets are copies, others listen on theirs.
        for server in self.servers:
            server.close()
        loop = asyncio.get_running_loop()
        until = loop.time() + self._linger
        # a connection accepted just now is not among them yet
        await asyncio.sleep(_LOOK)
        while self._open() and loop.time() < until:  # noqa: ASYNC110 - uvicorn tells nobody
            await asyncio.sleep(_LOOK)
        await super().shutdown(sockets)

    def _open(self) -> bool:
        """Tell whether somebody is connected, or is just shaking hands."""
        return bool(self.server_state.connections) or any(
            not accepted.shaken for accepted in self._accepted
        )
