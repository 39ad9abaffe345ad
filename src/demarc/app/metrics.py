"""``/metrics``: the parent asks its children how they are, and tells Prometheus."""

import asyncio
import contextlib
import shutil
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from importlib.metadata import version

import msgspec

from demarc.app.telling import tell_of_process
from demarc.platform.processes import Parent
from demarc.platform.settings import Settings
from demarc.platform.telemetry import count, metrics
from demarc.platform.telemetry.exposition import CONTENT_TYPE, expose
from demarc.platform.telemetry.metrics import METRICS, Reading, Value

# A child that is busy for longer has not told; Prometheus waits for 10 seconds by itself.
_ANSWERS_WITHIN = 2.0
_ASKED_WITHIN = 5.0
_LARGEST_HEAD = 16 * 1024
_AT_ONCE = 16


class Endpoint:
    """Answers HTTP requests for ``/metrics``, each on a connection of its own.

    Args:
        parent: whose children are asked.
    """

    def __init__(self, parent: Parent) -> None:
        self._parent = parent
        self._under_way = 0

    async def read(self) -> bytes:
        """Give everything that is known now, in Prometheus' format."""
        answers = await self._parent.ask(_ANSWERS_WITHIN)
        readings: list[tuple[str, Reading]] = []
        status = {child.name: child for child in self._parent.status()}
        for name, answer in answers.items():
            reading = _decoded(answer)
            known = status[name]
            about = [
                Value("process_up", (), float(reading is not None)),
                Value("process_restarts_total", (), known.restarts),
                Value("process_looping", (), float(known.looping)),
            ]
            readings.append((name, Reading(about, [])))
            if reading is not None:
                readings.append((name, reading))
        readings.append(("parent", METRICS.read()))
        return expose(readings)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request, and close its connection."""
        self._under_way += 1
        try:
            with contextlib.suppress(OSError, EOFError, asyncio.LimitOverrunError):
                async with asyncio.timeout(_ASKED_WITHIN):
                    head = await reader.readuntil(b"\r\n\r\n")
                status, body = await self._answered(head)
                content = CONTENT_TYPE if status.startswith("200") else "text/plain"
                writer.write(
                    f"HTTP/1.1 {status}\r\nContent-Type: {content}\r\n"
                    f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode()
                )
                if not head.startswith(b"HEAD "):
                    writer.write(body)
                async with asyncio.timeout(_ASKED_WITHIN):
                    await writer.drain()
        finally:
            self._under_way -= 1
            writer.close()

    async def _answered(self, head: bytes) -> tuple[str, bytes]:
        method, _, rest = head.partition(b" ")
        path = rest.partition(b" ")[0].partition(b"?")[0]
        if path != b"/metrics":
            return "404 Not Found", b"metrics are at /metrics\n"
        if method not in (b"GET", b"HEAD"):
            return "405 Method Not Allowed", b""
        if self._under_way > _AT_ONCE:
            return "503 Service Unavailable", b""
        return "200 OK", await self.read()


def _decoded(answer: bytes | None) -> Reading | None:
    if answer is None:
        return None
    try:
        return Reading.decode(answer)
    except msgspec.MsgspecError:
        count("metrics_failed", name="process")
        return None


def tell_of_machine(settings: Settings) -> None:
    """Tell what is known of this machine as a whole."""
    tell_of_process()
    metrics.ask(
        "info",
        lambda: 1.0,
        node=settings.node,
        roles=",".join(settings.roles),
        version=version("demarc"),
    )
    metrics.ask("data_free_bytes", lambda: shutil.disk_usage(settings.data).free)
    metrics.ask("data_size_bytes", lambda: shutil.disk_usage(settings.data).total)


@asynccontextmanager
async def telling(
    sock: socket.socket | None, parent: Parent, settings: Settings
) -> AsyncGenerator[None]:
    """Answer for as long as the block lasts, where there is a socket to answer on."""
    if sock is None:
        yield
        return
    tell_of_machine(settings)
    endpoint = Endpoint(parent)
    server = await asyncio.start_server(endpoint.serve, sock=sock, limit=_LARGEST_HEAD)
    try:
        yield
    finally:
        server.close()


__all__ = ["Endpoint", "tell_of_machine", "telling"]
