"""``demarc usage``: what a service used, by day or by month."""

import re
from calendar import monthrange
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Literal
from uuid import UUID

import msgspec
import typer

from demarc.cli.answers import Shown, as_text
from demarc.cli.frame import command
from demarc.cli.service import Tenant, Which

if TYPE_CHECKING:
    from demarc.domains.aaa.model import UsageDay, UsageMonth
    from demarc.platform.settings import Settings

_DAYS = timedelta(days=30)
_MONTHS = 12
# somewhere it is a day later already (UTC+14)
_FURTHEST_EAST = timedelta(hours=14)
# what would be rounded to 1000.0 is one of the next unit
_NEXT_UNIT = 999.95
_NOTE = "What a NAS has not yet told of a live session, since its last interim, is not in it."


class Used(msgspec.Struct, frozen=True):
    """Octets of a period; IPv6 is within down and up.

    Attributes:
        period: "2026-11-21" or "2026-11"; "total" of all of them.
    """

    period: str
    down_octets: int
    up_octets: int
    ipv6_down_octets: int
    ipv6_up_octets: int


class UsageShown(msgspec.Struct, frozen=True):
    """What a service used: the periods with use, in order, and all of them together.

    Attributes:
        since: the first local day counted; until: the last.
    """

    service_id: UUID
    by: str
    since: date
    until: date
    used: list[Used]
    total: Used


class _Line(msgspec.Struct, frozen=True):
    period: str
    down: str
    up: str
    ipv6_down: str
    ipv6_up: str


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    command(app, "usage")(usage)


async def usage(
    settings: "Settings",
    *,
    service: Which,
    by: Annotated[Literal["day", "month"], typer.Option(help="What is counted together.")] = "day",
    since: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="DATE",
            help="First day, or month as 2026-11; else 30 days before the last, or 12 months.",
        ),
    ] = None,
    until: Annotated[
        str | None,
        typer.Option("--to", metavar="DATE", help="Last day or month, included; else today."),
    ] = None,
    tenant: Tenant = None,
) -> Shown:
    """Show what a service used, by the local day or month of its premise.

    Octets are in powers of 1000, and with --json as they were counted; IPv6 is within down and
    up. What a NAS has not yet told of a live session, since its last interim, is not in it.

    Examples:
        demarc usage u0001
        demarc usage u0001 --by month --from 2026-01 --json
    """
    from demarc.cli import sought
    from demarc.cli.desk import opened

    first, last = period(since, until, by, datetime.now(UTC))
    async with opened(settings) as desk:
        found = await sought.service(desk, service, tenant)
        aaa = desk.parts.aaa
        async with desk.tenant(found.tenant_id) as tx:
            if by == "day":
                days = await aaa.usage(tx, found.id, first, last)
                used = [_used(one.day.isoformat(), [one]) for one in days]
                total = _used("total", days)
            else:
                months = await aaa.usage_by_month(tx, found.id, first, last)
                used = [_used(f"{one.month:%Y-%m}", [one]) for one in months]
                total = _used("total", months)
    shown = UsageShown(found.id, by, first, last, used, total)
    text = "nothing was used" if not used else as_text([_line(one) for one in [*used, total]])
    return Shown(shown, f"{text.rstrip()}\n\n{_NOTE}")


def period(
    since: str | None, until: str | None, by: Literal["day", "month"], now: datetime
) -> tuple[date, date]:
    """Give the first and the last day that are asked for.

    Args:
        since: ``YYYY-MM-DD`` or ``YYYY-MM``.
        until: likewise, of a month its last day is meant; if not given, the day it is where the
            day begins first.
        by: without a first day, 30 days before the last, or 12 months with that of the last.
        now: the present, in UTC.

    Raises:
        Invalid: one is no date, or the last lies before the first.
    """
    from demarc.domains.errors import Invalid

    last = (now + _FURTHEST_EAST).date() if until is None else _date("--to", until, last=True)
    if since is not None:
        first = _date("--from", since, last=False)
    elif by == "day":
        first = date.fromordinal(max(1, last.toordinal() - _DAYS.days))
    else:
        months = max(12, last.year * 12 + last.month - _MONTHS)
        first = date(months // 12, months % 12 + 1, 1)
    if last < first:
        raise Invalid("--to", "lies before --from")
    return first, last


def _date(option: str, text: str, *, last: bool) -> date:
    from demarc.domains.errors import Invalid

    try:
        if re.fullmatch(r"\d{4}-\d{2}", text):
            month = date.fromisoformat(f"{text}-01")
            return month.replace(day=monthrange(month.year, month.month)[1]) if last else month
        return date.fromisoformat(text)
    except ValueError:
        raise Invalid(option, f"{text} is not a date as 2026-11-21, or a month") from None


def _used(name: str, parts: "Sequence[UsageDay | UsageMonth]") -> Used:
    return Used(
        name,
        sum(one.down_octets for one in parts),
        sum(one.up_octets for one in parts),
        sum(one.ipv6_down_octets for one in parts),
        sum(one.ipv6_up_octets for one in parts),
    )


def _line(used: Used) -> _Line:
    return _Line(
        used.period,
        _readable(used.down_octets),
        _readable(used.up_octets),
        _readable(used.ipv6_down_octets),
        _readable(used.ipv6_up_octets),
    )


def _readable(octets: int) -> str:
    amount, unit = float(octets), "B"
    for unit in ("B", "kB", "MB", "GB", "TB", "PB"):
        if amount < _NEXT_UNIT or unit == "PB":
            break
        amount /= 1000
    return f"{octets} B" if unit == "B" else f"{amount:.1f} {unit}"


__all__ = ["add_to", "period", "usage"]
