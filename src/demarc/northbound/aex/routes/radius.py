"""``/services/{id}/radius``: the log-in of a service, and what went over it."""

from datetime import UTC, date, datetime, timedelta
from typing import Annotated

from litestar import get
from litestar.params import FromPath, QueryParameter

from demarc.domains.errors import Invalid
from demarc.northbound.aex import mapping, wire
from demarc.northbound.aex.api import Injected
from demarc.northbound.aex.request import AexRequest, needs

USAGE_DAYS = 30

_DATE = r"^\d{4}-\d{2}-\d{2}$"
# somewhere it is a day later already (UTC+14)
_FURTHEST_EAST = timedelta(hours=14)


@get(
    "/services/{service_id:str}/radius/status",
    operation_id="aex.services.radius.status",
    opt=needs("login:reveal"),
    summary="RADIUS status",
)
async def radius_status(
    request: AexRequest, api: Injected, service_id: FromPath[str]
) -> wire.RadiusStatus:
    """Give a service's log-in with its password, its last attempts and its sessions."""
    async with api.begin(request) as tx:
        found = await api.service(tx, request, service_id)
        known = await api.aaa.radius_status(tx, found.id)
    return mapping.radius_status(known)


@get(
    "/services/{service_id:str}/radius/usage",
    operation_id="aex.services.radius.usage",
    opt=needs("usage:read"),
    summary="Usage a day",
)
async def radius_usage(
    request: AexRequest,
    api: Injected,
    service_id: FromPath[str],
    from_: Annotated[
        str | None,
        QueryParameter(
            name="from",
            description="First day; 30 days before the last if not given.",
            pattern=_DATE,
            schema_extra={"format": "date"},
        ),
    ] = None,
    to: Annotated[
        str | None,
        QueryParameter(
            description="Last day; today if not given.",
            pattern=_DATE,
            schema_extra={"format": "date"},
        ),
    ] = None,
) -> list[wire.UsageDay]:
    """Give the bytes of each local day with use, in order; both days are included."""
    since, until = period(from_, to, datetime.now(UTC))
    async with api.begin(request) as tx:
        found = await api.service(tx, request, service_id)
        used = await api.aaa.usage(tx, found.id, since, until)
    return [mapping.usage_day(day) for day in used]


def period(first: str | None, last: str | None, now: datetime) -> tuple[date, date]:
    """Give the days asked for, both included.

    Args:
        first: ``YYYY-MM-DD``; 30 days before the last if not given.
        last: likewise; if not given, the day it is where the day begins first.
        now: the present, in UTC.

    Raises:
        Invalid: one is no date, or the last lies before the first.
    """
    until = _date("to", last) if last else (now + _FURTHEST_EAST).date()
    if first:
        since = _date("from", first)
    else:
        before = timedelta(days=USAGE_DAYS)
        since = until - before if until - date.min > before else date.min
    if until < since:
        raise Invalid("to", "lies before from")
    return since, until


def _date(field: str, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as wrong:
        raise Invalid(field, "is not a date") from wrong


HANDLERS = [radius_status, radius_usage]
