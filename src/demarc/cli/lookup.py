"""``demarc lookup``: who had an address at a time."""

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import msgspec
import typer

from demarc.cli.answers import Shown, as_text
from demarc.cli.frame import command

if TYPE_CHECKING:
    from demarc.domains.aaa.lookup import Found, Holder
    from demarc.platform.settings import Settings
    from demarc.views.holders import ServiceHolder

# people write a space before the zone
_BEFORE_ZONE = re.compile(r"\s+(?=[+-]\d{2}:?\d{2}$|Z$)")


class HolderShown(msgspec.Struct, frozen=True):
    """Somebody who had the address, and what tells it.

    Attributes:
        evidence: "session", "nat rule", "nat block" or "lease".
        told_until: when the NAS last told of the session; what was asked after it is likely.
        mac: Calling-Station-Id.
        circuit: the line, as the access server or the access node calls it.
    """

    evidence: str
    customer: str | None
    tax_id: str | None
    email: str | None
    mobile_number: str | None
    address: str | None
    isp: str | None
    service: int | None
    service_id: UUID
    isp_reference: str | None
    login: str
    session: str | None
    started_at: datetime
    told_until: datetime | None
    ended_at: datetime | None
    ended_by: str | None
    nas: str | None
    circuit: str | None
    mac: str | None
    ipv4: str | None
    ipv6: str | None
    ports: str | None


class LookupShown(msgspec.Struct, frozen=True):
    """A look-up: what was asked, and who had it.

    Attributes:
        id: as the audit log has it.
        more: others had it too, who are not shown.
    """

    id: UUID
    asked: str
    port: int | None
    at: datetime
    tolerance_seconds: int
    holders: list[HolderShown]
    more: bool


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    command(app, "lookup")(lookup)


async def lookup(
    settings: "Settings",
    *,
    address: Annotated[str, typer.Argument(help="IPv4 as the Internet saw it, or IPv6.")],
    at: Annotated[
        str, typer.Option(metavar="TIME", help='With its zone: "2026-11-20 21:13:05 -03:00".')
    ],
    reason: Annotated[
        str, typer.Option(metavar="TEXT", help="Why: the number of the order. It is written down.")
    ],
    port: Annotated[
        int | None,
        typer.Option(min=0, max=65535, help="The source port; behind CGNAT it tells one of many."),
    ] = None,
    tolerance: Annotated[
        int,
        typer.Option(
            min=0, max=86400, metavar="SECONDS", help="How wrong the clock of who asks may be."
        ),
    ] = 60,
    tenant: Annotated[
        str | None,
        typer.Option(metavar="SLUG", help="Ask as this organisation, which knows its own alone."),
    ] = None,
) -> Shown:
    """Tell who had an address at a time: customer, service, session, line, MAC address.

    Sessions tell it, live and closed, for as long as they are kept; behind CGNAT the rules and
    the blocks of ports that access servers told. The reason and what was found are written into
    the audit logs of the ISP and of the network's owner.

    Examples:
        demarc lookup 203.0.113.7 --port 40312 --at "2026-11-20 21:13:05 -03:00" --reason "order 12/26"
        demarc lookup 2001:db8::5 --at 2026-11-20T21:13:05Z --reason "abuse report 7" --json
    """
    from demarc.cli.desk import opened
    from demarc.views import holders as view

    moment = _moment(at)
    async with opened(settings) as desk:
        async with desk.system() as tx:
            whose = None
            if tenant is not None:
                whose = (await desk.parts.identity.tenant_named(tx, tenant)).id
        async with desk.system() if whose is None else desk.tenant(whose) as tx:
            found = await desk.parts.aaa.lookup(
                tx,
                address=address,
                at=moment,
                reason=reason,
                port=port,
                tolerance=timedelta(seconds=tolerance),
            )
            known = await view.holders(tx, [one.service_id for one in found.holders])
    shown = LookupShown(
        id=found.id,
        asked=found.address,
        port=found.port,
        at=found.at,
        tolerance_seconds=found.tolerance_seconds,
        holders=[_holder(one, known.get(one.service_id)) for one in found.holders],
        more=found.more,
    )
    return Shown(shown, _text(shown, found))


def _moment(text: str) -> datetime:
    from demarc.domains.errors import Invalid

    try:
        moment = datetime.fromisoformat(_BEFORE_ZONE.sub("", text.strip()))
    except ValueError:
        raise Invalid("--at", f'{text} is no time; write "2026-11-20 21:13:05 -03:00"') from None
    if moment.tzinfo is None:
        raise Invalid("--at", f'{text} has no time zone; write "{text} -03:00", or with Z for UTC')
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise Invalid("--at", f"{text} is no time that anybody can have seen") from None


def _holder(one: "Holder", of: "ServiceHolder | None") -> HolderShown:
    ports = None if one.port_from is None else f"{one.port_from}-{one.port_to}"
    return HolderShown(
        evidence=one.evidence,
        customer=of.customer if of else None,
        tax_id=of.tax_id if of else None,
        email=of.email if of else None,
        mobile_number=of.mobile_number if of else None,
        address=of.address if of else None,
        isp=of.isp if of else None,
        service=of.number if of else None,
        service_id=one.service_id,
        isp_reference=of.isp_reference if of else None,
        login=one.login,
        session=one.acct_session_id,
        started_at=one.started_at,
        told_until=one.told_until,
        ended_at=one.ended_at,
        ended_by=one.terminate_cause,
        nas=" ".join(part for part in (one.nas, one.nas_address) if part) or None,
        circuit=one.line or one.circuit_id,
        mac=one.station,
        ipv4=one.ipv4,
        ipv6=" ".join(each for each in (one.framed_ipv6_prefix, one.delegated_ipv6_prefix) if each)
        or None,
        ports=ports,
    )


def _text(shown: LookupShown, found: "Found") -> str:
    asked = shown.asked if shown.port is None else f"{shown.asked} port {shown.port}"
    head = f"{asked} at {found.at:%Y-%m-%d %H:%M:%S} UTC, give or take {shown.tolerance_seconds} s"
    if not shown.holders:
        return f"{head}: nobody that is known of"
    parts = [f"{head}:"]
    parts += [as_text(holder).rstrip("\n") for holder in shown.holders]
    if shown.more:
        parts.append("there are others; say the port, or a smaller --tolerance")
    return "\n\n".join(parts)


__all__ = ["add_to"]
