"""How the NASes of a network do: who is on line there, and what they last asked."""

from datetime import datetime
from uuid import UUID

import msgspec

from demarc.platform.database import Tx
from demarc.platform.statements import Statement


class NasStatus(msgspec.Struct, frozen=True):
    """What a NAS did lately.

    Attributes:
        sessions: live ones.
        last_accounting_at: when an accounting packet of a live session last counted.
        last_attempt_at: when somebody last tried to log in there, within a day.
        accepted: log-ins accepted within the last hour; ``rejected`` likewise.
    """

    network: str
    name: str
    prefix: str
    vendor: str
    sessions: int
    last_accounting_at: datetime | None
    last_attempt_at: datetime | None
    accepted: int
    rejected: int


STATUS = Statement(
    "views.nas_status",
    """
    SELECT w.slug AS network, n.name, n.prefix::text AS prefix, n.vendor,
           coalesce(l.sessions, 0) AS sessions, l.last_accounting_at, a.last_attempt_at,
           coalesce(a.accepted, 0) AS accepted, coalesce(a.rejected, 0) AS rejected
    FROM nas n
    JOIN network w ON w.id = n.network_id
    LEFT JOIN (
        SELECT nas_id, count(*) AS sessions, max(updated_at) AS last_accounting_at
        FROM session_live GROUP BY nas_id
    ) l ON l.nas_id = n.id
    LEFT JOIN (
        SELECT nas_id, max(at) AS last_attempt_at,
               count(*) FILTER (WHERE accepted AND at > now() - interval '1 hour') AS accepted,
               count(*) FILTER (WHERE NOT accepted AND at > now() - interval '1 hour') AS rejected
        FROM auth_attempt WHERE at > now() - interval '1 day' GROUP BY nas_id
    ) a ON a.nas_id = n.id
    WHERE %(network_id)s::uuid IS NULL OR n.network_id = %(network_id)s::uuid
    ORDER BY w.slug, n.name
    """,
    NasStatus,
)


async def status(tx: Tx, network_id: UUID | None = None) -> list[NasStatus]:
    """Give how NASes do, of one network or all."""
    return await STATUS.all(tx, network_id=network_id)


__all__ = ["NasStatus", "status"]
