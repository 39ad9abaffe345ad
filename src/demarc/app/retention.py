"""The rules of retention applied: whole partitions dropped, rows let go in bounded batches."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
import psycopg
import structlog

from demarc.domains.errors import DomainError
from demarc.domains.identity import retention
from demarc.domains.identity.retention import InForce
from demarc.domains.services import erasure
from demarc.platform import changes
from demarc.platform.database import Actor, Database, Tx
from demarc.platform.statements import Scalar, Statement

_log = structlog.get_logger(__name__)

BATCH = 5000
# One run ends after so many batches of a kind; the next goes on. Others' work comes first.
_BATCHES = 200
_LOCK_TIMEOUT = "2s"

ACTOR = Actor("system", None, "demarc:retention")


class Stored(msgspec.Struct, frozen=True):
    """Where the rows of a kind are.

    Attributes:
        table: the table; with partitions by time where they are dropped whole.
        column: the time that counts.
        tenants: the columns that say whose a row is; any of them may keep it.
        only: a further condition.
    """

    table: str
    column: str
    partitioned: bool = False
    tenants: tuple[str, ...] = ()
    only: str = "true"


_BOTH = ("tenant_id", "owner_id")

STORED: dict[str, Stored] = {
    "auth_attempt": Stored("auth_attempt", "at", True, _BOTH),
    "session_closed": Stored("session_closed", "ended_at", True, _BOTH),
    "nat_block": Stored("nat_block", "since", True, _BOTH),
    "usage_daily": Stored("usage_daily", "day", True, _BOTH),
    "onu_metric": Stored("onu_metric", "at", True, ("owner_id",)),
    "audit": Stored("audit", "at", True, ("tenant_id",)),
    "command": Stored(
        "command",
        "finished_at",
        False,
        _BOTH,
        "state IN ('done', 'failed', 'expired')",
    ),
    "accounting_quarantine": Stored("accounting_quarantine", "received_at"),
    "idempotency": Stored("idempotency", "created_at"),
}

_DROP = Statement(
    "retention.drop_partitions",
    "SELECT demarc_drop_partitions(%(parent)s::text, current_date - %(days)s::integer) AS value",
    Scalar,
)


def _purge(kind: str, stored: Stored) -> Statement[Any]:
    whose = " OR ".join(f"{column} = ANY(%(keepers)s::uuid[])" for column in stored.tenants)
    kept = f"NOT coalesce({whose}, false)" if whose else "%(keepers)s::uuid[] IS NOT NULL"
    past = f"{stored.column} < current_date - %(days)s::integer AND {stored.only} AND {kept}"
    return Statement(
        f"retention.purge.{kind}",
        f"""
        DELETE FROM {stored.table} WHERE {past} AND (tableoid, ctid) IN (
            SELECT tableoid, ctid FROM {stored.table} WHERE {past} LIMIT %(limit)s::integer
        )
        """,
    )


def _purge_of(kind: str, stored: Stored) -> Statement[Any]:
    whose = " OR ".join(f"{column} = %(tenant_id)s" for column in stored.tenants)
    others = " OR ".join(f"{column} = ANY(%(keepers)s::uuid[])" for column in stored.tenants)
    past = (
        f"{stored.column} < current_date - %(days)s::integer AND {stored.only}"
        f" AND ({whose}) AND NOT coalesce({others}, false)"
    )
    return Statement(
        f"retention.purge_of.{kind}",
        f"""
        DELETE FROM {stored.table} WHERE {past} AND (tableoid, ctid) IN (
            SELECT tableoid, ctid FROM {stored.table} WHERE {past} LIMIT %(limit)s::integer
        )
        """,
    )


_PURGE = {kind: _purge(kind, stored) for kind, stored in STORED.items()}
_PURGE_OF = {kind: _purge_of(kind, stored) for kind, stored in STORED.items() if stored.tenants}

_PURGE_JOBS = Statement(
    "retention.purge_jobs",
    """
    DELETE FROM procrastinate_jobs WHERE id IN (
        SELECT j.id FROM procrastinate_jobs j
        WHERE j.status::text = ANY(%(states)s::text[]) AND NOT EXISTS (
            SELECT 1 FROM procrastinate_events e
            WHERE e.job_id = j.id AND e.at >= now() - make_interval(days => %(days)s::integer))
        LIMIT %(limit)s::integer
    )
    """,
)
_ENDED = {"job": ["succeeded", "cancelled", "aborted"], "job_failed": ["failed"]}


class Retention:
    """Applies the rules.

    Args:
        db: where everything is.
        batch: rows a transaction lets go of at most.
    """

    def __init__(self, db: Database, batch: int = BATCH) -> None:
        self._db = db
        self._batch = batch

    async def apply(self) -> dict[str, int]:
        """Let go of everything past its time; give how many partitions or rows, by kind.

        Raises:
            ExceptionGroup: some kinds could not be; the others are.
        """
        async with self._db.system() as tx:
            force = await retention.in_force(tx)
        gone: dict[str, int] = {}
        wrong: list[Exception] = []
        for kind, kept in force.items():
            try:
                number = await self._applied(kind, kept)
            except (psycopg.Error, DomainError) as error:
                _log.warning("retention failed", kind=kind, error=str(error))
                wrong.append(error)
                continue
            async with self._db.system() as tx:
                await retention.note(tx, kind, number)
            gone[kind] = number
            if number:
                _log.info("let go", kind=kind, number=number)
        if wrong:
            raise ExceptionGroup("applying retention", wrong)
        return gone

    async def _applied(self, kind: str, kept: InForce) -> int:
        if kind == "change":
            async with self._db.system() as tx:
                return await changes.purge(tx, timedelta(days=kept.days or 1))
        if kind in _ENDED:
            return await self._in_batches(self._purge_jobs(_ENDED[kind], kept.days or 1))
        if kind == "customer":
            return await self._in_batches(self._erase(kept), 100)
        if kind == "tax_identity":
            async with self._db.system(ACTOR) as tx:
                return await erasure.forget_identities(tx)
        return await self._stored(kind, STORED[kind], kept)

    async def _stored(self, kind: str, stored: Stored, kept: InForce) -> int:
        number = 0
        longest = [kept.days, *kept.tenants.values()]
        if stored.partitioned and None not in longest:
            number += await self._drop(stored.table, max(one for one in longest if one))
        if kept.days is None:
            return number
        # where nobody keeps longer, whole partitions go, and what is left is younger than one
        if not stored.partitioned or kept.tenants:
            keepers = list(kept.tenants)
            number += await self._in_batches(self._purge_rows(kind, kept.days, keepers))
            for tenant_id, days in kept.tenants.items():
                if days is not None:
                    others = [one for one in keepers if one != tenant_id]
                    number += await self._in_batches(self._purge_of(kind, tenant_id, days, others))
        return number

    async def _drop(self, table: str, days: int) -> int:
        async with self._db.system() as tx:
            # whoever uses the table waits behind us; better we wait for a quieter moment
            await tx.conn.execute(f"SET LOCAL lock_timeout = '{_LOCK_TIMEOUT}'".encode())
            number = await _DROP.one(tx, parent=table, days=days)
        return 0 if number is None else int(number.value)

    async def _in_batches(
        self, once: Callable[[Tx, int], Awaitable[int]], batch: int | None = None
    ) -> int:
        size = batch or self._batch
        number = 0
        for _ in range(_BATCHES):
            async with self._db.system(ACTOR) as tx:
                done = await once(tx, size)
            number += done
            if done < size:
                break
        return number

    def _purge_rows(
        self, kind: str, days: int, keepers: list[UUID]
    ) -> Callable[[Tx, int], Awaitable[int]]:
        async def once(tx: Tx, limit: int) -> int:
            return await _PURGE[kind].run(tx, days=days, keepers=keepers, limit=limit)

        return once

    def _purge_of(
        self, kind: str, tenant_id: UUID, days: int, others: list[UUID]
    ) -> Callable[[Tx, int], Awaitable[int]]:
        async def once(tx: Tx, limit: int) -> int:
            return await _PURGE_OF[kind].run(
                tx, tenant_id=tenant_id, days=days, keepers=others, limit=limit
            )

        return once

    def _purge_jobs(self, states: list[str], days: int) -> Callable[[Tx, int], Awaitable[int]]:
        async def once(tx: Tx, limit: int) -> int:
            return await _PURGE_JOBS.run(tx, states=states, days=days, limit=limit)

        return once

    def _erase(self, kept: InForce) -> Callable[[Tx, int], Awaitable[int]]:
        async def once(tx: Tx, limit: int) -> int:
            return await erasure.erase_ended(tx, kept.days, kept.tenants, limit=limit)

        return once


__all__ = ["ACTOR", "STORED", "Retention", "Stored"]
