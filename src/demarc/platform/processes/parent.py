"""The parent's side: starting children, starting them again, ending them in order."""

import asyncio
import contextlib
import os
import socket
from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec
import structlog

from demarc.platform.processes.child import LIFELINE, READY, SOCKETS

# A child that dies is started again at once the first time, then after growing pauses.
_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 30.0
# One that has worked for so long is well again.
_WELL_AFTER = 60.0
_GRACE = 20.0

State = Literal["starting", "ready", "waiting", "stopped"]

_log = structlog.get_logger(__name__)


class ChildFailed(Exception):
    """A child ended before it was ready, so that the whole cannot start."""


class Role(msgspec.Struct, frozen=True):
    """What one child is.

    Attributes:
        name: in logs and status.
        argv: the command.
        sockets: names of the sockets it is handed.
        env: its environment, whole.
        overlap: in a rolling restart its successor starts before it ends; not so for those
            that read datagrams, which wait in the socket's buffer meanwhile.
        grace: seconds it may take to end before it is killed.
    """

    name: str
    argv: Sequence[str]
    sockets: Sequence[str] = ()
    env: Mapping[str, str] = {}
    overlap: bool = True
    grace: float = _GRACE


class ChildStatus(msgspec.Struct, frozen=True):
    """How a child is.

    Attributes:
        restarts: how often it has been started again after dying.
    """

    name: str
    pid: int | None
    state: State
    restarts: int


class _Running:
    """One child process."""

    def __init__(
        self, role: Role, process: asyncio.subprocess.Process, lifeline: int, ready: int
    ) -> None:
        self.role = role
        self.process = process
        self._lifeline = lifeline
        self._ready = ready

    async def until_ready(self) -> bool:
        """Wait until it says that it is ready; False if it ends first."""
        loop = asyncio.get_running_loop()
        said: asyncio.Future[bool] = loop.create_future()

        def heard() -> None:
            loop.remove_reader(self._ready)
            if not said.done():
                said.set_result(os.read(self._ready, 1) == b"1")

        loop.add_reader(self._ready, heard)
        try:
            return await said
        finally:
            loop.remove_reader(self._ready)

    async def end(self) -> None:
        """Have it end, and kill it when it takes too long."""
        with contextlib.suppress(ProcessLookupError):
            self.process.terminate()
        try:
            await asyncio.wait_for(self.process.wait(), self.role.grace)
        except TimeoutError:
            _log.warning("a child did not end in time and is killed", child=self.role.name)
            with contextlib.suppress(ProcessLookupError):
                self.process.kill()
            await self.process.wait()
        self.close()

    def close(self) -> None:
        """Let go of the pipes to it."""
        for descriptor in (self._lifeline, self._ready):
            if descriptor >= 0:
                os.close(descriptor)
        self._lifeline = self._ready = -1


class Parent:
    """Keeps one child for each role.

    Args:
        roles: in the order they are started; they are ended in the reverse order.
        sockets: by name; they stay open as long as this process lives.
    """

    def __init__(
        self, roles: Sequence[Role], sockets: Mapping[str, Sequence[socket.socket]]
    ) -> None:
        self._roles = list(roles)
        self._sockets = sockets
        self._running: dict[str, _Running] = {}
        self._state: dict[str, State] = {role.name: "starting" for role in roles}
        self._restarts: dict[str, int] = {role.name: 0 for role in roles}
        self._stopping: dict[str, asyncio.Event] = {}
        self._renew: dict[str, asyncio.Event] = {}
        self._keepers: dict[str, asyncio.Task[None]] = {}

    def status(self) -> list[ChildStatus]:
        """Give how every child is."""
        return [
            ChildStatus(
                role.name,
                self._running[role.name].process.pid if role.name in self._running else None,
                self._state[role.name],
                self._restarts[role.name],
            )
            for role in self._roles
        ]

    async def start(self) -> None:
        """Start all children and wait until each is ready.

        Raises:
            ChildFailed: one ended before it was ready; the others are ended.
        """
        try:
            for role in self._roles:
                self._stopping[role.name] = asyncio.Event()
                self._renew[role.name] = asyncio.Event()
                self._running[role.name] = await self._spawn(role)
            for role in self._roles:
                await self._began(role)
        except BaseException:
            await self.stop()
            raise
        for role in self._roles:
            self._keepers[role.name] = asyncio.create_task(self._keep(role))

    async def _began(self, role: Role) -> None:
        running = self._running[role.name]
        if not await running.until_ready():
            code = await running.process.wait()
            raise ChildFailed(f"the {role.name} process ended at its start (exit {code})")
        self._state[role.name] = "ready"

    async def wait(self) -> None:
        """Wait for good, or until keeping a child fails."""
        done, _ = await asyncio.wait(self._keepers.values(), return_when=asyncio.FIRST_EXCEPTION)
        for keeper in done:
            keeper.result()

    async def stop(self) -> None:
        """End all children, the last started first."""
        for role in reversed(self._roles):
            if role.name in self._stopping:
                self._stopping[role.name].set()
            keeper = self._keepers.pop(role.name, None)
            if keeper is not None:
                await asyncio.gather(keeper, return_exceptions=True)
            running = self._running.pop(role.name, None)
            if running is not None:
                await running.end()
            self._state[role.name] = "stopped"

    async def restart(self) -> None:
        """Start every child anew, one after the other; no queued connection or packet is lost."""
        for role in self._roles:
            before = self._running.get(role.name)
            renewing = self._renew[role.name]
            renewing.set()
            while renewing.is_set() or self._running.get(role.name) is before:
                if self._stopping[role.name].is_set():
                    return
                await asyncio.sleep(0.02)

    async def _spawn(self, role: Role) -> _Running:
        handed = [
            (name, each.fileno()) for name in role.sockets for each in self._sockets.get(name, ())
        ]
        lifeline_read, lifeline_write = os.pipe()
        ready_read, ready_write = os.pipe()
        os.set_blocking(ready_read, False)
        try:
            process = await asyncio.create_subprocess_exec(
                *role.argv,
                env={
                    **role.env,
                    SOCKETS: ",".join(f"{name}:{number}" for name, number in handed),
                    LIFELINE: str(lifeline_read),
                    READY: str(ready_write),
                },
                pass_fds=[number for _, number in handed] + [lifeline_read, ready_write],
                # Ctrl-C is for the parent, which then ends its children in order
                start_new_session=True,
            )
        except BaseException:
            os.close(lifeline_write)
            os.close(ready_read)
            raise
        finally:
            os.close(lifeline_read)
            os.close(ready_write)
        return _Running(role, process, lifeline_write, ready_read)

    async def _keep(self, role: Role) -> None:
        """Start the child of a role again whenever it dies, until told to stop."""
        loop = asyncio.get_running_loop()
        pause = 0.0
        started = loop.time()
        stopping, renew = self._stopping[role.name], self._renew[role.name]
        while not stopping.is_set():
            running = self._running[role.name]
            why = await _first(
                exited=running.process.wait(), stop=stopping.wait(), renew=renew.wait()
            )
            if "stop" in why:
                return
            if "exited" in why:
                running.close()
                self._state[role.name] = "waiting"
                self._restarts[role.name] += 1
                pause = 0.0 if loop.time() - started > _WELL_AFTER else pause
                _log.error(
                    "a child died and is started again",
                    child=role.name,
                    exit=running.process.returncode,
                    after=pause,
                )
                if pause and "stop" in await _first(
                    stop=stopping.wait(), paused=asyncio.sleep(pause)
                ):
                    self._running.pop(role.name, None)
                    return
                pause = min(_LONGEST_PAUSE, max(_FIRST_PAUSE, pause * 2))
            elif not role.overlap:
                await running.end()
            overlapping = "exited" not in why and role.overlap
            started = loop.time()
            if not await self._succeed(role, running if overlapping else None):
                return
            renew.clear()

    async def _succeed(self, role: Role, running: _Running | None) -> bool:
        """Start a role's child; False if told to stop meanwhile.

        Args:
            role: which.
            running: its predecessor, if that works and goes on until the new one does.
        """
        stopping = self._stopping[role.name]
        successor = await self._spawn(role)
        said = asyncio.ensure_future(successor.until_ready())
        stopped = "stop" in await _first(said=said, stop=stopping.wait())
        ready = not stopped and said.result()
        if running is not None and not stopped and not ready:
            # what works is not given up for what does not start
            await successor.process.wait()
            successor.close()
            _log.error("a child's successor did not start; it goes on", child=role.name)
            return True
        if running is not None:
            await running.end()
        self._running[role.name] = successor
        if ready:
            self._state[role.name] = "ready"
        return not stopped


async def _first(**things: object) -> set[str]:
    """Wait until one of the awaitables is done and give the names of those that are."""
    tasks = {name: asyncio.ensure_future(thing) for name, thing in things.items()}  # type: ignore[call-overload]
    try:
        await asyncio.wait(tasks.values(), return_when=asyncio.FIRST_COMPLETED)
        return {name for name, task in tasks.items() if task.done()}
    finally:
        for task in tasks.values():
            task.cancel()
        await asyncio.gather(*tasks.values(), return_exceptions=True)
