"""The parent's side: children of all roles, started, kept, renewed and ended in order."""

import asyncio
import itertools
import socket
from collections.abc import Mapping, Sequence

import structlog

from demarc.platform.processes.keeper import ChildStatus, Keeper, Patience
from demarc.platform.processes.process import Role

_log = structlog.get_logger(__name__)


class Parent:
    """Keeps one child for each role.

    Args:
        roles: in the order they are started; they are ended in the reverse order.
        sockets: by name; they stay open as long as this process lives.
        patience: how soon a child that died is started again.
    """

    def __init__(
        self,
        roles: Sequence[Role],
        sockets: Mapping[str, Sequence[socket.socket]],
        *,
        patience: Patience | None = None,
    ) -> None:
        self._keepers = [Keeper(role, sockets, patience or Patience()) for role in roles]
        self._keeping: list[asyncio.Task[None]] = []
        self._restarting = asyncio.Lock()

    def status(self) -> list[ChildStatus]:
        """Give how every child is, in the order of the roles."""
        return [keeper.status for keeper in self._keepers]

    async def ask(self, within: float) -> dict[str, bytes | None]:
        """Ask every child how it is.

        Args:
            within: seconds for all of them; who is dead or busy by then has not answered.

        Returns:
            By role, what it answered, or None.
        """
        answers = await asyncio.gather(*(keeper.ask(within) for keeper in self._keepers))
        return {
            keeper.role.name: answer for keeper, answer in zip(self._keepers, answers, strict=True)
        }

    async def start(self) -> None:
        """Start all children at once and wait until each is ready.

        Raises:
            ChildFailed: one ended before it was ready; the others are ended.
            OSError: a command cannot be run.
        """
        try:
            for keeper in self._keepers:
                await keeper.spawn()
            for keeper in self._keepers:
                self._keeping.append(await keeper.begin())
        except BaseException:
            await self.stop()
            raise

    async def wait(self) -> None:
        """Wait for good, or until keeping a child fails."""
        done, _ = await asyncio.wait(self._keeping, return_when=asyncio.FIRST_EXCEPTION)
        for keeping in done:
            keeping.result()

    async def stop(self) -> None:
        """End all children, the last started first; neighbours of one command together."""
        for _, group in itertools.groupby(
            reversed(self._keepers), key=lambda keeper: tuple(keeper.role.argv)
        ):
            await asyncio.gather(*(keeper.end() for keeper in group))

    async def restart(self) -> None:
        """Start every child anew, one after the other; no queued connection or packet is lost.

        One whose successor does not start goes on as it is, which the log says.
        """
        async with self._restarting:
            for keeper in self._keepers:
                await keeper.renew()
