"""SQL of IPv6 prefixes: leased, given by contract, freed.

Only prefixes that are leased, or were, are rows, and some that are about to be: a pool says how
many of its prefixes have become rows, and the next ones are made when none of those is free.
"""

from uuid import UUID

import msgspec

from demarc.platform.statements import Scalar, Statement

# Two log-ins for one prefix wait for nobody: each skips what the other is about to take.
_LEASE = """
    UPDATE ip_prefix SET credential_id = %(credential_id)s, origin = 'pooled',
                         assigned_at = now(), slot = %(slot)s
    WHERE (network_id, prefix) = (
        SELECT p.network_id, p.prefix FROM ip_prefix p
        WHERE p.network_id = %(network_id)s AND p.kind = %(kind)s AND p.credential_id IS NULL
          AND p.pool_id IS NOT NULL AND p.leasable AND {reserved} AND p.free_from <= now()
          AND NOT demarc_prefix_in_session(p.owner_id, p.prefix)
        -- the index's own order, so that one row is read however many are free
        ORDER BY p.reserved_for, p.free_from, p.prefix LIMIT 1 FOR UPDATE SKIP LOCKED
    )
    RETURNING prefix::text AS value
"""

LEASE_RESERVED = Statement(
    "aaa.lease_prefix_reserved", _LEASE.format(reserved="p.reserved_for = %(tenant_id)s"), Scalar
)

LEASE_COMMON = Statement(
    "aaa.lease_prefix_common", _LEASE.format(reserved="p.reserved_for IS NULL"), Scalar
)

EXTEND = Statement(
    "aaa.extend_prefixes",
    """
    SELECT demarc_extend_prefixes(%(network_id)s::uuid, %(kind)s::text, %(isp)s::uuid) AS value
    """,
    Scalar,
)


class PoolOfPrefix(msgspec.Struct, frozen=True):
    """The pool that a prefix lies in.

    Attributes:
        tenant_id: the only ISP that is leased from it.
        length: of what is leased from it; None for IPv4.
        leasable: whether services are leased from it now.
    """

    id: UUID
    tenant_id: UUID | None
    kind: str
    length: int | None
    leasable: bool


POOL_OF_PREFIX = Statement(
    "aaa.pool_of_prefix",
    """
    SELECT id, tenant_id, kind, length, leasable
    FROM demarc_pool_of(%(network_id)s::uuid, %(prefix)s::text::cidr)
    """,
    PoolOfPrefix,
)

ASSIGN_STATIC = Statement(
    "aaa.assign_static_prefix",
    """
    INSERT INTO ip_prefix AS p (network_id, prefix, kind, owner_id, pool_id, reserved_for,
                                credential_id, origin, assigned_at, leasable)
    VALUES (%(network_id)s, %(prefix)s::text::cidr, %(kind)s, %(owner_id)s, %(pool_id)s::uuid,
            %(reserved_for)s::uuid, %(credential_id)s, 'static', now(), %(leasable)s)
    ON CONFLICT (network_id, prefix) DO UPDATE
        SET credential_id = excluded.credential_id, origin = 'static', assigned_at = now(),
            slot = 0, kind = excluded.kind
        WHERE p.credential_id IS NULL AND p.free_from <= now()
          AND NOT demarc_prefix_in_session(p.owner_id, p.prefix)
    RETURNING prefix::text AS value
    """,
    Scalar,
)

# What was given out by hand stays as a free prefix of no pool, so that it rests as well.
FREE = Statement(
    "aaa.free_prefixes",
    """
    UPDATE ip_prefix SET credential_id = NULL, origin = 'pooled', assigned_at = NULL, slot = 0,
                         free_from = now() + %(rest)s::interval
    WHERE credential_id IN (SELECT id FROM credential WHERE service_id = %(service_id)s)
    """,
)

FREE_OF = Statement(
    "aaa.free_prefixes_of",
    """
    UPDATE ip_prefix SET credential_id = NULL, origin = 'pooled', assigned_at = NULL, slot = 0,
                         free_from = now() + %(rest)s::interval
    WHERE credential_id = %(credential_id)s
    """,
)

FORGET_RESTED = Statement(
    "aaa.forget_rested_prefixes",
    """
    DELETE FROM ip_prefix WHERE pool_id IS NULL AND credential_id IS NULL AND free_from <= now()
    """,
)


class Lacking(msgspec.Struct, frozen=True):
    """A credential without a prefix of a kind that its network has a pool of."""

    id: UUID
    network_id: UUID
    tenant_id: UUID


# Credentials of before the pool. Of one that may not log in now too: it may again.
LACKING = Statement(
    "aaa.lacking_prefixes",
    """
    SELECT c.id, c.network_id, c.tenant_id FROM credential c
    WHERE c.network_id = %(network_id)s AND c.access <> 'closed'
      AND (%(tenant_id)s::uuid IS NULL OR c.tenant_id = %(tenant_id)s::uuid)
      AND c.id > %(after)s
      AND NOT EXISTS (SELECT 1 FROM ip_prefix p
                      WHERE p.credential_id = c.id AND p.slot = 0 AND p.kind = %(kind)s)
    ORDER BY c.id LIMIT %(limit)s::integer FOR NO KEY UPDATE OF c SKIP LOCKED
    """,
    Lacking,
)


class PrefixPool(msgspec.Struct, frozen=True):
    """A network on which prefixes of a kind are leased; to one ISP, or (None) to all."""

    network_id: UUID
    kind: str
    tenant_id: UUID | None


PREFIX_POOLS = Statement(
    "aaa.prefix_pools",
    """
    SELECT DISTINCT network_id, kind, tenant_id FROM ip_pool
    WHERE kind <> 'ipv4' AND prefix IS NOT NULL AND purpose = 'service' AND draining_since IS NULL
    ORDER BY network_id, kind, tenant_id
    """,
    PrefixPool,
)

__all__ = [
    "ASSIGN_STATIC",
    "EXTEND",
    "FORGET_RESTED",
    "FREE",
    "FREE_OF",
    "LACKING",
    "LEASE_COMMON",
    "LEASE_RESERVED",
    "POOL_OF_PREFIX",
    "PREFIX_POOLS",
    "Lacking",
    "PoolOfPrefix",
    "PrefixPool",
]
