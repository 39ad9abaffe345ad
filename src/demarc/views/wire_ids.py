"""What an API calls a thing: its own id where it has one, else ours.

``known_as`` makes the SQL by which a list shows ids; ``FIND`` goes the other way.
"""

from collections.abc import Collection
from uuid import UUID

import msgspec

from demarc.platform.database import Tx
from demarc.platform.statements import Scalar, Statement

FIND = Statement(
    "wire_ids.find",
    """
    SELECT entity_id AS value FROM wire_id
    WHERE api = %(api)s AND tenant_id = %(tenant_id)s AND kind = %(kind)s AND value = %(value)s
    """,
    Scalar,
)

OF = Statement(
    "wire_ids.of",
    """
    SELECT value FROM wire_id
    WHERE api = %(api)s AND tenant_id = %(tenant_id)s AND kind = %(kind)s
      AND entity_id = %(entity_id)s
    """,
    Scalar,
)


class Shown(msgspec.Struct, frozen=True):
    """Our id, and the one an API shows for it."""

    entity_id: UUID
    value: str


OF_MANY = Statement(
    "wire_ids.of_many",
    """
    SELECT entity_id, value FROM wire_id
    WHERE api = %(api)s AND tenant_id = %(tenant_id)s AND kind = %(kind)s
      AND entity_id = ANY(%(entity_ids)s::uuid[])
    """,
    Shown,
)


def known_as(kind: str, column: str) -> str:
    """Give an SQL expression: the id that ``%(api)s`` and ``%(tenant_id)s`` show for a column.

    Args:
        kind: of thing ("service", "customer" ...).
        column: the SQL column with our id.
    """
    return (
        f"coalesce((SELECT w.value FROM wire_id w WHERE w.api = %(api)s"
        f" AND w.tenant_id = %(tenant_id)s AND w.kind = '{kind}' AND w.entity_id = {column}),"
        f" {column}::text)"
    )


def wanted(kind: str) -> str:
    """Give a common table expression ``wanted``: our id of what ``%(api)s`` shows as ``%(shown)s``.

    It is taken as ``%(id)s`` where the API has no id of its own for anything by that name. Joined
    with, the thing is found by its primary key under any policy.

    Args:
        kind: of thing.
    """
    return f"""WITH wanted AS MATERIALIZED (
        SELECT coalesce((SELECT w.entity_id FROM wire_id w
                         WHERE w.api = %(api)s AND w.tenant_id = %(tenant_id)s
                           AND w.kind = '{kind}' AND w.value = %(shown)s), %(id)s::uuid) AS id)"""


async def find(tx: Tx, api: str, kind: str, shown: str) -> UUID | None:
    """Give our id of what an API shows by this one; None when it can be no id at all.

    An id of ours is taken too. That there is such a thing is not said by this.
    """
    row = await FIND.one(tx, api=api, tenant_id=tx.tenant, kind=kind, value=shown)
    return row.value if row is not None else as_uuid(shown)


async def of(tx: Tx, api: str, kind: str, entity_id: UUID) -> str:
    """Give the id by which an API shows a thing."""
    row = await OF.one(tx, api=api, tenant_id=tx.tenant, kind=kind, entity_id=entity_id)
    return str(entity_id) if row is None else str(row.value)


async def of_many(tx: Tx, api: str, kind: str, entity_ids: Collection[UUID]) -> dict[UUID, str]:
    """Give the ids by which an API shows things, by ours."""
    rows = await OF_MANY.all(
        tx, api=api, tenant_id=tx.tenant, kind=kind, entity_ids=list(entity_ids)
    )
    return {entity_id: str(entity_id) for entity_id in entity_ids} | {
        row.entity_id: row.value for row in rows
    }


def as_uuid(shown: str) -> UUID | None:
    """Give the UUID, when it is one written the usual way."""
    try:
        found = UUID(shown)
    except ValueError:
        return None
    # braces, "urn:uuid:" and missing hyphens are no ids of ours
    return found if str(found) == shown.lower() else None
