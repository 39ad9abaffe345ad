"""Commands for services: what a customer has, from its creation to its end."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Literal
from uuid import UUID

import msgspec
import typer

from demarc.cli.credentials import credentials
from demarc.cli.frame import command, group
from demarc.cli.service_card import ServiceShown, show

if TYPE_CHECKING:
    from demarc.cli.desk import Desk
    from demarc.domains.network.model import Command
    from demarc.domains.services.model import Transition
    from demarc.platform.settings import Settings
    from demarc.views.service_search import ServiceLine

services = group(
    "service",
    "Services. One is named by its id, by the ISP's reference, or by its log-in.",
)

Tenant = Annotated[str | None, typer.Option("--tenant", metavar="SLUG", help="Of this ISP alone.")]
Which = Annotated[
    str, typer.Argument(metavar="SERVICE", help="Its id, the ISP's reference, or its log-in.")
]
Reason = Annotated[str, typer.Option(help="Why; it stays in the service's history.")]
State = Literal[
    "pending_installation",
    "pending_activation",
    "active",
    "suspended",
    "pending_cancellation",
    "cancelled",
]


@command(services, "list")
async def list_services(
    settings: "Settings",
    *,
    tenant: Tenant = None,
    state: Annotated[State | None, typer.Option(help="In this state alone.")] = None,
    page: Annotated[int, typer.Option(min=1, help="From 1.")] = 1,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Services at most.")] = 50,
) -> list["ServiceLine"]:
    """List services, the newest first.

    Examples:
        demarc service list --state suspended
        demarc service list --tenant veloz --json
    """
    from demarc.cli.desk import opened
    from demarc.views import service_search

    async with opened(settings) as desk, desk.system() as tx:
        isp = None if tenant is None else await desk.parts.identity.tenant_named(tx, tenant)
        return await service_search.page_of(
            tx,
            tenant_id=None if isp is None else isp.id,
            state=state,
            limit=limit,
            offset=(page - 1) * limit,
        )


@command(services, "show")
async def show_service(
    settings: "Settings",
    *,
    service: Which,
    tenant: Tenant = None,
    password: Annotated[
        bool, typer.Option("--password", help="Show the log-in's password too.")
    ] = False,
) -> ServiceShown:
    """Show a service: its state, its log-in, who is on line, and its ONU's light.

    Examples:
        demarc service show u0001@veloz.example
        demarc service show CONTRACT-7 --tenant veloz --password
    """
    from demarc.cli import sought
    from demarc.cli.desk import opened

    async with opened(settings) as desk:
        found = await sought.service(desk, service, tenant)
        async with desk.tenant(found.tenant_id) as tx:
            return await show(desk, tx, found, password=password)


@command(services, "create")
async def create_service(
    settings: "Settings",
    *,
    customer: Annotated[str, typer.Option(help="The customer's id or e-mail.")],
    product: Annotated[str, typer.Option(help="The product's id or code.")],
    premise: Annotated[str, typer.Option(help="The premise's id or whole address.")],
    tenant: Annotated[
        str | None,
        typer.Option(metavar="SLUG", help="The ISP; may be left out where there is one."),
    ] = None,
    reference: Annotated[str | None, typer.Option(help="The ISP's own name for it.")] = None,
    sales_agent: Annotated[str | None, typer.Option(help="Who sold it.")] = None,
) -> ServiceShown:
    """Create a service. Its log-in works at once; the password is shown.

    Examples:
        demarc service create --customer nomsa@example.net --product home-100 --premise "Rua 1"
    """
    from demarc.cli import sought
    from demarc.cli.desk import opened
    from demarc.views.service_search import ServiceFound

    async with opened(settings) as desk:
        async with desk.system() as tx:
            isp = await desk.tenant_meant(tx, tenant)
            sold_on = await desk.parts.identity.networks_sold_on(tx, isp.id)
        async with desk.tenant(isp.id) as tx:
            made = await desk.parts.services.create(
                tx,
                customer_id=await sought.customer_id(tx, customer),
                product_id=await sought.product_id(desk, tx, sold_on, product),
                premise_id=await sought.premise_id(tx, premise),
                isp_reference=reference,
                sales_agent=sales_agent,
            )
            found = ServiceFound(made.id, isp.id, isp.slug)
            return await show(desk, tx, found, password=True)


@command(services, "activate")
async def activate_service(
    settings: "Settings",
    *,
    service: Which,
    reason: Reason = "activated by hand",
    tenant: Tenant = None,
) -> ServiceShown:
    """Activate by hand a service that is installed.

    Examples:
        demarc service activate u0001 --reason "installer called"
    """
    return await _act(settings, "activate", service, tenant, reason=reason)


@command(services, "suspend")
async def suspend_service(
    settings: "Settings",
    *,
    service: Which,
    reason: Reason = "suspended by hand",
    tenant: Tenant = None,
) -> ServiceShown:
    """Refuse further log-ins and end live sessions, or lead both into the garden of the profile.

    Examples:
        demarc service suspend u0001 --reason "invoice 42 unpaid"
        demarc service commands u0001        # how its NAS answered
    """
    return await _act(settings, "suspend", service, tenant, reason=reason)


@command(services, "resume")
async def resume_service(
    settings: "Settings",
    *,
    service: Which,
    reason: Reason = "resumed by hand",
    tenant: Tenant = None,
) -> ServiceShown:
    """Let a suspended service log in again, or take back a notice.

    Examples:
        demarc service resume u0001 --reason paid
    """
    return await _act(settings, "resume", service, tenant, reason=reason)


@command(services, "cancel")
async def cancel_service(
    settings: "Settings",
    *,
    service: Which,
    reason: Reason = "cancelled by hand",
    at: Annotated[
        str | None,
        typer.Option(
            metavar="TIME", help="Later, as 2030-01-31T12:00:00-03:00; it works until then."
        ),
    ] = None,
    tenant: Tenant = None,
) -> ServiceShown:
    """End a service for good: now, or at a later time.

    Examples:
        demarc service cancel u0001 --reason moved
        demarc service cancel u0001 --at 2030-01-31T12:00:00Z
    """
    from demarc.domains.errors import Invalid

    try:
        when = None if at is None else datetime.fromisoformat(at)
    except ValueError:
        raise Invalid("--at", f"{at} is not a time as 2030-01-31T12:00:00Z") from None
    return await _act(settings, "cancel", service, tenant, reason=reason, at=when)


@command(services, "change-product")
async def change_product(
    settings: "Settings",
    *,
    service: Which,
    product: Annotated[str, typer.Argument(help="The product's id or code.")],
    tenant: Tenant = None,
) -> ServiceShown:
    """Give a service another product; its live sessions are brought to the new speed.

    Examples:
        demarc service change-product u0001 home-200
    """
    from demarc.cli import sought
    from demarc.cli.desk import opened

    async with opened(settings) as desk:
        found = await sought.service(desk, service, tenant)
        async with desk.system() as tx:
            network_id = (await desk.parts.services.get(tx, found.id)).network_id
            network = await desk.parts.identity.network(tx, network_id)
        async with desk.tenant(found.tenant_id) as tx:
            product_id = await sought.product_id(desk, tx, [network], product)
            await desk.parts.services.change_product(tx, found.id, product_id)
            return await show(desk, tx, found, password=False)


@command(services, "device")
async def assign_device(
    settings: "Settings",
    *,
    service: Which,
    serial: Annotated[
        str, typer.Argument(metavar="SERIAL", help="The ONU's, as on its label: HWTC12345678.")
    ],
    model: Annotated[str | None, typer.Option(help="As on its label, if known.")] = None,
    tenant: Tenant = None,
) -> ServiceShown:
    """Say which ONU serves a service; one that served it before no longer does.

    Examples:
        demarc service device u0001 HWTC12345678
        demarc service device u0001 485754430A1B2C3D --model HG8145V5
    """
    from demarc.cli import sought
    from demarc.cli.desk import opened

    async with opened(settings) as desk:
        found = await sought.service(desk, service, tenant)
        async with desk.tenant(await _owner(desk, found.id)) as tx:
            await desk.parts.services.assign_device(tx, found.id, serial=serial, model=model)
        async with desk.tenant(found.tenant_id) as tx:
            return await show(desk, tx, found, password=False)


@command(services, "release-device")
async def release_device(
    settings: "Settings", *, service: Which, tenant: Tenant = None
) -> ServiceShown:
    """Say that no ONU serves a service any more, so that its ONU may serve another.

    Examples:
        demarc service release-device u0001
    """
    from demarc.cli import sought
    from demarc.cli.desk import opened

    async with opened(settings) as desk:
        found = await sought.service(desk, service, tenant)
        async with desk.tenant(await _owner(desk, found.id)) as tx:
            await desk.parts.services.release_device(tx, found.id)
        async with desk.tenant(found.tenant_id) as tx:
            return await show(desk, tx, found, password=False)


async def _owner(desk: "Desk", service_id: UUID) -> UUID:
    """Give the owner of the network a service runs on, whose ONUs are its."""
    async with desk.system() as tx:
        return (await desk.parts.services.get(tx, service_id)).owner_id


@command(services, "history")
async def show_history(
    settings: "Settings", *, service: Which, tenant: Tenant = None
) -> list["Transition"]:
    """Show the life of a service, the oldest step first.

    Examples:
        demarc service history u0001
    """
    from demarc.cli import sought
    from demarc.cli.desk import opened

    async with opened(settings) as desk:
        found = await sought.service(desk, service, tenant)
        async with desk.tenant(found.tenant_id) as tx:
            return await desk.parts.services.history(tx, found.id)


class CommandShown(msgspec.Struct, frozen=True):
    """A command to a device, and what came of it."""

    id: UUID
    created_at: datetime
    kind: str
    state: str
    fault: str | None
    answer: dict[str, object] | None
    finished_at: datetime | None


@command(services, "commands")
async def show_commands(
    settings: "Settings", *, service: Which, tenant: Tenant = None
) -> list[CommandShown]:
    """Show what devices were told for a service and how they answered, the newest first.

    Examples:
        demarc service commands u0001 --json
    """
    from demarc.cli import sought
    from demarc.cli.desk import opened
    from demarc.domains.network import commands

    async with opened(settings) as desk:
        found = await sought.service(desk, service, tenant)
        async with desk.tenant(found.tenant_id) as tx:
            return [_command(one) for one in await commands.of_service(tx, found.id)]


def _command(one: "Command") -> CommandShown:
    return CommandShown(
        id=one.id,
        created_at=one.created_at,
        kind=one.kind,
        state=one.state,
        fault=one.fault,
        answer=one.answer,
        finished_at=one.finished_at,
    )


async def _act(
    settings: "Settings",
    action: Literal["activate", "suspend", "resume", "cancel"],
    service: str,
    tenant: str | None,
    **values: object,
) -> ServiceShown:
    from demarc.cli import sought
    from demarc.cli.desk import opened

    async with opened(settings) as desk:
        found = await sought.service(desk, service, tenant)
        async with desk.tenant(found.tenant_id) as tx:
            await getattr(desk.parts.services, action)(tx, found.id, **values)
            return await show(desk, tx, found, password=False)


services.add_typer(credentials)

__all__ = ["services"]
