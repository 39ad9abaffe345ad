"""Commands for the equipment in subscribers' homes."""

import sys
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import msgspec
import typer

from demarc.cli.frame import command, group

if TYPE_CHECKING:
    from demarc.cli.desk import Desk
    from demarc.domains.cpe.model import Cpe
    from demarc.domains.network.model import Command
    from demarc.platform.database import Tx
    from demarc.platform.settings import Settings

cpes = group("cpe", "Equipment in subscribers' homes, managed over TR-069.")

Tenant = Annotated[
    str | None,
    typer.Option(metavar="SLUG", help="The ISP; may be left out where there is one."),
]
Device = Annotated[str, typer.Argument(help="Its serial number, MAC address or id.")]


class CpeShown(msgspec.Struct, frozen=True):
    """A device in a list."""

    serial: str
    oui: str
    model: str
    software: str
    state: str
    tenant: str | None
    contact: datetime | None
    id: UUID


class CpeCard(msgspec.Struct, frozen=True):
    """All there is to know of a device at a glance."""

    id: UUID
    serial: str
    oui: str
    product_class: str
    manufacturer: str
    model: str
    hardware: str
    software: str
    mac: str | None
    state: str
    tenant: str | None
    service_id: UUID | None
    first_seen: datetime
    contact: datetime | None
    address: str | None
    last_events: list[str]
    sessions: int
    boot: datetime | None
    bootstrap: datetime | None
    has_passwords: bool
    called_at: datetime | None
    call_fault: str | None


class ParameterShown(msgspec.Struct, frozen=True):
    """A parameter as last known."""

    path: str
    value: str
    type: str
    writable: bool | None
    changed: datetime | None


class CommandShown(msgspec.Struct, frozen=True):
    """A command to a device, and what it answered."""

    id: UUID
    kind: str
    state: str
    created: datetime
    finished: datetime | None
    fault: str | None
    answer: dict[str, Any] | None


class WordShown(msgspec.Struct, frozen=True):
    """What an ISP's devices prove themselves with at first; the password is not shown."""

    tenant: str
    username: str
    adopts: bool


@command(cpes, "list")
async def list_cpes(
    settings: "Settings",
    quarantined: Annotated[
        bool, typer.Option("--quarantined", help="Those that nobody has adopted yet.")
    ] = False,
    tenant: Tenant = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most so many.")] = 100,
) -> list[CpeShown]:
    """List devices: an ISP's, or those in quarantine, the newest first.

    Examples:
        demarc cpe list --tenant veloz
        demarc cpe list --quarantined
    """
    from demarc.cli.desk import opened

    async with opened(settings) as desk, desk.system() as tx:
        if quarantined:
            found = await desk.parts.cpes.quarantined(tx, limit)
            return [await _shown(desk, tx, one, None) for one in found]
        owner = await desk.tenant_meant(tx, tenant)
        found = await desk.parts.cpes.of_tenant(tx, owner.id, limit)
        return [await _shown(desk, tx, one, owner.slug) for one in found]


@command(cpes, "show")
async def show_cpe(settings: "Settings", *, device: Device) -> CpeCard:
    """Show a device.

    Examples:
        demarc cpe show EX00000001
    """
    from demarc.cli.desk import opened

    async with opened(settings) as desk, desk.system() as tx:
        return await _card(desk, tx, await desk.parts.cpes.named(tx, device))


@command(cpes, "adopt")
async def adopt_cpe(
    settings: "Settings",
    *,
    device: Device,
    tenant: Tenant = None,
    service: Annotated[
        str | None, typer.Option(metavar="ID", help="The service it serves, if that is known.")
    ] = None,
) -> CpeCard:
    """Take a device out of quarantine; it is given passwords of its own at its next contact.

    Examples:
        demarc cpe adopt EX00000001 --tenant veloz
    """
    from demarc.cli.desk import opened
    from demarc.domains.errors import Invalid

    async with opened(settings) as desk, desk.system() as tx:
        owner = await desk.tenant_meant(tx, tenant)
        found = await desk.parts.cpes.named(tx, device)
        await desk.parts.cpes.adopt(tx, found.id, owner.id)
        if service is not None:
            try:
                wanted = UUID(service)
            except ValueError:
                raise Invalid("--service", "is not the id of a service") from None
            served = await desk.parts.services.get(tx, wanted)
            if served.tenant_id != owner.id:
                raise Invalid("--service", "is another ISP's")
            await desk.parts.cpes.assign(tx, found.id, served.id)
        return await _card(desk, tx, await desk.parts.cpes.find(tx, found.id))


@command(cpes, "parameters")
async def list_parameters(
    settings: "Settings",
    *,
    device: Device,
    below: Annotated[
        str, typer.Argument(metavar="[PATH]", help="What is below this path alone.")
    ] = "",
) -> list[ParameterShown]:
    """List a device's parameters as last known; passwords are not shown.

    Examples:
        demarc cpe parameters EX00000001 Device.WiFi.
    """
    from demarc.cli.desk import opened

    async with opened(settings) as desk, desk.system() as tx:
        found = await desk.parts.cpes.named(tx, device)
        tree = await desk.parts.cpes.tree(tx, found.id)
        return [
            ParameterShown(path, one.value, one.type, one.writable, one.at)
            for path, one in sorted(tree.items())
            if path.startswith(below)
        ]


@command(cpes, "get")
async def get_values(
    settings: "Settings",
    *,
    device: Device,
    names: Annotated[list[str], typer.Argument(help="Parameters, or objects with their dots.")],
) -> CommandShown:
    """Have a device tell parameters; it is called, or else tells them at its next contact.

    Examples:
        demarc cpe get EX00000001 Device.DeviceInfo.UpTime Device.WiFi.
    """
    return await _ask(settings, device, "cpe.get", {"names": names})


@command(cpes, "set")
async def set_values(
    settings: "Settings",
    *,
    device: Device,
    values: Annotated[
        list[str], typer.Argument(metavar="NAME=VALUE...", help="Parameters and their values.")
    ],
) -> CommandShown:
    """Have a device set parameters, all or none. Types are those it told; else text.

    Examples:
        demarc cpe set EX00000001 Device.WiFi.SSID.1.SSID=Lounge
    """
    from demarc.domains.cpe.tree import is_secret
    from demarc.domains.errors import Invalid

    given = []
    for text in values:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise Invalid(text[:40], "is not of the form NAME=VALUE")
        if is_secret(name):
            raise Invalid(name, "is a secret, which does not belong on a command line")
        given.append({"name": name, "value": value})
    return await _ask(settings, device, "cpe.set", {"values": given})


@command(cpes, "reboot")
async def reboot_cpe(settings: "Settings", *, device: Device) -> CommandShown:
    """Have a device start anew.

    Examples:
        demarc cpe reboot EX00000001
    """
    return await _ask(settings, device, "cpe.reboot", {})


@command(cpes, "learn")
async def learn_cpe(settings: "Settings", *, device: Device) -> CommandShown:
    """Have a device tell everything it has.

    Examples:
        demarc cpe learn EX00000001
    """
    return await _ask(settings, device, "cpe.learn", {})


@command(cpes, "commands")
async def list_commands(settings: "Settings", *, device: Device) -> list[CommandShown]:
    """List what a device was asked, the newest first, and what it answered.

    Examples:
        demarc cpe commands EX00000001
    """
    from demarc.cli.desk import opened
    from demarc.domains.network import commands

    async with opened(settings) as desk, desk.system() as tx:
        found = await desk.parts.cpes.named(tx, device)
        return [_told(one) for one in await commands.of_cpe(tx, found.id)]


@command(cpes, "word")
async def set_word(
    settings: "Settings",
    *,
    username: Annotated[str, typer.Argument(help="As the devices have it from their maker.")],
    tenant: Tenant = None,
    adopts: Annotated[
        bool,
        typer.Option("--adopts/--waits", help="Whether devices nobody knows are adopted at once."),
    ] = True,
) -> WordShown:
    """Say what an ISP's devices prove themselves with at first. The password is read from a pipe.

    Examples:
        demarc cpe word veloz-cpe --tenant veloz < word.txt
    """
    from demarc.cli.desk import opened

    password = sys.stdin.readline().rstrip("\r\n")
    async with opened(settings) as desk, desk.system() as tx:
        owner = await desk.tenant_meant(tx, tenant)
        made = await desk.parts.cpes.put_bootstrap(
            tx, tenant_id=owner.id, username=username, password=password, adopts=adopts
        )
        return WordShown(owner.slug, made.username, made.adopts)


async def _ask(
    settings: "Settings", device: str, kind: str, request: dict[str, Any]
) -> CommandShown:
    from demarc.cli.desk import opened

    async with opened(settings) as desk:
        async with desk.system() as tx:
            found = await desk.parts.cpes.named(tx, device)
            made = await desk.parts.cpes.ask(tx, found.id, kind, request)
        return _told(made)


def _told(one: "Command") -> CommandShown:
    return CommandShown(
        one.id, one.kind, one.state, one.created_at, one.finished_at, one.fault, one.answer
    )


async def _shown(desk: "Desk", tx: "Tx", cpe: "Cpe", slug: str | None) -> CpeShown:
    status = await desk.parts.cpes.status(tx, cpe.id)
    return CpeShown(
        cpe.serial_number,
        cpe.oui,
        cpe.model or cpe.product_class,
        cpe.software_version,
        cpe.state,
        slug,
        status.contact_at,
        cpe.id,
    )


async def _card(desk: "Desk", tx: "Tx", cpe: "Cpe") -> CpeCard:
    status = await desk.parts.cpes.status(tx, cpe.id)
    slugs = {one.id: one.slug for one in await desk.parts.identity.tenants(tx)}
    assigned = await desk.parts.cpes.assigned(tx, cpe.id)
    return CpeCard(
        id=cpe.id,
        serial=cpe.serial_number,
        oui=cpe.oui,
        product_class=cpe.product_class,
        manufacturer=cpe.manufacturer,
        model=cpe.model,
        hardware=cpe.hardware_version,
        software=cpe.software_version,
        mac=cpe.mac,
        state=cpe.state,
        tenant=None if cpe.tenant_id is None else slugs.get(cpe.tenant_id),
        service_id=None if assigned is None else assigned.service_id,
        first_seen=cpe.first_seen_at,
        contact=status.contact_at,
        address=status.address,
        last_events=status.events,
        sessions=status.sessions,
        boot=cpe.boot_at,
        bootstrap=cpe.bootstrap_at,
        has_passwords=cpe.acs_secret is not None,
        called_at=status.called_at,
        call_fault=status.call_fault,
    )


__all__ = ["cpes"]
