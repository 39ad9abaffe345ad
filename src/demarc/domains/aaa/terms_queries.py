"""SQL of what live sessions were given, and of what they are to be given instead."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from demarc.platform.statements import Scalar, Statement


class Given(msgspec.Struct, frozen=True, gc=False):
    """What the sessions of a station were given, as ``NOTE_TERMS`` takes it."""

    credential_id: UUID
    station: str
    tenant_id: UUID
    owner_id: UUID
    terms: str
    at: datetime


# Most log-ins are given what they were given the last time, and write nothing.
NOTE_TERMS = Statement(
    "aaa.note_terms",
    """
    INSERT INTO session_terms AS s (credential_id, station, tenant_id, owner_id, terms, given_at)
    SELECT r.credential_id, r.station, r.tenant_id, r.owner_id, r.terms, r.at
    FROM json_to_recordset(%(rows)s::text::json) AS r (
        credential_id uuid, station text, tenant_id uuid, owner_id uuid, terms text,
        at timestamptz)
    WHERE NOT EXISTS (SELECT 1 FROM session_terms k
                      WHERE k.credential_id = r.credential_id AND k.station = r.station
                        AND k.terms = r.terms)
      AND EXISTS (SELECT 1 FROM credential c WHERE c.id = r.credential_id)
    ON CONFLICT (credential_id, station) DO UPDATE
        SET terms = excluded.terms, given_at = excluded.given_at
        WHERE s.given_at <= excluded.given_at
    """,
)

# The first binds; where two came at once it is one of them.
BIND = Statement(
    "aaa.bind",
    """
    UPDATE credential c
    SET station = coalesce(c.station, n.station), circuit_id = coalesce(c.circuit_id, n.circuit)
    FROM unnest(%(credentials)s::uuid[], %(stations)s::text[], %(circuits)s::text[])
        AS n (id, station, circuit)
    WHERE c.id = n.id AND ((c.station IS NULL AND n.station IS NOT NULL)
                           OR (c.circuit_id IS NULL AND n.circuit IS NOT NULL))
    """,
)


class ProfileNow(msgspec.Struct, frozen=True):
    """A profile as log-ins share it in memory; version in seconds since 1970."""

    id: UUID
    name: str
    version: float
    settings: str
    is_default: bool


PROFILES_NOW = Statement(
    "aaa.profiles_now",
    """
    SELECT id, name, extract(epoch FROM updated_at)::float8 AS version,
           settings::text AS settings, is_default
    FROM radius_profile WHERE id = ANY(%(ids)s::uuid[])
    """,
    ProfileNow,
)

_TARGET = """s.id, s.tenant_id, s.owner_id, s.service_id, s.credential_id, s.nas_id,
    host(s.nas_address) AS nas_address, s.acct_session_id, s.username,
    host(s.framed_ipv4) AS framed_ipv4, s.calling_station_id, s.nas_port_id, s.started_at, g.terms"""
_OF_TARGET = """session_live s LEFT JOIN session_terms g
    ON g.credential_id = s.credential_id AND g.station = coalesce(s.calling_station_id, '')"""


class Target(msgspec.Struct, frozen=True):
    """A live session, what names it to its NAS, and what it was given as far as is known."""

    id: UUID
    tenant_id: UUID
    owner_id: UUID
    service_id: UUID
    credential_id: UUID
    nas_id: UUID
    nas_address: str
    acct_session_id: str
    username: str
    framed_ipv4: str | None
    calling_station_id: str | None
    nas_port_id: str | None
    started_at: datetime
    terms: str | None


TARGETS_OF_SERVICE = Statement(
    "aaa.targets_of_service",
    f"""
    SELECT {_TARGET} FROM {_OF_TARGET}
    WHERE s.service_id = %(service_id)s ORDER BY s.started_at, s.id
    """,
    Target,
)

TARGETS_OF_CREDENTIALS = Statement(
    "aaa.targets_of_credentials",
    f"""
    SELECT {_TARGET} FROM {_OF_TARGET}
    WHERE s.credential_id = ANY(%(credentials)s::uuid[]) ORDER BY s.credential_id, s.id
    """,
    Target,
)

TARGET = Statement("aaa.target", f"SELECT {_TARGET} FROM {_OF_TARGET} WHERE s.id = %(id)s", Target)


class Due(msgspec.Struct, frozen=True):
    """A log-in whose sessions are to be looked at."""

    credential_id: UUID
    since: datetime
    tries: int
    reason: str


TAKE_DUE = Statement(
    "aaa.take_due",
    """
    SELECT credential_id, since, tries, reason FROM terms_due
    WHERE next_at <= %(now)s ORDER BY next_at, credential_id
    LIMIT %(most)s::integer FOR UPDATE SKIP LOCKED
    """,
    Due,
)

# Nobody asks these for anything.
DEAF_NASES = Statement("aaa.deaf_nases", "SELECT id AS value FROM nas WHERE coa = 'none'", Scalar)

NEXT_DUE = Statement("aaa.next_due", "SELECT min(next_at) AS value FROM terms_due", Scalar)

PUT_OFF = Statement(
    "aaa.put_off",
    """
    UPDATE terms_due d SET next_at = n.next_at, tries = n.tries, held = n.held
    FROM unnest(%(credentials)s::uuid[], %(times)s::timestamptz[], %(tries)s::integer[],
                %(held)s::boolean[])
        AS n (id, next_at, tries, held)
    WHERE d.credential_id = n.id
    """,
)

SETTLED = Statement(
    "aaa.settled", "DELETE FROM terms_due WHERE credential_id = ANY(%(credentials)s::uuid[])"
)

# What is asked of a NAS and not answered yet, so that no NAS is asked too much at once.
OPEN_COMMANDS = Statement(
    "aaa.open_commands",
    """
    SELECT coalesce(jsonb_object_agg(nas, number), '{}') AS value FROM (
        SELECT request ->> 'nas_id' AS nas, count(*) AS number FROM command
        WHERE state IN ('queued', 'sent') AND deadline > now()
          AND kind IN ('radius.change', 'radius.disconnect')
        GROUP BY 1) AS open
    WHERE nas IS NOT NULL
    """,
    Scalar,
)

WAITING = Statement(
    "aaa.terms_waiting",
    """
    SELECT count(*) AS value FROM terms_due d
    WHERE (d.held OR d.next_at <= now())
      AND EXISTS (SELECT 1 FROM session_live s WHERE s.credential_id = d.credential_id)
    """,
    Scalar,
)

_NOTE_DUE = """
    INSERT INTO terms_due AS d (credential_id, next_at, reason)
    {select}
    ON CONFLICT (credential_id) DO UPDATE
        SET since = now(), next_at = least(d.next_at, excluded.next_at), tries = 0,
            reason = excluded.reason
"""

DUE_OF_SERVICES = Statement(
    "aaa.due_of_services",
    _NOTE_DUE.format(
        select="""
    SELECT c.id, now(), %(reason)s::text FROM credential c
    WHERE c.service_id = ANY(%(services)s::uuid[])"""
    ),
)

DUE_OF_PROFILE = Statement(
    "aaa.due_of_profile",
    _NOTE_DUE.format(
        select="""
    SELECT c.id, now(), %(reason)s::text FROM credential c
    WHERE c.profile_id = %(profile_id)s
       OR (c.profile_id IS NULL AND c.product_profile_id = %(profile_id)s)
       OR (%(is_default)s::boolean AND c.tenant_id = %(tenant_id)s AND c.profile_id IS NULL
           AND c.product_profile_id IS NULL)"""
    ),
)

# Let in before a suspension was heard of, or told of late.
DUE_UNWANTED = Statement(
    "aaa.due_unwanted",
    """
    INSERT INTO terms_due (credential_id, next_at, reason)
    SELECT c.id, now(), 'may not be logged in' FROM credential c
    WHERE c.access <> 'allowed'
      AND (c.access = 'suspended' OR c.updated_at > now() - interval '7 days')
      AND EXISTS (SELECT 1 FROM session_live s
                  LEFT JOIN session_terms g ON g.credential_id = s.credential_id
                            AND g.station = coalesce(s.calling_station_id, '')
                  WHERE s.credential_id = c.id
                    AND (g.terms IS NULL OR g.terms NOT LIKE '% garden%'))
    ON CONFLICT (credential_id) DO NOTHING
    """,
)

CLOCK = Statement(
    "aaa.terms_clock", "SELECT at AS value FROM terms_clock FOR UPDATE SKIP LOCKED", Scalar
)

SET_CLOCK = Statement("aaa.set_terms_clock", "UPDATE terms_clock SET at = %(now)s")

DUE_EXPIRED = Statement(
    "aaa.due_expired",
    _NOTE_DUE.format(
        select="""
    SELECT c.id, now(), 'expired' FROM credential c
    WHERE c.expires_at > %(since)s AND c.expires_at <= %(until)s"""
    ),
)

RENEW_QUOTAS = Statement(
    "aaa.renew_quotas",
    """
    WITH renewed AS (
        UPDATE credential SET quota_until = NULL WHERE quota_until <= %(now)s RETURNING id
    )
    UPDATE terms_due SET next_at = now() WHERE credential_id IN (SELECT id FROM renewed)
    """,
)


class TimedProfile(msgspec.Struct, frozen=True):
    """A profile with hours, and a zone some of its log-ins are in."""

    id: UUID
    timezone: str
    hours: Any


TIMED_PROFILES = Statement(
    "aaa.timed_profiles",
    """
    WITH timed AS (
        SELECT id, tenant_id, is_default, settings -> 'hours' AS hours FROM radius_profile
        WHERE settings ? 'hours'
    )
    SELECT DISTINCT t.id, c.timezone, t.hours
    FROM timed t JOIN credential c
      ON c.profile_id = t.id OR (c.profile_id IS NULL AND c.product_profile_id = t.id)
         OR (t.is_default AND c.tenant_id = t.tenant_id AND c.profile_id IS NULL
             AND c.product_profile_id IS NULL)
    """,
    TimedProfile,
)

DUE_OF_ZONE = Statement(
    "aaa.due_of_zone",
    _NOTE_DUE.format(
        select="""
    SELECT c.id, now(), 'hours of the service'
    FROM radius_profile p JOIN credential c
      ON c.profile_id = p.id OR (c.profile_id IS NULL AND c.product_profile_id = p.id)
         OR (p.is_default AND c.tenant_id = p.tenant_id AND c.profile_id IS NULL
             AND c.product_profile_id IS NULL)
    WHERE p.id = %(profile_id)s AND c.timezone = %(timezone)s
      AND EXISTS (SELECT 1 FROM session_live s WHERE s.credential_id = c.id)"""
    ),
)
