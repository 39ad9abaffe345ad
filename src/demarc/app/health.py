"""``/healthz``: this process answers. ``/readyz``: and what it needs does, too."""

import asyncio
from collections.abc import Awaitable, Callable

import msgspec

from demarc.app.dispatch import Receive, Scope, Send

Probe = Callable[[], Awaitable[str | None]]

_PROBE_LIMIT = 3.0


class Health:
    """Answers both without authentication; nothing about the inside is told but names."""

    def __init__(self, probes: dict[str, Probe]) -> None:
        self._probes = probes

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """Answer 200, or 503 with the names of what is not ready; 405 for other methods."""
        if scope["type"] != "http":
            return
        status, body = 200, {"status": "ok"}
        if scope["method"] not in ("GET", "HEAD"):
            status, body = 405, {"status": "method not allowed"}
        elif scope["path"].startswith("/readyz"):
            body = dict(
                zip(
                    self._probes,
                    await asyncio.gather(*map(_ask, self._probes.values())),
                    strict=False,
                )
            )
            if any(word != "ok" for word in body.values()):
                status = 503
        content = msgspec.json.encode(body)
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(content)).encode()),
            (b"cache-control", b"no-store"),
        ]
        if status == 503:  # noqa: PLR2004 - HTTP's own
            headers.append((b"retry-after", b"5"))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        body_out = b"" if scope["method"] == "HEAD" else content
        await send({"type": "http.response.body", "body": body_out})


async def _ask(probe: Probe) -> str:
    try:
        return await asyncio.wait_for(probe(), _PROBE_LIMIT) or "ok"
    except Exception:  # noqa: BLE001 - whatever is wrong, it is not ready
        return "not ready"
