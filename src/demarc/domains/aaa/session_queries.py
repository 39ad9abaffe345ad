"""SQL of sessions and usage, as accounting writes them: a statement for each kind of change.

Rows travel as one JSON text a statement, which costs the sender next to nothing.
"""

from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec

from demarc.domains.aaa.accounting import SessionRow
from demarc.platform.statements import Scalar, Statement

COLUMNS_OF_LIVE = (
    *("id", "tenant_id", "owner_id", "service_id", "credential_id", "nas_id", "nas_address"),
    *("acct_session_id", "username", "framed_ipv4", "framed_ipv6_prefix", "delegated_ipv6_prefix"),
    *("calling_station_id", "nas_port_id", "started_at", "updated_at", "session_seconds"),
    *("input_octets", "output_octets", "ipv6_input_octets", "ipv6_output_octets", "start_told"),
)
"""What goes over from a live session to the closed one. A further column goes in here and, where
accounting writes it, into ``SessionRow`` and ``ROWS``."""

COLUMNS_OF_CLOSED = (*COLUMNS_OF_LIVE, "ended_at", "terminate_cause")

_SHOWN = {
    "nas_address": "host(nas_address) AS nas_address",
    "framed_ipv4": "host(framed_ipv4) AS framed_ipv4",
    "framed_ipv6_prefix": "framed_ipv6_prefix::text AS framed_ipv6_prefix",
    "delegated_ipv6_prefix": "delegated_ipv6_prefix::text AS delegated_ipv6_prefix",
}
_FIELDS = SessionRow.__struct_fields__[:-2]
_READ = ", ".join(_SHOWN.get(name, name) for name in _FIELDS)
_LIVE = ", ".join(COLUMNS_OF_LIVE)
_CLOSED = ", ".join(COLUMNS_OF_CLOSED)

ROWS = """json_to_recordset(%(rows)s::text::json) AS r (
    id uuid, tenant_id uuid, owner_id uuid, service_id uuid, credential_id uuid, nas_id uuid,
    nas_address inet, acct_session_id text, username text, framed_ipv4 inet,
    framed_ipv6_prefix inet, delegated_ipv6_prefix inet, calling_station_id text,
    nas_port_id text, started_at timestamptz, updated_at timestamptz, session_seconds bigint,
    input_octets bigint, output_octets bigint, ipv6_input_octets bigint,
    ipv6_output_octets bigint, start_told boolean, ended_at timestamptz, terminate_cause text)"""

# Two writers of one credential (a second process, a transaction given up but not yet over) wait
# for each other; the keys are sorted, so that they never lock up.
LOCK_CREDENTIALS = Statement(
    "aaa.lock_credentials",
    "SELECT count(pg_advisory_xact_lock(key)) AS value FROM unnest(%(keys)s::bigint[]) AS key",
    Scalar,
)

# In the order of their ids, so that two writers wait for each other instead of locking up.
LIVE_OF_CREDENTIALS = Statement(
    "aaa.live_of_credentials",
    f"""
    SELECT {_READ}, NULL::timestamptz AS ended_at, NULL::text AS terminate_cause
    FROM session_live WHERE credential_id = ANY(%(credentials)s::uuid[])
    ORDER BY id FOR UPDATE
    """,
    SessionRow,
)

# The newest few of each key are enough: what is older than them is past telling apart.
CLOSED_OF_KEYS = Statement(
    "aaa.closed_of_keys",
    f"""
    SELECT {", ".join(f"s.{name}" for name in SessionRow.__struct_fields__)}
    FROM unnest(%(nases)s::uuid[], %(session_ids)s::text[], %(credentials)s::uuid[])
        AS k (nas_id, acct_session_id, credential_id)
    CROSS JOIN LATERAL (
        SELECT {_READ}, ended_at, terminate_cause FROM session_closed c
        WHERE c.nas_id = k.nas_id AND c.acct_session_id = k.acct_session_id
          AND c.credential_id = k.credential_id AND c.ended_at >= %(since)s::timestamptz
        ORDER BY c.ended_at DESC LIMIT 8
    ) s
    """,
    SessionRow,
)

INSERT_LIVE = Statement(
    "aaa.insert_live", f"INSERT INTO session_live ({_LIVE}) SELECT {_LIVE} FROM {ROWS}"
)

# What most interims change, and nothing that is long to write.
COUNT_LIVE = Statement(
    "aaa.count_live",
    """
    UPDATE session_live s
    SET updated_at = r.updated_at, session_seconds = r.session_seconds,
        input_octets = r.input_octets, output_octets = r.output_octets,
        ipv6_input_octets = r.ipv6_input_octets, ipv6_output_octets = r.ipv6_output_octets
    FROM json_to_recordset(%(rows)s::text::json) AS r (
        id uuid, updated_at timestamptz, session_seconds bigint, input_octets bigint,
        output_octets bigint, ipv6_input_octets bigint, ipv6_output_octets bigint)
    WHERE s.id = r.id
    """,
)

UPDATE_LIVE = Statement(
    "aaa.update_live",
    f"""
    UPDATE session_live s
    SET framed_ipv4 = r.framed_ipv4, framed_ipv6_prefix = r.framed_ipv6_prefix,
        delegated_ipv6_prefix = r.delegated_ipv6_prefix,
        calling_station_id = r.calling_station_id, nas_port_id = r.nas_port_id,
        started_at = r.started_at, updated_at = r.updated_at,
        session_seconds = r.session_seconds, input_octets = r.input_octets,
        output_octets = r.output_octets, ipv6_input_octets = r.ipv6_input_octets,
        ipv6_output_octets = r.ipv6_output_octets, start_told = r.start_told
    FROM {ROWS} WHERE s.id = r.id
    """,
)

DELETE_LIVE = Statement(
    "aaa.delete_live", "DELETE FROM session_live WHERE id = ANY(%(ids)s::uuid[])"
)

INSERT_CLOSED = Statement(
    "aaa.insert_closed", f"INSERT INTO session_closed ({_CLOSED}) SELECT {_CLOSED} FROM {ROWS}"
)

DELETE_CLOSED = Statement(
    "aaa.delete_closed",
    """
    DELETE FROM session_closed c
    USING unnest(%(ids)s::uuid[], %(ends)s::timestamptz[]) AS k (id, ended_at)
    WHERE c.id = k.id AND c.ended_at = k.ended_at
    """,
)

ADD_USAGE = Statement(
    "aaa.add_usage",
    """
    INSERT INTO usage_daily AS u (service_id, day, tenant_id, owner_id, down_octets, up_octets,
                                  ipv6_down_octets, ipv6_up_octets)
    SELECT service_id, day, tenant_id, owner_id, down, up, ipv6_down, ipv6_up
    FROM json_to_recordset(%(rows)s::text::json) AS r (
        service_id uuid, day date, tenant_id uuid, owner_id uuid, down bigint, up bigint,
        ipv6_down bigint, ipv6_up bigint)
    ORDER BY service_id, day
    ON CONFLICT (service_id, day) DO UPDATE
        SET down_octets = u.down_octets + excluded.down_octets,
            up_octets = u.up_octets + excluded.up_octets,
            ipv6_down_octets = u.ipv6_down_octets + excluded.ipv6_down_octets,
            ipv6_up_octets = u.ipv6_up_octets + excluded.ipv6_up_octets
    """,
)

QUARANTINE = Statement(
    "aaa.quarantine",
    """
    INSERT INTO accounting_quarantine (owner_id, nas_id, reason, packet)
    VALUES (%(owner_id)s::uuid, %(nas_id)s::uuid, %(reason)s, %(packet)s)
    """,
)

# Sessions the NAS has told of after it restarted are not of before.
CLOSE_OF_NAS = Statement(
    "aaa.close_of_nas",
    f"""
    WITH gone AS (
        DELETE FROM session_live
        WHERE nas_id = %(nas_id)s AND nas_address = %(nas_address)s::text::inet
          AND updated_at <= %(at)s
        RETURNING {_LIVE}
    )
    INSERT INTO session_closed ({_CLOSED})
    SELECT {_LIVE}, greatest(updated_at, now() - interval '60 days'), %(cause)s::text FROM gone
    """,
)


class Counted(msgspec.Struct, frozen=True, gc=False):
    """The counters of a live session, as ``COUNT_LIVE`` takes them."""

    id: UUID
    updated_at: datetime
    session_seconds: int
    input_octets: int
    output_octets: int
    ipv6_input_octets: int
    ipv6_output_octets: int


class UsedOnDay(msgspec.Struct, gc=False):
    """Octets to be added to a service's day, as ``ADD_USAGE`` takes them."""

    service_id: UUID
    day: date
    tenant_id: UUID
    owner_id: UUID
    down: int = 0
    up: int = 0
    ipv6_down: int = 0
    ipv6_up: int = 0


class LiveUse(msgspec.Struct, frozen=True, gc=False):
    """A live session as the index of stations knows it."""

    credential_id: UUID
    nas_id: UUID
    nas_address: str
    acct_session_id: str
    calling_station_id: str | None
    framed_ipv4: str | None
    framed_ipv6_prefix: str | None
    delegated_ipv6_prefix: str | None
    updated_at: datetime
    network_id: UUID
    interim_interval: int


_LIVE_USES = """
    SELECT s.credential_id, s.nas_id, host(s.nas_address) AS nas_address, s.acct_session_id,
           s.calling_station_id, host(s.framed_ipv4) AS framed_ipv4,
           s.framed_ipv6_prefix::text AS framed_ipv6_prefix,
           s.delegated_ipv6_prefix::text AS delegated_ipv6_prefix, s.updated_at,
           coalesce(n.network_id, c.network_id) AS network_id,
           coalesce(n.interim_interval, 300) AS interim_interval
    FROM session_live s
    JOIN credential c ON c.id = s.credential_id
    LEFT JOIN nas n ON n.id = s.nas_id
"""

LIVE_USES = Statement("aaa.live_uses", _LIVE_USES, LiveUse)

LIVE_USES_OF = Statement(
    "aaa.live_uses_of_credentials",
    f"{_LIVE_USES} WHERE s.credential_id = ANY(%(credentials)s::uuid[])",
    LiveUse,
)

LIVE_USES_BETWEEN = Statement(
    "aaa.live_uses_between",
    f"{_LIVE_USES} WHERE s.credential_id BETWEEN %(first)s::uuid AND %(last)s::uuid",
    LiveUse,
)

# A session that was to be told of again three times over, and ten minutes more, is gone.
CLOSE_STALE = Statement(
    "aaa.close_stale",
    f"""
    WITH gone AS (
        DELETE FROM session_live
        WHERE id IN (
            SELECT s.id FROM session_live s LEFT JOIN nas n ON n.id = s.nas_id
            WHERE s.updated_at < now() - make_interval(
                secs => %(intervals)s::integer * coalesce(n.interim_interval, 300) + %(more)s::integer)
            ORDER BY s.id LIMIT 1000 FOR UPDATE OF s SKIP LOCKED
        )
        RETURNING {_LIVE}
    ), closed AS (
        INSERT INTO session_closed ({_CLOSED})
        SELECT {_LIVE}, greatest(updated_at, now() - interval '60 days'), %(cause)s::text FROM gone
        RETURNING 1
    )
    SELECT count(*) AS value FROM closed
    """,
    Scalar,
)

SPOOL_POSITION = Statement(
    "aaa.spool_position",
    "SELECT position AS value FROM accounting_spool WHERE id = %(id)s::uuid",
    Scalar,
)

MOVE_SPOOL_ON = Statement(
    "aaa.move_spool_on",
    """
    INSERT INTO accounting_spool AS s (id, position) VALUES (%(id)s::uuid, %(position)s::bigint)
    ON CONFLICT (id) DO UPDATE
        SET position = greatest(s.position, excluded.position), updated_at = now()
    """,
)

FORGET_SPOOL = Statement(
    "aaa.forget_spool",
    """
    DELETE FROM accounting_spool
    WHERE id = %(id)s::uuid OR updated_at < now() - %(age)s::interval
    """,
)


def as_json(rows: list[Any]) -> str:
    """Give rows as the JSON text the statements of this file take."""
    return msgspec.json.encode(rows).decode()


__all__ = [
    "ADD_USAGE",
    "CLOSED_OF_KEYS",
    "CLOSE_OF_NAS",
    "CLOSE_STALE",
    "COLUMNS_OF_CLOSED",
    "COLUMNS_OF_LIVE",
    "COUNT_LIVE",
    "DELETE_CLOSED",
    "DELETE_LIVE",
    "FORGET_SPOOL",
    "INSERT_CLOSED",
    "INSERT_LIVE",
    "LIVE_OF_CREDENTIALS",
    "LIVE_USES",
    "LIVE_USES_BETWEEN",
    "LIVE_USES_OF",
    "LOCK_CREDENTIALS",
    "MOVE_SPOOL_ON",
    "QUARANTINE",
    "ROWS",
    "SPOOL_POSITION",
    "UPDATE_LIVE",
    "Counted",
    "LiveUse",
    "UsedOnDay",
    "as_json",
]
