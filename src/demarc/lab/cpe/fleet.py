"""Many devices at once, switched on one after the other."""

import asyncio
import ssl
from collections.abc import Callable, Sequence

from demarc.lab.cpe.device import Cpe, Patience
from demarc.lab.cpe.doorbell import Doorbell
from demarc.lab.cpe.home import Home
from demarc.lab.cpe.model import MODELS, model
from demarc.lab.cpe.shaping import Rates


class Fleet:
    """Devices of several makes, by turns, that are called through one door.

    Args:
        acs_url: where they inform.
        credential: user name and password from the factory, the same in all.
        makes: names of models.
        seed: the same seed is the same fleet.
        rates: of each line.
        patience: of each device.
        host: where they are called; a path is a device.
        port: likewise; 0 for any that is free.
        trust: for TLS.
    """

    def __init__(
        self,
        acs_url: str,
        *,
        credential: tuple[str, str] = ("", ""),
        makes: Sequence[str] = MODELS,
        seed: str = "lab",
        rates: Callable[[int], Rates] | None = None,
        patience: Patience | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        trust: ssl.SSLContext | None = None,
    ) -> None:
        self._acs_url = acs_url
        self._credential = credential
        self._makes = tuple(makes)
        self._seed = seed
        self._rates = rates
        self._patience = patience
        self._trust = trust
        self._doorbell = Doorbell(host, port)
        self._listening = False
        self.cpes: list[Cpe] = []

    async def start(self, count: int, *, over: float = 0.0) -> None:
        """Switch on so many more devices.

        Args:
            count: how many.
            over: seconds over which they are spread.

        Raises:
            OSError: the port is taken.
        """
        await self.listen()
        for _ in range(count):
            await self.add().start()
            if over:
                await asyncio.sleep(over / count)

    async def listen(self) -> None:
        """Have devices called from now on.

        Raises:
            OSError: the port is taken.
        """
        if not self._listening:
            await self._doorbell.start()
            self._listening = True

    def add(self, home: Home | None = None, rates: Callable[[], Rates] | None = None) -> Cpe:
        """Have one more device, which is not switched on yet.

        Args:
            home: where it stands; one of the fleet's own by default.
            rates: of its line; as the fleet's by default.
        """
        number = len(self.cpes) + 1
        if home is None:
            make = model(self._makes[(number - 1) % len(self._makes)])
            home = Home(make, number, seed=self._seed)
        own = None if self._rates is None else self._rates(number)
        cpe = Cpe(
            home,
            self._acs_url,
            credential=self._credential,
            doorbell=self._doorbell,
            rates=rates or own,
            patience=self._patience,
            trust=self._trust,
        )
        self.cpes.append(cpe)
        return cpe

    async def stop(self) -> None:
        """Switch all devices off."""
        await asyncio.gather(*(each.stop() for each in self.cpes))
        if self._listening:
            self._listening = False
            await self._doorbell.stop()


__all__ = ["Fleet"]
