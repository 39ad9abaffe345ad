"""What the RADIUS process asks and tells the database: log-ins, NASes, attempts."""

from collections.abc import Sequence
from datetime import datetime
from sys import intern
from typing import Any, TypeAlias, TypeVar
from uuid import UUID

import msgspec

from demarc.domains.aaa import addresses, queries, terms_queries
from demarc.domains.aaa.accounting import Subscriber
from demarc.domains.aaa.events import CredentialAccepted
from demarc.domains.aaa.model import Lease, Nas, Realm
from demarc.domains.aaa.profiles import Profile, is_kept, shared
from demarc.domains.aaa.queries import LoginRow, SubscriberRow
from demarc.platform.database import Tx
from demarc.platform.events import emit

NasPools = tuple[str | None, str | None, str | None]
"""What NASes call pools of theirs: of addresses, of framed and of delegated prefixes."""

Shared = TypeVar("Shared", UUID, int, NasPools)

LoginKey: TypeAlias = tuple[UUID, str, str]
"""Place, name and kind. Names are of a realm, MACs and lines of a network."""

OF_NETWORK = frozenset({"mac", "circuit_id"})
"""The kinds that a network knows, whichever ISP's they are."""


class Login(msgspec.Struct, gc=False):
    """A credential with its addresses, as it is kept in memory.

    Attributes:
        kind: "pppoe", "dot1x", "mac" or "circuit_id": what it is known by.
        secret: the password, still encrypted; None where it has none, or once it was decrypted.
        access: "allowed", "suspended" or "closed".
        accepted_before: whether it has ever logged in.
        leases: the static address first, then in the order they were given.
        nas_pools: names of pools of the NASes' own; None where they have none.
        secret_kind: how the secret holds the password: "cleartext", or the name of a hash.
        expires_at: from then on it may not log in; None is never.
        station: the Calling-Station-Id it is bound to, once that is known.
        station_binding: "none", "learn" (the first that logs in) or "fixed" (said beforehand).
        circuit_id: the line it is bound to, once that is known.
        circuit_binding: as ``station_binding``.
        quota_until: its quota is used up until then; None where it is not.
        profile: what holds for it, shared with others.
    """

    id: UUID
    network_id: UUID
    realm_id: UUID
    kind: str
    username: str
    secret: bytes | None
    access: str
    download_bps: int
    upload_bps: int
    max_sessions: int
    accepted_before: bool
    subscriber: Subscriber
    leases: list[Lease]
    nas_pools: NasPools | None = None
    secret_kind: str = "cleartext"  # noqa: S105 - the name of a form
    expires_at: datetime | None = None
    station: str | None = None
    station_binding: str = "none"
    circuit_id: str | None = None
    circuit_binding: str = "none"
    quota_until: datetime | None = None
    profile: Profile | None = None

    @property
    def key(self) -> LoginKey:
        """What it is looked for by."""
        place = self.network_id if self.kind in OF_NETWORK else self.realm_id
        return place, self.username, self.kind

    @property
    def static(self) -> Lease | None:
        """Its static address, where it has one."""
        return self.leases[0] if self.leases and self.leases[0].kind == "static" else None


class Booked(msgspec.Struct, frozen=True, gc=False):
    """To whom sessions are booked, and the network that may tell of them."""

    network_id: UUID
    subscriber: Subscriber


class AnsweredAttempt(msgspec.Struct, frozen=True, gc=False):
    """An Access-Request that was answered, to be recorded.

    Attributes:
        reply: as it is shown.
        address: the address given, when the station that got it is to be remembered.
        first: whether the credential had never logged in before, as far as is known.
        terms: what it was given (``Terms.label``), of one that was accepted.
        binds_station: the station it is bound to from now on, where it was bound to none.
        binds_circuit: the same of the line.
    """

    at: datetime
    tenant_id: UUID
    owner_id: UUID
    credential_id: UUID
    nas_id: UUID
    accepted: bool
    reply: str
    station: str | None
    address: str | None = None
    first: bool = False
    terms: str | None = None
    binds_station: str | None = None
    binds_circuit: str | None = None


# Tens of thousands of log-ins are kept, of a few tenants, realms and speeds: each of those once.
_shared: dict[Any, Any] = {}


def _share(value: Shared) -> Shared:
    kept: Shared = _shared.setdefault(value, value)
    return kept


def _pools_of_nas(names: dict[str, str] | None) -> NasPools | None:
    if not names:
        return None
    return _share((names.get("ipv4"), names.get("framed_ipv6"), names.get("delegated_ipv6")))


def _login(row: LoginRow) -> Login:
    profile = None if row.profile is None else _profile(row.profile)
    return Login(
        id=row.id,
        network_id=_share(row.network_id),
        realm_id=_share(row.realm_id),
        kind=intern(row.kind),
        username=row.username,
        secret=row.secret,
        access=intern(row.access),
        download_bps=_share(row.download_bps),
        upload_bps=_share(row.upload_bps),
        max_sessions=_sessions(row, profile),
        accepted_before=row.first_accept_at is not None,
        subscriber=Subscriber(
            row.id,
            _share(row.tenant_id),
            _share(row.owner_id),
            row.service_id,
            intern(row.timezone),
        ),
        leases=addresses.leases_in(row.leases),
        nas_pools=_pools_of_nas(row.nas_pools),
        secret_kind=intern(row.secret_kind),
        expires_at=row.expires_at,
        station=row.station,
        station_binding=intern(row.station_binding),
        circuit_id=row.circuit_id,
        circuit_binding=intern(row.circuit_binding),
        quota_until=row.quota_until,
        profile=profile,
    )


async def logins_by_name(tx: Tx, keys: Sequence[LoginKey]) -> list[Login]:
    """Give the log-ins of keys; those that do not exist are not there.

    Names hold no zero characters.
    """
    rows = await queries.LOGINS_BY_NAME.all(
        tx,
        places=[place for place, _, _ in keys],
        names=[name for _, name, _ in keys],
        kinds=[kind for _, _, kind in keys],
    )
    return [_login(row) for row in rows]


async def logins_by_id(tx: Tx, ids: Sequence[UUID]) -> dict[UUID, Login]:
    """Give the log-ins of credentials by their ids; of those that exist."""
    rows = await queries.LOGINS_BY_ID.all(tx, ids=list(ids))
    return {row.id: _login(row) for row in rows}


async def refresh_profiles(tx: Tx, ids: Sequence[UUID]) -> bool:
    """Bring the profiles that log-ins in memory share up to date.

    Args:
        tx: of the system.
        ids: those that changed.

    Returns:
        Whether one of them is now for log-ins that do not have it in memory, so that they are to
        be read again.
    """
    unknown = False
    for row in await terms_queries.PROFILES_NOW.all(tx, ids=list(ids)):
        unknown = unknown or (row.is_default and not is_kept(row.id))
        shared(row.id, row.name, row.version, row.settings)
    return unknown


def _profile(given: list[str]) -> Profile:
    profile_id, name, version, settings = given
    return shared(UUID(profile_id), name, float(version), settings)


def _sessions(row: LoginRow, profile: Profile | None) -> int:
    most = None if profile is None else profile.settings.max_sessions
    return row.max_sessions if most is None else most


async def subscribers_by_id(tx: Tx, ids: Sequence[UUID]) -> dict[UUID, Booked]:
    """Tell to whom the sessions of credentials are booked; of those that exist."""
    rows = await queries.SUBSCRIBERS_BY_ID.all(tx, ids=list(ids))
    return {row.id: _booked(row) for row in rows}


async def subscribers_by_name(
    tx: Tx, names: Sequence[tuple[UUID, str]]
) -> dict[tuple[UUID, str], Booked]:
    """Tell the same by (realm, username); usernames hold no zero characters."""
    rows = await queries.SUBSCRIBERS_BY_NAME.all(
        tx, realms=[realm for realm, _ in names], usernames=[name for _, name in names]
    )
    return {(row.realm_id, row.username): _booked(row) for row in rows}


def _booked(row: SubscriberRow) -> Booked:
    return Booked(
        row.network_id,
        Subscriber(row.id, row.tenant_id, row.owner_id, row.service_id, row.timezone),
    )


async def all_nases(tx: Tx) -> list[Nas]:
    """Give every NAS of every network."""
    return await queries.NASES.all(tx)


async def all_realms(tx: Tx) -> list[Realm]:
    """Give every realm of every tenant."""
    return await queries.REALMS.all(tx)


async def lease_further(tx: Tx, login: Login, station: str | None) -> list[Lease]:
    """Lease one more address for a further station; give all leases (see ``addresses``)."""
    return await addresses.lease_further(
        tx,
        network_id=login.network_id,
        tenant_id=login.subscriber.tenant_id,
        credential_id=login.id,
        station=station,
    )


async def record_attempts(tx: Tx, attempts: Sequence[AnsweredAttempt]) -> None:
    """Record answered attempts, with what follows from them.

    Credentials that logged in for the first time are marked, and those above are told.

    Args:
        tx: of the system.
        attempts: what was answered, in order.
    """
    await queries.INSERT_ATTEMPTS.run(tx, rows=msgspec.json.encode(attempts).decode())
    await _note_stations(tx, attempts)
    await _note_first_accepts(tx, attempts)
    await _note_terms(tx, attempts)
    await _bind(tx, attempts)


async def _note_stations(tx: Tx, attempts: Sequence[AnsweredAttempt]) -> None:
    stations = {
        (attempt.credential_id, attempt.address): attempt.station
        for attempt in attempts
        if attempt.address is not None and attempt.station is not None
    }
    if stations:
        keys = sorted(stations, key=str)
        await queries.NOTE_STATIONS.run(
            tx,
            credentials=[credential for credential, _ in keys],
            addresses=[address for _, address in keys],
            stations=[stations[key] for key in keys],
        )


async def _note_terms(tx: Tx, attempts: Sequence[AnsweredAttempt]) -> None:
    given = {
        (attempt.credential_id, attempt.station or ""): attempt
        for attempt in attempts
        if attempt.terms is not None
    }
    if given:
        rows = [
            terms_queries.Given(
                attempt.credential_id,
                station,
                attempt.tenant_id,
                attempt.owner_id,
                attempt.terms or "",
                attempt.at,
            )
            for (_, station), attempt in sorted(given.items(), key=_by_row)
        ]
        await terms_queries.NOTE_TERMS.run(tx, rows=msgspec.json.encode(rows).decode())


def _by_row(given: tuple[tuple[UUID, str], AnsweredAttempt]) -> tuple[bytes, str]:
    # two writers take rows in one order, so that they wait for each other instead of locking up
    (credential_id, station), _ = given
    return credential_id.bytes, station


async def _bind(tx: Tx, attempts: Sequence[AnsweredAttempt]) -> None:
    """Bind log-ins to where they were first used; who was bound meanwhile stays so."""
    bound = {
        attempt.credential_id: attempt
        for attempt in reversed(attempts)
        if attempt.binds_station is not None or attempt.binds_circuit is not None
    }
    if bound:
        keys = sorted(bound)
        await terms_queries.BIND.run(
            tx,
            credentials=keys,
            stations=[bound[key].binds_station for key in keys],
            circuits=[bound[key].binds_circuit for key in keys],
        )


async def _note_first_accepts(tx: Tx, attempts: Sequence[AnsweredAttempt]) -> None:
    first: dict[UUID, datetime] = {}
    for attempt in attempts:
        if attempt.first and attempt.accepted:
            first.setdefault(attempt.credential_id, attempt.at)
    if not first:
        return
    accepted = await queries.NOTE_FIRST_ACCEPTS.all(
        tx, credentials=list(first), times=list(first.values())
    )
    if accepted:
        services = dict.fromkeys(row.service_id for row in accepted)
        await emit(tx, CredentialAccepted(list(services)))


__all__ = [
    "OF_NETWORK",
    "AnsweredAttempt",
    "Booked",
    "Login",
    "LoginKey",
    "all_nases",
    "all_realms",
    "lease_further",
    "logins_by_id",
    "logins_by_name",
    "record_attempts",
    "refresh_profiles",
    "subscribers_by_id",
    "subscribers_by_name",
]
