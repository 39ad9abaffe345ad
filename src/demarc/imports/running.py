"""A run: lines read ahead in portions, each written in one transaction, with how far it is."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from itertools import islice, takewhile
from time import monotonic
from typing import Any, Protocol
from uuid import UUID

import msgspec
import psycopg

from demarc.domains.errors import Conflict, DomainError
from demarc.domains.identity import audit
from demarc.imports import ledger
from demarc.imports.entry import Bad, Entry, Note, Refused, Where
from demarc.imports.ground import Ground
from demarc.imports.nases import NasEntry, write_nases
from demarc.imports.outcome import Report
from demarc.imports.sessions import SessionEntry, write_sessions
from demarc.imports.write import Exhausted, Written, write
from demarc.platform.database import Actor, Database, Tx

PORTION = 1000
"""Lines written in one transaction at most."""
_AHEAD = 2
# The server looks at its tables anew whenever so many times as many lines have been written.
_SETTLE_AGAIN = 4

_REFUSED_BY_DATABASE = (psycopg.IntegrityError, psycopg.DataError, psycopg.errors.RaiseException)


Line = Entry | NasEntry | SessionEntry
"""What is written."""


class Source(Protocol):
    """What gives the lines of another system."""

    def read(self) -> Iterable[Line | Bad | Note]:
        """Give its lines, in order. Run beside the event loop."""

    @property
    def where(self) -> Where:
        """How far they have been read."""


class Progress(msgspec.Struct, frozen=True):
    """How far a run is.

    Attributes:
        lines: taken so far, refused ones included.
        refused: of them.
        seconds: since it began.
        left: seconds it may still take; None while nothing tells.
    """

    lines: int
    refused: int
    seconds: float
    left: float | None


class TooMany(Exception):
    """A line was refused, and the run is to stop at the first."""


class Run:
    """One run of an import.

    Args:
        db: where to.
        ground: whose things, and on what they stand.
        actor: who runs it.
        kind: "subscribers" or "freeradius".
        files: what it reads, for the record.
        strict: stop at the first line that is refused; what was written before stays.
        tell: is told how far it is, after each portion.

    Attributes:
        lines: taken so far, those that were refused included.
    """

    def __init__(
        self,
        db: Database,
        ground: Ground,
        actor: Actor,
        *,
        kind: str,
        files: Sequence[str],
        strict: bool = False,
        tell: Callable[[Progress], None] | None = None,
    ) -> None:
        self._db = db
        self._ground = ground
        self._actor = actor
        self._kind = kind
        self._files = files
        self._strict = strict
        self._tell = tell
        self.lines = 0
        self._settle_at = PORTION
        self._tx: Tx | None = None

    async def carry_out(self, source: Source, report: Report) -> str:
        """Bring what the source gives.

        Args:
            source: the lines.
            report: takes what becomes of them.

        Returns:
            The state it ended in: "done" or "stopped".

        Raises:
            Conflict: an import for the ISP is at work, or the address pools are exhausted.
            Invalid: the source cannot be read any further; what was written stays.
        """
        async with _alone(self._db, self._ground.tenant.id):
            if not self._ground.dry_run:
                return await self._run(source, report)
            async with (
                self._db.tenant(self._ground.tenant.id, self._actor) as self._tx,
                self._tx.conn.transaction(force_rollback=True),
            ):
                return await self._run(source, report)

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[Tx]:
        """Open the transaction of a portion; that of the whole in a dry run."""
        if self._tx is not None:
            yield self._tx
            return
        async with self._db.tenant(self._ground.tenant.id, self._actor) as tx:
            yield tx

    async def _run(self, source: Source, report: Report) -> str:
        run_id = self._ground.run_id
        async with self.transaction() as tx:
            await ledger.begin(
                tx, run_id, source=self._ground.source, kind=self._kind, files=self._files
            )
        state = "stopped"
        try:
            await self._portions(source, report)
            state = "done"
        except TooMany:
            pass
        finally:
            if self._tx is None or state == "done":
                async with self.transaction() as tx:
                    await self._record(tx, report)
                    await ledger.end(tx, run_id, state)
                    await audit.write(
                        tx, action="import", kind="import", key=run_id, after=self._summary(report)
                    )
        return state

    async def _portions(self, source: Source, report: Report) -> None:
        begun = monotonic()
        waiting: asyncio.Queue[list[Line | Bad | Note]] = asyncio.Queue(_AHEAD)
        reading = asyncio.create_task(_read_ahead(source, waiting))
        try:
            while True:
                getting = asyncio.create_task(waiting.get())
                await asyncio.wait({getting, reading}, return_when=asyncio.FIRST_COMPLETED)
                if not getting.done():
                    if waiting.empty():
                        getting.cancel()
                        await reading
                        return
                    await getting
                await self._portion(getting.result(), report)
                if self._tell is not None:
                    self._tell(self._progress(source.where, report, monotonic() - begun))
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)

    async def _portion(self, portion: Sequence[Line | Bad | Note], report: Report) -> None:
        entries: list[Line] = []
        for one in portion:
            if isinstance(one, Note):
                report.note(one)
            elif isinstance(one, Bad):
                report.refuse(one)
                self._stop_if_strict()
            else:
                entries.append(one)
        self.lines += sum(not isinstance(one, Note) for one in portion)
        while entries:
            together = list(takewhile(lambda one: type(one) is type(entries[0]), entries))  # noqa: B023
            async with self.transaction() as tx:
                done = await attempt(tx, self._ground, together, report)
                entries = entries[done:]
                await self._record(tx, report)
                if self.lines >= self._settle_at:
                    await ledger.settle(tx)
                    self._settle_at = self.lines * _SETTLE_AGAIN
            if report.count("refused"):
                self._stop_if_strict()

    def _stop_if_strict(self) -> None:
        if self._strict:
            raise TooMany

    async def _record(self, tx: Tx, report: Report) -> None:
        await ledger.progress(tx, self._ground.run_id, lines=self.lines, counts=report.counts)

    def _summary(self, report: Report) -> dict[str, object]:
        return {
            "source": self._ground.source,
            "files": list(self._files),
            "lines": self.lines,
            **{kind: dict(counted) for kind, counted in report.counts.items()},
        }

    def _progress(self, where: Where, report: Report, seconds: float) -> Progress:
        left = None
        if 0 < where.done <= where.total:
            left = seconds * (where.total - where.done) / where.done
        return Progress(self.lines, report.count("refused"), seconds, left)


_WRITERS: dict[type, Callable[[Tx, Ground, Any], Awaitable[Written]]] = {
    Entry: write,
    NasEntry: write_nases,
    SessionEntry: write_sessions,
}


async def attempt(tx: Tx, ground: Ground, entries: Sequence[Line], report: Report) -> int:
    """Write lines of one type together, or where the database refuses some, the halves of them apart.

    Args:
        tx: of the ISP.
        ground: what they stand on.
        entries: the lines.
        report: takes what becomes of them.

    Returns:
        How many are dealt with, from the first on.

    Raises:
        Exhausted: the address pools are.
    """
    try:
        async with tx.conn.transaction():
            written = await _WRITERS[type(entries[0])](tx, ground, entries)
    except Exhausted:
        # so would be each of the others: it is for who runs it to mend
        raise
    except (*_REFUSED_BY_DATABASE, DomainError, Refused) as error:
        ground.forget()
        if len(entries) == 1:
            report.refuse(Bad(entries[0].source, _reason(error)))
            return 1
        half = len(entries) // 2
        done = await attempt(tx, ground, entries[:half], report)
        return done if done < half else half + await attempt(tx, ground, entries[half:], report)
    for outcome in written.outcomes:
        report.take(outcome)
    for bad in written.bad:
        report.refuse(bad)
    return written.done


def _reason(error: Exception) -> Refused:
    if isinstance(error, Refused):
        return error
    if isinstance(error, psycopg.Error):
        what = error.diag.constraint_name or error.diag.message_primary or "its values"
        return Refused(None, f"is refused by the database ({what})", _HINTS.get(what, ""))
    return Refused(None, str(error))


_HINTS = {
    "service_tenant_id_number_key": "the number is that of another service",
    "customer_tax_id": "the tax number is that of another customer",
    "credential_name": "the log-in is taken",
    "credential_line": "the MAC address or line logs in already, perhaps with another ISP",
}


async def _read_ahead(source: Source, waiting: "asyncio.Queue[list[Line | Bad | Note]]") -> None:
    lines = iter(source.read())
    while portion := await asyncio.to_thread(_take, lines):
        await waiting.put(portion)


def _take(lines: Iterator[Line | Bad | Note]) -> list[Line | Bad | Note]:
    return list(islice(lines, PORTION))


@asynccontextmanager
async def _alone(db: Database, tenant_id: UUID) -> AsyncGenerator[None]:
    """Hold off other imports for the ISP.

    Raises:
        Conflict: there is one.
    """
    conn = await psycopg.AsyncConnection.connect(
        db.conninfo, autocommit=True, application_name="demarc/import"
    )
    async with conn:
        held = await conn.execute(
            "SELECT pg_try_advisory_lock(hashtextextended('demarc.import:' || %s, 0))",
            [str(tenant_id)],
        )
        row = await held.fetchone()
        if row is None or not row[0]:
            raise Conflict("an import for this ISP is at work; wait until it has ended")
        yield


__all__ = ["PORTION", "Progress", "Run", "Source", "attempt"]
