"""Commands for what a service's log-ins may: profile, time, binding, quota."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
import typer

from demarc.cli.frame import command
from demarc.cli.service import Tenant, Which, services

if TYPE_CHECKING:
    from demarc.cli.desk import Desk
    from demarc.domains.aaa.policies import Standing
    from demarc.platform.settings import Settings
    from demarc.views.service_search import ServiceFound


class TermsShown(msgspec.Struct, frozen=True):
    """What a service's log-in may now.

    Attributes:
        terms: download/upload in bit/s, and what it is less than full; None where it is refused.
        why: it is refused, or less than full.
        given: what its sessions were given last.
        station: it is bound to, as ``line``, and how it came to that.
        quota: octets used, of how many, and until when.
    """

    profile: str | None
    terms: str | None
    why: str | None
    given: list[str]
    station: str | None
    line: str | None
    quota: str | None


@command(services, "terms")
async def show_terms(settings: "Settings", *, service: Which, tenant: Tenant = None) -> TermsShown:
    """Show what a service's log-in may now, what its sessions were given, and why.

    Examples:
        demarc service terms u0001
    """
    from demarc.cli import sought
    from demarc.cli.desk import opened

    async with opened(settings) as desk:
        return await _terms(desk, await sought.service(desk, service, tenant))


@command(services, "set-profile")
async def set_profile(
    settings: "Settings",
    *,
    service: Which,
    profile: Annotated[
        str | None, typer.Argument(metavar="[PROFILE]", help="Left out, its product's holds again.")
    ] = None,
    tenant: Tenant = None,
) -> TermsShown:
    """Give a service a profile of its own. Its live sessions are told.

    Examples:
        demarc service set-profile u0001 nights
        demarc service set-profile u0001
    """
    from demarc.cli import sought
    from demarc.cli.desk import opened

    async with opened(settings) as desk:
        found = await sought.service(desk, service, tenant)
        async with desk.system() as tx:
            meant = None
            if profile is not None:
                meant = await desk.parts.aaa.profile_named(tx, found.tenant_id, profile)
            await desk.parts.aaa.set_profile(tx, found.id, meant)
        return await _terms(desk, found)


@command(services, "expires")
async def set_expiry(
    settings: "Settings",
    *,
    service: Which,
    at: Annotated[
        str | None,
        typer.Argument(metavar="[TIME]", help="As 2030-01-31T12:00:00-03:00; left out, never."),
    ] = None,
    tenant: Tenant = None,
) -> TermsShown:
    """Say from when on a service's log-ins may not be used any more.

    Examples:
        demarc service expires u0001 2030-01-31T12:00:00Z
        demarc service expires u0001
    """
    from demarc.cli import sought
    from demarc.cli.desk import opened
    from demarc.domains.errors import Invalid

    try:
        when = None if at is None else datetime.fromisoformat(at)
    except ValueError:
        raise Invalid("time", f"{at} is not a time as 2030-01-31T12:00:00Z") from None
    if when is not None and when.tzinfo is None:
        raise Invalid("time", f"{at} has no offset; write 2030-01-31T12:00:00Z")
    async with opened(settings) as desk:
        found = await sought.service(desk, service, tenant)
        async with desk.tenant(found.tenant_id) as tx:
            await desk.parts.aaa.set_expiry(tx, found.id, when)
        return await _terms(desk, found)


@command(services, "bind")
async def bind(
    settings: "Settings",
    *,
    service: Which,
    what: Annotated[Literal["station", "line"], typer.Argument(help="What it is bound to.")],
    to: Annotated[
        str | None,
        typer.Argument(
            metavar="[NAME]", help="As the NAS writes it; left out, the first is learned."
        ),
    ] = None,
    off: Annotated[
        bool, typer.Option("--off", help="Bind it to none; its profile decides.")
    ] = False,
    tenant: Tenant = None,
) -> TermsShown:
    """Bind a service's log-ins to a station (Calling-Station-Id) or a line.

    Examples:
        demarc service bind u0001 station 02:00:00:00:00:01
        demarc service bind u0001 line
        demarc service bind u0001 station --off
    """
    from demarc.cli import sought
    from demarc.cli.desk import opened
    from demarc.domains.aaa.model import Binding
    from demarc.domains.errors import Invalid

    if off and to is not None:
        raise Invalid("--off", "takes no name")
    binding: Binding = "none" if off else ("learn" if to is None else "fixed")
    async with opened(settings) as desk:
        found = await sought.service(desk, service, tenant)
        async with desk.tenant(found.tenant_id) as tx:
            act = desk.parts.aaa.bind_station if what == "station" else desk.parts.aaa.bind_circuit
            await act(tx, found.id, binding, to)
        return await _terms(desk, found)


@command(services, "reset-binding")
async def reset_binding(
    settings: "Settings", *, service: Which, tenant: Tenant = None
) -> TermsShown:
    """Forget the station and the line a service's log-ins learned, so that the next are learned.

    Examples:
        demarc service reset-binding u0001        # a new router was brought
    """
    from demarc.cli import sought
    from demarc.cli.desk import opened

    async with opened(settings) as desk:
        found = await sought.service(desk, service, tenant)
        async with desk.tenant(found.tenant_id) as tx:
            await desk.parts.aaa.reset_binding(tx, found.id)
        return await _terms(desk, found)


@command(services, "top-up")
async def top_up(
    settings: "Settings",
    *,
    service: Which,
    octets: Annotated[str, typer.Argument(help="How much more: 50G, 1.5T (powers of 1000).")],
    note: Annotated[str | None, typer.Option(help="Why; it stays with it.")] = None,
    tenant: Tenant = None,
) -> TermsShown:
    """Let a service use more in the period that is now; where it is prepaid, from now on.

    Examples:
        demarc service top-up u0001 50G --note "paid at the counter"
    """
    from demarc.apply.values import Octets
    from demarc.cli import sought
    from demarc.cli.desk import opened
    from demarc.domains.errors import Invalid

    try:
        more = int(Octets.read(octets))
    except ValueError as wrong:
        raise Invalid("octets", str(wrong)) from None
    async with opened(settings) as desk:
        found = await sought.service(desk, service, tenant)
        async with desk.tenant(found.tenant_id) as tx:
            await desk.parts.aaa.top_up(tx, found.id, more, note)
        return await _terms(desk, found)


async def _terms(desk: "Desk", found: "ServiceFound") -> TermsShown:
    async with desk.tenant(found.tenant_id) as tx:
        return shown(await desk.parts.aaa.standing(tx, found.id))


def shown(standing: "Standing") -> TermsShown:
    """Give what is shown of it."""
    bound = standing.bindings[0]
    quota = standing.quota
    return TermsShown(
        profile=standing.profile,
        terms=standing.terms,
        why=standing.why,
        given=[f"{one.station or '-'}: {one.terms}" for one in standing.given],
        station=_bound(bound.station, bound.station_binding),
        line=_bound(bound.circuit_id, bound.circuit_binding),
        quota=None
        if quota is None
        else f"{quota.used} of {quota.allowance}"
        + ("" if quota.period_until is None else f" until {quota.period_until}"),
    )


def _bound(to: str | None, binding: str) -> str | None:
    if binding == "none" and to is None:
        return None
    return f"{to or 'the first that comes'} ({'learned' if binding != 'fixed' else 'fixed'})"


__all__ = ["TermsShown", "services", "shown"]
