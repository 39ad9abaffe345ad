"""SQL of records whose session is beyond doubt: found, counted and booked by one statement.

The conditions are those under which ``accounting`` could come to no other end: one live session
has the names the record gives, the record is its newest, began with it, describes nothing anew,
and what it adds falls on one local day. Whatever does not meet them is not touched.
"""

from uuid import UUID

import msgspec

from demarc.domains.aaa.session_queries import COLUMNS_OF_CLOSED, COLUMNS_OF_LIVE, ROWS
from demarc.platform.statements import Scalar, Statement

# The rows told of are few and the tables large: by their indexes, whatever the statistics say,
# and planned once. Credentials are locked for those who read before they write.
LOCK = Statement(
    "aaa.lock_and_plan_by_index",
    """
    SELECT set_config('enable_seqscan', 'off', true) || set_config('enable_hashjoin', 'off', true)
        || set_config('enable_mergejoin', 'off', true) || set_config('jit', 'off', true)
        || set_config('plan_cache_mode', 'force_generic_plan', true)
        || (SELECT count(pg_advisory_xact_lock(key)) FROM unnest(%(keys)s::bigint[]) AS key)
        AS value
    """,
    Scalar,
)

# The row is written where it was read: one that anybody else has changed meanwhile is left alone.
_CERTAIN = """
    WITH told AS (
        SELECT * FROM unnest(
            %(credentials)s::uuid[], %(nases)s::uuid[], %(nas_addresses)s::inet[],
            %(session_ids)s::text[], %(stations)s::text[], %(addresses)s::inet[],
            %(prefixes)s::inet[], %(delegated)s::inet[], %(ports)s::bigint[],
            %(at)s::timestamptz[], %(began)s::timestamptz[], %(begins)s::timestamptz[],
            %(midnight)s::timestamptz[], %(day)s::date[], %(seconds)s::bigint[],
            %(input)s::bigint[], %(output)s::bigint[], %(ipv6_input)s::bigint[],
            %(ipv6_output)s::bigint[]
        ) WITH ORDINALITY AS t (credential_id, nas_id, nas_address, acct_session_id, station,
            address, prefix, delegated, ported, at, began, begins, midnight, day, seconds, input,
            output, ipv6_input, ipv6_output, place)
    ), meant AS (
        SELECT t.*, s.ctid AS stands, s.calling_station_id, s.framed_ipv4, s.framed_ipv6_prefix,
            s.delegated_ipv6_prefix, s.nas_port_id, s.started_at, s.updated_at,
            greatest(t.seconds, s.session_seconds) AS session_seconds,
            greatest(t.input, s.input_octets) AS input_octets,
            greatest(t.output, s.output_octets) AS output_octets,
            greatest(t.ipv6_input, s.ipv6_input_octets) AS ipv6_input_octets,
            greatest(t.ipv6_output, s.ipv6_output_octets) AS ipv6_output_octets,
            greatest(t.input - s.input_octets, 0) AS up,
            greatest(t.output - s.output_octets, 0) AS down,
            greatest(t.ipv6_input - s.ipv6_input_octets, 0) AS ipv6_up,
            greatest(t.ipv6_output - s.ipv6_output_octets, 0) AS ipv6_down,
            count(*) OVER (PARTITION BY t.place) AS sessions
        FROM told t JOIN session_live s
            ON s.credential_id = t.credential_id AND s.nas_id = t.nas_id
            AND s.nas_address = t.nas_address AND s.acct_session_id = t.acct_session_id
    ), certain AS MATERIALIZED (
        SELECT * FROM meant
        WHERE sessions = 1
          AND at >= updated_at AND updated_at >= midnight
          AND (begins <= started_at OR began < updated_at - interval '2 seconds')
          AND calling_station_id IS NOT DISTINCT FROM station
          AND (address IS NULL OR framed_ipv4 = address)
          AND (prefix IS NULL OR framed_ipv6_prefix = prefix)
          AND (delegated IS NULL OR delegated_ipv6_prefix = delegated)
          AND (ported = 0 OR nas_port_id IS NOT NULL)
          {more}
    )"""

_USED = """used AS (
        INSERT INTO usage_daily AS u (service_id, day, tenant_id, owner_id, down_octets, up_octets,
                                      ipv6_down_octets, ipv6_up_octets)
        SELECT service_id, day, tenant_id, owner_id, sum(down)::bigint, sum(up)::bigint,
               sum(ipv6_down)::bigint, sum(ipv6_up)::bigint
        FROM {booked} WHERE down > 0 OR up > 0 OR ipv6_down > 0 OR ipv6_up > 0
        GROUP BY service_id, day, tenant_id, owner_id
        ORDER BY service_id, day
        ON CONFLICT (service_id, day) DO UPDATE
            SET down_octets = u.down_octets + excluded.down_octets,
                up_octets = u.up_octets + excluded.up_octets,
                ipv6_down_octets = u.ipv6_down_octets + excluded.ipv6_down_octets,
                ipv6_up_octets = u.ipv6_up_octets + excluded.ipv6_up_octets
    )"""

_TAKEN = "c.place, c.day, c.down, c.up, c.ipv6_down, c.ipv6_up"


class BookedAt(msgspec.Struct, frozen=True, gc=False):
    """What was booked: the record's place among those given, from 1, and its session."""

    place: int
    id: UUID


COUNT_CERTAIN = Statement(
    "aaa.count_certain",
    f"""{_CERTAIN.format(more="")}, counted AS (
        UPDATE session_live s
        SET updated_at = c.at, session_seconds = c.session_seconds,
            input_octets = c.input_octets, output_octets = c.output_octets,
            ipv6_input_octets = c.ipv6_input_octets, ipv6_output_octets = c.ipv6_output_octets
        FROM certain c WHERE s.ctid = c.stands
        RETURNING s.id, s.service_id, s.tenant_id, s.owner_id, {_TAKEN}
    ), {_USED.format(booked="counted")}
    SELECT place, id FROM counted
    """,
    BookedAt,
)

# Of what a Stop changes; all else of the live row stands in the closed one as it is.
_COUNTED = frozenset(
    {
        "updated_at",
        "session_seconds",
        "input_octets",
        "output_octets",
        "ipv6_input_octets",
        "ipv6_output_octets",
    }
)
_LAST_OF = ", ".join(
    f"c.at AS {name}" if name == "updated_at" else f"{'c' if name in _COUNTED else 's'}.{name}"
    for name in COLUMNS_OF_LIVE
)

# A Stop of the very seconds in which a session began may be of the one before it.
END_CERTAIN = Statement(
    "aaa.end_certain",
    f"""{_CERTAIN.format(more="AND at > started_at + interval '2 seconds'")}, ended AS (
        DELETE FROM session_live s USING certain c WHERE s.ctid = c.stands
        RETURNING {_LAST_OF}, {_TAKEN}
    ), closed AS (
        INSERT INTO session_closed ({", ".join(COLUMNS_OF_CLOSED)})
        SELECT {", ".join(COLUMNS_OF_LIVE)}, updated_at, (%(causes)s::text[])[place::integer] FROM ended
    ), {_USED.format(booked="ended")}
    SELECT place, id FROM ended
    """,
    BookedAt,
)

# The Start of a session of which nothing was told before, where no other could be meant or ended.
BEGIN_CERTAIN = Statement(
    "aaa.begin_certain",
    f"""
    INSERT INTO session_live ({", ".join(COLUMNS_OF_LIVE)})
    SELECT {", ".join(COLUMNS_OF_LIVE)} FROM {ROWS}
    WHERE NOT EXISTS (SELECT 1 FROM session_live s WHERE s.credential_id = r.credential_id)
      AND NOT EXISTS (
        SELECT 1 FROM session_closed c
        WHERE c.nas_id = r.nas_id AND c.acct_session_id = r.acct_session_id
          AND c.credential_id = r.credential_id AND c.ended_at >= %(since)s::timestamptz)
    RETURNING 0::bigint AS place, id
    """,
    BookedAt,
)

__all__ = ["BEGIN_CERTAIN", "COUNT_CERTAIN", "END_CERTAIN", "LOCK", "BookedAt"]
