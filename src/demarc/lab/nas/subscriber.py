"""A subscriber's router: it logs in, stays, and logs in again when it is thrown out."""

from __future__ import annotations

import asyncio
from random import Random
from typing import Literal

import msgspec

from demarc.lab.nas.nas import Nas, Refused
from demarc.lab.nas.session import Session


class Patience(msgspec.Struct, frozen=True):
    """How long a router waits before it dials again, seconds; a fifth of it is chance.

    Attributes:
        first: after a session that was up, or a first refusal.
        factor: how much longer after each further refusal.
        longest: no wait is longer.
    """

    first: float = 2.0
    factor: float = 2.0
    longest: float = 60.0


class Subscriber:
    """Keeps a session up for as long as it runs.

    Args:
        nas: where the line ends.
        username: of its credential.
        password: likewise.
        calling_station_id: the router's MAC address.
        protocol: how PPP authenticates.
        patience: how long it waits before it dials again.
        stay: seconds it stays before it disconnects by itself, on average; None: for ever.
        seed: the same seed gives the same waits.

    Attributes:
        session: the session that is up, else None.
        refused: why the latest login failed, None if it did not.
        logins: how often it has logged in, with or without success.
    """

    def __init__(
        self,
        nas: Nas,
        username: str,
        password: str,
        *,
        calling_station_id: str | None = None,
        protocol: Literal["pap", "chap"] = "pap",
        patience: Patience | None = None,
        stay: float | None = None,
        seed: int | str = 0,
    ) -> None:
        self.nas = nas
        self.username = username
        self.password = password
        self.session: Session | None = None
        self.refused: Refused | None = None
        self.logins = 0
        self._station = calling_station_id
        self._protocol: Literal["pap", "chap"] = protocol
        self._patience = patience or Patience()
        self._stay = stay
        self._rng = Random(f"{seed}/{username}")
        self._changed = asyncio.Event()
        self._dial = asyncio.Event()

    async def run(self) -> None:
        """Live until cancelled; the session, if there is one, is left to the NAS."""
        wait = self._patience.first
        while True:
            result = await self.nas.connect(
                self.username,
                self.password,
                calling_station_id=self._station,
                protocol=self._protocol,
            )
            self.logins += 1
            if isinstance(result, Refused):
                self._become(None, result)
                await self._pause(wait)
                wait = min(wait * self._patience.factor, self._patience.longest)
            else:
                self._become(result, None)
                await self._live(result)
                self._become(None, None)
                wait = self._patience.first
                await self._pause(wait)

    def dial_now(self) -> None:
        """End the wait for the next login."""
        self._dial.set()

    async def wait_online(self) -> Session:
        """Wait until a session is up."""
        while self.session is None:
            await self._changed.wait()
        return self.session

    async def wait_refused(self) -> Refused:
        """Wait until the latest login has failed."""
        while self.refused is None:
            await self._changed.wait()
        return self.refused

    async def _live(self, session: Session) -> None:
        if self._stay is None:
            await session.wait_ended()
            return
        try:
            async with asyncio.timeout(self._rng.expovariate(1 / self._stay)):
                await session.wait_ended()
        except TimeoutError:
            session.end("User-Request")

    async def _pause(self, seconds: float) -> None:
        self._dial.clear()
        try:
            async with asyncio.timeout(seconds * self._rng.uniform(0.8, 1.2)):
                await self._dial.wait()
        except TimeoutError:
            pass

    def _become(self, session: Session | None, refused: Refused | None) -> None:
        self.session = session
        self.refused = refused
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()
