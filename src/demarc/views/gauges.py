"""How the whole installation stands, in numbers, for those who watch it."""

import msgspec

from demarc.platform.database import Tx
from demarc.platform.statements import Statement


class Standing(msgspec.Struct, frozen=True):
    """What there is of what.

    Attributes:
        clock: the database's, seconds since 1970.
        size: octets of the database.
        sessions: live ones.
        quarantined: accounting packets put aside.
        changes: rows of the change log, about.
        olts: those that are polled; of them ``olts_failing`` failed the last time.
        olt_poll_oldest: seconds since the poll of the OLT that waits for longest; None where none
            has been polled.
    """

    clock: float
    size: int
    sessions: int
    quarantined: int
    changes: int
    olts: int
    olts_failing: int
    olt_poll_oldest: float | None


class Ahead(msgspec.Struct, frozen=True):
    """For how many days a partitioned table has partitions, today included."""

    table: str
    days: int


class Queue(msgspec.Struct, frozen=True):
    """How a queue of jobs stands.

    Attributes:
        waiting: jobs that could run now.
        running: jobs under way.
        failed: jobs given up.
        oldest: seconds the first of those waiting has waited.
    """

    queue: str
    waiting: int
    running: int
    failed: int
    oldest: float


STANDING = Statement(
    "gauges.standing",
    """
    SELECT extract(epoch FROM clock_timestamp())::float8 AS clock,
           pg_database_size(current_database())::bigint AS size,
           (SELECT count(*) FROM session_live)::bigint AS sessions,
           (SELECT count(*) FROM accounting_quarantine)::bigint AS quarantined,
           (SELECT greatest(reltuples, 0)::bigint FROM pg_class WHERE oid = 'change'::regclass)
               AS changes,
           o.olts, o.failing AS olts_failing, o.oldest AS olt_poll_oldest
    FROM (SELECT count(*)::bigint AS olts,
                 (count(*) FILTER (WHERE last_fault IS NOT NULL))::bigint AS failing,
                 extract(epoch FROM now() - min(last_polled_at))::float8 AS oldest
          FROM olt) o
    """,
    Standing,
)

AHEAD = Statement(
    "gauges.partitions_ahead",
    """
    SELECT p.relname::text AS "table",
           max(CASE length(d.digits) WHEN 8 THEN to_date(d.digits, 'YYYYMMDD') + 1
                    ELSE (to_date(d.digits, 'YYYYMM') + interval '1 month')::date END
               - current_date)::integer AS days
    FROM pg_inherits i
    JOIN pg_class p ON p.oid = i.inhparent
    JOIN pg_class c ON c.oid = i.inhrelid
    CROSS JOIN LATERAL substring(c.relname FROM '_([0-9]{8}|[0-9]{6})$') AS d (digits)
    WHERE p.relkind = 'p' AND d.digits IS NOT NULL
      AND p.relnamespace = current_schema()::regnamespace
    GROUP BY p.relname
    ORDER BY p.relname
    """,
    Ahead,
)

QUEUES = Statement(
    "gauges.queues",
    """
    SELECT j.queue_name::text AS queue,
           (count(*) FILTER (WHERE j.status = 'todo' AND j.due))::bigint AS waiting,
           (count(*) FILTER (WHERE j.status = 'doing'))::bigint AS running,
           (count(*) FILTER (WHERE j.status = 'failed'))::bigint AS failed,
           coalesce(extract(epoch FROM now() - min(coalesce(j.scheduled_at, (
               SELECT min(e.at) FROM procrastinate_events e WHERE e.job_id = j.first
           ))) FILTER (WHERE j.status = 'todo' AND j.due AND j.id = j.first)), 0)::float8 AS oldest
    FROM (
        SELECT id, queue_name, status, scheduled_at,
               coalesce(scheduled_at <= now(), true) AS due,
               first_value(id) OVER (
                   PARTITION BY queue_name, status, coalesce(scheduled_at <= now(), true)
                   ORDER BY coalesce(scheduled_at, '-infinity'), id
               ) AS first
        FROM procrastinate_jobs
        WHERE status IN ('todo', 'doing', 'failed')
    ) j
    GROUP BY j.queue_name
    ORDER BY j.queue_name
    """,
    Queue,
)


async def standing(tx: Tx) -> Standing:
    """Give how the installation stands."""
    found = await STANDING.one(tx)
    if found is None:
        raise RuntimeError("a statement that always gives a row gave none")
    return found


async def ahead(tx: Tx) -> list[Ahead]:
    """Give how far ahead the partitions of each table reach."""
    return await AHEAD.all(tx)


async def queues(tx: Tx) -> list[Queue]:
    """Give how each queue stands that holds a job."""
    return await QUEUES.all(tx)


__all__ = ["Ahead", "Queue", "Standing", "ahead", "queues", "standing"]
