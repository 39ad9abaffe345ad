"""What every HTTP call gets, whichever API it is for."""

import re
import time
from typing import Any
from uuid import uuid4

from structlog.contextvars import bind_contextvars

from demarc.app.dispatch import AsgiApp, Receive, Scope, Send, owner
from demarc.app.proxies import Proxies
from demarc.platform.telemetry import count, get_logger, metrics

_HEADER = b"x-request-id"
_CLOSE = (b"connection", b"close")
# What others made is taken over if it can do no harm in a log.
_ID = re.compile(rb"[A-Za-z0-9][A-Za-z0-9._:/+=-]{0,99}")
_FAILED = 500
_CLASSES = {hundred: f"{hundred}xx" for hundred in range(1, 6)}
# Whoever asks these two sees the answer, again and again.
_PROBES = ("/healthz", "/readyz")

_log = get_logger(__name__)


class Calls:
    """The ASGI app around all others.

    A call has an id, the caller's ``X-Request-Id`` or a new one, which is in the answer and in
    every line that is logged for it. An answer of 500 or more is logged, others are not. And once
    ``closing`` is set every answer is the last on its connection.

    Args:
        app: what answers.
        proxies: those whose word on the caller is taken.
        api: whose every call is, where one app alone answers; else the path tells.
        hsts_max_age: seconds for which a browser that came by HTTPS is to come by it alone
            (RFC 6797); 0 does not tell it.
    """

    def __init__(
        self, app: AsgiApp, proxies: Proxies | None = None, *, api: str = "", hsts_max_age: int = 0
    ) -> None:
        self._app = app
        self._proxies = proxies
        self._api = api
        self._hsts = (b"strict-transport-security", f"max-age={hsts_max_age}".encode())
        self._tells_hsts = hsts_max_age > 0
        self._times: dict[str, metrics.Histogram] = {}
        self.closing = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the call on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if self._proxies is not None:
            self._proxies.see_through(scope)
        request_id = _request_id(scope["headers"])
        # the server runs each call as a task of its own, so that this is bound to no other
        bind_contextvars(request_id=request_id.decode())
        since = time.monotonic()

        async def answer(message: Any) -> None:
            if message["type"] == "http.response.start":
                headers = [*message.get("headers", ()), (_HEADER, request_id)]
                if self._tells_hsts and scope["scheme"] == "https":
                    headers.append(self._hsts)
                if self.closing:  # looked at now: calls already under way are told, too
                    headers.append(_CLOSE)
                message = {**message, "headers": headers}
                self._note(scope["path"], message["status"], time.monotonic() - since)
                if message["status"] >= _FAILED and scope["path"] not in _PROBES:
                    _log.warning(
                        "a call was answered with an error of ours",
                        status=message["status"],
                        method=scope["method"],
                        path=scope["path"],
                        seconds=round(time.monotonic() - since, 3),
                    )
            await send(message)

        await self._app(scope, receive, answer)

    def _note(self, path: str, status: int, seconds: float) -> None:
        api = self._api or owner(path)
        times = self._times.get(api)
        if times is None:
            times = self._times[api] = metrics.histogram("http_request_seconds", api=api)
        times.observe(seconds)
        count("http_requests", api=api, status=_CLASSES.get(status // 100, "other"))


def _request_id(headers: list[tuple[bytes, bytes]]) -> bytes:
    for name, value in headers:
        if name == _HEADER and _ID.fullmatch(value):
            return value
    return uuid4().hex.encode()
