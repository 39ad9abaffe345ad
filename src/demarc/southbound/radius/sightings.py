"""What is seen of clients' addresses written down now and then, off the way of packets."""

import asyncio
import contextlib

import structlog

from demarc.domains.aaa import nas_clients
from demarc.domains.aaa.nas_clients import Sighting
from demarc.platform.clock import Clock
from demarc.platform.database import Database
from demarc.southbound.radius.clients import Clients
from demarc.southbound.radius.outage import is_outage, within

_log = structlog.get_logger(__name__)

_EVERY = 10.0
# after a first signature, so that those of many NASes are written together
_SOON = 0.5
_AT_ONCE = 1000
_WRITE_WITHIN = 3.0


class Sightings:
    """Writes down which addresses were seen, answered, and sign from now on.

    What cannot be written is kept where it matters: an address that signs has to in this process
    all the same, and is written when the database is back.

    Args:
        db: where it is written.
        clients: what was seen.
        clock: the time.
    """

    def __init__(self, db: Database, clients: Clients, clock: Clock) -> None:
        self._db = db
        self._clients = clients
        self._clock = clock
        self._left: list[Sighting] = []

    async def run(self) -> None:
        """Write for good."""
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._clients.signed.wait(), _EVERY)
                await asyncio.sleep(_SOON)
            self._clients.signed.clear()
            await self.write()

    async def write(self) -> None:
        """Write what there is; what the database does not take now is left for the next time."""
        while True:
            batch = self._left or self._clients.sightings(_AT_ONCE, self._clock())
            if not batch:
                return
            try:
                await within(_WRITE_WITHIN, self._note(batch))
            except Exception as error:  # noqa: BLE001 - logged
                if not is_outage(error):
                    _log.exception("what was seen of clients cannot be written")
                # that it was seen is seen again; that it signs would not be said twice
                self._left = [one for one in batch if one.signed_at is not None]
                return
            self._left = []

    async def _note(self, batch: list[Sighting]) -> None:
        async with self._db.system() as tx:
            stands = await nas_clients.note(tx, batch)
        self._clients.noted(stands)


__all__ = ["Sightings"]
