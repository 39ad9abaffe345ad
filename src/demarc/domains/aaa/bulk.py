"""Thousands of credentials at once, as they are brought from another system.

Passwords that were kept there as hashes come as hashes. One statement writes all rows of a table;
who calls writes one entry of the audit log for all.
"""

from base64 import b64encode
from collections.abc import Collection, Sequence
from datetime import datetime
from ipaddress import AddressValueError, IPv4Address, IPv6Network
from uuid import UUID

import msgspec

from demarc.domains.aaa import prefixes
from demarc.domains.aaa.model import Binding, PoolKind, SecretKind
from demarc.domains.errors import Conflict, Invalid
from demarc.platform.database import Tx
from demarc.platform.secrets.keys import KeyRing, row_binding
from demarc.platform.statements import Scalar, Statement

_MOST_SESSIONS = 1000


class NewCredential(msgspec.Struct, frozen=True, gc=False):
    """A credential of the transaction's tenant.

    Attributes:
        secret: encrypted (`encrypted`), as base64; None lets nobody in by a password.
        product_profile_id: the RADIUS profile of its service's product.
        station: a Calling-Station-Id it is bound to, where ``station_binding`` says so.
    """

    id: UUID
    owner_id: UUID
    network_id: UUID
    service_id: UUID
    realm_id: UUID
    kind: str
    username: str
    secret: str | None
    secret_kind: SecretKind
    access: str
    download_bps: int
    upload_bps: int
    max_sessions: int
    timezone: str
    expires_at: datetime | None = None
    station: str | None = None
    station_binding: Binding = "none"
    circuit_id: str | None = None
    circuit_binding: Binding = "none"
    product_profile_id: UUID | None = None


class Taken(msgspec.Struct, frozen=True, gc=False):
    """A log-in that exists, by the place of its name in what was asked for."""

    place: int
    id: UUID
    service_id: UUID


_INSERT = Statement(
    "aaa.insert_credentials",
    """
    INSERT INTO credential (id, tenant_id, owner_id, network_id, service_id, realm_id, kind,
                            username, secret, secret_kind, access, download_bps, upload_bps,
                            max_sessions, timezone, expires_at, station, station_binding,
                            circuit_id, circuit_binding, product_profile_id)
    SELECT id, %(tenant_id)s, owner_id, network_id, service_id, realm_id, kind, username,
           decode(secret, 'base64'), secret_kind, access, download_bps, upload_bps, max_sessions,
           timezone, expires_at, station, station_binding, circuit_id, circuit_binding,
           product_profile_id
    FROM json_to_recordset(%(rows)s::text::json) AS r (
        id uuid, owner_id uuid, network_id uuid, service_id uuid, realm_id uuid, kind text,
        username text, secret text, secret_kind text, access text, download_bps bigint,
        upload_bps bigint, max_sessions integer, timezone text, expires_at timestamptz,
        station text, station_binding text, circuit_id text, circuit_binding text,
        product_profile_id uuid)
    """,
)

_CHANGE = Statement(
    "aaa.change_credential",
    """
    UPDATE credential SET secret = coalesce(%(secret)s::bytea, secret),
        secret_kind = CASE WHEN %(secret)s::bytea IS NULL THEN secret_kind
                           ELSE %(secret_kind)s END,
        max_sessions = %(max_sessions)s, expires_at = %(expires_at)s::timestamptz,
        station = CASE WHEN %(station_binding)s = 'none' THEN station
                       ELSE %(station)s::text END,
        station_binding = CASE WHEN %(station_binding)s = 'none' THEN station_binding
                               ELSE %(station_binding)s END,
        circuit_id = CASE WHEN %(circuit_binding)s = 'none' THEN circuit_id
                          ELSE %(circuit_id)s::text END,
        circuit_binding = CASE WHEN %(circuit_binding)s = 'none' THEN circuit_binding
                               ELSE %(circuit_binding)s END,
        updated_at = now()
    WHERE id = %(id)s
    """,
)

_TAKEN = Statement(
    "aaa.logins_taken",
    """
    SELECT w.place::int8 AS place, c.id, c.service_id
    FROM unnest(%(realms)s::uuid[], %(kinds)s::text[], %(usernames)s::text[])
        WITH ORDINALITY AS w (realm_id, kind, username, place)
    JOIN credential c ON c.realm_id = w.realm_id AND c.kind = w.kind AND c.username = w.username
    """,
    Taken,
)

_ADDRESSES_TAKEN = Statement(
    "aaa.addresses_taken",
    """
    SELECT host(a.address) AS value FROM ip_address a
    WHERE a.network_id = %(network_id)s AND a.address = ANY(%(addresses)s::text[]::inet[])
      AND (a.credential_id IS NOT NULL OR a.free_from > now()
           OR demarc_in_session(a.owner_id, a.address)
           OR (a.reserved_for IS NOT NULL AND a.reserved_for <> %(tenant_id)s))
    """,
    Scalar,
)

_ASSIGN = Statement(
    "aaa.assign_static_many",
    """
    INSERT INTO ip_address AS a (network_id, address, owner_id, credential_id, kind, assigned_at)
    SELECT %(network_id)s, address::inet, %(owner_id)s, credential_id, 'static', now()
    FROM unnest(%(addresses)s::text[], %(credentials)s::uuid[]) AS r (address, credential_id)
    ON CONFLICT (network_id, address) DO UPDATE
        SET credential_id = excluded.credential_id, kind = 'static', assigned_at = now(),
            station = NULL, slot = 0
        WHERE a.credential_id IS NULL
    """,
)

# In the order of the index, from where the last ones were found on: what was leased just now
# stands before it, and would be passed over again and again.
_LEASE = """
    WITH free AS (
        SELECT network_id, address FROM ip_address a
        WHERE a.network_id = %(network_id)s AND a.credential_id IS NULL AND a.pool_id IS NOT NULL
          AND a.leasable AND {reserved} AND a.free_from <= now()
          AND a.address > %(after)s::text::inet
          AND NOT demarc_in_session(a.owner_id, a.address)
        ORDER BY a.reserved_for, a.address LIMIT cardinality(%(credentials)s::uuid[]) FOR UPDATE SKIP LOCKED
    ), paired AS (
        SELECT f.network_id, f.address, w.credential_id
        FROM (SELECT *, row_number() OVER (ORDER BY address) AS place FROM free) f
        JOIN unnest(%(credentials)s::uuid[]) WITH ORDINALITY AS w (credential_id, place)
            USING (place)
    ), leased AS (
        UPDATE ip_address a SET credential_id = p.credential_id, kind = 'pooled', slot = 0,
                                assigned_at = now(), station = NULL
        FROM paired p WHERE a.network_id = p.network_id AND a.address = p.address
        RETURNING a.address
    )
    SELECT count(*)::int8 AS leased, host(max(address)) AS last FROM leased
"""


class _Leased(msgspec.Struct, frozen=True):
    leased: int
    last: str | None


_LEASE_RESERVED = Statement(
    "aaa.lease_reserved_many", _LEASE.format(reserved="a.reserved_for = %(tenant_id)s"), _Leased
)
_LEASE_COMMON = Statement(
    "aaa.lease_common_many", _LEASE.format(reserved="a.reserved_for IS NULL"), _Leased
)

_FREE_STATIC = Statement(
    "aaa.free_static_address",
    """
    UPDATE ip_address SET credential_id = NULL, kind = 'pooled', assigned_at = NULL, station = NULL
    WHERE credential_id = %(credential_id)s AND address <> %(address)s::text::inet
    """,
)


class Cursor(msgspec.Struct):
    """How far a run has leased the addresses of a network."""

    reserved: str = "0.0.0.0"  # noqa: S104 - before all addresses
    common: str = "0.0.0.0"  # noqa: S104


def encrypted(keys: KeyRing, credential_id: UUID, secret: bytes | None) -> bytes | None:
    """Encrypt a password, or the hash of one, for its row."""
    if secret is None:
        return None
    return keys.encrypt(secret, row=row_binding("credential", "secret", credential_id))


def as_base64(secret: bytes | None) -> str | None:
    """Give an encrypted secret as `NewCredential` takes it."""
    return None if secret is None else b64encode(secret).decode()


def max_sessions(count: int) -> int:
    """Give how many stations may be logged in at a time.

    Raises:
        Invalid: it is not from 1 to 1000.
    """
    if not 1 <= count <= _MOST_SESSIONS:
        raise Invalid("max_sessions", f"must be from 1 to {_MOST_SESSIONS}")
    return count


def static_address(text: str) -> str:
    """Give an address that a host can have.

    Raises:
        Invalid: it is none.
    """
    try:
        wanted = IPv4Address(text.strip())
    except AddressValueError:
        raise Invalid("static_ipv4", "is not an IPv4 address") from None
    if wanted.is_multicast or wanted.is_unspecified or wanted.is_loopback or wanted.is_reserved:
        raise Invalid("static_ipv4", "is not an address of a host")
    return str(wanted)


async def create_credentials(tx: Tx, rows: Sequence[NewCredential]) -> None:
    """Make credentials of the transaction's tenant, all or none; addresses are given apart.

    Raises:
        psycopg.errors.UniqueViolation: a log-in is taken.
    """
    await _INSERT.run(tx, tenant_id=tx.tenant, rows=msgspec.json.encode(rows).decode())


async def change_credential(
    tx: Tx,
    credential_id: UUID,
    *,
    secret: bytes | None,
    secret_kind: SecretKind,
    sessions: int,
    expires_at: datetime | None,
    station: str | None,
    station_binding: Binding,
    circuit_id: str | None,
    circuit_binding: Binding,
) -> None:
    """Bring a credential to what another system says of it.

    Args:
        tx: of its tenant.
        credential_id: which.
        secret: encrypted; None leaves it, and its kind.
        secret_kind: how it holds the password.
        sessions: stations at a time.
        expires_at: from then on it may not log in.
        station: a Calling-Station-Id, where ``station_binding`` says "fixed"; "none" leaves both.
        station_binding: see there.
        circuit_id: likewise the line.
        circuit_binding: see there.
    """
    await _CHANGE.run(
        tx,
        id=credential_id,
        secret=secret,
        secret_kind=secret_kind,
        max_sessions=sessions,
        expires_at=expires_at,
        station=station,
        station_binding=station_binding,
        circuit_id=circuit_id,
        circuit_binding=circuit_binding,
    )


async def logins_taken(
    tx: Tx, names: Sequence[tuple[UUID, str, str]]
) -> dict[tuple[UUID, str, str], Taken]:
    """Give those log-ins, by realm, kind and username, that exist."""
    found = await _TAKEN.all(
        tx,
        realms=[name[0] for name in names],
        kinds=[name[1] for name in names],
        usernames=[name[2] for name in names],
    )
    return {names[one.place - 1]: one for one in found}


async def addresses_taken(tx: Tx, network_id: UUID, addresses: Collection[str]) -> set[str]:
    """Give those addresses that cannot be given to a credential of the transaction's tenant now."""
    found = await _ADDRESSES_TAKEN.all(
        tx, network_id=network_id, tenant_id=tx.tenant, addresses=list(addresses)
    )
    return {str(one.value) for one in found}


async def assign_static(
    tx: Tx, *, network_id: UUID, owner_id: UUID, addresses: dict[UUID, str]
) -> None:
    """Give credentials addresses of their own, by the credential's id, all or none.

    Raises:
        Conflict: one is taken.
    """
    done = await _ASSIGN.run(
        tx,
        network_id=network_id,
        owner_id=owner_id,
        addresses=list(addresses.values()),
        credentials=list(addresses),
    )
    if done != len(addresses):
        raise Conflict("a static address is taken")


async def change_static(
    tx: Tx, *, network_id: UUID, owner_id: UUID, credential_id: UUID, address: str
) -> None:
    """Give a credential this address instead of those it has.

    Raises:
        Conflict: it is taken.
    """
    await _FREE_STATIC.run(tx, credential_id=credential_id, address=address)
    held = await addresses_taken(tx, network_id, [address])
    own = await _HELD.one(tx, credential_id=credential_id, address=address)
    if own is not None:
        return
    if held:
        raise Conflict(f"{address} is taken")
    await assign_static(
        tx, network_id=network_id, owner_id=owner_id, addresses={credential_id: address}
    )


_HELD = Statement(
    "aaa.address_held",
    """
    UPDATE ip_address SET kind = 'static'
    WHERE credential_id = %(credential_id)s AND address = %(address)s::text::inet
    RETURNING host(address) AS value
    """,
    Scalar,
)


class _Prefix(msgspec.Struct, frozen=True):
    """A prefix that a credential has, and whether it is the one asked for."""

    same: bool


_PREFIX_HELD = Statement(
    "aaa.prefix_held",
    """
    SELECT prefix = %(prefix)s::text::cidr AS same FROM ip_prefix
    WHERE credential_id = %(credential_id)s AND kind = %(kind)s AND slot = 0
    """,
    _Prefix,
)

_FREE_PREFIX = Statement(
    "aaa.free_prefix_of_kind",
    """
    UPDATE ip_prefix SET credential_id = NULL, origin = 'pooled', assigned_at = NULL
    WHERE credential_id = %(credential_id)s AND kind = %(kind)s AND slot = 0
    """,
)


async def give_prefix(
    tx: Tx, *, network_id: UUID, owner_id: UUID, credential_id: UUID, kind: PoolKind, prefix: str
) -> None:
    """Give a credential an IPv6 prefix of its own, instead of the one it has.

    Raises:
        Invalid: it is no IPv6 prefix that can be routed to a subscriber.
        Conflict: it, or a part of it, is another's.
    """
    try:
        wanted = str(IPv6Network(prefix, strict=False))
    except ValueError:
        raise Invalid("prefix", f"{prefix} is not an IPv6 prefix") from None
    held = await _PREFIX_HELD.one(tx, credential_id=credential_id, kind=kind, prefix=wanted)
    if held is not None and held.same:
        return
    if held is not None:
        await _FREE_PREFIX.run(tx, credential_id=credential_id, kind=kind)
    await prefixes.assign_static(
        tx,
        network_id=network_id,
        owner_id=owner_id,
        tenant_id=tx.tenant,
        credential_id=credential_id,
        kind=kind,
        prefix=wanted,
    )


async def lease_many(
    tx: Tx, *, network_id: UUID, credentials: Sequence[UUID], cursor: Cursor
) -> int:
    """Lease free addresses: from the ISP's own pools on the network first, then from all's.

    Args:
        tx: of the ISP.
        network_id: the network.
        credentials: who gets one, in order.
        cursor: where the last call for the network ended; moved on.

    Returns:
        How many got one: the first so many.
    """
    wanted = list(credentials)
    own = await _LEASE_RESERVED.one(
        tx,
        network_id=network_id,
        tenant_id=tx.tenant,
        credentials=wanted,
        after=cursor.reserved,
    )
    done = own.leased if own is not None else 0
    if own is not None and own.last is not None:
        cursor.reserved = own.last
    if done < len(wanted):
        common = await _LEASE_COMMON.one(
            tx, network_id=network_id, credentials=wanted[done:], after=cursor.common
        )
        if common is not None and common.last is not None:
            cursor.common = common.last
            done += common.leased
    return done


_POOLED = Statement(
    "aaa.pooled",
    "SELECT demarc_has_pool(%(network_id)s::uuid, 'ipv4', %(tenant_id)s::uuid) AS value",
    Scalar,
)


async def pooled(tx: Tx, network_id: UUID) -> bool:
    """Tell whether the ISP's log-ins get their addresses of pools here, not from the NASes."""
    found = await _POOLED.one(tx, network_id=network_id, tenant_id=tx.tenant)
    return found is not None and bool(found.value)


__all__ = [
    "Cursor",
    "NewCredential",
    "Taken",
    "addresses_taken",
    "as_base64",
    "assign_static",
    "change_credential",
    "change_static",
    "create_credentials",
    "encrypted",
    "give_prefix",
    "lease_many",
    "logins_taken",
    "max_sessions",
    "pooled",
    "static_address",
]
