"""From what is typed to the one thing that is meant."""

from time import monotonic
from uuid import UUID

from demarc.cli.desk import Desk
from demarc.domains.errors import Conflict, NotFound
from demarc.domains.identity.model import Network
from demarc.platform.database import Tx
from demarc.views import customers, premises, service_search
from demarc.views.service_search import ServiceFound
from demarc.views.totals import Totals
from demarc.views.wire_ids import as_uuid


async def service(desk: Desk, text: str, tenant: str | None) -> ServiceFound:
    """Give the one service that is meant.

    Raises:
        NotFound: there is none.
        Conflict: several are meant by it.
    """
    async with desk.system() as tx:
        isp = None if tenant is None else await desk.parts.identity.tenant_named(tx, tenant)
        found = await service_search.find(tx, text, tenant_id=None if isp is None else isp.id)
    if not found:
        raise NotFound("service", text)
    if len(found) > 1:
        meant = ", ".join(f"{one.id} ({one.tenant})" for one in found)
        raise Conflict(f"{text} may mean several services: {meant}")
    return found[0]


async def customer_id(tx: Tx, text: str) -> UUID:
    """Give the customer of the tenant that an id or an e-mail means.

    Raises:
        NotFound: there is none.
        Conflict: several have that e-mail.
    """
    if (known := as_uuid(text)) is not None:
        return known
    found = await customers.page_of(
        tx, api="cli", page=1, size=2, totals=Totals(monotonic), email=text
    )
    if not found.items:
        raise NotFound("customer", text)
    if found.total > 1:
        raise Conflict(f"{text} is the e-mail of several customers; give an id")
    return found.items[0].id


async def product_id(desk: Desk, tx: Tx, networks: list[Network], text: str) -> UUID:
    """Give the product of one of the networks that an id or a code means.

    Raises:
        NotFound: there is none.
        Conflict: several networks have one of that code.
    """
    if (known := as_uuid(text)) is not None:
        return known
    found = []
    for network in networks:
        try:
            found.append(await desk.parts.catalog.product_named(tx, network.id, text))
        except NotFound:
            continue
    if not found:
        raise NotFound("product", text)
    if len(found) > 1:
        raise Conflict(f"{text} is a product of several networks; give an id")
    return found[0].id


async def premise_id(tx: Tx, text: str) -> UUID:
    """Give the premise on the tenant's networks that an id or a whole address means.

    Raises:
        NotFound: there is none.
    """
    if (known := as_uuid(text)) is not None:
        return known
    found = await premises.at_address(tx, api="cli", address=text)
    if found is None:
        raise NotFound("premise", text)
    return found.id


__all__ = ["customer_id", "premise_id", "product_id", "service"]
