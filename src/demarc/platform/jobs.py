"""Background jobs: put in the queue within the transaction that wants them, run by workers.

A job is run at least once, so that handlers are idempotent. A job whose worker died is taken
again by another within half a minute; one that fails is tried again with growing pauses.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from time import monotonic
from typing import Any, cast

import msgspec
import procrastinate
import psycopg
import structlog
from procrastinate.jobs import Job

from demarc.platform.database import Connection, Tx
from demarc.platform.statements import Scalar, Statement
from demarc.platform.telemetry import count, metrics

Handler = Callable[..., Awaitable[None]]

UPKEEP = "upkeep"
EVENTS = "events"

# A worker that has not been heard of for so long is dead, and its jobs are taken again.
_DEAD_AFTER = 15.0
_LOOK_FOR_DEAD_EVERY = 7.5
# What is under way when a worker is to end has so long, seconds, to finish; then it is handed
# back, for which there is as long again as a connection may take: the database may be away.
_FINISH_WITHIN = 8
_CONNECTION_WITHIN = 4.0
_PAUSE = 1.0

_log = structlog.get_logger(__name__)

DEFER = Statement(
    "jobs.defer",
    "SELECT demarc_defer(%(task)s::text, %(queue)s::text, %(args)s::text::jsonb,"
    " %(run_at)s::timestamptz, %(waiting_lock)s::text) AS value",
    Scalar,
)


def reach_queue(reach: str) -> str:
    """Name the queue whose workers reach the devices of this reach."""
    return f"reach-{reach}"


def poll_queue(reach: str) -> str:
    """Name the queue of the polls of this reach's devices.

    They have workers of their own: devices that keep a poll waiting do not keep a command waiting.
    """
    return f"poll-{reach}"


async def defer(
    tx: Tx,
    *,
    task: str,
    queue: str,
    args: dict[str, Any],
    run_at: datetime | None = None,
    waiting_lock: str | None = None,
) -> bool:
    """Put a job in the queue; it exists if and only if the transaction commits.

    Args:
        tx: the transaction that wants the job.
        task: the handler's name.
        queue: whose workers run it: ``upkeep``, ``events``, or a reach's (``reach_queue``,
            ``poll_queue``).
        args: the handler's keyword arguments, of JSON's types. No secrets.
        run_at: not before this time.
        waiting_lock: at most one job with this lock waits at a time.

    Returns:
        Whether a job was added: False when one with this lock waits already.
    """
    added = await DEFER.one(
        tx,
        task=task,
        queue=queue,
        args=msgspec.json.encode(args).decode(),
        run_at=run_at,
        waiting_lock=waiting_lock,
    )
    return added is not None and added.value is not None


class Task(msgspec.Struct, frozen=True):
    """What a worker can do.

    Attributes:
        name: as jobs name it.
        run: the handler, called with the job's arguments.
        attempts: how often a failing job is tried; it counts as failed after that.
        cron: run by itself too, at these times (UTC), without arguments but the queue below.
        queue: where its own periodic jobs wait.
    """

    name: str
    run: Handler
    attempts: int = 5
    cron: str | None = None
    queue: str = UPKEEP


class _Again(procrastinate.BaseRetryStrategy):
    """Says when a job runs again that did not succeed.

    Args:
        attempts: how often it is tried.
    """

    def __init__(self, attempts: int) -> None:
        self._attempts = attempts

    def get_retry_decision(
        self, *, exception: BaseException, job: Job
    ) -> procrastinate.RetryDecision | None:
        """Hand back at once what the end of its worker cut short, however often it was tried."""
        if isinstance(exception, asyncio.CancelledError):
            return procrastinate.RetryDecision(retry_at=datetime.now(UTC))
        if job.attempts + 1 >= self._attempts:
            return None
        return procrastinate.RetryDecision(retry_in={"seconds": 2 ** (job.attempts + 1)})


class Worker:
    """Runs jobs of some queues until it is stopped.

    Args:
        conninfo: libpq connection string.
        tasks: everything it can do.
        queues: the queues it takes from.
        concurrency: jobs at a time.
    """

    def __init__(
        self, conninfo: str, tasks: Sequence[Task], queues: Sequence[str], concurrency: int = 16
    ) -> None:
        self._app = procrastinate.App(
            connector=procrastinate.PsycopgConnector(
                conninfo=conninfo,
                min_size=1,
                max_size=6,
                timeout=_CONNECTION_WITHIN,
                kwargs={"application_name": "demarc/jobs"},
                configure=_as_system,
            )
        )
        self._conninfo = conninfo
        self._queues = list(queues)
        self._concurrency = concurrency
        for task in tasks:
            self._register(task)

    def _register(self, task: Task) -> None:
        took = metrics.histogram("job_seconds", task=task.name)

        async def run(**args: Any) -> None:
            args.pop("timestamp", None)
            since = monotonic()
            result = "failed"
            try:
                await task.run(**args)
                result = "done"
            except asyncio.CancelledError:
                result = "handed back"
                raise
            finally:
                took.observe(monotonic() - since)
                count("jobs", task=task.name, result=result)

        registered = self._app.task(
            name=task.name,
            queue=task.queue,
            retry=_Again(task.attempts),
        )(run)
        if task.cron is not None:
            # its decorator types only functions whose first argument is the time stamp
            self._app.periodic(cron=task.cron)(cast("Any", registered))

    async def run(self, stop: asyncio.Event) -> None:
        """Work until told to stop; jobs under way are finished or handed back.

        When the database is lost it begins anew, as soon as it is back.

        Args:
            stop: set it to end.
        """
        stopping = asyncio.create_task(stop.wait())
        try:
            while not stop.is_set():
                working = asyncio.create_task(self._work())
                await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
                if stop.is_set():
                    await self._end(working)
                    return
                _log.warning("jobs wait for the database", reason=await _why(working))
                await asyncio.wait({stopping}, timeout=_PAUSE)
        finally:
            stopping.cancel()

    async def _work(self) -> None:
        """Work until cancelled, or until the database is lost."""
        # asked first, since a pool that cannot be opened tries for long, with growing pauses
        async with await psycopg.AsyncConnection.connect(self._conninfo):
            pass
        try:
            await self._app.open_async()
            upkeep = asyncio.create_task(self._upkeep())
            try:
                await self._app.run_worker_async(
                    queues=self._queues,
                    concurrency=self._concurrency,
                    install_signal_handlers=False,
                    listen_notify=True,
                    fetch_job_polling_interval=5,
                    shutdown_graceful_timeout=_FINISH_WITHIN,
                    update_heartbeat_interval=5,
                    stalled_worker_timeout=_DEAD_AFTER,
                    delete_jobs="never",
                )
            finally:
                upkeep.cancel()
                await asyncio.gather(upkeep, return_exceptions=True)
        finally:
            # also where it could not be opened whole: it is opened again
            await self._app.close_async()

    async def _end(self, working: "asyncio.Task[None]") -> None:
        working.cancel()
        _, late = await asyncio.wait({working}, timeout=_FINISH_WITHIN + _CONNECTION_WITHIN)
        if late:
            # a second time means: without waiting for anything
            _log.warning("a worker ends without having handed back its jobs")
            working.cancel()
        (result,) = await asyncio.gather(working, return_exceptions=True)
        if isinstance(result, Exception) and not _is_outage(result):
            raise result

    async def _upkeep(self) -> None:
        while True:
            try:
                await self._retake()
            except Exception:  # noqa: BLE001 - the worker goes on; the next round tries again
                _log.exception("looking for stalled jobs failed")
            await asyncio.sleep(_LOOK_FOR_DEAD_EVERY)

    async def _retake(self) -> None:
        jobs = self._app.job_manager
        for job in await jobs.get_stalled_jobs(seconds_since_heartbeat=_DEAD_AFTER):
            _log.warning("a job's worker died; the job runs again", job=job.id, task=job.task_name)
            await jobs.retry_job(job, retry_at=datetime.now(UTC))


async def _as_system(conn: Connection) -> None:
    await conn.execute("SET ROLE demarc_system")
    await conn.commit()


async def _why(working: "asyncio.Task[None]") -> str:
    """Give the reason why work has ended by itself, in a line; raise what is no outage."""
    (result,) = await asyncio.gather(working, return_exceptions=True)
    if isinstance(result, BaseException) and not _is_outage(result):
        raise result
    # where only the listening connection was lost there is no error
    return str(result.__cause__ or result).partition("\n")[0] if result else "connection lost"


def _is_outage(error: BaseException) -> bool:
    return isinstance(error, procrastinate.exceptions.ConnectorException | psycopg.Error | OSError)
