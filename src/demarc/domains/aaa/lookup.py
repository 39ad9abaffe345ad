"""Who had an address, or some of its ports, at a time: what courts and the police ask.

It is told by sessions, live and closed, that had the address, or the prefix it lies in, or behind
CGNAT the inside address or the ports; each found by an index, in the months that matter. Every
look-up has a reason, which is written down with what it found.
"""

from datetime import UTC, datetime, timedelta
from ipaddress import IPv6Address, IPv6Network, ip_address
from uuid import UUID, uuid4

import msgspec

from demarc.domains.aaa import lookup_queries as queries
from demarc.domains.aaa.lookup_queries import Holder
from demarc.domains.errors import Invalid
from demarc.domains.identity import audit
from demarc.platform.database import Tx

MOST = 200
"""Holders told at most; without a port, one public address may have a thousand."""

MOST_TOLERANCE = timedelta(days=1)

_SHORTEST_PREFIX = 16
_LAST_PORT = 65_535
_LONGEST_REASON = 1000


class Found(msgspec.Struct, frozen=True):
    """Who had an address.

    Attributes:
        id: of the look-up; its entry in the audit log has it.
        at: UTC.
        holders: in the order of their sessions.
        more: there are others, who are not told; a port or a smaller tolerance helps.
    """

    id: UUID
    address: str
    port: int | None
    at: datetime
    tolerance_seconds: int
    holders: list[Holder]
    more: bool


class Lookup:
    """The use case of looking up who had an address."""

    async def lookup(
        self,
        tx: Tx,
        *,
        address: str,
        at: datetime,
        reason: str,
        port: int | None = None,
        tolerance: timedelta = timedelta(seconds=0),
    ) -> Found:
        """Tell who had an address at a time.

        An ISP is told of its own services, the owner of a network of those on it.

        Args:
            tx: of a tenant, or of the system.
            address: IPv4 as the Internet saw it, or IPv6.
            at: when; with a time zone.
            reason: why it is asked, for the audit log: the number of a court's order.
            port: the source port, which behind CGNAT tells one of many.
            tolerance: how wrong the clock of whoever asks may be, before and after.

        Raises:
            Invalid: there is no such address, port or time, or no reason.
        """
        wanted = _address(address)
        reason = reason.strip()
        if not 0 < len(reason) <= _LONGEST_REASON or not reason.isprintable():
            raise Invalid("reason", f"has 1 to {_LONGEST_REASON} characters, in one line")
        if at.tzinfo is None:
            raise Invalid("at", "has no time zone")
        if port is not None and not 0 <= port <= _LAST_PORT:
            raise Invalid("port", f"lies between 0 and {_LAST_PORT}")
        if not timedelta(0) <= tolerance <= MOST_TOLERANCE:
            raise Invalid("tolerance", "is a day at most")
        moment = at.astimezone(UTC)
        until = moment + tolerance
        holders = await queries.HOLDERS.all(
            tx,
            address=wanted,
            prefixes=_prefixes(wanted),
            port=port,
            since=moment - tolerance,
            until=until,
            limit=MOST + 1,
        )
        if not holders:
            holders = await queries.LEASED.all(
                tx, address=wanted, prefixes=_prefixes(wanted), until=until, limit=MOST + 1
            )
        found = Found(
            id=uuid4(),
            address=wanted,
            port=port,
            at=moment,
            tolerance_seconds=int(tolerance.total_seconds()),
            holders=holders[:MOST],
            more=len(holders) > MOST,
        )
        await _write_down(tx, found, reason)
        return found


async def _write_down(tx: Tx, found: Found, reason: str) -> None:
    """Write who asked, why, and what they were told, into the logs of those it concerns."""
    concerned: set[UUID | None] = {tx.tenant_id}
    if tx.tenant_id is None:
        told = {of for holder in found.holders for of in (holder.tenant_id, holder.owner_id)}
        concerned = set(told) or {None}
    for tenant_id in sorted(concerned, key=str):
        of_theirs = [
            holder
            for holder in found.holders
            if tx.tenant_id is not None or tenant_id in {holder.tenant_id, holder.owner_id}
        ]
        await audit.write(
            tx,
            action="lookup",
            kind="address",
            key=found.id,
            after={
                "address": found.address,
                "port": found.port,
                "at": found.at,
                "tolerance_seconds": found.tolerance_seconds,
                "reason": reason,
                "services": sorted({str(holder.service_id) for holder in of_theirs}),
                "sessions": sorted(
                    {str(one.session_id) for one in of_theirs if one.session_id is not None}
                ),
            },
            tenant_id=tenant_id,
        )


def _address(text: str) -> str:
    try:
        wanted = ip_address(text.strip())
    except ValueError:
        raise Invalid("address", f"{text} is no IP address") from None
    if isinstance(wanted, IPv6Address):
        if wanted.scope_id is not None:
            raise Invalid("address", f"{text} is of a link, and not of the Internet")
        if wanted.ipv4_mapped is not None:
            return str(wanted.ipv4_mapped)
    return str(wanted)


def _prefixes(address: str) -> list[str]:
    """Give every prefix that an IPv6 address may have come from, so that an index finds it."""
    if ":" not in address:
        return []
    return [
        str(IPv6Network((address, bits), strict=False)) for bits in range(_SHORTEST_PREFIX, 129)
    ]


__all__ = ["MOST", "MOST_TOLERANCE", "Found", "Holder", "Lookup"]
