"""The real ``demarc serve`` with all its processes, on a data folder and ports of its own."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Self

import processes
from demarc.app.parts import Parts, assemble, keys_of
from demarc.platform.database import Database
from demarc.platform.postgres import conninfo_of
from demarc.platform.settings import PREFIX, Settings

_READY_WITHIN = 120.0
_END_WITHIN = 60.0
_SHOWN, _WIDE = 8, 400


class Server:
    """A running Demarc.

    Example:
        ```python
        with Server(folder, credential_cache_size=1000) as server:
            ...
        ```

    Args:
        data: its data folder; the database in it stays.
        **settings: as ``demarc serve`` takes them, by the names of their fields.
    """

    def __init__(self, data: Path, **settings: object) -> None:
        self._data = data
        self._ports = _free_ports()
        self._chosen: dict[str, str] = {
            "data": str(data),
            "http_port": str(self._ports[0]),
            "radius_auth_port": str(self._ports[1]),
            "radius_acct_port": str(self._ports[2]),
            "log_level": "warning",
        } | {name: str(value) for name, value in settings.items()}
        self._process: subprocess.Popen[bytes] | None = None
        self._log = data / "serve.log"
        self._said = 0
        self.settings = Settings.load({}, **self._chosen)

    def __enter__(self) -> Self:
        """Start, and wait until it is ready.

        Raises:
            RuntimeError: it does not come up; its output is in the data folder's ``serve.log``.
        """
        env = {name: text for name, text in os.environ.items() if not name.startswith(PREFIX)}
        env |= {PREFIX + name.upper(): text for name, text in self._chosen.items()}
        with self._log.open("ab") as output:
            self._said = output.tell()
            self._process = subprocess.Popen(
                [Path(sys.executable).with_name("demarc"), "serve"],
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        try:
            self._wait_ready()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """End it in order, and show what it warned of."""
        self._stop()
        lines = self._words().splitlines()
        for line in lines[:_SHOWN]:
            print(f"  server: {line[:_WIDE]}")
        if len(lines) > _SHOWN:
            print(f"  server: and {len(lines) - _SHOWN} more lines")

    @property
    def pid(self) -> int:
        """The parent's process id."""
        if self._process is None:
            raise RuntimeError("the server was not started")
        return self._process.pid

    def pid_of(self, role: str) -> int:
        """Give the process id of a role."""
        [pid] = processes.family(self.pid)[role]
        return pid

    @property
    def radius_auth(self) -> int:
        """The port for Access-Requests."""
        return self._ports[1]

    @property
    def radius_acct(self) -> int:
        """The port for accounting."""
        return self._ports[2]

    @property
    def http(self) -> int:
        """The port of the APIs."""
        return self._ports[0]

    @contextlib.asynccontextmanager
    async def parts(self) -> AsyncGenerator[Parts]:
        """Give the domains on the server's own database, to set up what is measured."""
        async with parts_of(self.settings) as parts:
            yield parts

    def _wait_ready(self) -> None:
        until = time.monotonic() + _READY_WITHIN
        url = f"http://127.0.0.1:{self.http}/readyz"
        while time.monotonic() < until:
            if self._process is None or self._process.poll() is not None:
                break
            with (
                contextlib.suppress(OSError, urllib.error.URLError),
                urllib.request.urlopen(url, timeout=2) as answer,
            ):
                if answer.status == 200:
                    return
            time.sleep(0.05)
        words = self._words()[-2000:]
        raise RuntimeError(f"demarc serve did not become ready:\n{words}")

    def _words(self) -> str:
        return self._log.read_bytes()[self._said :].decode(errors="replace")

    def _stop(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(_END_WITHIN)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextlib.asynccontextmanager
async def parts_of(settings: Settings) -> AsyncGenerator[Parts]:
    """Give the domains on the private database that a server of these settings runs."""
    conninfo = conninfo_of(settings.data / "postgres")
    db = await Database.open(conninfo, tenant_pool=2, system_pool=2, name="demarc/bench")
    try:
        yield assemble(settings, db, keys_of(settings, may_create=False))
    finally:
        await db.close()


def _free_ports() -> list[int]:
    """Give a TCP port and two UDP ports that are free now."""
    kinds = (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_DGRAM)
    with contextlib.ExitStack() as stack:
        ports = []
        for kind in kinds:
            sock = stack.enter_context(socket.socket(socket.AF_INET, kind))
            sock.bind(("127.0.0.1", 0))
            ports.append(int(sock.getsockname()[1]))
        return ports
