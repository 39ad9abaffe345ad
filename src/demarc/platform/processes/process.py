"""One child process: handed its sockets, heard when it is ready, ended in time."""

import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import Mapping, Sequence
from typing import Self

import msgspec
import structlog

from demarc.platform.processes.child import LIFELINE, QUESTIONS, READY, SOCKETS
from demarc.platform.processes.question import Asking

_log = structlog.get_logger(__name__)

_READY_WITHIN = 90.0
_GRACE = 20.0


class Role(msgspec.Struct, frozen=True):
    """What one child is.

    Attributes:
        name: in logs and status.
        argv: the command. Neighbours of one command are ended together.
        sockets: names of the sockets it is handed.
        env: its environment, whole.
        overlap: in a rolling restart its successor starts before it ends; not so for those
            that read datagrams, which wait in the socket's buffer meanwhile.
        grace: seconds it may take to end before it is killed.
        ready_within: seconds it may take until it is ready, or it counts as failed.
    """

    name: str
    argv: Sequence[str]
    sockets: Sequence[str] = ()
    env: Mapping[str, str] = {}
    overlap: bool = True
    grace: float = _GRACE
    ready_within: float = _READY_WITHIN


class Process:
    """A running child, and the two pipes and the socket to it.

    One pipe tells us that it is ready. The other, its lifeline, has no words: we hold the writing
    end and nobody else does, so that it breaks when we are gone, however we went. Over the socket
    we ask it how it is.
    """

    def __init__(
        self,
        role: Role,
        process: asyncio.subprocess.Process,
        lifeline: int,
        ready: int,
        asking: Asking,
    ) -> None:
        self._role = role
        self._process = process
        self._lifeline = lifeline
        self._ready = ready
        self._asking = asking

    @classmethod
    async def start(cls, role: Role, sockets: Mapping[str, Sequence[socket.socket]]) -> Self:
        """Start a role's command.

        Raises:
            OSError: it cannot be.
        """
        handed = [(name, each.fileno()) for name in role.sockets for each in sockets.get(name, ())]
        lifeline_read, lifeline_write = os.pipe()
        ready_read, ready_write = os.pipe()
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        try:
            process = await asyncio.create_subprocess_exec(
                *role.argv,
                env={
                    **role.env,
                    SOCKETS: ",".join(f"{name}:{number}" for name, number in handed),
                    LIFELINE: str(lifeline_read),
                    READY: str(ready_write),
                    QUESTIONS: str(theirs.fileno()),
                },
                pass_fds=[
                    *(number for _, number in handed),
                    lifeline_read,
                    ready_write,
                    theirs.fileno(),
                ],
                # Ctrl-C is for the parent, which then ends its children in order
                start_new_session=True,
            )
        except BaseException:
            os.close(lifeline_write)
            os.close(ready_read)
            ours.close()
            raise
        finally:
            os.close(lifeline_read)
            os.close(ready_write)
            theirs.close()
        os.set_blocking(ready_read, False)
        return cls(role, process, lifeline_write, ready_read, Asking(ours))

    @property
    def pid(self) -> int | None:
        """Its process id while it lives."""
        return self._process.pid if self._process.returncode is None else None

    @property
    def ending(self) -> str:
        """How it ended, for people: "exit 3", "SIGKILL"."""
        code = self._process.returncode
        if code is None:
            return "it lives"
        if code >= 0:
            return f"exit {code}"
        try:
            return signal.Signals(-code).name
        except ValueError:
            return f"signal {-code}"

    async def ready(self) -> bool:
        """Wait until it says that it is ready; False if it ends first, or takes too long."""
        loop = asyncio.get_running_loop()
        said: asyncio.Future[bool] = loop.create_future()

        def heard() -> None:
            loop.remove_reader(self._ready)
            if not said.done():
                said.set_result(os.read(self._ready, 1) == b"1")

        loop.add_reader(self._ready, heard)
        try:
            return await asyncio.wait_for(said, self._role.ready_within)
        except TimeoutError:
            _log.error(
                "a child is not ready in time",
                child=self._role.name,
                within=self._role.ready_within,
            )
            return False
        finally:
            loop.remove_reader(self._ready)

    async def ask(self, within: float) -> bytes | None:
        """Ask it how it is; None if it does not answer in time."""
        return await self._asking.ask(within)

    async def wait(self) -> None:
        """Wait until it has ended."""
        await self._process.wait()

    async def end(self) -> None:
        """Have it end, and kill it and what it started when it takes too long."""
        if self._process.returncode is None:
            # not terminate(): of a child that has just died it would take the exit status away
            # from whoever waits for it. Until that is known no other process has its number.
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._process.pid, signal.SIGTERM)
        try:
            await asyncio.wait_for(self._process.wait(), self._role.grace)
        except TimeoutError:
            _log.warning("a child did not end in time and is killed", child=self._role.name)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            await self._process.wait()
        finally:
            for descriptor in (self._lifeline, self._ready):
                if descriptor >= 0:
                    os.close(descriptor)
            self._lifeline = self._ready = -1
            await self._asking.close()
