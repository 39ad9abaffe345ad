"""Commands for customers."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import msgspec
import typer

from demarc.cli.frame import command, group

if TYPE_CHECKING:
    from demarc.domains.services.erasure import Erased
    from demarc.domains.subscribers.model import Customer
    from demarc.platform.settings import Settings
    from demarc.views.customers import CustomerRow

customers = group("customer", "People and companies that have, or asked for, services.")

Tenant = Annotated[
    str | None,
    typer.Option("--tenant", metavar="SLUG", help="The ISP; may be left out where there is one."),
]


class CustomerShown(msgspec.Struct, frozen=True):
    """A customer as commands show them; ``tax_id`` without punctuation."""

    id: UUID
    name: str
    kind: str
    email: str | None
    mobile_number: str | None
    tax_id: str | None
    created_at: datetime


@command(customers, "list")
async def list_customers(
    settings: "Settings",
    *,
    tenant: Tenant = None,
    email: Annotated[str | None, typer.Option(help="With exactly this e-mail.")] = None,
    page: Annotated[int, typer.Option(min=1, help="From 1.")] = 1,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Customers at most.")] = 50,
) -> list[CustomerShown]:
    """List an ISP's customers and those of no ISP yet, the oldest first.

    Examples:
        demarc customer list --tenant veloz
        demarc customer list --email nomsa@example.net --json
    """
    from time import monotonic

    from demarc.cli.desk import opened
    from demarc.views import customers as view
    from demarc.views.totals import Totals

    async with opened(settings) as desk:
        async with desk.system() as tx:
            isp = await desk.tenant_meant(tx, tenant)
        async with desk.tenant(isp.id) as tx:
            found = await view.page_of(
                tx, api="cli", page=page, size=limit, totals=Totals(monotonic), email=email
            )
    return [_shown(one) for one in found.items]


@command(customers, "search")
async def search_customers(
    settings: "Settings",
    *,
    text: Annotated[
        str, typer.Argument(help="Parts of the name, e-mail, telephone or tax number.")
    ],
    tenant: Tenant = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Customers at most.")] = 20,
) -> list[CustomerShown]:
    """Find customers. Case, accents and punctuation do not matter.

    Examples:
        demarc customer search "nomsa dla" --tenant veloz
    """
    from demarc.cli.desk import opened
    from demarc.views import customers as view

    async with opened(settings) as desk:
        async with desk.system() as tx:
            isp = await desk.tenant_meant(tx, tenant)
        async with desk.tenant(isp.id) as tx:
            found = await view.search(tx, text, api="cli", limit=limit)
    return [_shown(one) for one in found]


@command(customers, "add")
async def add_customer(
    settings: "Settings",
    *,
    first_name: Annotated[str | None, typer.Option(help="Of a person, with --last-name.")] = None,
    last_name: Annotated[str | None, typer.Option(help="Of a person.")] = None,
    company: Annotated[str | None, typer.Option(metavar="NAME", help="Of a company.")] = None,
    email: Annotated[str | None, typer.Option(help="Where mail reaches them.")] = None,
    mobile: Annotated[
        str | None, typer.Option(help="With country code, as +27 82 555 0101.")
    ] = None,
    tax_id: Annotated[
        str | None, typer.Option(metavar="KIND:NUMBER", help="As cpf:529.982.247-25.")
    ] = None,
    tenant: Tenant = None,
) -> CustomerShown:
    """Add a customer: a person, or a company.

    Examples:
        demarc customer add --first-name Nomsa --last-name Dlamini --email nomsa@example.net
        demarc customer add --company "Padaria Exemplo" --tax-id cnpj:11.222.333/0001-81
    """
    from demarc.cli.desk import opened
    from demarc.domains.errors import Invalid

    kind, _, number = (tax_id or "").partition(":")
    if tax_id is not None and not (kind and number):
        raise Invalid("--tax-id", "is written KIND:NUMBER, as cpf:529.982.247-25")
    if company is not None and (first_name is not None or last_name is not None):
        raise Invalid("--company", "has no first and last name")
    async with opened(settings) as desk:
        async with desk.system() as tx:
            isp = await desk.tenant_meant(tx, tenant)
        async with desk.tenant(isp.id) as tx:
            made = await desk.parts.subscribers.create_customer(
                tx,
                kind="person" if company is None else "company",
                name=company,
                first_name=first_name,
                last_name=last_name,
                tax_id_kind=kind or None,
                tax_id=number or None,
                email=email,
                mobile_number=mobile,
            )
    return _shown(made)


@command(customers, "erase")
async def erase_customer(
    settings: "Settings",
    *,
    customer: Annotated[
        str, typer.Argument(help="Their id, or their e-mail if it is theirs alone.")
    ],
    tenant: Tenant = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only tell what would be erased.")
    ] = False,
) -> "Erased":
    """Forget a customer whose services have all ended. It cannot be undone.

    What identifies and reaches them goes: names, e-mail, telephones, contacts, log-ins' and Wi-Fi
    secrets, what the audit log says of them. Services stay with their dates and products, and name
    and tax number for as long as the rule tax_identity says (demarc retention list).

    Examples:
        demarc customer erase nomsa@example.net --tenant veloz --dry-run
        demarc customer erase 0b9e6f5c-3f0e-4b64-9f0c-2a4f4de1a001
    """
    from demarc.cli import sought
    from demarc.cli.desk import opened
    from demarc.domains.services import erasure
    from demarc.views.wire_ids import as_uuid

    async with opened(settings) as desk:
        meant = as_uuid(customer)
        if meant is None:
            async with desk.system() as tx:
                isp = await desk.tenant_meant(tx, tenant)
            async with desk.tenant(isp.id) as tx:
                meant = await sought.customer_id(tx, customer)
        async with desk.system() as tx:
            await tx.conn.execute("SAVEPOINT before_it")
            gone = await erasure.erase(tx, meant)
            if dry_run:
                await tx.conn.execute("ROLLBACK TO SAVEPOINT before_it")
        return gone


def _shown(one: "Customer | CustomerRow") -> CustomerShown:
    return CustomerShown(
        id=one.id,
        name=one.name,
        kind=one.kind,
        email=one.email,
        mobile_number=one.mobile_number,
        tax_id=one.tax_id,
        created_at=one.created_at,
    )


__all__ = ["customers"]
