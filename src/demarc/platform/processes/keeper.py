"""Keeps one role's child: starts it again when it dies, and replaces it when asked."""

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Mapping, Sequence
from typing import Any, Literal

import msgspec
import structlog

from demarc.platform.processes.process import Process, Role

State = Literal["starting", "ready", "waiting", "stopped"]

# So many deaths in a row are no accident.
_LOOPING = 3

_log = structlog.get_logger(__name__)


class ChildFailed(Exception):
    """A child ended before it was ready, so that the whole cannot start."""


class Patience(msgspec.Struct, frozen=True):
    """How soon a child that died is started again: at once the first time, then after pauses.

    Attributes:
        first: seconds of the first pause; each is twice the one before.
        longest: seconds of the longest.
        well_after: having worked for so many seconds, a child that dies begins a new count.
    """

    first: float = 1.0
    longest: float = 30.0
    well_after: float = 60.0

    def pause(self, failures: int) -> float:
        """Give the pause after so many deaths in a row."""
        if failures <= 1:
            return 0.0
        return float(min(self.longest, self.first * 2 ** min(failures - 2, 30)))


class ChildStatus(msgspec.Struct, frozen=True):
    """How a child is.

    Attributes:
        name: its role.
        pid: its process while it lives.
        state: "waiting" is the pause before it is started again.
        restarts: how often it was started again after dying.
        failures: how many of those in a row; 0 once it has worked long enough.
        last_ending: how it ended the last time ("exit 3", "SIGKILL"); None if it never has.
    """

    name: str
    pid: int | None
    state: State
    restarts: int
    failures: int = 0
    last_ending: str | None = None

    @property
    def looping(self) -> bool:
        """Whether it dies again and again, so that somebody must look."""
        return self.failures >= _LOOPING


class Keeper:
    """Keeps the child of one role.

    Args:
        role: what it is.
        sockets: by name, those it may be handed.
        patience: how soon it is started again.
    """

    def __init__(
        self, role: Role, sockets: Mapping[str, Sequence[socket.socket]], patience: Patience
    ) -> None:
        self.role = role
        self._sockets = sockets
        self._patience = patience
        self._child: Process | None = None
        self._state: State = "starting"
        self._ready_since = 0.0
        self._restarts = self._failures = 0
        self._last_ending: str | None = None
        self._stopping = asyncio.Event()
        self._renewal: asyncio.Future[bool] | None = None
        self._asked = asyncio.Event()
        self._keeping: asyncio.Task[None] | None = None

    @property
    def status(self) -> ChildStatus:
        """How the child is now."""
        failures = self._failures if not self._is_well() else 0
        return ChildStatus(
            name=self.role.name,
            pid=self._child.pid if self._child is not None else None,
            state=self._state,
            restarts=self._restarts,
            failures=failures,
            last_ending=self._last_ending,
        )

    async def ask(self, within: float) -> bytes | None:
        """Ask the child how it is; None if there is none, or no answer in time."""
        child = self._child
        return None if child is None else await child.ask(within)

    async def spawn(self) -> None:
        """Start the first child; `begin` then waits for it."""
        self._child = await Process.start(self.role, self._sockets)

    async def begin(self) -> asyncio.Task[None]:
        """Wait until the first child is ready, and keep it from then on.

        Returns:
            What keeps it, done after `end`, or with the reason why it cannot go on.

        Raises:
            ChildFailed: it did not get ready.
        """
        child = self._child
        if child is None or not await child.ready():
            ending = await self._bury(child) if child is not None else "never started"
            raise ChildFailed(f"the {self.role.name} process ended at its start ({ending})")
        self._is_ready(child)
        self._keeping = asyncio.create_task(self._keep(), name=f"keep {self.role.name}")
        return self._keeping

    async def renew(self) -> bool:
        """Replace the child; False if its successor does not start, or all is to end."""
        if self._keeping is None or self._stopping.is_set():
            return False
        if self._renewal is None:
            self._renewal = asyncio.get_running_loop().create_future()
            self._asked.set()
        wanted = self._renewal
        await _first(done=asyncio.shield(wanted), stop=self._stopping.wait())
        return wanted.done() and not wanted.cancelled() and wanted.result()

    async def end(self) -> None:
        """End the child, and keep it no longer."""
        self._stopping.set()
        if self._keeping is not None:
            await asyncio.gather(self._keeping, return_exceptions=True)
        if self._child is not None:
            await self._bury(self._child)
        self._state = "stopped"

    # -- what keeps it -------------------------------------------------------------------------

    async def _keep(self) -> None:
        while not self._stopping.is_set():
            child = self._child
            if child is None:
                await self._revive()
                if self._child is None:
                    self._answer(renewed=False)
                continue
            why = await _first(
                died=child.wait(), stop=self._stopping.wait(), asked=self._asked.wait()
            )
            if "stop" in why:
                return
            if "died" in why:
                await self._mourn(child)
            elif self.role.overlap:
                await self._overlap(child)
            else:
                await self._bury(child)
                await self._revive()
                self._answer(renewed=self._child is not None)

    async def _revive(self) -> None:
        """Start a child where there is none; what happens to it is seen in the next round."""
        self._state = "starting"
        child = await self._start()
        if child is not None:
            self._child = child
            self._is_ready(child)

    async def _overlap(self, child: Process) -> None:
        """Start a successor while the child works, and end the child once the other is ready."""
        successor = await self._start(counts=False)
        if successor is None:
            # what works is not given up for what does not start
            _log.error("a child's successor did not start; it goes on", child=self.role.name)
        else:
            self._child = successor
            self._is_ready(successor)
            await child.end()
        self._answer(renewed=successor is not None)

    async def _start(self, *, counts: bool = True) -> Process | None:
        """Start a process and wait until it is ready; None if it is not to be."""
        try:
            child = await Process.start(self.role, self._sockets)
        except OSError as wrong:
            if counts:
                await self._failed(f"not started: {wrong.strerror or wrong}")
            return None
        try:
            said = asyncio.ensure_future(child.ready())
            why = await _first(said=asyncio.shield(said), stop=self._stopping.wait())
            if "stop" in why:
                said.cancel()
                await asyncio.gather(said, return_exceptions=True)
            elif said.result():
                return child
        except BaseException:
            await child.end()
            raise
        await child.end()
        if counts and not self._stopping.is_set():
            await self._failed(child.ending)
        return None

    async def _mourn(self, child: Process) -> None:
        if self._is_well():
            self._failures = 0
        await self._failed(await self._bury(child))

    async def _failed(self, ending: str) -> None:
        """Count a death, and wait as long as that many in a row deserve."""
        self._last_ending = ending
        self._restarts += 1
        self._failures += 1
        pause = self._patience.pause(self._failures)
        event = "a child died and is started again"
        if self._failures >= _LOOPING:
            event = "a child dies again and again"
        _log.error(event, child=self.role.name, ending=ending, in_a_row=self._failures, after=pause)
        self._state = "waiting"
        if pause:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), pause)

    async def _bury(self, child: Process) -> str:
        if self._child is child:
            self._child = None
        await child.end()
        return child.ending

    def _is_ready(self, child: Process) -> None:
        self._state = "ready"
        self._ready_since = asyncio.get_running_loop().time()
        _log.info("a child is ready", child=self.role.name, pid=child.pid)

    def _is_well(self) -> bool:
        if self._state != "ready":
            return False
        worked = asyncio.get_running_loop().time() - self._ready_since
        return worked >= self._patience.well_after

    def _answer(self, *, renewed: bool) -> None:
        self._asked.clear()
        wanted, self._renewal = self._renewal, None
        if wanted is not None and not wanted.done():
            wanted.set_result(renewed)


async def _first(**things: Awaitable[Any]) -> set[str]:
    """Wait until one of the awaitables is done and give the names of those that are."""
    tasks = {name: asyncio.ensure_future(thing) for name, thing in things.items()}
    try:
        await asyncio.wait(tasks.values(), return_when=asyncio.FIRST_COMPLETED)
        return {name for name, task in tasks.items() if task.done()}
    finally:
        for task in tasks.values():
            task.cancel()
        await asyncio.gather(*tasks.values(), return_exceptions=True)
