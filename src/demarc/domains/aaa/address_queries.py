"""SQL of the addresses that credentials have."""

from demarc.platform.statements import Scalar, Statement

# Two log-ins for one address wait for nobody: each skips what the other is about to take. An
# address that a session still uses is passed over, whatever became of its lease.
_LEASE = """
    UPDATE ip_address SET credential_id = %(credential_id)s, kind = 'pooled', assigned_at = now(),
                          station = %(station)s::text, slot = %(slot)s
    WHERE (network_id, address) = (
        SELECT a.network_id, a.address FROM ip_address a
        WHERE a.network_id = %(network_id)s AND a.credential_id IS NULL AND a.pool_id IS NOT NULL
          AND a.leasable AND {reserved} AND a.free_from <= now()
          AND NOT demarc_in_session(a.owner_id, a.address)
        ORDER BY a.reserved_for, a.address LIMIT 1 FOR UPDATE SKIP LOCKED
    )
    RETURNING host(address) AS value
"""

LEASE_RESERVED = Statement(
    "aaa.lease_reserved", _LEASE.format(reserved="a.reserved_for = %(tenant_id)s"), Scalar
)

LEASE_COMMON = Statement(
    "aaa.lease_common", _LEASE.format(reserved="a.reserved_for IS NULL"), Scalar
)

# An ISP leases from pools it does not see.
HAS_POOL = Statement(
    "aaa.has_pool",
    "SELECT demarc_has_pool(%(network_id)s::uuid, %(kind)s::text, %(tenant_id)s::uuid) AS value",
    Scalar,
)

ASSIGN_STATIC = Statement(
    "aaa.assign_static",
    """
    INSERT INTO ip_address AS a (network_id, address, owner_id, credential_id, kind, assigned_at)
    VALUES (%(network_id)s, %(address)s::text::inet, %(owner_id)s, %(credential_id)s, 'static', now())
    ON CONFLICT (network_id, address) DO UPDATE
        SET credential_id = excluded.credential_id, kind = 'static', assigned_at = now(),
            station = NULL, slot = 0
        WHERE a.credential_id IS NULL AND a.free_from <= now()
          AND NOT demarc_in_session(a.owner_id, a.address)
          AND (a.reserved_for IS NULL OR a.reserved_for = %(tenant_id)s)
    RETURNING host(address) AS value
    """,
    Scalar,
)

# What was given out by hand stays as a free address of no pool, so that it rests as well.
FREE_ADDRESSES = Statement(
    "aaa.free_addresses",
    """
    UPDATE ip_address SET credential_id = NULL, kind = 'pooled', assigned_at = NULL, station = NULL,
                          slot = 0, free_from = now() + %(rest)s::interval
    WHERE credential_id IN (SELECT id FROM credential WHERE service_id = %(service_id)s)
    """,
)

FREE_ADDRESSES_OF = Statement(
    "aaa.free_addresses_of",
    """
    UPDATE ip_address SET credential_id = NULL, kind = 'pooled', assigned_at = NULL, station = NULL,
                          slot = 0, free_from = now() + %(rest)s::interval
    WHERE credential_id = %(credential_id)s
    """,
)

# Holds other leases for the credential off until this transaction ends.
LOCK_CREDENTIAL = Statement(
    "aaa.lock_credential",
    """
    SELECT coalesce(demarc_profile_setting(profile_id, product_profile_id, tenant_id,
                                           'max_sessions')::integer, max_sessions) AS value
    FROM credential
    WHERE id = %(id)s AND access <> 'closed' FOR NO KEY UPDATE
    """,
    Scalar,
)

LEASES_OF = """
    SELECT jsonb_agg(jsonb_build_array(l.address, l.kind, l.station, l.framed, l.delegated)
                     ORDER BY l.kind DESC, l.slot)
    FROM (
        SELECT u.slot, max(u.address) AS address, max(u.kind) AS kind, max(u.station) AS station,
               max(u.framed) AS framed, max(u.delegated) AS delegated
        FROM (
            SELECT slot, host(address) AS address, kind, station,
                   NULL::text AS framed, NULL::text AS delegated
            FROM ip_address WHERE credential_id = {credential}
            UNION ALL
            SELECT slot, NULL, 'pooled', NULL,
                   CASE kind WHEN 'framed_ipv6' THEN prefix::text END,
                   CASE kind WHEN 'delegated_ipv6' THEN prefix::text END
            FROM ip_prefix WHERE credential_id = {credential}
        ) u GROUP BY u.slot
    ) l
"""
"""The leases of a credential: what each of its stations has, the one with a static address first."""

LEASES = Statement(
    "aaa.leases", f"SELECT ({LEASES_OF.format(credential='%(credential_id)s')}) AS value", Scalar
)

# The lowest place that is not taken, of addresses or of prefixes.
FREE_SLOT = Statement(
    "aaa.free_slot",
    """
    SELECT min(place) AS value FROM generate_series(0, 1000) AS place
    WHERE NOT EXISTS (SELECT 1 FROM ip_address
                      WHERE credential_id = %(credential_id)s AND slot = place)
      AND NOT EXISTS (SELECT 1 FROM ip_prefix
                      WHERE credential_id = %(credential_id)s AND slot = place)
    """,
    Scalar,
)

# What a credential was lent beside its first place, for stations that have long gone. A place goes
# back whole, when none of what belongs to it was used for long.
RECLAIM = Statement(
    "aaa.reclaim",
    """
    WITH further AS (
        SELECT credential_id, slot, assigned_at, address AS used FROM ip_address
        WHERE credential_id IS NOT NULL AND slot > 0 AND kind = 'pooled'
        UNION ALL
        SELECT credential_id, slot, assigned_at, prefix FROM ip_prefix
        WHERE credential_id IS NOT NULL AND slot > 0
    ), idle AS (
        SELECT f.credential_id, f.slot FROM further f
        GROUP BY f.credential_id, f.slot
        HAVING max(f.assigned_at) < now() - %(idle)s::interval
           AND NOT bool_or(EXISTS (
               SELECT 1 FROM session_live s
               WHERE s.credential_id = f.credential_id
                 AND f.used IN (s.framed_ipv4, s.framed_ipv6_prefix, s.delegated_ipv6_prefix)))
           AND NOT bool_or(EXISTS (
               SELECT 1 FROM session_closed s
               WHERE s.framed_ipv4 = f.used AND s.credential_id = f.credential_id
                 AND s.ended_at > now() - %(idle)s::interval))
           AND NOT bool_or(EXISTS (
               SELECT 1 FROM session_closed s
               WHERE s.framed_ipv6_prefix = f.used AND s.credential_id = f.credential_id
                 AND s.ended_at > now() - %(idle)s::interval))
           AND NOT bool_or(EXISTS (
               SELECT 1 FROM session_closed s
               WHERE s.delegated_ipv6_prefix = f.used AND s.credential_id = f.credential_id
                 AND s.ended_at > now() - %(idle)s::interval))
        ORDER BY f.credential_id, f.slot LIMIT 1000
    ), addresses AS (
        UPDATE ip_address a
        SET credential_id = NULL, assigned_at = NULL, station = NULL, slot = 0,
            free_from = now() + %(rest)s::interval
        FROM idle i WHERE a.credential_id = i.credential_id AND a.slot = i.slot
        RETURNING i.credential_id
    ), prefixes AS (
        UPDATE ip_prefix p
        SET credential_id = NULL, assigned_at = NULL, slot = 0, origin = 'pooled',
            free_from = now() + %(rest)s::interval
        FROM idle i WHERE p.credential_id = i.credential_id AND p.slot = i.slot
        RETURNING i.credential_id
    )
    -- whoever keeps a copy of the credential is told
    UPDATE credential SET access = access
    WHERE id IN (SELECT credential_id FROM addresses UNION SELECT credential_id FROM prefixes)
    """,
)
