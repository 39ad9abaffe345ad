"""SQL of pools, and of the addresses that credentials have of them."""

from uuid import UUID

import msgspec

from demarc.domains.aaa.model import Pool
from demarc.platform.statements import Scalar, Statement

_POOL = """id, owner_id, network_id, tenant_id, name, prefix::text AS prefix, kind, purpose,
    length::integer AS length, nas_pool, draining_since"""

CREATE_POOL = Statement(
    "aaa.create_pool",
    f"""
    INSERT INTO ip_pool (owner_id, network_id, tenant_id, name, prefix, kind, purpose, length,
                         nas_pool)
    VALUES (%(owner_id)s, %(network_id)s, %(tenant_id)s::uuid, %(name)s, %(prefix)s::text::cidr,
            %(kind)s, %(purpose)s, %(length)s::smallint, %(nas_pool)s::text)
    ON CONFLICT DO NOTHING
    RETURNING {_POOL}
    """,
    Pool,
)

# An address that was given out by hand before its pool existed becomes the pool's.
FILL_POOL = Statement(
    "aaa.fill_pool",
    """
    INSERT INTO ip_address (network_id, address, owner_id, pool_id, reserved_for, leasable)
    SELECT %(network_id)s, set_masklen(%(first)s::text::inet, 32) + place, %(owner_id)s,
           %(pool_id)s, %(tenant_id)s::uuid, %(leasable)s
    FROM generate_series(0, %(count)s::bigint - 1) AS place
    WHERE set_masklen(%(first)s::text::inet, 32) + place <> ALL(%(excluded)s::text[]::inet[])
    ON CONFLICT (network_id, address) DO UPDATE
        SET pool_id = excluded.pool_id, reserved_for = excluded.reserved_for,
            leasable = excluded.leasable
        WHERE ip_address.pool_id IS NULL
    """,
)

POOLS_OF_NETWORK = Statement(
    "aaa.pools_of_network",
    f"SELECT {_POOL} FROM ip_pool WHERE network_id = %(network_id)s ORDER BY name",
    Pool,
)


class PoolUse(msgspec.Struct, frozen=True):
    """How full a pool is, in addresses."""

    pool_id: UUID
    total: int
    leased: int


POOL_USE = Statement(
    "aaa.pool_use",
    """
    SELECT pool_id, count(*) AS total, count(credential_id) AS leased FROM ip_address
    WHERE network_id = %(network_id)s AND pool_id IS NOT NULL GROUP BY pool_id
    """,
    PoolUse,
)

# Two log-ins for one address wait for nobody: each skips what the other is about to take. An
# address that a session still uses is passed over, whatever became of its lease.
_LEASE = """
    UPDATE ip_address SET credential_id = %(credential_id)s, kind = 'pooled', assigned_at = now(),
                          station = %(station)s::text
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

NETWORK_HAS_POOL = Statement(
    "aaa.network_has_pool",
    """
    SELECT EXISTS (SELECT 1 FROM ip_address
                   WHERE network_id = %(network_id)s AND pool_id IS NOT NULL AND leasable
                     AND (reserved_for = %(tenant_id)s OR reserved_for IS NULL)) AS value
    """,
    Scalar,
)

ASSIGN_STATIC = Statement(
    "aaa.assign_static",
    """
    INSERT INTO ip_address AS a (network_id, address, owner_id, credential_id, kind, assigned_at)
    VALUES (%(network_id)s, %(address)s::text::inet, %(owner_id)s, %(credential_id)s, 'static', now())
    ON CONFLICT (network_id, address) DO UPDATE
        SET credential_id = excluded.credential_id, kind = 'static', assigned_at = now(),
            station = NULL
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
                          free_from = now() + %(rest)s::interval
    WHERE credential_id IN (SELECT id FROM credential WHERE service_id = %(service_id)s)
    """,
)

# Holds other leases for the credential off until this transaction ends.
LOCK_CREDENTIAL = Statement(
    "aaa.lock_credential",
    """
    SELECT max_sessions AS value FROM credential
    WHERE id = %(id)s AND access = 'allowed' FOR NO KEY UPDATE
    """,
    Scalar,
)

LEASES = Statement(
    "aaa.leases",
    """
    SELECT jsonb_agg(jsonb_build_array(host(address), kind, station)
                     ORDER BY kind DESC, assigned_at, address) AS value
    FROM ip_address WHERE credential_id = %(credential_id)s
    """,
    Scalar,
)

# Addresses a credential was lent beside its first one, for stations that have long gone.
RECLAIM = Statement(
    "aaa.reclaim",
    """
    WITH extra AS (
        SELECT a.network_id, a.address, a.credential_id FROM ip_address a
        WHERE a.credential_id IS NOT NULL AND a.kind = 'pooled'
          AND a.assigned_at < now() - %(idle)s::interval
          AND EXISTS (SELECT 1 FROM ip_address b
                      WHERE b.credential_id = a.credential_id AND b.address <> a.address
                        AND (b.kind = 'static'
                             OR (b.assigned_at, b.address) < (a.assigned_at, a.address)))
          AND NOT EXISTS (SELECT 1 FROM session_live s
                          WHERE s.credential_id = a.credential_id AND s.framed_ipv4 = a.address)
          AND NOT EXISTS (SELECT 1 FROM session_closed s
                          WHERE s.framed_ipv4 = a.address AND s.credential_id = a.credential_id
                            AND s.ended_at > now() - %(idle)s::interval)
        ORDER BY a.credential_id, a.address LIMIT 1000 FOR UPDATE OF a SKIP LOCKED
    ), freed AS (
        UPDATE ip_address a
        SET credential_id = NULL, assigned_at = NULL, station = NULL,
            free_from = now() + %(rest)s::interval
        FROM extra e WHERE a.network_id = e.network_id AND a.address = e.address
        RETURNING e.credential_id
    )
    -- whoever keeps a copy of the credential is told
    UPDATE credential SET access = access WHERE id IN (SELECT credential_id FROM freed)
    """,
)
