"""What must be done every hour or minute so that nothing fills up or runs out."""

import psycopg
import structlog

from demarc.app.retention import Retention
from demarc.domains.network import commands
from demarc.domains.services.service import WIFI_COMMAND
from demarc.platform.database import Database
from demarc.platform.jobs import Task
from demarc.platform.statements import Scalar, Statement

_log = structlog.get_logger(__name__)

# Partitioned tables and how their partitions are cut; each is made 62 days ahead.
PARTITIONED: dict[str, str] = {
    "audit": "month",
    "auth_attempt": "day",
    "nat_block": "month",
    "onu_metric": "day",
    "session_closed": "month",
    "usage_daily": "month",
}

ENSURE = Statement(
    "upkeep.ensure_partitions",
    """
    SELECT demarc_ensure_partitions(%(parent)s::text, %(unit)s::text, current_date,
                                    current_date + 62) AS value
    """,
    Scalar,
)

_LOCK_TIMEOUT = "2s"


class Upkeep:
    """Partitions ahead, old rows away, commands nobody answered expired."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def tasks(self) -> list[Task]:
        """Give the periodic tasks."""
        return [
            Task("upkeep.partitions", self.partitions, cron="7 * * * *"),
            Task("upkeep.retention", self.retention, cron="23 * * * *", attempts=1),
            Task("upkeep.commands", self.expire_commands, cron="* * * * *", attempts=1),
        ]

    async def partitions(self) -> None:
        """Make the partitions of the days and months ahead.

        Raises:
            ExceptionGroup: some could not be; the others are.
        """
        if wrong := await self.make_partitions():
            raise ExceptionGroup("upkeep of partitions", wrong)

    async def make_partitions(self) -> list[psycopg.Error]:
        """Make the partitions that are missing of the days and months ahead.

        Returns:
            What went wrong; the tables it concerns are tried again within the hour.
        """
        wrong: list[psycopg.Error] = []
        for parent, unit in PARTITIONED.items():
            try:
                async with self._db.system() as tx:
                    # whoever uses the table waits behind us; better we wait for a quieter moment
                    await tx.conn.execute(f"SET LOCAL lock_timeout = '{_LOCK_TIMEOUT}'".encode())
                    number = await ENSURE.one(tx, parent=parent, unit=unit)
            except psycopg.Error as error:
                _log.warning("upkeep of partitions failed", table=parent, error=str(error))
                wrong.append(error)
                continue
            if number is not None and number.value:
                _log.info("partitions made ahead", table=parent, number=number.value)
        return wrong

    async def retention(self) -> None:
        """Let go of everything past its time, as the rules of retention say.

        Raises:
            ExceptionGroup: some kinds could not be; the others are.
        """
        await Retention(self._db).apply()

    async def expire_commands(self) -> None:
        """Expire commands past their deadline, but those that wait for their device."""
        async with self._db.system() as tx:
            await commands.expire(tx, [WIFI_COMMAND])
