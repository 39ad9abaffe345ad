"""SQL of CGNAT: rules that say which ports an inside address has, and blocks that NASes tell."""

from datetime import datetime
from uuid import UUID

import msgspec

from demarc.platform.statements import Statement


class NatPool(msgspec.Struct, frozen=True):
    """A rule of CGNAT: each inside address has a block of ports of a public one.

    The first inside address has the first block of the first public address, and so on: as many
    blocks of one public address as its ports hold, then those of the next.

    Attributes:
        inside: IPv4, as CIDR; ``public`` likewise.
        block_size: ports of each inside address.
        first_port: the first that is given to anybody.
        valid_until: None while it holds. A rule is ended and another made, never changed.
    """

    id: UUID
    owner_id: UUID
    network_id: UUID
    name: str
    inside: str
    public: str
    block_size: int
    first_port: int
    valid_from: datetime
    valid_until: datetime | None


_POOL = """id, owner_id, network_id, name, inside::text AS inside, public::text AS public,
    block_size, first_port, valid_from, valid_until"""

CREATE = Statement(
    "aaa.create_nat_pool",
    f"""
    INSERT INTO nat_pool (owner_id, network_id, name, inside, public, block_size, first_port)
    VALUES (%(owner_id)s, %(network_id)s, %(name)s, %(inside)s::text::cidr,
            %(public)s::text::cidr, %(block_size)s, %(first_port)s)
    RETURNING {_POOL}
    """,
    NatPool,
)

END = Statement(
    "aaa.end_nat_pool",
    f"""
    UPDATE nat_pool SET valid_until = greatest(now(), valid_from)
    WHERE id = %(id)s AND valid_until IS NULL RETURNING {_POOL}
    """,
    NatPool,
)

OF_NETWORK = Statement(
    "aaa.nat_pools",
    f"""
    SELECT {_POOL} FROM nat_pool
    WHERE network_id = %(network_id)s AND valid_until IS NULL ORDER BY name
    """,
    NatPool,
)


class ToldBlock(msgspec.Struct, frozen=True):
    """A block of ports that a NAS told of, as ``NOTE_BLOCKS`` takes it."""

    since: datetime
    at: datetime
    over: bool
    tenant_id: UUID
    owner_id: UUID
    credential_id: UUID
    nas_id: UUID
    nas_address: str
    acct_session_id: str
    public_ipv4: str
    port_from: int
    port_to: int


# A block is another session's from when that tells of it; it is its session's until then, or until
# that ends. Told again, nothing is written.
NOTE_BLOCKS = Statement(
    "aaa.note_nat_blocks",
    """
    WITH told AS (
        SELECT min(since) AS since, max(at) AS at, bool_or(over) AS over, tenant_id, owner_id,
               credential_id, nas_id, nas_address, acct_session_id, public_ipv4, port_from, port_to
        FROM json_to_recordset(%(rows)s::text::json) AS r (
            since timestamptz, at timestamptz, over boolean, tenant_id uuid, owner_id uuid,
            credential_id uuid, nas_id uuid, nas_address inet, acct_session_id text,
            public_ipv4 inet, port_from integer, port_to integer)
        GROUP BY tenant_id, owner_id, credential_id, nas_id, nas_address, acct_session_id,
                 public_ipv4, port_from, port_to
    ), ended AS (
        UPDATE nat_block b SET until = CASE WHEN t.over THEN t.at ELSE t.since END
        FROM told t
        WHERE b.public_ipv4 = t.public_ipv4 AND b.port_from <= t.port_to
          AND b.port_to >= t.port_from AND b.owner_id = t.owner_id AND b.until IS NULL
          AND CASE WHEN (b.credential_id, b.nas_id, b.nas_address, b.acct_session_id)
                        = (t.credential_id, t.nas_id, t.nas_address, t.acct_session_id)
                   THEN t.over AND b.port_from = t.port_from AND b.port_to = t.port_to
                   ELSE b.since <= t.since END
    )
    INSERT INTO nat_block (since, until, tenant_id, owner_id, credential_id, nas_id, nas_address,
                           acct_session_id, public_ipv4, port_from, port_to)
    SELECT greatest(t.since, now() - interval '60 days'), CASE WHEN t.over THEN t.at END,
           t.tenant_id, t.owner_id, t.credential_id, t.nas_id, t.nas_address, t.acct_session_id,
           t.public_ipv4, t.port_from, t.port_to
    FROM told t
    WHERE NOT EXISTS (
        SELECT 1 FROM nat_block b
        WHERE b.public_ipv4 = t.public_ipv4 AND b.port_from = t.port_from
          AND b.port_to = t.port_to AND b.credential_id = t.credential_id
          AND b.nas_id = t.nas_id AND b.nas_address = t.nas_address
          AND b.acct_session_id = t.acct_session_id
          AND (b.until IS NULL OR b.until >= t.since))
    """,
)

__all__ = ["CREATE", "END", "NOTE_BLOCKS", "OF_NETWORK", "NatPool", "ToldBlock"]
