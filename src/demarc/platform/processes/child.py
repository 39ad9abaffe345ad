"""The child's side: the sockets it was handed, how it says it is ready, and when it ends."""

import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import Callable
from typing import Self

from demarc.platform.processes.question import answering

SOCKETS = "DEMARC_CHILD_SOCKETS"
LIFELINE = "DEMARC_CHILD_LIFELINE"
READY = "DEMARC_CHILD_READY"
QUESTIONS = "DEMARC_CHILD_QUESTIONS"


class Child:
    """What this process inherited from its parent."""

    def __init__(
        self,
        sockets: dict[str, list[socket.socket]],
        lifeline: int,
        ready: int,
        questions: socket.socket,
    ) -> None:
        self._sockets = sockets
        self._lifeline = lifeline
        self._ready = ready
        self._questions = questions

    @classmethod
    def inherit(cls) -> Self:
        """Take over what the parent handed down; call it once.

        Raises:
            KeyError: the process was not started by a parent of ours.
        """
        lifeline, ready = int(os.environ.pop(LIFELINE)), int(os.environ.pop(READY))
        questions = socket.socket(fileno=int(os.environ.pop(QUESTIONS)))
        questions.setblocking(False)
        sockets: dict[str, list[socket.socket]] = {}
        for entry in filter(None, os.environ.pop(SOCKETS).split(",")):
            name, _, number = entry.rpartition(":")
            inherited = socket.socket(fileno=int(number))
            inherited.setblocking(False)
            sockets.setdefault(name, []).append(inherited)
        # what this process starts is not to hold them open
        handed = [each.fileno() for group in sockets.values() for each in group]
        for descriptor in (lifeline, ready, questions.fileno(), *handed):
            os.set_inheritable(descriptor, False)
        return cls(sockets, lifeline, ready, questions)

    def sockets(self, name: str) -> list[socket.socket]:
        """Give the sockets of a name; none if there are none."""
        return self._sockets.get(name, [])

    def ready(self) -> None:
        """Tell the parent that this process does its work; further calls do nothing."""
        if self._ready >= 0:
            with contextlib.suppress(OSError):  # the parent is gone; the lifeline says so too
                os.write(self._ready, b"1")
            os.close(self._ready)
            self._ready = -1

    async def answer(self, tell: Callable[[], bytes]) -> None:
        """Tell the parent how this process is whenever it asks, until it is gone.

        Args:
            tell: gives what is told, at once.
        """
        await answering(self._questions, tell)

    def stop_event(self) -> asyncio.Event:
        """Give the event that is set when the parent says stop, or is gone."""
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for wanted in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(wanted, stop.set)

        def lifeline_cut() -> None:
            loop.remove_reader(self._lifeline)
            stop.set()

        loop.add_reader(self._lifeline, lifeline_cut)
        return stop
