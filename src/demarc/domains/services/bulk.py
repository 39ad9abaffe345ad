"""Thousands of services at once, as they are brought from another system.

They come in the state they have there, without the steps that led to it. One statement writes all
rows of a table; who calls writes one entry of the audit log for all.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from demarc.domains.services.model import Service
from demarc.domains.services.queries import SERVICE_COLUMNS
from demarc.platform.database import Tx
from demarc.platform.statements import Statement

IMPORTED = "imported"
"""The reason of a state that another system gave none for."""


class NewService(msgspec.Struct, frozen=True, gc=False):
    """A service of the transaction's tenant.

    Attributes:
        number: within the tenant; taken by `Identity.next_service_numbers`, or its own.
        state: one of ``states.State``.
        created_at: None is now, and so is ``provisioned_at`` of a service that works.
        wifi_password: encrypted (``wifi.wifi_row``), as base64.
    """

    id: UUID
    owner_id: UUID
    network_id: UUID
    number: int
    customer_id: UUID
    product_id: UUID
    premise_id: UUID
    state: str
    reason: str
    created_at: datetime | None = None
    provisioned_at: datetime | None = None
    cancel_at: datetime | None = None
    sales_agent: str | None = None
    isp_reference: str | None = None
    wifi_username: str | None = None
    wifi_password: str | None = None


_INSERT = Statement(
    "services.insert_many",
    """
    INSERT INTO service (id, tenant_id, owner_id, network_id, number, customer_id, product_id,
                         premise_id, state, reason, created_at, provisioned_at, cancel_at,
                         sales_agent, isp_reference, wifi_username, wifi_password, created_by)
    SELECT id, %(tenant_id)s, owner_id, network_id, number, customer_id, product_id, premise_id,
           state, reason, coalesce(created_at, now()),
           CASE WHEN state IN ('active', 'suspended', 'pending_cancellation')
                THEN coalesce(provisioned_at, created_at, now()) ELSE provisioned_at END,
           cancel_at, sales_agent, isp_reference, wifi_username, decode(wifi_password, 'base64'),
           %(created_by)s::uuid
    FROM json_to_recordset(%(rows)s::text::json) AS r (
        id uuid, owner_id uuid, network_id uuid, number bigint, customer_id uuid, product_id uuid,
        premise_id uuid, state text, reason text, created_at timestamptz,
        provisioned_at timestamptz, cancel_at timestamptz, sales_agent text, isp_reference text,
        wifi_username text, wifi_password text)
    """,
)

_RECORD = Statement(
    "services.record_many",
    """
    INSERT INTO service_transition (tenant_id, owner_id, service_id, from_state, to_state, reason,
                                    actor_kind, actor_id, actor_name)
    SELECT %(tenant_id)s, owner_id, id, NULL, state, reason, %(actor_kind)s, %(actor_id)s::uuid,
           %(actor_name)s
    FROM json_to_recordset(%(rows)s::text::json) AS r (
        id uuid, owner_id uuid, state text, reason text)
    """,
)

_LIST = Statement(
    "services.list_by_id",
    f"SELECT {SERVICE_COLUMNS} FROM service WHERE id = ANY(%(ids)s::uuid[])",
    Service,
)

_REPLACE = Statement(
    "services.replace_parties",
    """
    UPDATE service SET customer_id = %(customer_id)s, premise_id = %(premise_id)s,
                       sales_agent = %(sales_agent)s::text
    WHERE id = %(id)s AND (customer_id, premise_id, sales_agent)
        IS DISTINCT FROM (%(customer_id)s::uuid, %(premise_id)s::uuid, %(sales_agent)s::text)
    """,
)


_MOVE = Statement(
    "services.move_premise",
    """
    UPDATE service SET premise_id = %(there)s
    WHERE tenant_id = %(tenant_id)s AND premise_id = %(here)s
    """,
)


async def move_premise(tx: Tx, here: UUID, there: UUID) -> int:
    """Say that the tenant's services at a premise are at another; give how many there were."""
    return await _MOVE.run(tx, tenant_id=tx.tenant, here=here, there=there)


async def create_services(tx: Tx, rows: Sequence[NewService]) -> None:
    """Make services of the transaction's tenant, all or none; their log-ins are made apart.

    Raises:
        psycopg.errors.UniqueViolation: the tenant has a service of one of the numbers.
        psycopg.errors.ForeignKeyViolation: a customer is another tenant's, or a product or
            premise is not on the network.
    """
    text = msgspec.json.encode(rows).decode()
    await _INSERT.run(tx, tenant_id=tx.tenant, created_by=tx.actor.id, rows=text)
    await _RECORD.run(
        tx,
        tenant_id=tx.tenant,
        actor_kind=tx.actor.kind,
        actor_id=tx.actor.id,
        actor_name=tx.actor.name,
        rows=text,
    )


async def services_of(tx: Tx, ids: Sequence[UUID]) -> dict[UUID, Service]:
    """Give services by their ids; those that are not there are left out."""
    return {one.id: one for one in await _LIST.all(tx, ids=list(ids))}


async def replace_parties(
    tx: Tx, service: Service, *, customer_id: UUID, premise_id: UUID, sales_agent: str | None
) -> bool:
    """Say whose a service is and where, as another system has corrected it.

    Returns:
        Whether that changed it.
    """
    return bool(
        await _REPLACE.run(
            tx,
            id=service.id,
            customer_id=customer_id,
            premise_id=premise_id,
            sales_agent=sales_agent,
        )
    )


__all__ = [
    "IMPORTED",
    "NewService",
    "create_services",
    "move_premise",
    "replace_parties",
    "services_of",
]
