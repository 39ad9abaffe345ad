"""Telling systemd how the service is (sd_notify(3), ``Type=notify``), where it wants to know."""

import asyncio
import os
import socket
import time
from typing import Self

_MICROSECONDS = 1_000_000
# Twice within the time after which systemd gives us up, as sd_watchdog_enabled(3) has it.
_OFTEN = 2


class Systemd:
    """What systemd asked for in our environment; without it everything here does nothing.

    Args:
        address: of its socket; None where nobody listens.
        watchdog: seconds after which it gives us up unless it hears of us; None where it does not.
    """

    def __init__(self, address: str | None, watchdog: float | None = None) -> None:
        self._address = address
        self._watchdog = watchdog

    @classmethod
    def inherit(cls) -> Self:
        """Take over what systemd asked for, so that no child takes it for its own."""
        address = os.environ.pop("NOTIFY_SOCKET", None)
        usec = os.environ.pop("WATCHDOG_USEC", "")
        pid = os.environ.pop("WATCHDOG_PID", "")
        ours = usec.isdigit() and pid in ("", str(os.getpid()))
        return cls(address, int(usec) / _MICROSECONDS if ours else None)

    def ready(self, status: str) -> None:
        """Tell that what was started, or was to be renewed, works."""
        self._tell("READY=1", f"STATUS={status}")

    def reloading(self) -> None:
        """Tell that everything is being renewed; `ready` ends it."""
        now = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        self._tell("RELOADING=1", f"MONOTONIC_USEC={now}", "STATUS=renewing its processes")

    def stopping(self) -> None:
        """Tell that we end."""
        self._tell("STOPPING=1", "STATUS=ending")

    async def keep_alive(self) -> None:
        """Tell again and again that this loop goes round, for good."""
        if self._address is None or self._watchdog is None:
            await asyncio.Event().wait()
            return
        while True:
            self._tell("WATCHDOG=1")
            await asyncio.sleep(self._watchdog / _OFTEN)

    def _tell(self, *lines: str) -> None:
        if self._address is None:
            return
        # a leading @ is written for the NUL of the abstract namespace
        where = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock:
                sock.sendto("\n".join(lines).encode(), where)
        except OSError:
            pass  # whoever wanted to know is gone; that is no reason to end


__all__ = ["Systemd"]
