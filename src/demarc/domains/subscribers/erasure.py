"""Customers forgotten: what identifies them goes, the row and its id stay."""

from datetime import date
from uuid import UUID

from demarc.domains.subscribers.model import Customer
from demarc.domains.subscribers.queries import GET_CUSTOMER
from demarc.platform.database import Tx
from demarc.platform.statements import Scalar, Statement

NAME = "(erased)"
"""What is shown in the place of a name."""

ERASE = Statement(
    "subscribers.erase",
    """
    UPDATE customer SET first_name = NULL, last_name = NULL, email = NULL, mobile_number = NULL,
        search = '{}', updated_at = now(), erased_at = coalesce(erased_at, now()),
        identity_until = %(identity_until)s::date
    WHERE id = %(id)s
    """,
)

# With the name and the number the row is nobody's any more.
FORGET_IDENTITY = Statement(
    "subscribers.forget_identity",
    """
    WITH gone AS (
        UPDATE customer SET name = %(name)s, tax_id = NULL, tax_id_kind = NULL,
            identity_until = NULL, updated_at = now()
        WHERE identity_until <= current_date AND erased_at IS NOT NULL
          AND (%(id)s::uuid IS NULL OR id = %(id)s::uuid)
        RETURNING 1
    )
    SELECT count(*) AS value FROM gone
    """,
    Scalar,
)

DELETE_CONTACTS = Statement(
    "subscribers.delete_contacts", "DELETE FROM customer_contact WHERE customer_id = %(id)s"
)

# That consent was given and when stays as it is proof; from now on there is none.
WITHDRAW_CONSENTS = Statement(
    "subscribers.withdraw_consents",
    "UPDATE consent SET withdrawn_at = now() WHERE customer_id = %(id)s AND withdrawn_at IS NULL",
)

ERASED = Statement(
    "subscribers.erased",
    "SELECT erased_at IS NOT NULL AS value FROM customer WHERE id = %(id)s FOR UPDATE",
    Scalar,
)


async def erase(tx: Tx, customer_id: UUID, *, identity_until: date | None) -> tuple[int, int]:
    """Forget how a customer is reached, and who they are once that may be.

    Args:
        tx: of the system.
        customer_id: whom.
        identity_until: until then name and tax number are kept; None for good.

    Returns:
        Further contacts deleted, and consents withdrawn.
    """
    contacts = await DELETE_CONTACTS.run(tx, id=customer_id)
    consents = await WITHDRAW_CONSENTS.run(tx, id=customer_id)
    await ERASE.run(tx, id=customer_id, identity_until=identity_until)
    await forget_identities(tx, customer_id)
    return contacts, consents


async def forget_identities(tx: Tx, customer_id: UUID | None = None) -> int:
    """Forget name and tax number where their time is over, of one customer or of all."""
    gone = await FORGET_IDENTITY.one(tx, id=customer_id, name=NAME)
    return 0 if gone is None else int(gone.value)


async def known(tx: Tx, customer_id: UUID) -> tuple[Customer, bool] | None:
    """Give a customer, held for this transaction, and whether they are erased already."""
    erased = await ERASED.one(tx, id=customer_id)
    found = await GET_CUSTOMER.one(tx, id=customer_id)
    return None if erased is None or found is None else (found, bool(erased.value))


__all__ = ["NAME", "erase", "forget_identities", "known"]
