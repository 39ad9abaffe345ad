"""Sessions that ended elsewhere: what another accounting server has recorded, taken over.

Each has an id made of what the other server calls it, so that it is there once however often it is
brought. What is recorded here meanwhile is never made older.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from demarc.domains.aaa import session_queries
from demarc.domains.aaa.session_queries import UsedOnDay, as_json
from demarc.domains.aaa.sessions import SessionRow
from demarc.domains.aaa.usage import Octets, spread
from demarc.platform.database import Tx
from demarc.platform.statements import Scalar, Statement


class _Closed(msgspec.Struct, frozen=True, gc=False):
    """A session that is recorded already."""

    id: UUID
    tenant_id: UUID
    owner_id: UUID
    service_id: UUID
    started_at: datetime
    updated_at: datetime
    ended_at: datetime
    input_octets: int
    output_octets: int


_CLOSED_OF_IDS = Statement(
    "aaa.closed_of_ids",
    """
    SELECT id, tenant_id, owner_id, service_id, started_at, updated_at, ended_at, input_octets,
           output_octets
    FROM session_closed WHERE id = ANY(%(ids)s::uuid[])
      AND ended_at BETWEEN %(since)s AND %(until)s
    """,
    _Closed,
)


class _Living(msgspec.Struct, frozen=True, gc=False):
    """What tells of a live session."""

    id: UUID
    nas_id: UUID
    credential_id: UUID
    acct_session_id: str


_LIVING = Statement(
    "aaa.living_of_credentials",
    """
    SELECT id, nas_id, credential_id, acct_session_id FROM session_live
    WHERE credential_id = ANY(%(credentials)s::uuid[])
    """,
    _Living,
)

_ENSURE_MONTHS = Statement(
    "aaa.ensure_history",
    """
    SELECT demarc_ensure_partitions(parent, 'month', %(since)s::date, %(until)s::date) AS value
    FROM unnest(ARRAY['session_closed', 'usage_daily']) AS parent
    """,
    Scalar,
)

_LONGEST_BACK = timedelta(days=20_000)


class Brought(msgspec.Struct, frozen=True):
    """What became of sessions, by their ids; those in neither were recorded so before.

    Attributes:
        live: they are up here.
    """

    created: set[UUID]
    changed: set[UUID]
    live: set[UUID]


async def bring(tx: Tx, sessions: Sequence[SessionRow], zones: Mapping[UUID, str]) -> Brought:
    """Record ended sessions, and what they used on each day.

    Args:
        tx: of the system.
        sessions: all of them ended, none twice.
        zones: of their credentials: whose midnights part the days of usage.
    """
    living = await _LIVING.all(tx, credentials=list({one.credential_id for one in sessions}))
    ids = {one.id for one in living}
    names = {(one.nas_id, one.credential_id, one.acct_session_id) for one in living}
    live = {
        one.id
        for one in sessions
        if one.id in ids or (one.nas_id, one.credential_id, one.acct_session_id) in names
    }
    known = await _known(tx, [one for one in sessions if one.id not in live])
    new, newer, older = [], [], []
    for one in sessions:
        before = known.get(one.id)
        if one.id in live:
            continue
        if before is None:
            new.append(one)
        elif before.updated_at < one.updated_at:
            newer.append(one)
            older.append(before)
    used: dict[tuple[UUID, date], UsedOnDay] = {}
    for one in [*new, *newer]:
        _use(used, one, one.ended_at or one.updated_at, zones[one.credential_id], sign=1)
    for closed, one in zip(older, newer, strict=True):
        _use(used, closed, closed.ended_at, zones[one.credential_id], sign=-1)
    if older:
        await session_queries.DELETE_CLOSED.run(
            tx, ids=[one.id for one in older], ends=[one.ended_at for one in older]
        )
    if new or newer:
        await _ensure(tx, [*new, *newer], used)
        await session_queries.INSERT_CLOSED.run(tx, rows=as_json([*new, *newer]))
    if used:
        await session_queries.ADD_USAGE.run(tx, rows=as_json(list(used.values())))
    return Brought({one.id for one in new}, {one.id for one in newer}, live)


async def _known(tx: Tx, sessions: Sequence[SessionRow]) -> dict[UUID, _Closed]:
    """Give those that are recorded; one may have ended later than it was said to at first."""
    if not sessions:
        return {}
    found = await _CLOSED_OF_IDS.all(
        tx,
        ids=[one.id for one in sessions],
        since=min(one.started_at for one in sessions),
        until=max(one.updated_at for one in sessions) + _LONGEST_BACK,
    )
    return {one.id: one for one in found}


def _use(
    used: dict[tuple[UUID, date], UsedOnDay],
    session: SessionRow | _Closed,
    ended_at: datetime,
    zone: str,
    *,
    sign: int,
) -> None:
    octets = Octets(down=session.output_octets, up=session.input_octets)
    for day, part in spread(octets, session.started_at, ended_at, ZoneInfo(zone)):
        if not part:
            continue
        row = used.get((session.service_id, day))
        if row is None:
            row = UsedOnDay(session.service_id, day, session.tenant_id, session.owner_id)
            used[session.service_id, day] = row
        row.down += sign * part.down
        row.up += sign * part.up


async def _ensure(
    tx: Tx, sessions: Sequence[SessionRow], used: Mapping[tuple[UUID, date], UsedOnDay]
) -> None:
    days = [day for _, day in used]
    days += [(one.ended_at or one.updated_at).date() for one in sessions]
    await _ENSURE_MONTHS.all(tx, since=min(days), until=max(days))


__all__ = ["Brought", "bring"]
