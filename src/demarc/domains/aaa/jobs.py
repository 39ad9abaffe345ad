"""Background work: sessions ended on their NASes, and upkeep of sessions and addresses."""

from uuid import UUID

import msgspec

from demarc.domains.aaa import addresses, ledger
from demarc.domains.aaa.ports import DisconnectDriver, NoAnswer, SessionKeys
from demarc.domains.aaa.service import DISCONNECT, Aaa
from demarc.domains.errors import NotFound
from demarc.domains.network import commands
from demarc.platform.database import Database
from demarc.platform.jobs import Task


class _DisconnectRequest(msgspec.Struct, frozen=True):
    """The request of a disconnect command, as ``Aaa.disconnect`` wrote it."""

    nas_id: UUID
    nas_address: str
    acct_session_id: str
    username: str
    framed_ipv4: str | None
    calling_station_id: str | None
    nas_port_id: str | None


class Disconnector:
    """Carries out disconnect commands.

    Args:
        db: where the commands are.
        aaa: knows the NASes and their secrets.
        driver: asks the NAS.
    """

    def __init__(self, db: Database, aaa: Aaa, driver: DisconnectDriver) -> None:
        self._db = db
        self._aaa = aaa
        self._driver = driver

    def tasks(self) -> list[Task]:
        """Give the task of disconnect commands, and the one that asks again."""
        return [
            Task(DISCONNECT, self.disconnect),
            Task("aaa.end_unwanted", self.end_unwanted, attempts=1, cron="* * * * *"),
        ]

    async def end_unwanted(self) -> None:
        """Have sessions ended that live although their log-ins are suspended or closed."""
        async with self._db.system() as tx:
            await self._aaa.disconnect_unwanted(tx)

    async def disconnect(self, *, command_id: str) -> None:
        """Ask the NAS, and write its own answer into the command.

        Run again after a crash it asks again: a NAS that has ended the session already says so.
        """
        key = UUID(command_id)
        async with self._db.system() as tx:
            command = await commands.sent(tx, key)
            if command is None:
                return
            request = msgspec.convert(command.request, _DisconnectRequest)
            try:
                nas = await self._aaa.find_nas(tx, request.nas_id)
            except NotFound:
                await commands.failed(tx, key, "the NAS is no longer known")
                return
            secret = self._aaa.nas_secret(nas)
        # the NAS is waited for outside any transaction
        try:
            answer = await self._driver.disconnect(
                address=request.nas_address,
                port=nas.coa_port,
                secret=secret,
                keys=SessionKeys(
                    username=request.username,
                    acct_session_id=request.acct_session_id,
                    nas_address=request.nas_address,
                    framed_ipv4=request.framed_ipv4,
                    calling_station_id=request.calling_station_id,
                    nas_port_id=request.nas_port_id,
                ),
            )
        except NoAnswer as silence:
            async with self._db.system() as tx:
                await commands.failed(tx, key, str(silence))
            return
        told = {
            "code": "Disconnect-ACK" if answer.acknowledged else "Disconnect-NAK",
            "error_cause": answer.error_cause,
            "error_cause_name": answer.error_cause_name,
            "attempts": answer.attempts,
            "milliseconds": answer.milliseconds,
        }
        async with self._db.system() as tx:
            if answer.acknowledged:
                await commands.done(tx, key, told)
            else:
                cause = answer.error_cause_name or answer.error_cause or "no cause given"
                await commands.failed(tx, key, f"Disconnect-NAK: {cause}", told)


class Housekeeping:
    """Closes sessions nobody tells of any more, takes idle addresses back, drops old packets.

    Args:
        db: where they are.
    """

    _AT_ONCE = 1000

    def __init__(self, db: Database) -> None:
        self._db = db

    def tasks(self) -> list[Task]:
        """Give the periodic tasks."""
        return [
            Task("aaa.close_stale", self.close_stale, attempts=1, cron="*/2 * * * *"),
            Task("aaa.reclaim_addresses", self.reclaim_addresses, attempts=1, cron="17 * * * *"),
            Task("aaa.purge_quarantine", self.purge_quarantine, attempts=1, cron="41 3 * * *"),
        ]

    async def close_stale(self) -> None:
        """Close the sessions whose NAS has fallen silent about them, in portions."""
        closed = self._AT_ONCE
        while closed >= self._AT_ONCE:
            async with self._db.system() as tx:
                closed = await ledger.close_stale(tx)

    async def reclaim_addresses(self) -> None:
        """Take back further addresses of credentials that were idle for a day."""
        async with self._db.system() as tx:
            await addresses.reclaim(tx)

    async def purge_quarantine(self) -> None:
        """Drop quarantined packets that are months old."""
        async with self._db.system() as tx:
            await ledger.purge_quarantine(tx)


__all__ = ["Disconnector", "Housekeeping"]
