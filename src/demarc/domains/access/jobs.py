"""Polling OLTs on a schedule held in the database, and reading one ONU when asked."""

import asyncio
from collections.abc import Mapping
from contextlib import aclosing
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
import psycopg
import structlog

from demarc.domains.access import queries
from demarc.domains.access.ports import (
    OltDriver,
    OltTarget,
    OltUnreachable,
    OnuNotFound,
    OnuReading,
)
from demarc.domains.access.service import Access
from demarc.domains.errors import NotFound
from demarc.domains.network import commands
from demarc.platform.clock import now
from demarc.platform.database import Database
from demarc.platform.jobs import Task, defer, poll_queue
from demarc.platform.secrets import Undecipherable

READ_ONU = "olt.read_onu"
POLL_OLT = "access.poll_olt"
LIVE_WITHIN = timedelta(seconds=8)

_LOOK_EVERY = 1.0
_FAULTS_SHOWN = 5
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
        self._polling: set[UUID] = set()
        self._again: set[UUID] = set()

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
                            queue=poll_queue(due.reach),
                            args={"olt_id": str(due.id)},
                            waiting_lock=f"poll {due.id}",
                        )
            except Exception as wrong:  # noqa: BLE001 - the schedule goes on
                _log.warning("polls could not be queued", error=str(wrong))
            await asyncio.sleep(_LOOK_EVERY)

    async def poll(self, *, olt_id: str) -> None:
        """Read every ONU of an OLT and keep what it said, PON by PON.

        Whatever is wrong with the OLT is noted as its fault; a PON that cannot be kept does not
        stop those after it. An OLT that is being polled already is polled again after that.

        Raises:
            psycopg.OperationalError: the database went away.
        """
        olt = UUID(olt_id)
        if olt in self._polling:
            self._again.add(olt)
            return
        self._polling.add(olt)
        try:
            faults: list[str] = []
            answered = await self._poll(olt, faults)
            fault = "; ".join(faults[:_FAULTS_SHOWN]) or None
            async with self._db.system() as tx:
                again = olt in self._again
                await self._access.polled(tx, olt, answered=answered, fault=fault, again=again)
        finally:
            self._polling.discard(olt)
            self._again.discard(olt)

    async def _poll(self, olt: UUID, faults: list[str]) -> bool:
        """Poll, adding to the faults; say whether the OLT answered."""
        answered = False
        try:
            driver, target = await self._way_to(olt)
            since = now()
            async with aclosing(driver.read_all(target)) as batches:
                async for batch in batches:
                    answered = True
                    await self._keep(olt, batch, since, faults)
        except NotFound:
            return False  # deleted since the poll was queued
        except OltUnreachable as wrong:
            faults.append(str(wrong))
        except psycopg.OperationalError:
            raise
        except Exception as wrong:  # noqa: BLE001 - a driver must not stop the others
            _log.exception("an OLT's driver failed", olt=str(olt))
            faults.append(f"the driver failed: {type(wrong).__name__}")
        else:
            return True
        return answered

    async def _keep(
        self, olt: UUID, batch: list[OnuReading], since: datetime, faults: list[str]
    ) -> None:
        try:
            async with self._db.system() as tx:
                doubles = await self._access.store(tx, olt, batch, now(), since=since)
        except psycopg.OperationalError as wrong:
            # of these only the deadlock is the batch's own
            if not isinstance(wrong, psycopg.errors.DeadlockDetected):
                raise
            faults.append(f"{_pon(batch)} could not be kept: {type(wrong).__name__}")
        except psycopg.Error as wrong:
            _log.warning("a PON cannot be kept", olt=str(olt), pon=_pon(batch), error=str(wrong))
            faults.append(f"{_pon(batch)} could not be kept: {type(wrong).__name__}")
        else:
            faults += (f"{_pon(batch)}: ONU {serial} is online twice" for serial in doubles)

    async def _way_to(self, olt: UUID) -> tuple[OltDriver, OltTarget]:
        """Give how to ask an OLT.

        Raises:
            NotFound: there is no such OLT.
            OltUnreachable: its vendor has no driver, or its community cannot be decrypted.
        """
        try:
            async with self._db.system() as tx:
                vendor, target = await self._access.target(tx, olt)
        except Undecipherable as wrong:
            raise OltUnreachable(f"the OLT's community cannot be read: {wrong}") from wrong
        driver = self._drivers.get(vendor)
        if driver is None:
            raise OltUnreachable(f"there is no driver for {vendor} OLTs")
        return driver, target

    async def read_onu(self, *, command_id: str) -> None:
        """Carry out the command to read one ONU now; whatever goes wrong is its fault."""
        key = UUID(command_id)
        async with self._db.system() as tx:
            command = await commands.sent(tx, key)
        if command is None or command.target_id is None:
            return
        asked = command.request
        unreachable = False
        try:
            driver, target = await self._way_to(command.target_id)
            reading = await driver.read_onu(target, asked["if_index"], asked["onu_index"])
            if reading.serial != asked["serial"]:
                # numbers on a PON are given anew; whose light this is, is nobody else's business
                raise OnuNotFound(f"ONU {asked['serial']} is no longer where it was")  # noqa: TRY301
        except (OltUnreachable, OnuNotFound, NotFound) as wrong:
            fault, unreachable = str(wrong), isinstance(wrong, OltUnreachable)
        except psycopg.Error:
            raise
        except Exception as wrong:  # noqa: BLE001 - a driver must not stop the others
            _log.exception("an OLT's driver failed", olt=str(command.target_id))
            fault = f"the driver failed: {type(wrong).__name__}"
        else:
            answer = {"read_at": now().isoformat(), "reading": msgspec.to_builtins(reading)}
            async with self._db.system() as tx:
                await commands.done(tx, key, answer)
            return
        async with self._db.system() as tx:
            await commands.failed(tx, key, fault, {"unreachable": unreachable})


def reading_of(answer: dict[str, object]) -> OnuReading:
    """Give the reading a finished command carries."""
    return msgspec.convert(answer["reading"], OnuReading)


def _pon(batch: list[OnuReading]) -> str:
    return f"PON 0/{batch[0].slot}/{batch[0].port}" if batch else "an empty PON"
