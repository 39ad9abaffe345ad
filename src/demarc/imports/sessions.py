"""Accounting of another system brought: each session once, ended."""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from uuid import UUID, uuid5

import msgspec

from demarc.domains.aaa import bulk, history, logins
from demarc.domains.aaa.macs import canonical
from demarc.domains.aaa.model import Nas
from demarc.domains.aaa.sessions import STALE, SessionRow
from demarc.imports.entry import Bad, Refused, Source
from demarc.imports.ground import Ground, as_operator
from demarc.imports.outcome import Outcome
from demarc.imports.write import Written
from demarc.platform.database import Tx

_NAMESPACE = UUID("6f0a3f0e-6b0f-5d0c-9b7e-0d1c6c7f7a51")

Login = tuple[UUID, str, str]


class SessionEntry(msgspec.Struct, frozen=True, gc=False):
    """A session.

    Attributes:
        ref: what the other system calls it, unique there.
        username: without the realm, if that is one of the ISP's.
        login: as it was sent.
        updated_at: when it was heard of last.
        ended: whether its end was told.
    """

    source: Source
    ref: str
    username: str
    realm: str | None
    login: str
    nas_address: str
    acct_session_id: str
    started_at: datetime
    updated_at: datetime
    ended: bool
    seconds: int
    input_octets: int
    output_octets: int
    terminate_cause: str
    framed_ipv4: str | None = None
    framed_ipv6_prefix: str | None = None
    delegated_ipv6_prefix: str | None = None
    station: str | None = None
    nas_port_id: str | None = None


async def write_sessions(tx: Tx, ground: Ground, entries: Sequence[SessionEntry]) -> Written:
    """Record sessions; one whose end was never told is closed where it was heard of last.

    Such a one counts as stale: if its NAS speaks of it again, it goes on, and nothing is counted
    twice.

    Args:
        tx: of the ISP.
        ground: what they stand on.
        entries: the sessions.
    """
    written = Written(len(entries))
    await ground.look_up(tx)
    found = await _logins(tx, ground, entries)
    booked = await logins.subscribers_by_id(tx, list(dict.fromkeys(found.values())))
    rows: dict[UUID, tuple[SessionEntry, SessionRow]] = {}
    for entry in entries:
        try:
            nas = await _nas(tx, ground, entry)
            credential_id = _credential(ground, entry, found)
            held = booked[credential_id].subscriber
        except (Refused, KeyError) as refused:
            reason = refused if isinstance(refused, Refused) else _nobodys(entry)
            written.bad.append(Bad(entry.source, reason))
            continue
        key = uuid5(_NAMESPACE, f"{ground.tenant.id}:{ground.source}:{entry.ref}")
        row = SessionRow(
            id=key,
            tenant_id=held.tenant_id,
            owner_id=held.owner_id,
            service_id=held.service_id,
            credential_id=held.credential_id,
            nas_id=nas.id,
            nas_address=entry.nas_address,
            acct_session_id=entry.acct_session_id,
            username=entry.login,
            framed_ipv4=entry.framed_ipv4,
            framed_ipv6_prefix=entry.framed_ipv6_prefix,
            delegated_ipv6_prefix=entry.delegated_ipv6_prefix,
            calling_station_id=entry.station,
            nas_port_id=entry.nas_port_id,
            started_at=entry.started_at,
            updated_at=entry.updated_at,
            session_seconds=entry.seconds,
            input_octets=entry.input_octets,
            output_octets=entry.output_octets,
            ipv6_input_octets=0,
            ipv6_output_octets=0,
            start_told=True,
            ended_at=entry.updated_at,
            terminate_cause=entry.terminate_cause if entry.ended else STALE,
        )
        before = rows.get(key)
        if before is None or before[1].updated_at <= row.updated_at:
            rows[key] = (entry, row)
    zones = {one: booked[one].subscriber.timezone for one in booked}
    async with as_operator(tx) as system:
        brought = await history.bring(system, [row for _, row in rows.values()], zones)
    for key, (entry, _) in rows.items():
        action = "unchanged"
        if key in brought.live:
            written.bad.append(
                Bad(entry.source, Refused(None, "is a session that is up here and is counted here"))
            )
            continue
        if key in brought.created:
            action = "created"
        elif key in brought.changed:
            action = "changed"
        written.outcomes.append(Outcome(entry.source, "session", entry.ref, action))  # type: ignore[arg-type]
    return written


def _nobodys(entry: SessionEntry) -> Refused:
    return Refused(
        "username", f"{entry.login} is no log-in here", "import the users first, or leave it out"
    )


def _names(ground: Ground, entry: SessionEntry) -> list[Login]:
    try:
        realm = ground.realm(entry.realm)
    except Refused:
        return []
    found = [(realm.id, kind, entry.username) for kind in ("pppoe", "dot1x", "circuit_id")]
    mac = canonical(entry.username)
    return found if mac is None else [*found, (realm.id, "mac", mac)]


async def _logins(tx: Tx, ground: Ground, entries: Sequence[SessionEntry]) -> dict[Login, UUID]:
    names = list(dict.fromkeys(name for one in entries for name in _names(ground, one)))
    taken = await bulk.logins_taken(tx, names) if names else {}
    return {name: one.id for name, one in taken.items()}


def _credential(ground: Ground, entry: SessionEntry, found: dict[Login, UUID]) -> UUID:
    for name in _names(ground, entry):
        if name in found:
            return found[name]
    raise _nobodys(entry)


async def _nas(tx: Tx, ground: Ground, entry: SessionEntry) -> Nas:
    nases = await ground.nases(tx, ground.network(None))
    best: tuple[int, Nas] | None = None
    for nas in nases:
        prefix = _network(nas.prefix)
        if _holds(prefix, entry.nas_address) and (best is None or best[0] < prefix.prefixlen):
            best = (prefix.prefixlen, nas)
    if best is None:
        raise Refused(
            "nasipaddress",
            f"{entry.nas_address} is no NAS of {ground.network(None).slug}",
            "import the NASes first, or add [[nas]] to the network file",
        )
    return best[1]


@lru_cache(maxsize=4096)
def _network(prefix: str) -> IPv4Network | IPv6Network:
    return ip_network(prefix)


@lru_cache(maxsize=65_536)
def _holds(prefix: IPv4Network | IPv6Network, address: str) -> bool:
    return ip_address(address) in prefix


__all__ = ["SessionEntry", "write_sessions"]
