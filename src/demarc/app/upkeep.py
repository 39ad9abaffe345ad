"""What must be done every hour or minute so that nothing fills up or runs out."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import psycopg
import structlog

from demarc.domains.network import commands
from demarc.domains.services.service import WIFI_COMMAND
from demarc.platform import changes
from demarc.platform.database import Database
from demarc.platform.jobs import Task
from demarc.platform.statements import Scalar, Statement

_log = structlog.get_logger(__name__)

# Partitioned tables and how their partitions are cut; each is made 62 days ahead.
PARTITIONED: dict[str, str] = {
    "audit": "month",
    "auth_attempt": "day",
    "onu_metric": "day",
    "session_closed": "month",
    "usage_daily": "month",
}

# Days after which rows are let go; None where retention is not upkeep's to decide.
KEPT_DAYS: dict[str, int] = {"auth_attempt": 90, "onu_metric": 400, "session_closed": 400}

ENSURE = Statement(
    "upkeep.ensure_partitions",
    """
    SELECT demarc_ensure_partitions(%(parent)s::text, %(unit)s::text, current_date,
                                    current_date + 62) AS value
    """,
    Scalar,
)

# Readers are behind by seconds; one that was away for longer than this begins anew.
_CHANGES_KEPT = timedelta(days=2)

LET_GO = Statement(
    "upkeep.drop_partitions",
    "SELECT demarc_drop_partitions(%(parent)s::text, current_date - %(days)s::integer) AS value",
    Scalar,
)

PURGE_IDEMPOTENCY = Statement(
    "upkeep.purge_idempotency",
    "DELETE FROM idempotency WHERE created_at < now() - interval '2 days'",
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
            Task("upkeep.purge", self.purge, cron="23 * * * *"),
            Task("upkeep.commands", self.expire_commands, cron="* * * * *", attempts=1),
        ]

    async def partitions(self) -> None:
        """Make the partitions of the days and months ahead, drop those past their time.

        Raises:
            ExceptionGroup: some could not be; the others are.
        """
        wrong = [*await self.make_partitions(), *await self._drop_partitions()]
        if wrong:
            raise ExceptionGroup("upkeep of partitions", wrong)

    async def make_partitions(self) -> list[psycopg.Error]:
        """Make the partitions that are missing of the days and months ahead.

        Returns:
            What went wrong; the tables it concerns are tried again within the hour.
        """
        return await self._each("partitions made ahead", ENSURE, "unit", PARTITIONED)

    async def _drop_partitions(self) -> list[psycopg.Error]:
        return await self._each("partitions dropped", LET_GO, "days", KEPT_DAYS)

    async def _each(
        self, done: str, statement: Statement[Scalar], parameter: str, tables: Mapping[str, Any]
    ) -> list[psycopg.Error]:
        wrong: list[psycopg.Error] = []
        for parent, value in tables.items():
            try:
                async with self._db.system() as tx:
                    # whoever uses the table waits behind us; better we wait for a quieter moment
                    await tx.conn.execute(f"SET LOCAL lock_timeout = '{_LOCK_TIMEOUT}'".encode())
                    number = await statement.one(tx, parent=parent, **{parameter: value})
            except psycopg.Error as error:
                _log.warning("upkeep of partitions failed", table=parent, error=str(error))
                wrong.append(error)
                continue
            if number is not None and number.value:
                _log.info(done, table=parent, number=number.value)
        return wrong

    async def purge(self) -> None:
        """Let go of what nobody reads any more."""
        async with self._db.system() as tx:
            await changes.purge(tx, _CHANGES_KEPT)
        async with self._db.system() as tx:
            await PURGE_IDEMPOTENCY.run(tx)

    async def expire_commands(self) -> None:
        """Expire commands past their deadline, but those that wait for their device."""
        async with self._db.system() as tx:
            await commands.expire(tx, [WIFI_COMMAND])
