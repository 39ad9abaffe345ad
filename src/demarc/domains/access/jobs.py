"""Polling OLTs on a schedule held in the database, and reading one ONU when asked."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID

import msgspec
import structlog

from demarc.domains.access import queries
from demarc.domains.access.ports import OltDriver, OltUnreachable, OnuNotFound, OnuReading
from demarc.domains.access.service import Access
from demarc.domains.network import commands
from demarc.platform.clock import now
from demarc.platform.database import Database
from demarc.platform.jobs import Task, defer, reach_queue

READ_ONU = "olt.read_onu"
POLL_OLT = "access.poll_olt"
LIVE_WITHIN = timedelta(seconds=8)

_LOOK_EVERY = 1.0
_log = structlog.get_logger(__name__)


class Poller:
    """Asks OLTs, in workers that reach them.

    Args:
        db: the database.
        access: the domain's use cases.
        drivers: by vendor.
        interval: seconds between polls of an OLT that has no interval of its own.
    """

    def __init__(
        self, db: Database, access: Access, drivers: Mapping[str, OltDriver], interval: int
    ) -> None:
        self._db = db
        self._access = access
        self._drivers = drivers
        self._interval = interval

    def tasks(self) -> list[Task]:
        """Give what workers do for this domain."""
        return [
            Task(POLL_OLT, self.poll, attempts=1),
            Task(READ_ONU, self.read_onu, attempts=1),
        ]

    async def schedule(self) -> None:
        """Queue the polls that are due, for good; several processes may do so at once."""
        while True:
            try:
                async with self._db.system() as tx:
                    for due in await queries.TAKE_DUE.all(tx, interval=self._interval):
                        await defer(
                            tx,
                            task=POLL_OLT,
                            queue=reach_queue(due.reach),
                            args={"olt_id": str(due.id)},
                            waiting_lock=f"poll {due.id}",
                        )
            except Exception as wrong:  # noqa: BLE001 - the schedule goes on
                _log.warning("polls could not be queued", error=str(wrong))
            await asyncio.sleep(_LOOK_EVERY)

    async def poll(self, *, olt_id: str) -> None:
        """Read every ONU of an OLT and keep what it said, PON by PON."""
        olt = UUID(olt_id)
        async with self._db.system() as tx:
            vendor, target = await self._access.target(tx, olt)
        fault: str | None = None
        try:
            async for batch in self._drivers[vendor].read_all(target):
                async with self._db.system() as tx:
                    await self._access.store(tx, olt, batch, now())
        except OltUnreachable as silent:
            fault = str(silent)
        async with self._db.system() as tx:
            await self._access.polled(tx, olt, fault)

    async def read_onu(self, *, command_id: str) -> None:
        """Carry out the command to read one ONU now."""
        key = UUID(command_id)
        async with self._db.system() as tx:
            command = await commands.sent(tx, key)
            if command is None or command.target_id is None:
                return
            vendor, target = await self._access.target(tx, command.target_id)
        try:
            reading = await self._drivers[vendor].read_onu(
                target, command.request["if_index"], command.request["onu_index"]
            )
        except (OltUnreachable, OnuNotFound) as wrong:
            async with self._db.system() as tx:
                await commands.failed(
                    tx, key, str(wrong), {"unreachable": isinstance(wrong, OltUnreachable)}
                )
            return
        async with self._db.system() as tx:
            await commands.done(
                tx,
                key,
                {"read_at": now().isoformat(), "reading": msgspec.to_builtins(reading)},
            )


def reading_of(answer: dict[str, object]) -> OnuReading:
    """Give the reading a finished command carries."""
    return msgspec.convert(answer["reading"], OnuReading)
