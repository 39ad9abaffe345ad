"""SQL of who had an address: sessions of that time, behind CGNAT too, and who has it now."""

from datetime import datetime
from uuid import UUID

import msgspec

from demarc.domains.aaa.sessions import UNTOLD
from demarc.platform.statements import Statement


class Holder(msgspec.Struct, frozen=True):
    """Somebody who had an address at a time, and what tells it.

    Attributes:
        evidence: "session", a session had the address itself; "nat rule", one had the inside
            address that a rule gives these ports; "nat block", its NAS told that it had them;
            "lease", no session is known, but it is whom the address was leased to then.
        session_id: and all of the session; None with a lease.
        nas: its name, for the owner of the network.
        line: as the access server calls the port (NAS-Port-Id).
        circuit_id: the line that the log-in is bound to.
        station: Calling-Station-Id, mostly a MAC address.
        port_from: the first port it had, behind CGNAT; ``port_to`` the last.
        told_until: when the NAS last told of the session. What was asked after that and before
            ``ended_at``, or of a live session, is likely and not told.
        terminate_cause: "Stale" where nobody told of its end; None where nobody told why.
    """

    evidence: str
    tenant_id: UUID
    owner_id: UUID
    network_id: UUID
    service_id: UUID
    credential_id: UUID
    login: str
    circuit_id: str | None
    session_id: UUID | None
    acct_session_id: str | None
    nas: str | None
    nas_address: str | None
    line: str | None
    station: str | None
    ipv4: str | None
    framed_ipv6_prefix: str | None
    delegated_ipv6_prefix: str | None
    port_from: int | None
    port_to: int | None
    started_at: datetime
    told_until: datetime | None
    ended_at: datetime | None
    terminate_cause: str | None


_OF_SESSION = """s.id, s.tenant_id, s.owner_id, s.service_id, s.credential_id, s.nas_id,
    s.nas_address, s.acct_session_id, s.framed_ipv4, s.framed_ipv6_prefix,
    s.delegated_ipv6_prefix, s.calling_station_id, s.nas_port_id, s.started_at, s.updated_at"""

# Of one whose end nobody told of, it is known only that it was there until then.
_THEN = """s.started_at <= %(until)s::timestamptz"""
_CLOSED_THEN = f"""{_THEN} AND s.ended_at >= %(since)s::timestamptz - interval '30 minutes'
    AND (s.terminate_cause = 'Stale' OR s.ended_at >= %(since)s::timestamptz)"""


def _sessions(where: str) -> str:
    """Give the sessions of then that meet a condition, live and closed."""
    return f"""
        SELECT {_OF_SESSION}, NULL::timestamptz AS ended_at, NULL::text AS terminate_cause
        FROM session_live s WHERE {where} AND {_THEN}
        UNION ALL
        SELECT {_OF_SESSION}, s.ended_at, s.terminate_cause
        FROM session_closed s WHERE {where} AND {_CLOSED_THEN}
    """


# Each way by an index: an address, the prefixes it may lie in, an inside address, a told session.
HOLDERS = Statement(
    "aaa.lookup",
    f"""
    WITH ruled AS (
        SELECT n.network_id,
               set_masklen(network(n.inside)::inet, 32)
                   + (w.public_place * r.per_address + block) AS inside,
               n.first_port + block * n.block_size AS port_from
             , n.first_port + (block + 1) * n.block_size - 1 AS port_to
        FROM nat_pool n
        CROSS JOIN LATERAL (
            SELECT (65536 - n.first_port) / n.block_size AS per_address,
                   (%(port)s::integer - n.first_port) / n.block_size AS meant
        ) r
        CROSS JOIN LATERAL (
            SELECT %(address)s::text::inet - set_masklen(network(n.public)::inet, 32)
                AS public_place
        ) w
        CROSS JOIN LATERAL generate_series(
            coalesce(r.meant, 0), least(coalesce(r.meant, r.per_address), r.per_address - 1)
        ) AS block
        WHERE n.public >>= %(address)s::text::inet
          AND n.valid_from <= %(until)s::timestamptz
          AND (n.valid_until IS NULL OR n.valid_until > %(since)s::timestamptz)
          AND (%(port)s::integer IS NULL OR %(port)s::integer >= n.first_port)
          AND w.public_place * r.per_address + block < 1::bigint << (32 - masklen(n.inside))
    ), found AS (
        SELECT 'session' AS evidence, NULL::uuid AS network_id, NULL::integer AS port_from,
               NULL::integer AS port_to, s.*
        FROM ({_sessions("s.framed_ipv4 = %(address)s::text::inet")}) s
        UNION ALL
        SELECT 'session', NULL, NULL, NULL, s.*
        FROM ({_sessions("s.framed_ipv6_prefix = ANY(%(prefixes)s::text[]::inet[])")}) s
        UNION ALL
        SELECT 'session', NULL, NULL, NULL, s.*
        FROM ({_sessions("s.delegated_ipv6_prefix = ANY(%(prefixes)s::text[]::inet[])")}) s
        UNION ALL
        SELECT 'nat rule', r.network_id, r.port_from, r.port_to, s.*
        FROM ruled r
        CROSS JOIN LATERAL ({_sessions("s.framed_ipv4 = r.inside")}) s
        UNION ALL
        SELECT 'nat block', NULL, b.port_from, b.port_to, s.*
        FROM nat_block b
        CROSS JOIN LATERAL ({
        _sessions(
            "s.credential_id = b.credential_id AND s.nas_id = b.nas_id"
            " AND s.acct_session_id = b.acct_session_id AND s.nas_address = b.nas_address"
        )
    }) s
        WHERE b.public_ipv4 = %(address)s::text::inet
          AND (%(port)s::integer IS NULL OR %(port)s::integer BETWEEN b.port_from AND b.port_to)
          AND b.since <= %(until)s::timestamptz
          AND (b.until IS NULL OR b.until >= %(since)s::timestamptz)
    )
    SELECT DISTINCT ON (f.started_at, f.id, f.evidence) f.evidence, f.tenant_id, f.owner_id,
           c.network_id, f.service_id, f.credential_id,
           demarc_login(c.realm_id, c.username) AS login, c.circuit_id, f.id AS session_id,
           f.acct_session_id, n.name AS nas, host(f.nas_address) AS nas_address,
           f.nas_port_id AS line, f.calling_station_id AS station, host(f.framed_ipv4) AS ipv4,
           f.framed_ipv6_prefix::text AS framed_ipv6_prefix,
           f.delegated_ipv6_prefix::text AS delegated_ipv6_prefix, f.port_from, f.port_to,
           f.started_at, f.updated_at AS told_until, f.ended_at,
           nullif(f.terminate_cause, '{UNTOLD}') AS terminate_cause
    FROM found f
    JOIN credential c ON c.id = f.credential_id
    LEFT JOIN nas n ON n.id = f.nas_id
    WHERE f.network_id IS NULL OR f.network_id = c.network_id
    ORDER BY f.started_at, f.id, f.evidence LIMIT %(limit)s::integer
    """,
    Holder,
)

# What is leased now, if it was then already: what was given back since is told by sessions alone.
LEASED = Statement(
    "aaa.lookup_leased",
    """
    WITH leased AS (
        SELECT credential_id, assigned_at, host(address) AS ipv4, NULL::text AS framed,
               NULL::text AS delegated, station
        FROM ip_address
        WHERE address = %(address)s::text::inet
          AND network_id IN (SELECT id FROM network)
          AND credential_id IS NOT NULL AND assigned_at <= %(until)s::timestamptz
        UNION ALL
        SELECT credential_id, assigned_at, NULL,
               CASE kind WHEN 'framed_ipv6' THEN prefix::text END,
               CASE kind WHEN 'delegated_ipv6' THEN prefix::text END, NULL
        FROM ip_prefix
        WHERE prefix = ANY(%(prefixes)s::text[]::cidr[])
          AND network_id IN (SELECT id FROM network)
          AND credential_id IS NOT NULL AND assigned_at <= %(until)s::timestamptz
    )
    SELECT 'lease' AS evidence, c.tenant_id, c.owner_id, c.network_id, c.service_id,
           l.credential_id, demarc_login(c.realm_id, c.username) AS login, c.circuit_id,
           NULL::uuid AS session_id, NULL::text AS acct_session_id, NULL::text AS nas,
           NULL::text AS nas_address, NULL::text AS line, l.station, l.ipv4,
           l.framed AS framed_ipv6_prefix, l.delegated AS delegated_ipv6_prefix,
           NULL::integer AS port_from, NULL::integer AS port_to, l.assigned_at AS started_at,
           NULL::timestamptz AS told_until, NULL::timestamptz AS ended_at,
           NULL::text AS terminate_cause
    FROM leased l JOIN credential c ON c.id = l.credential_id
    ORDER BY l.assigned_at LIMIT %(limit)s::integer
    """,
    Holder,
)

__all__ = ["HOLDERS", "LEASED", "Holder"]
