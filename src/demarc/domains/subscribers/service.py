"""Use cases of subscribers: the customers."""

from datetime import datetime
from uuid import UUID

import psycopg
from msgspec import UNSET, UnsetType

from demarc.domains.errors import Conflict, Forbidden, NotFound
from demarc.domains.identity import audit
from demarc.domains.subscribers import queries, rules
from demarc.domains.subscribers.model import (
    Consent,
    Contact,
    ContactKind,
    Customer,
    CustomerKind,
    Purpose,
)
from demarc.domains.subscribers.premises import Premises
from demarc.platform.database import Tx


class Subscribers(Premises):
    """Customers and the places they are served at. Methods never commit."""

    async def create_customer(
        self,
        tx: Tx,
        *,
        kind: CustomerKind = "person",
        name: str | None = None,
        first_name: str | None = None,
        last_name: str | None = None,
        tax_id_kind: str | None = None,
        tax_id: str | None = None,
        email: str | None = None,
        mobile_number: str | None = None,
        fno_consent_at: datetime | None = None,
        isp_consent_at: datetime | None = None,
        of_no_isp: bool = False,
    ) -> Customer:
        """Create a customer of the transaction's tenant.

        Args:
            name: whole; needed for a company, and made of the parts of a person's.
            tax_id: with or without punctuation; ``tax_id_kind`` says what it is.
            fno_consent_at: when the customer agreed to be contacted by the network's owner.
            isp_consent_at: likewise by the ISP.
            of_no_isp: the tenant is the owner of a network and knows somebody whom an ISP may
                yet take on.

        Raises:
            Invalid: a value cannot be taken.
            Conflict: a customer of that tax number exists.
        """
        fields = rules.customer(
            {
                "kind": kind,
                "name": name,
                "first_name": first_name,
                "last_name": last_name,
                "tax_id_kind": tax_id_kind,
                "tax_id": tax_id,
                "email": email,
                "mobile_number": mobile_number,
            }
        )
        try:
            # a savepoint: what was done before in the transaction stays, whatever comes of this
            async with tx.conn.transaction():
                made = await queries.INSERT_CUSTOMER.one(
                    tx,
                    tenant_id=None if of_no_isp else tx.tenant,
                    owner_id=tx.tenant if of_no_isp else None,
                    search=rules.search(fields),
                    **fields,
                )
        except psycopg.errors.UniqueViolation as taken:
            raise Conflict("a customer with that tax number exists already") from taken
        if made is None:
            raise RuntimeError("a statement that always gives a row gave none")
        await self._set_consent(tx, made.id, "fno", None, fno_consent_at)
        await self._set_consent(tx, made.id, "isp", None, isp_consent_at)
        await audit.write(tx, action="create", kind="customer", key=made.id, after=fields)
        return await self.customer(tx, made.id)

    async def update_customer(
        self,
        tx: Tx,
        customer_id: UUID,
        *,
        kind: CustomerKind | UnsetType = UNSET,
        name: str | UnsetType | None = UNSET,
        first_name: str | UnsetType | None = UNSET,
        last_name: str | UnsetType | None = UNSET,
        tax_id_kind: str | UnsetType | None = UNSET,
        tax_id: str | UnsetType | None = UNSET,
        email: str | UnsetType | None = UNSET,
        mobile_number: str | UnsetType | None = UNSET,
        fno_consent_at: datetime | UnsetType | None = UNSET,
        isp_consent_at: datetime | UnsetType | None = UNSET,
    ) -> Customer:
        """Change a customer; what is not given stays.

        A consent set to None is withdrawn; the dates of both acts are kept.

        Raises:
            NotFound: there is no such customer for this tenant.
            Forbidden: the customer is not the tenant's own.
            Invalid: a value cannot be taken.
            Conflict: another customer has that tax number.
        """
        if await queries.LOCK_CUSTOMER.one(tx, id=customer_id) is None:
            raise NotFound("customer", customer_id)
        before = await self.customer(tx, customer_id)
        if (before.tenant_id or before.owner_id) != tx.tenant:
            raise Forbidden("the customer is not yours to change; order a service for them first")
        given = {
            "kind": kind,
            "name": name,
            "first_name": first_name,
            "last_name": last_name,
            "tax_id_kind": tax_id_kind,
            "tax_id": tax_id,
            "email": email,
            "mobile_number": mobile_number,
        }
        old = {field: getattr(before, field) for field in given}
        wanted = old | {field: value for field, value in given.items() if value is not UNSET}
        if name is UNSET and (first_name is not UNSET or last_name is not UNSET):
            wanted["name"] = None  # made anew of the parts
        fields = rules.customer(wanted)
        if fields != old:
            try:
                async with tx.conn.transaction():
                    await queries.UPDATE_CUSTOMER.run(
                        tx, id=customer_id, search=rules.search(fields), **fields
                    )
            except psycopg.errors.UniqueViolation as taken:
                raise Conflict("a customer with that tax number exists already") from taken
            await audit.write(
                tx,
                action="update",
                kind="customer",
                key=customer_id,
                before={field: old[field] for field in fields if fields[field] != old[field]},
                after={field: fields[field] for field in fields if fields[field] != old[field]},
            )
        if not isinstance(fno_consent_at, UnsetType):
            await self._set_consent(tx, customer_id, "fno", before.fno_consent_at, fno_consent_at)
        if not isinstance(isp_consent_at, UnsetType):
            await self._set_consent(tx, customer_id, "isp", before.isp_consent_at, isp_consent_at)
        return await self.customer(tx, customer_id)

    async def customer(self, tx: Tx, customer_id: UUID) -> Customer:
        """Give a customer.

        Raises:
            NotFound: there is none for this tenant.
        """
        found = await queries.GET_CUSTOMER.one(tx, id=customer_id)
        if found is None:
            raise NotFound("customer", customer_id)
        return found

    async def customer_of_tax_id(self, tx: Tx, tax_id_kind: str, tax_id: str) -> Customer | None:
        """Give the tenant's customer of a tax number, with or without punctuation."""
        found = await queries.FIND_BY_TAX_ID.one(
            tx, tenant_id=tx.tenant, tax_id_kind=tax_id_kind, tax_id=rules.tax_id(tax_id)
        )
        return None if found is None else await self.customer(tx, found.id)

    async def claim(self, tx: Tx, customer_id: UUID) -> Customer:
        """Give a customer of the tenant's; one of no ISP yet becomes the tenant's now.

        Raises:
            NotFound: there is none, or the customer is another ISP's.
        """
        found = await self.customer(tx, customer_id)
        if found.tenant_id is None:
            await queries.LOCK_CLAIM.one(tx, id=customer_id)
            if await queries.CLAIM_CUSTOMER.run(tx, id=customer_id, tenant_id=tx.tenant):
                await audit.write(tx, action="claim", kind="customer", key=customer_id)
            # who else claimed the customer meanwhile may have been of this ISP
            found = await self.customer(tx, customer_id)
        if found.tenant_id != tx.tenant:
            raise NotFound("customer", customer_id)
        return found

    async def consents(self, tx: Tx, customer_id: UUID) -> list[Consent]:
        """Give what a customer agreed to and took back, in order."""
        await self.customer(tx, customer_id)
        return await queries.CONSENTS.all(tx, customer_id=customer_id)

    async def put_contact(
        self,
        tx: Tx,
        customer_id: UUID,
        *,
        kind: ContactKind,
        value: str,
        label: str | None = None,
    ) -> Contact:
        """Add one more way to reach a customer, or relabel it.

        Raises:
            NotFound: there is no such customer.
            Invalid: the value is no e-mail address or telephone number.
        """
        await self.customer(tx, customer_id)
        value = rules.email(value) if kind == "email" else rules.phone(value, "value")
        made = await queries.PUT_CONTACT.one(
            tx, customer_id=customer_id, kind=kind, value=value, label=label
        )
        if made is None:
            raise RuntimeError("a statement that always gives a row gave none")
        return made

    async def contacts(self, tx: Tx, customer_id: UUID) -> list[Contact]:
        """Give the further ways to reach a customer."""
        return await queries.CONTACTS.all(tx, customer_id=customer_id)

    async def _set_consent(
        self,
        tx: Tx,
        customer_id: UUID,
        purpose: Purpose,
        before: datetime | None,
        given_at: datetime | None,
    ) -> None:
        if given_at is not None:
            given_at = rules.consent_time(f"{purpose}_opt_in", given_at)
        if given_at == before:
            return
        if before is not None:
            await queries.WITHDRAW_CONSENT.run(tx, customer_id=customer_id, purpose=purpose)
        if given_at is not None:
            await queries.GIVE_CONSENT.run(
                tx,
                customer_id=customer_id,
                purpose=purpose,
                given_at=given_at,
                recorded_by=tx.actor.id,
            )
        await audit.write(
            tx,
            action="consent" if given_at is not None else "withdraw_consent",
            kind="customer",
            key=customer_id,
            before={purpose: before},
            after={purpose: given_at},
        )
