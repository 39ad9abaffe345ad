"""What the cases stand on: data folders with so many subscribers, made when first asked for."""

import asyncio
import time
from pathlib import Path

import msgspec

from demarc.app.parts import opened
from demarc.platform.settings import Settings
from drive import Measured
from population import Population, live_sessions, populate
from server import Server


class Options(msgspec.Struct, frozen=True):
    """How much is measured.

    Attributes:
        subscribers: of the main figures.
        seconds: each figure is measured so long.
        quick: short and small, to see that all works; figures say little.
        million: growth up to a million subscribers, which takes long.
    """

    subscribers: int = 100_000
    seconds: float = 8.0
    quick: bool = False
    million: bool = False


class Ground:
    """Data folders by their number of subscribers, under one folder.

    Args:
        folder: on the disk that is to be measured.
        options: how much is measured.
    """

    def __init__(self, folder: Path, options: Options) -> None:
        self.folder = folder
        self.options = options
        self._made: dict[int, Population] = {}

    def population(self, subscribers: int) -> Population:
        """Give what is known of a population; it is made if it is not there."""
        if subscribers not in self._made:
            data = self._data(subscribers)
            data.mkdir()
            self._made[subscribers] = asyncio.run(_populate(data, subscribers))
        return self._made[subscribers]

    def server(self, subscribers: int, **settings: object) -> Server:
        """Give a server on that population, to be entered."""
        self.population(subscribers)
        return Server(self._data(subscribers), **settings)

    def _data(self, subscribers: int) -> Path:
        return self.folder / str(subscribers)


async def _populate(data: Path, subscribers: int) -> Population:
    async with opened(Settings.load({}, data=str(data), log_level="warning")) as parts:
        return await populate(parts, subscribers)


def begin_sessions(server: Server, subscribers: int, turns: int) -> int:
    """Forget all accounting of a server, and have the sessions live that a run begins within.

    Args:
        server: running.
        subscribers: how many there are.
        turns: packets a subscriber will send at most, so that the last lies in the past.

    Returns:
        When they began, for the generator's orders.
    """
    from load.subscriber import CYCLE, INTERIM

    began = int(time.time()) - (turns + CYCLE + 1) * INTERIM

    async def begin() -> None:
        async with server.parts() as parts:
            await live_sessions(parts, subscribers, began)

    asyncio.run(begin())
    return began


def unsound(*measured: Measured) -> int:
    """Count the answers that were lost or not right."""
    return sum(
        each.result.lost + each.result.wrong + each.result.stray + each.result.errors
        for each in measured
    )
