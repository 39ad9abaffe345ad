"""Services as their operator looks for them: by what is known of one, or by organisation."""

from datetime import datetime
from uuid import UUID

import msgspec

from demarc.platform.database import Tx
from demarc.platform.statements import Statement
from demarc.views.wire_ids import as_uuid


class ServiceLine(msgspec.Struct, frozen=True):
    """A service in a list; ``login`` is typed by its subscriber."""

    id: UUID
    tenant: str
    number: int
    state: str
    login: str | None
    customer: str
    product: str
    address: str
    isp_reference: str | None
    created_at: datetime


class ServiceFound(msgspec.Struct, frozen=True):
    """A service that was looked for, and whose it is."""

    id: UUID
    tenant_id: UUID
    tenant: str


_FROM = """
    FROM service s
    JOIN tenant t ON t.id = s.tenant_id
    JOIN customer c ON c.id = s.customer_id
    JOIN product d ON d.id = s.product_id
    JOIN premise p ON p.id = s.premise_id
    JOIN address a ON a.id = p.address_id
    LEFT JOIN LATERAL (
        SELECT demarc_login(k.realm_id, k.username) AS login FROM credential k
        WHERE k.service_id = s.id ORDER BY k.created_at, k.id LIMIT 1
    ) k ON true
"""

PAGE = Statement(
    "views.service_search.page",
    f"""
    SELECT s.id, t.slug AS tenant, s.number, s.state, k.login, c.name AS customer,
           d.code AS product, a.full_address || coalesce(', ' || p.unit, '') AS address,
           s.isp_reference, s.created_at
    {_FROM}
    WHERE (%(tenant_id)s::uuid IS NULL OR s.tenant_id = %(tenant_id)s::uuid)
      AND (%(state)s::text IS NULL OR s.state = %(state)s::text)
    ORDER BY s.created_at DESC, s.id DESC LIMIT %(limit)s::bigint OFFSET %(offset)s::bigint
    """,
    ServiceLine,
)

FIND = Statement(
    "views.service_search.find",
    """
    SELECT s.id, s.tenant_id, t.slug AS tenant
    FROM service s JOIN tenant t ON t.id = s.tenant_id
    WHERE (%(tenant_id)s::uuid IS NULL OR s.tenant_id = %(tenant_id)s::uuid)
      AND s.id IN (
        SELECT %(id)s::uuid
        UNION SELECT w.entity_id FROM wire_id w WHERE w.kind = 'service' AND w.value = %(text)s
        UNION SELECT r.id FROM service r WHERE r.isp_reference = %(text)s
        UNION SELECT k.service_id FROM credential k JOIN realm m ON m.id = k.realm_id
              WHERE k.username = %(text)s
                 OR (k.username = %(user)s AND m.name = lower(%(realm)s::text)))
    ORDER BY t.slug, s.number LIMIT 20
    """,
    ServiceFound,
)


async def page_of(
    tx: Tx, *, tenant_id: UUID | None, state: str | None, limit: int, offset: int = 0
) -> list[ServiceLine]:
    """Give services, the newest first.

    Args:
        tx: of the system.
        tenant_id: of this ISP alone.
        state: in this state alone.
        limit: services at most.
        offset: how many to pass over.
    """
    return await PAGE.all(tx, tenant_id=tenant_id, state=state, limit=limit, offset=offset)


async def find(tx: Tx, text: str, *, tenant_id: UUID | None = None) -> list[ServiceFound]:
    """Give the services that are meant by an id, an ISP's reference or a log-in; 20 at most.

    Args:
        tx: of the system.
        text: our id or one an API shows, the ISP's reference, the log-in with or without realm.
        tenant_id: of this ISP alone.
    """
    user, _, realm = text.rpartition("@")
    return await FIND.all(
        tx, tenant_id=tenant_id, id=as_uuid(text), text=text, user=user, realm=realm
    )


__all__ = ["ServiceFound", "ServiceLine", "find", "page_of"]
