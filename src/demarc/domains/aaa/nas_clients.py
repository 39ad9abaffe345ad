"""The addresses that proved to know a NAS's secret, and which of them must sign from now on.

A client that has once sent a valid Message-Authenticator does not unlearn it: where its NAS's
policy is "auto", who leaves it out later is a forger (CVE-2024-3596). That is remembered here, so
that it holds on every node and after a restart, until a person takes it back.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from demarc.domains.aaa.model import Nas
from demarc.domains.identity import audit
from demarc.platform.database import Tx
from demarc.platform.statements import Statement


class NasClient(msgspec.Struct, frozen=True):
    """An address of a NAS, as people see it.

    Attributes:
        signs_since: since then Message-Authenticator is required of it, where the NAS's policy is
            "auto"; None while it may be left out.
        last_seen_at: when it last proved to know the secret.
        last_answered_at: when it was last answered.
    """

    nas_id: UUID
    address: str
    signs_since: datetime | None
    last_seen_at: datetime
    last_answered_at: datetime | None


class Signer(msgspec.Struct, frozen=True):
    """An address that signs."""

    nas_id: UUID
    address: str


class Sighting(msgspec.Struct, frozen=True):
    """What was seen of an address since it was last noted.

    Attributes:
        signed_at: when a valid Message-Authenticator came that was not expected to.
        seen_at: when it last proved to know the secret, within seconds.
        answered_at: when it was last answered, within seconds.
    """

    nas_id: UUID
    address: str
    signed_at: datetime | None
    seen_at: datetime
    answered_at: datetime | None


class Noted(msgspec.Struct, frozen=True):
    """An address as it stands after a sighting."""

    nas_id: UUID
    address: str
    signs: bool


NOTE = Statement(
    "aaa.note_nas_clients",
    """
    INSERT INTO nas_client AS c (nas_id, address, owner_id, first_signed_at, last_seen_at,
                                 last_answered_at)
    SELECT n.id, s.address, n.owner_id, s.signed_at, s.seen_at, s.answered_at
    FROM jsonb_to_recordset(%(rows)s::text::jsonb) AS s (
        nas_id uuid, address inet, signed_at timestamptz, seen_at timestamptz,
        answered_at timestamptz)
    JOIN nas n ON n.id = s.nas_id
    ORDER BY n.id, s.address
    ON CONFLICT (nas_id, address) DO UPDATE SET
        first_signed_at = coalesce(c.first_signed_at, CASE
            WHEN c.unlocked_at IS NULL OR excluded.first_signed_at > c.unlocked_at
            THEN excluded.first_signed_at END),
        last_seen_at = greatest(c.last_seen_at, excluded.last_seen_at),
        last_answered_at = greatest(c.last_answered_at, excluded.last_answered_at)
    RETURNING nas_id, host(address) AS address, first_signed_at IS NOT NULL AS signs
    """,
    Noted,
)

SIGNERS = Statement(
    "aaa.signing_nas_clients",
    """
    SELECT nas_id, host(address) AS address FROM nas_client WHERE first_signed_at IS NOT NULL
    ORDER BY first_signed_at LIMIT %(most)s
    """,
    Signer,
)

_CLIENT = """nas_id, host(address) AS address, first_signed_at AS signs_since, last_seen_at,
    last_answered_at"""

OF_NAS = Statement(
    "aaa.nas_clients_of_nas",
    f"""
    SELECT {_CLIENT} FROM nas_client WHERE nas_id = %(nas_id)s
    ORDER BY nas_client.address LIMIT %(most)s
    """,
    NasClient,
)

UNLOCK = Statement(
    "aaa.unlock_nas_clients",
    f"""
    UPDATE nas_client SET first_signed_at = NULL, unlocked_at = clock_timestamp()
    WHERE nas_id = %(nas_id)s AND first_signed_at IS NOT NULL
      AND (%(address)s::text IS NULL OR address = %(address)s::text::inet)
    RETURNING {_CLIENT}
    """,
    NasClient,
)

MOST_SIGNERS = 65_536
MOST_SHOWN = 1_000


async def note(tx: Tx, sightings: Sequence[Sighting]) -> list[Noted]:
    """Remember what was seen of addresses, each once; those of NASes that are gone are left out.

    Args:
        tx: of the system.
        sightings: a few thousand at most.

    Returns:
        How they stand now: one that was unlocked since it signed does not sign.
    """
    return await NOTE.all(tx, rows=msgspec.json.encode(sightings).decode())


async def signers(tx: Tx) -> list[Signer]:
    """Give the addresses that sign, of all NASes; the first 65,536."""
    return await SIGNERS.all(tx, most=MOST_SIGNERS)


async def of_nas(tx: Tx, nas_id: UUID) -> list[NasClient]:
    """Give the addresses of a NAS that have shown themselves, in their order; 1,000 at most."""
    return await OF_NAS.all(tx, nas_id=nas_id, most=MOST_SHOWN)


async def unlock(tx: Tx, nas: Nas, address: str | None = None) -> list[NasClient]:
    """Let a NAS leave out Message-Authenticator again, as when it was replaced by an older one.

    Args:
        tx: of the system.
        nas: the NAS.
        address: of its addresses this one alone; all if left out.

    Returns:
        The addresses that had to sign before. One that signs again has to again.
    """
    unlocked = await UNLOCK.all(tx, nas_id=nas.id, address=address)
    if unlocked:
        await audit.write(
            tx,
            action="unlock",
            kind="nas",
            key=nas.id,
            before={"signing": [client.address for client in unlocked]},
            after={"signing": []},
            tenant_id=nas.owner_id,
        )
    return unlocked


__all__ = [
    "NasClient",
    "Noted",
    "Sighting",
    "Signer",
    "note",
    "of_nas",
    "signers",
    "unlock",
]
