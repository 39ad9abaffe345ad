"""Credentials, addresses, NASes, attempts, sessions and usage."""

from datetime import date, datetime
from typing import Literal
from uuid import UUID

import msgspec

Access = Literal["allowed", "suspended", "closed"]
Vendor = Literal[
    "generic", "mikrotik", "huawei", "juniper", "cisco", "nokia", "zte", "accel-ppp", "wispr"
]
SecretKind = Literal["cleartext", "nt", "crypt", "md5", "smd5", "sha", "ssha", "sha2", "ssha2"]
Binding = Literal["none", "learn", "fixed"]
Requirement = Literal["yes", "no", "auto"]
Dynamic = Literal["change", "disconnect", "none"]
CredentialKind = Literal["pppoe", "dot1x", "mac", "circuit_id"]
PoolKind = Literal["ipv4", "framed_ipv6", "delegated_ipv6"]
PoolPurpose = Literal["service", "garden"]


class Realm(msgspec.Struct, frozen=True):
    """A name space of log-ins.

    Attributes:
        name: in lower case; unique in the installation.
        qualified: its log-ins are typed ``user@realm``; else ``user`` alone, and the NAS tells
            which realm is meant.
    """

    id: UUID
    tenant_id: UUID
    name: str
    qualified: bool


class Nas(msgspec.Struct, frozen=True):
    """A network access server, or a prefix of them that share a secret.

    Attributes:
        prefix: where its packets come from, as CIDR; of several that match the longest counts.
        secret: encrypted, for the row "nas", "secret", its id.
        coa_port: where it listens for Disconnect- and CoA-Requests.
        reach: whose workers reach it.
        default_realm_id: the realm of log-ins that name none.
        require_message_authenticator: "auto" becomes "yes" for a client that once sent a valid one.
        counters_reversed: it counts input and output from the subscriber's side.
        interim_interval: seconds between the interim updates it is told to send.
        mac_authentication: whether it may log a station in by its MAC address alone.
        circuit_authentication: whether it may log a line in by the line's name alone.
        coa: whether it takes requests on live sessions (RFC 5176): to change and to end them
            ("change"), to end them alone ("disconnect"), or none.
        speed_attributes: templates of its own for speeds (see ``speeds``); None for its make's.
        limit_proxy_state: whether its unsigned Access-Requests with Proxy-State are dropped;
            "auto": unless it need never sign.
        certificate: by which it is known over RadSec: a subject alternative name, a common name or
            "sha256:" and the fingerprint, in lower case; None where it speaks UDP alone.
    """

    id: UUID
    owner_id: UUID
    network_id: UUID
    pop_id: UUID | None
    name: str
    prefix: str
    vendor: str
    secret: bytes
    coa_port: int
    reach: str
    default_realm_id: UUID | None
    require_message_authenticator: str
    counters_reversed: bool
    interim_interval: int
    speed_attributes: list[str] | None = None
    limit_proxy_state: str = "auto"
    certificate: str | None = None
    mac_authentication: bool = False
    circuit_authentication: bool = False
    coa: str = "change"


class Pool(msgspec.Struct, frozen=True):
    """A prefix whose addresses are leased to credentials, or the name of a pool the NASes have.

    Attributes:
        tenant_id: set, only services of this ISP get its addresses.
        prefix: as CIDR; IPv4 is /16 or longer. None where the NASes have the pool.
        kind: what is leased: "ipv4" addresses, "framed_ipv6" prefixes of the line itself, or
            "delegated_ipv6" ones for the networks behind it.
        purpose: "service", or "garden": for those who may only reach the ISP; services are leased
            none of it.
        length: of each prefix that is leased; None for IPv4.
        nas_pool: what the NASes call it, where the pool is theirs.
        draining_since: from then on nothing is leased from it.
    """

    id: UUID
    owner_id: UUID
    network_id: UUID
    tenant_id: UUID | None
    name: str
    prefix: str | None
    kind: PoolKind
    purpose: PoolPurpose
    length: int | None
    nas_pool: str | None
    draining_since: datetime | None


class Credential(msgspec.Struct, frozen=True):
    """What a subscriber logs in with.

    Attributes:
        username: without the realm; compared exactly.
        kind: what it is known by: "pppoe" and "dot1x" (EAP alone) are names, "mac" and
            "circuit_id" (a line) need no password.
        secret: the password, encrypted for the row "credential", "secret", its id; one made here
            is readable, because CHAP needs it and the ISP is shown it.
        access: whether it may log in now; follows the state of its service.
        download_bps: bit/s towards the subscriber.
        upload_bps: bit/s from the subscriber.
        max_sessions: stations that may be logged in with it at a time.
        timezone: its midnights part the days of usage.
        first_accept_at: when it first logged in.
        secret_kind: how the secret holds the password.
    """

    id: UUID
    tenant_id: UUID
    owner_id: UUID
    network_id: UUID
    service_id: UUID
    realm_id: UUID
    kind: CredentialKind
    username: str
    secret: bytes | None
    access: Access
    download_bps: int
    upload_bps: int
    max_sessions: int
    timezone: str
    first_accept_at: datetime | None
    created_at: datetime
    secret_kind: SecretKind


class Lease(msgspec.Struct, frozen=True, gc=False):
    """What one station of a credential gets: an address, prefixes, or both.

    Attributes:
        address: IPv4, dotted; None where the NAS gives those.
        kind: of the address: "static" is asked for by the contract, "pooled" comes from a pool
            and stays.
        station: the Calling-Station-Id it was given to last.
        prefixes: IPv6, framed and delegated, as ``prefixes.pack`` puts them.
    """

    address: str | None
    kind: str
    station: str | None
    prefixes: bytes | None = None


class Attempt(msgspec.Struct, frozen=True):
    """A log-in that was answered.

    Attributes:
        reply: what was answered ("Access-Accept", "Access-Reject: service suspended").
    """

    at: datetime
    accepted: bool
    reply: str
    calling_station_id: str | None


class Session(msgspec.Struct, frozen=True):
    """A session as it is shown: live without ``ended_at``, closed with it.

    Attributes:
        username: as the NAS sent it.
        started_at: UTC.
        updated_at: when the NAS last told of it.
        session_seconds: as the NAS counts.
        input_octets: from the subscriber (upload), IPv6 included.
        output_octets: to the subscriber (download), IPv6 included.
        terminate_cause: RFC 2866's name, or "Superseded" and "Stale" for sessions whose end the
            NAS never told; None while it lives, and where the NAS did not say why it ended.
    """

    id: UUID
    credential_id: UUID
    nas_id: UUID
    nas_address: str
    acct_session_id: str
    username: str
    framed_ipv4: str | None
    calling_station_id: str | None
    started_at: datetime
    updated_at: datetime
    ended_at: datetime | None
    session_seconds: int
    input_octets: int
    output_octets: int
    ipv6_input_octets: int
    ipv6_output_octets: int
    terminate_cause: str | None


class UsageDay(msgspec.Struct, frozen=True):
    """Octets of a local day; the totals include IPv6."""

    day: date
    down_octets: int
    up_octets: int
    ipv6_down_octets: int
    ipv6_up_octets: int


class UsageMonth(msgspec.Struct, frozen=True):
    """Octets of a local month; the totals include IPv6.

    Attributes:
        month: its first day.
    """

    month: date
    down_octets: int
    up_octets: int
    ipv6_down_octets: int
    ipv6_up_octets: int


class RadiusStatus(msgspec.Struct, frozen=True):
    """What RADIUS knows of a service.

    Attributes:
        username: as the subscriber types it.
        password: in clear, for whoever may see it.
        attempts: the last 20, newest first.
        sessions: the live ones, then closed ones, each newest first.
    """

    username: str
    password: str | None
    attempts: list[Attempt]
    sessions: list[Session]
