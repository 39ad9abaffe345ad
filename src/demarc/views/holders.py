"""Whose services are: customers and places, as far as the reader may know them."""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from demarc.platform.database import Tx
from demarc.platform.statements import Statement


class ServiceHolder(msgspec.Struct, frozen=True):
    """A service and whose it is.

    Attributes:
        isp: slug; None where the reader does not see the ISP.
        customer: None where the reader may not know the customer; so are the rest of theirs.
        address: of the premise.
    """

    service_id: UUID
    number: int
    isp: str | None
    isp_reference: str | None
    customer_id: UUID
    customer: str | None
    tax_id: str | None
    email: str | None
    mobile_number: str | None
    address: str | None


HOLDERS = Statement(
    "views.holders",
    """
    SELECT s.id AS service_id, s.number, t.slug AS isp, s.isp_reference, s.customer_id,
           c.name AS customer, c.tax_id, c.email, c.mobile_number,
           a.full_address || coalesce(', ' || p.unit, '') AS address
    FROM service s
    LEFT JOIN tenant t ON t.id = s.tenant_id
    LEFT JOIN customer c ON c.id = s.customer_id
    LEFT JOIN premise p ON p.id = s.premise_id
    LEFT JOIN address a ON a.id = p.address_id
    WHERE s.id = ANY(%(ids)s::uuid[])
    """,
    ServiceHolder,
)


async def holders(tx: Tx, service_ids: Sequence[UUID]) -> dict[UUID, ServiceHolder]:
    """Tell whose services are; of those that exist for the reader."""
    found = await HOLDERS.all(tx, ids=list(service_ids))
    return {one.service_id: one for one in found}


__all__ = ["ServiceHolder", "holders"]
