"""SQL of profiles, bindings and quotas."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec

from demarc.platform.statements import Scalar, Statement


class StoredProfile(msgspec.Struct, frozen=True):
    """A profile as it is stored.

    Attributes:
        settings: as ``profiles.Settings`` reads them.
        is_default: for the tenant's log-ins that have none of their own, nor by their product.
    """

    id: UUID
    tenant_id: UUID
    name: str
    settings: dict[str, Any]
    is_default: bool


_PROFILE = "id, tenant_id, name, settings, is_default"

PROFILES = Statement(
    "aaa.profiles",
    f"SELECT {_PROFILE} FROM radius_profile WHERE tenant_id = %(tenant_id)s ORDER BY name",
    StoredProfile,
)

PROFILE_NAMED = Statement(
    "aaa.profile_named",
    f"""
    SELECT {_PROFILE} FROM radius_profile
    WHERE tenant_id = %(tenant_id)s AND name = %(name)s
    """,
    StoredProfile,
)

GET_PROFILE = Statement(
    "aaa.get_profile", f"SELECT {_PROFILE} FROM radius_profile WHERE id = %(id)s", StoredProfile
)

PUT_PROFILE = Statement(
    "aaa.put_profile",
    f"""
    INSERT INTO radius_profile (tenant_id, name, settings, is_default)
    VALUES (%(tenant_id)s, %(name)s, %(settings)s::text::jsonb, %(is_default)s)
    ON CONFLICT (tenant_id, name) DO UPDATE
        SET settings = excluded.settings, is_default = excluded.is_default,
            updated_at = clock_timestamp()
    RETURNING {_PROFILE}
    """,
    StoredProfile,
)

NO_OTHER_DEFAULT = Statement(
    "aaa.no_other_default",
    f"""
    UPDATE radius_profile SET is_default = false, updated_at = clock_timestamp()
    WHERE tenant_id = %(tenant_id)s AND name <> %(name)s AND is_default
    RETURNING {_PROFILE}
    """,
    StoredProfile,
)

# What refers to it may be hidden from who asks: the references themselves keep it.
DROP_UNUSED_PROFILE = Statement(
    "aaa.drop_unused_profile",
    """
    DELETE FROM radius_profile
    WHERE id = %(id)s
      AND NOT EXISTS (SELECT 1 FROM product WHERE profile_id = %(id)s)
      AND NOT EXISTS (SELECT 1 FROM credential
                      WHERE profile_id = %(id)s OR product_profile_id = %(id)s)
    """,
)

_EFFECTIVE = "demarc_profile(c.profile_id, c.product_profile_id, c.tenant_id)"

PROFILE_OF_SERVICE = Statement(
    "aaa.profile_of_service",
    f"""
    SELECT p.id, p.tenant_id, p.name, p.settings, p.is_default
    FROM credential c JOIN radius_profile p ON p.id = {_EFFECTIVE}
    WHERE c.service_id = %(service_id)s ORDER BY c.created_at, c.id LIMIT 1
    """,
    StoredProfile,
)

SET_PROFILE = Statement(
    "aaa.set_profile",
    """
    UPDATE credential SET profile_id = %(profile_id)s::uuid, updated_at = now()
    WHERE service_id = %(service_id)s AND profile_id IS DISTINCT FROM %(profile_id)s::uuid
    """,
)

SUSPENDED_GOES = Statement(
    "aaa.suspended_goes",
    """
    SELECT demarc_profile_setting(c.profile_id, c.product_profile_id, c.tenant_id, 'suspended')
        AS value
    FROM credential c WHERE c.service_id = %(service_id)s ORDER BY c.created_at, c.id LIMIT 1
    """,
    Scalar,
)

SET_OFFER = Statement(
    "aaa.set_offer",
    """
    UPDATE credential SET download_bps = %(download_bps)s, upload_bps = %(upload_bps)s,
                          product_profile_id = %(profile_id)s::uuid, updated_at = now()
    WHERE service_id = ANY(%(services)s::uuid[])
      AND (download_bps, upload_bps, product_profile_id)
          IS DISTINCT FROM (%(download_bps)s, %(upload_bps)s, %(profile_id)s::uuid)
    """,
)


class Owned(msgspec.Struct, frozen=True):
    """A credential and whose it is."""

    id: UUID
    tenant_id: UUID


SET_EXPIRY = Statement(
    "aaa.set_expiry",
    """
    UPDATE credential SET expires_at = %(expires_at)s::timestamptz, updated_at = now()
    WHERE service_id = %(service_id)s
      AND expires_at IS DISTINCT FROM %(expires_at)s::timestamptz
    RETURNING id, tenant_id
    """,
    Owned,
)


class Bound(msgspec.Struct, frozen=True):
    """What a credential is bound to, and how it came to that.

    Attributes:
        station: Calling-Station-Id; None where it is bound to none yet.
        station_binding: "none", "learn" (the first that logs in) or "fixed" (said beforehand);
            "none" leaves it to the profile.
        circuit_id: the line.
        circuit_binding: as ``station_binding``.
    """

    id: UUID
    station: str | None
    station_binding: str
    circuit_id: str | None
    circuit_binding: str


_BOUND = "id, station, station_binding, circuit_id, circuit_binding"

BOUND = Statement(
    "aaa.bound",
    f"""
    SELECT {_BOUND} FROM credential WHERE service_id = %(service_id)s ORDER BY created_at, id
    FOR NO KEY UPDATE
    """,
    Bound,
)

SET_BOUND = Statement(
    "aaa.set_bound",
    f"""
    UPDATE credential SET station = %(station)s::text, station_binding = %(station_binding)s,
                          circuit_id = %(circuit_id)s::text, circuit_binding = %(circuit_binding)s,
                          updated_at = now()
    WHERE id = %(id)s RETURNING {_BOUND}
    """,
    Bound,
)


class GivenTerms(msgspec.Struct, frozen=True):
    """What the sessions of a station were given last."""

    station: str
    terms: str
    given_at: datetime


GIVEN = Statement(
    "aaa.given_terms",
    """
    SELECT s.station, s.terms, s.given_at FROM session_terms s
    JOIN credential c ON c.id = s.credential_id
    WHERE c.service_id = %(service_id)s ORDER BY s.given_at DESC LIMIT 20
    """,
    GivenTerms,
)

# quotas


class QuotaUse(msgspec.Struct, frozen=True):
    """How much of its quota a service has used, in octets.

    Attributes:
        period_from: the first local day that counts.
        period_until: the first that no longer counts; None where it is prepaid.
        allowance: with what was bought beside.
        counted_at: when it was last counted.
    """

    service_id: UUID
    period_from: date
    period_until: date | None
    used: int
    allowance: int
    counted_at: datetime


QUOTA_USE = Statement(
    "aaa.quota_use",
    """
    SELECT service_id, period_from, period_until, used, allowance, counted_at FROM quota_use
    WHERE service_id = %(service_id)s
    """,
    QuotaUse,
)

TOP_UP = Statement(
    "aaa.top_up",
    """
    INSERT INTO quota_topup (tenant_id, owner_id, service_id, octets, day, note)
    SELECT tenant_id, owner_id, service_id, %(octets)s, (now() AT TIME ZONE timezone)::date,
           %(note)s::text
    FROM credential WHERE service_id = %(service_id)s ORDER BY created_at, id LIMIT 1
    RETURNING id AS value
    """,
    Scalar,
)

# Of those with a quota that are not counted yet, and those that could be used up by now.
QUOTAS_DUE = Statement(
    "aaa.quotas_due",
    """
    (SELECT DISTINCT c.service_id AS value
     FROM radius_profile p JOIN credential c
       ON c.profile_id = p.id OR (c.profile_id IS NULL AND c.product_profile_id = p.id)
          OR (p.is_default AND c.tenant_id = p.tenant_id AND c.profile_id IS NULL
              AND c.product_profile_id IS NULL)
     WHERE p.settings ? 'quota' AND c.access <> 'closed'
       AND NOT EXISTS (SELECT 1 FROM quota_use q WHERE q.service_id = c.service_id)
     LIMIT %(most)s::integer)
    UNION
    (SELECT service_id FROM quota_use WHERE count_at <= %(now)s
     ORDER BY count_at LIMIT %(most)s::integer)
    """,
    Scalar,
)


class QuotaOf(msgspec.Struct, frozen=True):
    """A service with what its quota is counted by.

    Attributes:
        settings: of the profile that holds now, as JSON; None where there is none.
        period_from: as it was counted last.
        prepaid: it was counted without an end last.
    """

    service_id: UUID
    tenant_id: UUID
    owner_id: UUID
    timezone: str
    download_bps: int
    upload_bps: int
    settings: str | None
    period_from: date | None
    prepaid: bool


QUOTAS_OF = Statement(
    "aaa.quotas_of",
    f"""
    SELECT DISTINCT ON (c.service_id) c.service_id, c.tenant_id, c.owner_id, c.timezone,
           c.download_bps, c.upload_bps, p.settings::text AS settings, q.period_from,
           q.service_id IS NOT NULL AND q.period_until IS NULL AS prepaid
    FROM credential c
    LEFT JOIN radius_profile p ON p.id = {_EFFECTIVE}
    LEFT JOIN quota_use q ON q.service_id = c.service_id
    WHERE c.service_id = ANY(%(services)s::uuid[])
    ORDER BY c.service_id, c.created_at, c.id
    """,
    QuotaOf,
)


class Sums(msgspec.Struct, frozen=True):
    """What a service used in a period, and what was bought beside."""

    service_id: UUID
    down: int
    up: int
    bought: int


SUMS = Statement(
    "aaa.quota_sums",
    """
    SELECT w.service_id,
           coalesce((SELECT sum(down_octets) FROM usage_daily u WHERE u.service_id = w.service_id
                     AND u.day >= w.since AND u.day < w.until), 0)::bigint AS down,
           coalesce((SELECT sum(up_octets) FROM usage_daily u WHERE u.service_id = w.service_id
                     AND u.day >= w.since AND u.day < w.until), 0)::bigint AS up,
           coalesce((SELECT sum(octets) FROM quota_topup t WHERE t.service_id = w.service_id
                     AND t.day >= w.since AND t.day < w.until), 0)::bigint AS bought
    FROM unnest(%(services)s::uuid[], %(since)s::date[], %(until)s::date[])
        AS w (service_id, since, until)
    """,
    Sums,
)


class Counted(msgspec.Struct, frozen=True, gc=False):
    """A quota counted, as ``PUT_COUNTED`` takes it."""

    service_id: UUID
    tenant_id: UUID
    owner_id: UUID
    period_from: date
    period_until: date | None
    used: int
    allowance: int
    counted_at: datetime
    count_at: datetime
    until: datetime | None


PUT_COUNTED = Statement(
    "aaa.put_counted",
    """
    WITH counted AS (
        SELECT * FROM json_to_recordset(%(rows)s::text::json) AS r (
            service_id uuid, tenant_id uuid, owner_id uuid, period_from date, period_until date,
            used bigint, allowance bigint, counted_at timestamptz, count_at timestamptz,
            until timestamptz)
    ), kept AS (
        INSERT INTO quota_use (service_id, tenant_id, owner_id, period_from, period_until, used,
                               allowance, counted_at, count_at)
        SELECT service_id, tenant_id, owner_id, period_from, period_until, used, allowance,
               counted_at, count_at FROM counted
        ON CONFLICT (service_id) DO UPDATE
            SET period_from = excluded.period_from, period_until = excluded.period_until,
                used = excluded.used, allowance = excluded.allowance,
                counted_at = excluded.counted_at, count_at = excluded.count_at
    )
    UPDATE credential c SET quota_until = r.until
    FROM counted r WHERE c.service_id = r.service_id AND c.quota_until IS DISTINCT FROM r.until
    """,
)

# It has no quota any more.
DROP_COUNTED = Statement(
    "aaa.drop_counted",
    """
    WITH gone AS (DELETE FROM quota_use WHERE service_id = ANY(%(services)s::uuid[]))
    UPDATE credential SET quota_until = NULL
    WHERE service_id = ANY(%(services)s::uuid[]) AND quota_until IS NOT NULL
    """,
)

QUOTAS_CHANGED = Statement(
    "aaa.quotas_changed",
    """
    UPDATE terms_due SET next_at = now()
    WHERE credential_id IN (SELECT id FROM credential WHERE service_id = ANY(%(services)s::uuid[]))
    """,
)

COUNT_PROFILE_NOW = Statement(
    "aaa.count_profile_now",
    f"""
    UPDATE quota_use q SET count_at = now()
    WHERE EXISTS (SELECT 1 FROM credential c WHERE c.service_id = q.service_id
                  AND {_EFFECTIVE} = %(profile_id)s)
    """,
)
