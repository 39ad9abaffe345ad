"""SQL of pools: what they are, how full they are, and how they end."""

from datetime import date
from uuid import UUID

import msgspec

from demarc.domains.aaa.model import Pool
from demarc.platform.statements import Statement

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
    """How full a pool is, in what it leases.

    Attributes:
        total: what can be leased of it.
        leased: what somebody has; ``static`` of it by contract.
        resting: what was given back minutes ago.
        reserved: what lies in its prefix and is never leased: the network's own address, the
            broadcast address, and what was left out.
    """

    pool_id: UUID
    total: int
    leased: int
    static: int
    resting: int
    reserved: int

    @property
    def free(self) -> int:
        """What can be leased now."""
        return self.total - self.leased - self.resting


_USE = """
    SELECT p.id AS pool_id,
           CASE p.kind WHEN 'ipv4' THEN coalesce(u.present, 0)
                       ELSE coalesce(1::bigint << (p.length - masklen(p.prefix)), 0) END AS total,
           coalesce(u.leased, 0) AS leased, coalesce(u.static, 0) AS static,
           coalesce(u.resting, 0) AS resting,
           CASE WHEN p.kind = 'ipv4' AND p.prefix IS NOT NULL
                THEN (1::bigint << (32 - masklen(p.prefix))) - coalesce(u.present, 0)
                ELSE 0 END AS reserved
    FROM ip_pool p
    LEFT JOIN LATERAL (
        SELECT count(*) AS present, count(credential_id) AS leased,
               count(*) FILTER (WHERE credential_id IS NOT NULL AND static) AS static,
               count(*) FILTER (WHERE credential_id IS NULL AND free_from > now()) AS resting
        FROM (
            SELECT credential_id, free_from, kind = 'static' AS static
            FROM ip_address WHERE pool_id = p.id AND p.kind = 'ipv4'
            UNION ALL
            SELECT credential_id, free_from, origin = 'static'
            FROM ip_prefix WHERE pool_id = p.id AND p.kind <> 'ipv4'
        ) a
    ) u ON true
"""

POOL_USE = Statement(
    "aaa.pool_use", f"{_USE} WHERE p.network_id = %(network_id)s ORDER BY p.name", PoolUse
)


class Growth(msgspec.Struct, frozen=True):
    """How a pool fills.

    Attributes:
        per_day: what more is leased of it each day, over the last month.
        exhausted_on: when nothing is left if that goes on; None if it does not grow, or would
            last for more than ten years.
    """

    pool_id: UUID
    per_day: float
    exhausted_on: date | None


# Three days at least, or a single busy one would tell the future.
GROWTH = Statement(
    "aaa.pool_growth",
    """
    SELECT g.pool_id, g.per_day,
           CASE WHEN g.per_day > 0 AND (g.total - g.used) / g.per_day < 3650
                THEN current_date + ceil((g.total - g.used) / g.per_day)::integer END
               AS exhausted_on
    FROM (
        SELECT d.pool_id, regr_slope(d.used, d.day - current_date) AS per_day,
               (array_agg(d.used ORDER BY d.day DESC))[1] AS used,
               (array_agg(d.total ORDER BY d.day DESC))[1] AS total
        FROM ip_pool_day d JOIN ip_pool p ON p.id = d.pool_id
        WHERE p.network_id = %(network_id)s AND d.day > current_date - 30
        GROUP BY d.pool_id HAVING count(*) >= 3
    ) g
    """,
    Growth,
)

NOTE_DAY = Statement(
    "aaa.note_pool_day",
    f"""
    INSERT INTO ip_pool_day AS d (pool_id, day, owner_id, used, total)
    SELECT p.id, current_date, p.owner_id, u.leased + u.resting, u.total
    FROM ip_pool p JOIN ({_USE}) u ON u.pool_id = p.id WHERE u.total > 0
    ON CONFLICT (pool_id, day) DO UPDATE SET used = excluded.used, total = excluded.total
    """,
)

FORGET_DAYS = Statement(
    "aaa.forget_pool_days", "DELETE FROM ip_pool_day WHERE day < current_date - 400"
)


class NearlyFull(msgspec.Struct, frozen=True):
    """A pool of which little is left."""

    id: UUID
    owner_id: UUID
    name: str
    used: int
    total: int


# Told once, and again only after there was room meanwhile.
ALARM = Statement(
    "aaa.alarm_pools",
    """
    UPDATE ip_pool p SET alarmed_at = now()
    FROM ip_pool_day d
    WHERE d.pool_id = p.id AND d.day = current_date AND p.alarmed_at IS NULL
      AND d.used >= d.total * %(above)s::float8
    RETURNING p.id, p.owner_id, p.name, d.used, d.total
    """,
    NearlyFull,
)

CALM = Statement(
    "aaa.calm_pools",
    """
    UPDATE ip_pool p SET alarmed_at = NULL
    FROM ip_pool_day d
    WHERE d.pool_id = p.id AND d.day = current_date AND p.alarmed_at IS NOT NULL
      AND d.used < d.total * %(below)s::float8
    """,
)

SET_DRAINING = Statement(
    "aaa.set_draining",
    f"""
    UPDATE ip_pool SET draining_since = CASE WHEN %(draining)s THEN coalesce(draining_since, now()) END
    WHERE id = %(id)s RETURNING {_POOL}
    """,
    Pool,
)

SET_ADDRESSES_LEASABLE = Statement(
    "aaa.set_addresses_leasable",
    "UPDATE ip_address SET leasable = %(leasable)s WHERE pool_id = %(pool_id)s",
)

SET_PREFIXES_LEASABLE = Statement(
    "aaa.set_prefixes_leasable",
    "UPDATE ip_prefix SET leasable = %(leasable)s WHERE pool_id = %(pool_id)s",
)

REMOVE_POOL = Statement("aaa.remove_pool", "DELETE FROM ip_pool WHERE id = %(id)s")


class Moving(msgspec.Struct, frozen=True):
    """An address or a prefix that somebody has of a pool that is drained.

    Attributes:
        kind: of the pool.
        held: the address or the prefix.
    """

    network_id: UUID
    tenant_id: UUID
    credential_id: UUID
    kind: str
    held: str
    slot: int
    station: str | None


_MOVING = """
    SELECT a.network_id, c.tenant_id, a.credential_id, p.kind, {held} AS held,
           a.slot::integer AS slot, {station} AS station
    FROM ip_pool p JOIN {table} a ON a.pool_id = p.id JOIN credential c ON c.id = a.credential_id
    WHERE p.draining_since IS NOT NULL AND {pooled}
      AND (a.credential_id, a.slot) > (%(after)s::uuid, %(after_slot)s::integer)
    ORDER BY a.credential_id, a.slot LIMIT %(limit)s::integer
    FOR NO KEY UPDATE OF c SKIP LOCKED
"""

MOVING_ADDRESSES = Statement(
    "aaa.moving_addresses",
    _MOVING.format(
        held="host(a.address)", station="a.station", table="ip_address", pooled="a.kind = 'pooled'"
    ),
    Moving,
)

MOVING_PREFIXES = Statement(
    "aaa.moving_prefixes",
    _MOVING.format(
        held="a.prefix::text",
        station="NULL::text",
        table="ip_prefix",
        pooled="a.origin = 'pooled'",
    ),
    Moving,
)

FREE_ADDRESS = Statement(
    "aaa.free_address",
    """
    UPDATE ip_address SET credential_id = NULL, kind = 'pooled', assigned_at = NULL, station = NULL,
                          slot = 0, free_from = now() + %(rest)s::interval
    WHERE network_id = %(network_id)s AND address = %(held)s::text::inet
    """,
)

FREE_PREFIX = Statement(
    "aaa.free_prefix",
    """
    UPDATE ip_prefix SET credential_id = NULL, origin = 'pooled', assigned_at = NULL, slot = 0,
                         free_from = now() + %(rest)s::interval
    WHERE network_id = %(network_id)s AND prefix = %(held)s::text::cidr
    """,
)

__all__ = [
    "ALARM",
    "CALM",
    "CREATE_POOL",
    "FILL_POOL",
    "FORGET_DAYS",
    "FREE_ADDRESS",
    "FREE_PREFIX",
    "GROWTH",
    "MOVING_ADDRESSES",
    "MOVING_PREFIXES",
    "NOTE_DAY",
    "POOLS_OF_NETWORK",
    "POOL_USE",
    "REMOVE_POOL",
    "SET_ADDRESSES_LEASABLE",
    "SET_DRAINING",
    "SET_PREFIXES_LEASABLE",
    "Growth",
    "Moving",
    "NearlyFull",
    "PoolUse",
]
