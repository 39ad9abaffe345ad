"""One base URL: every path belongs to exactly one API, the longest prefix wins.

What belongs to nobody goes to the API that answers for the root, so that even a 404 speaks the
form of the API its caller means.
"""

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
AsgiApp = Callable[[Scope, Receive, Send], Awaitable[None]]

# Prefix of whole path segments -> who answers.
PREFIXES: Mapping[str, str] = {
    "/healthz": "health",
    "/readyz": "health",
    "/docs/aex": "aex",
    "/services": "aex",
    "/customers": "aex",
    "/premises": "aex",
    "/products": "aex",
    "/locations": "aex",
    "/details": "aex",
    "/fno": "aex",
    "/docs/flashman": "flashman",
    "/api/v3": "flashman",
    "/api/v2/device": "flashman",
    "/api/v2/user": "flashman",
    "/api/v2/role": "flashman",
    "/api/v2/certification": "flashman",
    "/api/v2/health": "flashman",
}
ROOT = "aex"


def owner(path: str, prefixes: Mapping[str, str] = PREFIXES) -> str:
    """Name the app a path belongs to.

    Args:
        path: the path of a request, without its query.
        prefixes: prefixes of whole segments and whose they are.
    """
    if path in prefixes:
        return prefixes[path]
    cut = len(path)
    while (cut := path.rfind("/", 0, cut)) > 0:
        if (found := prefixes.get(path[:cut])) is not None:
            return found
    return ROOT


class Dispatcher:
    """The ASGI app that gives each request to the app it belongs to, unchanged."""

    def __init__(self, apps: Mapping[str, AsgiApp]) -> None:
        self._apps = dict(apps)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; start and end of the process are passed to every app."""
        if scope["type"] == "lifespan":
            await _no_lifespan(receive, send)
            return
        await self._apps[owner(scope["path"])](scope, receive, send)


async def _no_lifespan(receive: Receive, send: Send) -> None:
    # what the apps need is opened and closed by the process, before and after them
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
