"""SQL of realms, NASes, pools, credentials and what is shown of them."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from demarc.domains.aaa.address_queries import LEASES_OF
from demarc.domains.aaa.model import (
    Attempt,
    Credential,
    Nas,
    Realm,
    Session,
    UsageDay,
    UsageMonth,
)
from demarc.domains.aaa.sessions import UNTOLD
from demarc.platform.statements import Scalar, Statement

_REALM = "id, tenant_id, name, qualified"

CREATE_REALM = Statement(
    "aaa.create_realm",
    f"""
    INSERT INTO realm (tenant_id, name, qualified)
    VALUES (%(tenant_id)s, %(name)s, %(qualified)s)
    ON CONFLICT DO NOTHING
    RETURNING {_REALM}
    """,
    Realm,
)

CHANGE_REALM = Statement(
    "aaa.change_realm",
    f"UPDATE realm SET qualified = %(qualified)s WHERE id = %(id)s RETURNING {_REALM}",
    Realm,
)

REALMS = Statement("aaa.realms", f"SELECT {_REALM} FROM realm ORDER BY name", Realm)

REALMS_OF_TENANT = Statement(
    "aaa.realms_of_tenant",
    f"SELECT {_REALM} FROM realm WHERE tenant_id = %(tenant_id)s ORDER BY name",
    Realm,
)

_NAS = """id, owner_id, network_id, pop_id, name, prefix::text AS prefix, vendor, secret, coa_port,
    reach, default_realm_id, require_message_authenticator, counters_reversed, interim_interval,
    speed_attributes, limit_proxy_state, certificate, mac_authentication, circuit_authentication,
    coa"""

CREATE_NAS = Statement(
    "aaa.create_nas",
    f"""
    INSERT INTO nas (id, owner_id, network_id, pop_id, name, prefix, vendor, secret, coa_port,
                     reach, default_realm_id, require_message_authenticator, counters_reversed,
                     interim_interval, speed_attributes, limit_proxy_state, certificate,
                     mac_authentication, circuit_authentication, coa)
    VALUES (%(id)s, %(owner_id)s, %(network_id)s, %(pop_id)s::uuid, %(name)s,
            %(prefix)s::text::cidr, %(vendor)s, %(secret)s, %(coa_port)s, %(reach)s,
            %(default_realm_id)s::uuid, %(require_message_authenticator)s,
            %(counters_reversed)s, %(interim_interval)s,
            %(speed_attributes)s::text[], %(limit_proxy_state)s,
            %(certificate)s::text, %(mac_authentication)s, %(circuit_authentication)s,
            %(coa)s)
    ON CONFLICT DO NOTHING
    RETURNING {_NAS}
    """,
    Nas,
)

CHANGE_NAS = Statement(
    "aaa.change_nas",
    f"""
    UPDATE nas SET pop_id = %(pop_id)s::uuid, prefix = %(prefix)s::text::cidr,
                   vendor = %(vendor)s, secret = %(secret)s, coa_port = %(coa_port)s,
                   reach = %(reach)s, default_realm_id = %(default_realm_id)s::uuid,
                   require_message_authenticator = %(require_message_authenticator)s,
                   counters_reversed = %(counters_reversed)s,
                   interim_interval = %(interim_interval)s,
                   speed_attributes = %(speed_attributes)s::text[],
                   limit_proxy_state = %(limit_proxy_state)s,
                   certificate = %(certificate)s::text,
                   mac_authentication = %(mac_authentication)s,
                   circuit_authentication = %(circuit_authentication)s, coa = %(coa)s,
                   updated_at = now()
    WHERE id = %(id)s
    RETURNING {_NAS}
    """,
    Nas,
)

NASES = Statement("aaa.nases", f"SELECT {_NAS} FROM nas ORDER BY id", Nas)

NASES_OF_NETWORK = Statement(
    "aaa.nases_of_network",
    f"SELECT {_NAS} FROM nas WHERE network_id = %(network_id)s ORDER BY name",
    Nas,
)

FIND_NAS = Statement("aaa.find_nas", f"SELECT {_NAS} FROM nas WHERE id = %(id)s", Nas)

NAS_REACH = Statement("aaa.nas_reach", "SELECT demarc_nas_reach(%(id)s::uuid) AS value", Scalar)

_CREDENTIAL = """id, tenant_id, owner_id, network_id, service_id, realm_id, kind, username, secret,
    access, download_bps, upload_bps, max_sessions, timezone, first_accept_at, created_at,
    secret_kind"""

CREATE_CREDENTIAL = Statement(
    "aaa.create_credential",
    f"""
    INSERT INTO credential (id, tenant_id, owner_id, network_id, service_id, realm_id, kind,
                            username, secret, download_bps, upload_bps, max_sessions, timezone,
                            access)
    VALUES (%(id)s, %(tenant_id)s, %(owner_id)s, %(network_id)s, %(service_id)s, %(realm_id)s,
            %(kind)s, %(username)s, %(secret)s::bytea, %(download_bps)s, %(upload_bps)s,
            %(max_sessions)s, %(timezone)s, %(access)s)
    ON CONFLICT DO NOTHING
    RETURNING {_CREDENTIAL}
    """,
    Credential,
)

TENANT_TIMEZONE = Statement(
    "aaa.tenant_timezone", "SELECT timezone AS value FROM tenant WHERE id = %(id)s", Scalar
)

CREDENTIALS_OF_SERVICE = Statement(
    "aaa.credentials_of_service",
    f"""
    SELECT {_CREDENTIAL} FROM credential WHERE service_id = %(service_id)s
    ORDER BY kind <> 'pppoe', created_at, id
    """,
    Credential,
)

LOGIN = Statement(
    "aaa.login", "SELECT demarc_login(%(realm_id)s::uuid, %(username)s::text) AS value", Scalar
)

SET_ACCESS = Statement(
    "aaa.set_access",
    """
    UPDATE credential SET access = %(access)s, updated_at = now()
    WHERE service_id = %(service_id)s AND access <> %(access)s AND access <> 'closed'
    """,
)

SET_SECRET = Statement(
    "aaa.set_secret",
    """
    UPDATE credential SET secret = %(secret)s, secret_kind = 'cleartext', updated_at = now()
    WHERE id = %(id)s
    """,
)

# What was taken away comes back as it was, but for its password.
REOPEN_CREDENTIAL = Statement(
    "aaa.reopen_credential",
    f"""
    UPDATE credential SET access = %(access)s, secret = coalesce(%(secret)s::bytea, secret),
                          secret_kind = CASE WHEN %(secret)s::bytea IS NULL THEN secret_kind
                                             ELSE 'cleartext' END, updated_at = now()
    WHERE id = %(id)s AND access = 'closed'
    RETURNING {_CREDENTIAL}
    """,
    Credential,
)

CLOSE_CREDENTIAL = Statement(
    "aaa.close_credential",
    f"""
    UPDATE credential SET access = 'closed', updated_at = now()
    WHERE id = %(id)s AND access <> 'closed'
    RETURNING {_CREDENTIAL}
    """,
    Credential,
)

SET_TIMEZONE = Statement(
    "aaa.set_timezone",
    """
    UPDATE credential SET timezone = %(timezone)s, updated_at = now()
    WHERE service_id = %(service_id)s
    """,
)

ATTEMPTS_OF_SERVICE = Statement(
    "aaa.attempts_of_service",
    """
    SELECT a.at, a.accepted, a.reply, a.calling_station_id
    FROM credential c
    CROSS JOIN LATERAL (
        SELECT at, accepted, reply, calling_station_id FROM auth_attempt
        WHERE credential_id = c.id ORDER BY at DESC LIMIT %(limit)s::integer
    ) a
    WHERE c.service_id = %(service_id)s
    ORDER BY a.at DESC LIMIT %(limit)s::integer
    """,
    Attempt,
)

_SHOWN = """id, credential_id, nas_id, host(nas_address) AS nas_address, acct_session_id, username,
    host(framed_ipv4) AS framed_ipv4, calling_station_id, started_at, updated_at"""
_COUNTED = "input_octets, output_octets, ipv6_input_octets, ipv6_output_octets"

LIVE_SESSIONS = Statement(
    "aaa.live_sessions",
    f"""
    SELECT {_SHOWN}, NULL::timestamptz AS ended_at, session_seconds, {_COUNTED},
           NULL::text AS terminate_cause
    FROM session_live WHERE service_id = %(service_id)s
    ORDER BY started_at DESC, id LIMIT %(limit)s::integer
    """,
    Session,
)

CLOSED_SESSIONS = Statement(
    "aaa.closed_sessions",
    f"""
    SELECT {_SHOWN}, ended_at, session_seconds, {_COUNTED},
           nullif(terminate_cause, '{UNTOLD}') AS terminate_cause
    FROM session_closed WHERE service_id = %(service_id)s
    ORDER BY ended_at DESC, id LIMIT %(limit)s::integer
    """,
    Session,
)

USAGE = Statement(
    "aaa.usage",
    """
    SELECT day, down_octets, up_octets, ipv6_down_octets, ipv6_up_octets FROM usage_daily
    WHERE service_id = %(service_id)s AND day BETWEEN %(since)s::date AND %(until)s::date
    ORDER BY day
    """,
    UsageDay,
)

# the sum of a bigint is numeric
USAGE_BY_MONTH = Statement(
    "aaa.usage_by_month",
    """
    SELECT date_trunc('month', day::timestamp)::date AS month,
           sum(down_octets)::bigint AS down_octets, sum(up_octets)::bigint AS up_octets,
           sum(ipv6_down_octets)::bigint AS ipv6_down_octets,
           sum(ipv6_up_octets)::bigint AS ipv6_up_octets
    FROM usage_daily
    WHERE service_id = %(service_id)s AND day BETWEEN %(since)s::date AND %(until)s::date
    GROUP BY 1 ORDER BY 1
    """,
    UsageMonth,
)


class LoginRow(msgspec.Struct, frozen=True):
    """A credential with its addresses, as RADIUS needs it.

    Attributes:
        leases: [address, kind, station, framed and delegated prefix] each, the one with the static
            address first, then in the order given.
        nas_pools: names of the NASes' own pools by what they give, where it is they that do.
        profile: of the profile that holds for it: id, name, version, settings.
    """

    id: UUID
    tenant_id: UUID
    owner_id: UUID
    network_id: UUID
    service_id: UUID
    realm_id: UUID
    kind: str
    username: str
    secret: bytes | None
    access: str
    download_bps: int
    upload_bps: int
    max_sessions: int
    timezone: str
    first_accept_at: datetime | None
    secret_kind: str
    expires_at: datetime | None
    station: str | None
    station_binding: str
    circuit_id: str | None
    circuit_binding: str
    quota_until: datetime | None
    profile: list[str] | None
    leases: list[Any]
    nas_pools: dict[str, str] | None


# The names that the NASes have for pools of theirs, an ISP's own before all's.
_NAS_POOLS = """
    SELECT jsonb_object_agg(n.kind, n.nas_pool) FROM (
        SELECT DISTINCT ON (p.kind) p.kind, p.nas_pool FROM ip_pool p
        WHERE p.network_id = c.network_id AND p.nas_pool IS NOT NULL AND p.purpose = 'service'
          AND p.draining_since IS NULL AND (p.tenant_id = c.tenant_id OR p.tenant_id IS NULL)
        ORDER BY p.kind, p.tenant_id NULLS LAST, p.name
    ) n
"""

_LOGIN_ROW = f"""
    c.id, c.tenant_id, c.owner_id, c.network_id, c.service_id, c.realm_id, c.kind, c.username,
    c.secret, c.access, c.download_bps, c.upload_bps, c.max_sessions, c.timezone, c.first_accept_at,
    c.secret_kind, c.expires_at, c.station, c.station_binding, c.circuit_id, c.circuit_binding,
    c.quota_until,
    (SELECT ARRAY[p.id::text, p.name, extract(epoch FROM p.updated_at)::text, p.settings::text]
     FROM radius_profile p
     WHERE p.id = coalesce(c.profile_id, c.product_profile_id,
                           (SELECT d.id FROM radius_profile d
                            WHERE d.tenant_id = c.tenant_id AND d.is_default))) AS profile,
    coalesce(({LEASES_OF.format(credential="c.id")}), '[]') AS leases, ({_NAS_POOLS}) AS nas_pools
"""

# A name is one of its realm; a MAC or a line is one of its network, whosever it is.
LOGINS_BY_NAME = Statement(
    "aaa.logins_by_name",
    f"""
    WITH wanted AS (
        SELECT * FROM unnest(%(places)s::uuid[], %(names)s::text[], %(kinds)s::text[])
            AS w (place, name, kind)
    )
    SELECT {_LOGIN_ROW}
    FROM wanted w
    JOIN credential c ON c.realm_id = w.place AND c.kind = w.kind AND c.username = w.name
                     AND c.kind IN ('pppoe', 'dot1x')
    UNION ALL
    SELECT {_LOGIN_ROW}
    FROM wanted w
    JOIN credential c ON c.network_id = w.place AND c.kind = w.kind AND c.username = w.name
                     AND c.kind IN ('mac', 'circuit_id') AND c.access <> 'closed'
    """,
    LoginRow,
)

LOGINS_BY_ID = Statement(
    "aaa.logins_by_id",
    f"SELECT {_LOGIN_ROW} FROM credential c WHERE c.id = ANY(%(ids)s::uuid[])",
    LoginRow,
)


class SubscriberRow(msgspec.Struct, frozen=True):
    """To whom the sessions of a credential are booked."""

    id: UUID
    tenant_id: UUID
    owner_id: UUID
    network_id: UUID
    service_id: UUID
    realm_id: UUID
    username: str
    timezone: str


_SUBSCRIBER = """c.id, c.tenant_id, c.owner_id, c.network_id, c.service_id, c.realm_id, c.username,
    c.timezone"""

SUBSCRIBERS_BY_ID = Statement(
    "aaa.subscribers_by_id",
    f"SELECT {_SUBSCRIBER} FROM credential c WHERE c.id = ANY(%(ids)s::uuid[])",
    SubscriberRow,
)

SUBSCRIBERS_BY_NAME = Statement(
    "aaa.subscribers_by_name",
    f"""
    SELECT {_SUBSCRIBER}
    FROM unnest(%(realms)s::uuid[], %(usernames)s::text[]) AS wanted (realm_id, username)
    JOIN credential c ON c.realm_id = wanted.realm_id AND c.username = wanted.username
                     AND c.kind IN ('pppoe', 'dot1x')
    ORDER BY c.kind
    """,
    SubscriberRow,
)

NOTE_STATIONS = Statement(
    "aaa.note_stations",
    """
    UPDATE ip_address a SET station = n.station
    FROM unnest(%(credentials)s::uuid[], %(addresses)s::text[], %(stations)s::text[])
        AS n (credential_id, address, station)
    WHERE a.credential_id = n.credential_id AND a.address = n.address::inet
    """,
)


class Accepted(msgspec.Struct, frozen=True):
    """A credential that logged in for the first time."""

    id: UUID
    service_id: UUID
    tenant_id: UUID
    first_accept_at: datetime


NOTE_FIRST_ACCEPTS = Statement(
    "aaa.note_first_accepts",
    """
    UPDATE credential c SET first_accept_at = n.at
    FROM unnest(%(credentials)s::uuid[], %(times)s::timestamptz[]) AS n (id, at)
    WHERE c.id = n.id AND c.first_accept_at IS NULL
    RETURNING c.id, c.service_id, c.tenant_id, c.first_accept_at
    """,
    Accepted,
)

# COPY is not allowed into a table under row-level security.
INSERT_ATTEMPTS = Statement(
    "aaa.insert_attempts",
    """
    INSERT INTO auth_attempt (at, tenant_id, owner_id, credential_id, nas_id, accepted, reply,
                              calling_station_id)
    SELECT at, tenant_id, owner_id, credential_id, nas_id, accepted, reply, station
    FROM json_to_recordset(%(rows)s::text::json) AS r (
        at timestamptz, tenant_id uuid, owner_id uuid, credential_id uuid, nas_id uuid,
        accepted boolean, reply text, station text)
    """,
)
