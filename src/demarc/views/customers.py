"""Customers as an API lists them: the ISP's own and those of no ISP yet."""

from datetime import datetime
from uuid import UUID

import msgspec

from demarc.domains.subscribers.queries import CUSTOMER_COLUMNS
from demarc.platform.database import Tx
from demarc.platform.search import sought
from demarc.platform.statements import Scalar, Statement
from demarc.views import wire_ids
from demarc.views.paging import PageOf, paged
from demarc.views.totals import Totals

_FOUND_AT_MOST = 1000


class CustomerRow(msgspec.Struct, frozen=True):
    """A customer in a list; ``shown_id`` is the id the API shows."""

    shown_id: str
    id: UUID
    tenant_id: UUID | None
    owner_id: UUID | None
    kind: str
    name: str
    first_name: str | None
    last_name: str | None
    tax_id_kind: str | None
    tax_id: str | None
    email: str | None
    mobile_number: str | None
    fno_consent_at: datetime | None
    isp_consent_at: datetime | None
    created_at: datetime
    updated_at: datetime


_SHOWN = wire_ids.known_as("customer", "c.id")

# Two branches, each in the order of an index; neither is read further than the page asked for.
_PAGE = f"""
    SELECT {_SHOWN} AS shown_id, {CUSTOMER_COLUMNS}
    FROM (
        SELECT * FROM (
            (SELECT * FROM customer o WHERE o.tenant_id = %(tenant_id)s {{filter}}
             ORDER BY o.created_at, o.id LIMIT %(limit)s::bigint + %(offset)s::bigint)
            UNION ALL
            (SELECT * FROM customer o WHERE o.tenant_id IS NULL {{filter}}
             ORDER BY o.created_at, o.id LIMIT %(limit)s::bigint + %(offset)s::bigint)
        ) both_kinds
        ORDER BY created_at, id LIMIT %(limit)s::bigint OFFSET %(offset)s::bigint
    ) c
    ORDER BY c.created_at, c.id
"""

_COUNT = """
    SELECT (SELECT count(*) FROM customer o WHERE o.tenant_id = %(tenant_id)s {filter})
         + (SELECT count(*) FROM customer o WHERE o.tenant_id IS NULL {filter}) AS value
"""

_BY_EMAIL = "AND o.email_key = lower(%(email)s)"

PAGE = Statement("views.customers.page", _PAGE.format(filter=""), CustomerRow)
PAGE_BY_EMAIL = Statement(
    "views.customers.page_by_email", _PAGE.format(filter=_BY_EMAIL), CustomerRow
)
COUNT = Statement("views.customers.count", _COUNT.format(filter=""), Scalar)
COUNT_BY_EMAIL = Statement(
    "views.customers.count_by_email", _COUNT.format(filter=_BY_EMAIL), Scalar
)

SEARCH = Statement(
    "views.customers.search",
    f"""
    SELECT {_SHOWN} AS shown_id, {CUSTOMER_COLUMNS}
    FROM customer c
    WHERE c.id IN (SELECT demarc_search_customer(%(sought)s::text[], %(at_most)s::integer))
    ORDER BY c.name, c.id LIMIT %(limit)s::bigint
    """,
    CustomerRow,
)


async def page_of(
    tx: Tx, *, api: str, page: int, size: int, totals: Totals, email: str | None = None
) -> PageOf[CustomerRow]:
    """Give a page of customers, oldest first.

    Args:
        api: whose ids are shown.
        page: from 1.
        size: rows a page.
        totals: remembers counts.
        email: only those with this address, whatever its case.
    """
    by_email = {} if email is None else {"email": email.strip()}

    async def rows(limit: int, offset: int) -> list[CustomerRow]:
        statement = PAGE_BY_EMAIL if by_email else PAGE
        return await statement.all(
            tx, api=api, tenant_id=tx.tenant, limit=limit, offset=offset, **by_email
        )

    async def count() -> int:
        statement = COUNT_BY_EMAIL if by_email else COUNT
        found = await statement.one(tx, tenant_id=tx.tenant, **by_email)
        return 0 if found is None else int(found.value)

    return await paged(
        page=page,
        size=size,
        rows=rows,
        count=count,
        totals=totals,
        key=("customers", tx.tenant, email),
    )


async def search(tx: Tx, text: str, *, api: str, limit: int = 20) -> list[CustomerRow]:
    """Find customers by parts of their name, e-mail, telephone or tax number.

    Args:
        text: what is typed; accents, case and punctuation do not matter.
        api: whose ids are shown.
        limit: customers at most.
    """
    words = sought(text)
    if not words:
        return []
    return await SEARCH.all(
        tx, api=api, tenant_id=tx.tenant, sought=words, at_most=_FOUND_AT_MOST, limit=limit
    )
