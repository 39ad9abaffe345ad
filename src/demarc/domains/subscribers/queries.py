"""All SQL of the subscribers domain."""

from uuid import UUID

import msgspec

from demarc.domains.subscribers.model import Consent, Contact, Customer, Premise
from demarc.platform.statements import Scalar, Statement

# What makes a Customer of a row of customer named c; the lists in views use it too.
CUSTOMER_COLUMNS = """c.id, c.tenant_id, c.owner_id, c.kind, c.name, c.first_name, c.last_name,
    c.tax_id_kind, c.tax_id, c.email, c.mobile_number,
    (SELECT x.given_at FROM consent x
     WHERE x.customer_id = c.id AND x.purpose = 'fno' AND x.withdrawn_at IS NULL) AS fno_consent_at,
    (SELECT x.given_at FROM consent x
     WHERE x.customer_id = c.id AND x.purpose = 'isp' AND x.withdrawn_at IS NULL) AS isp_consent_at,
    c.created_at, c.updated_at"""

# What makes a Premise of premise named p and its address named a.
PREMISE_COLUMNS = """p.id, p.owner_id, p.network_id, p.address_id, p.area_id, p.unit, p.predefined,
    p.timezone, p.created_by, p.created_at, p.updated_at,
    a.full_address || coalesce(', ' || p.unit, '') AS full_address, a.street, a.number, a.district,
    a.city, a.region, a.postcode, a.country::text AS country, a.latitude, a.longitude"""


class Key(msgspec.Struct, frozen=True):
    """The id of a row just written or found."""

    id: UUID


class AddressKey(msgspec.Struct, frozen=True):
    """An address that is known already, and an area that a premise there lies in."""

    id: UUID
    full_address: str
    area_id: UUID | None


INSERT_CUSTOMER = Statement(
    "subscribers.insert_customer",
    """
    INSERT INTO customer (tenant_id, owner_id, kind, name, first_name, last_name, tax_id_kind,
                          tax_id, email, mobile_number, search)
    VALUES (%(tenant_id)s::uuid, %(owner_id)s::uuid, %(kind)s, %(name)s, %(first_name)s::text,
            %(last_name)s::text, %(tax_id_kind)s::text, %(tax_id)s::text, %(email)s::text,
            %(mobile_number)s::text, %(search)s::text[])
    RETURNING id
    """,
    Key,
)

GET_CUSTOMER = Statement(
    "subscribers.get_customer",
    f"SELECT {CUSTOMER_COLUMNS} FROM customer c WHERE c.id = %(id)s",
    Customer,
)

# Who waited for the row has its newest version, but of the consents what they were before the
# wait: they are read only then, by a statement that begins after it.
LOCK_CUSTOMER = Statement(
    "subscribers.lock_customer",
    "SELECT id FROM customer WHERE id = %(id)s FOR UPDATE",
    Key,
)

UPDATE_CUSTOMER = Statement(
    "subscribers.update_customer",
    """
    UPDATE customer SET kind = %(kind)s, name = %(name)s, first_name = %(first_name)s::text,
        last_name = %(last_name)s::text, tax_id_kind = %(tax_id_kind)s::text,
        tax_id = %(tax_id)s::text, email = %(email)s::text,
        mobile_number = %(mobile_number)s::text, search = %(search)s::text[], updated_at = now()
    WHERE id = %(id)s
    """,
)

# Who claim one customer at once wait for each other here: who waited for the row would keep it
# locked, though there is nothing left to change, against services made for it meanwhile.
LOCK_CLAIM = Statement(
    "subscribers.lock_claim",
    "SELECT pg_advisory_xact_lock(hashtextextended(%(id)s::uuid::text, 2))::text AS value",
    Scalar,
)

CLAIM_CUSTOMER = Statement(
    "subscribers.claim_customer",
    """
    UPDATE customer SET tenant_id = %(tenant_id)s, updated_at = now()
    WHERE id = %(id)s AND tenant_id IS NULL
    """,
)

FIND_BY_TAX_ID = Statement(
    "subscribers.find_by_tax_id",
    """
    SELECT id FROM customer WHERE tenant_id = %(tenant_id)s
      AND tax_id_kind = %(tax_id_kind)s AND tax_id = %(tax_id)s
    """,
    Key,
)

GIVE_CONSENT = Statement(
    "subscribers.give_consent",
    """
    INSERT INTO consent (customer_id, purpose, given_at, recorded_by)
    VALUES (%(customer_id)s, %(purpose)s, %(given_at)s, %(recorded_by)s::uuid)
    """,
)

WITHDRAW_CONSENT = Statement(
    "subscribers.withdraw_consent",
    """
    UPDATE consent SET withdrawn_at = greatest(now(), given_at)
    WHERE customer_id = %(customer_id)s AND purpose = %(purpose)s AND withdrawn_at IS NULL
    """,
)

CONSENTS = Statement(
    "subscribers.consents",
    """
    SELECT purpose, given_at, withdrawn_at, recorded_at FROM consent
    WHERE customer_id = %(customer_id)s ORDER BY recorded_at, purpose
    """,
    Consent,
)

PUT_CONTACT = Statement(
    "subscribers.put_contact",
    """
    INSERT INTO customer_contact (customer_id, kind, value, label)
    VALUES (%(customer_id)s, %(kind)s, %(value)s, %(label)s::text)
    ON CONFLICT (customer_id, kind, value) DO UPDATE SET label = excluded.label
    RETURNING id, kind, value, label
    """,
    Contact,
)

CONTACTS = Statement(
    "subscribers.contacts",
    """
    SELECT id, kind, value, label FROM customer_contact
    WHERE customer_id = %(customer_id)s ORDER BY kind, created_at, id
    """,
    Contact,
)

# Two who enter the same new address at once wait for each other.
LOCK_PLACE = Statement(
    "subscribers.lock_place",
    """
    SELECT pg_advisory_xact_lock(hashtextextended(%(network_id)s::uuid::text || %(folded)s, 0))::text
        AS value
    """,
    Scalar,
)

FIND_ADDRESS = Statement(
    "subscribers.find_address",
    """
    SELECT a.id, a.full_address, (SELECT p.area_id FROM premise p
                                  WHERE p.address_id = a.id AND p.area_id IS NOT NULL
                                  ORDER BY p.created_at, p.id LIMIT 1) AS area_id
    FROM address a
    WHERE a.network_id = %(network_id)s AND a.address_key = %(folded)s
    ORDER BY a.created_at, a.id LIMIT 1
    """,
    AddressKey,
)

INSERT_ADDRESS = Statement(
    "subscribers.insert_address",
    """
    INSERT INTO address (owner_id, network_id, full_address, address_key, street, number, district,
                         city, region, postcode, country, latitude, longitude, search)
    VALUES (%(owner_id)s, %(network_id)s, %(full_address)s, %(folded)s, %(street)s::text,
            %(number)s::text, %(district)s::text, %(city)s::text, %(region)s::text,
            %(postcode)s::text, %(country)s::text, %(latitude)s::float8, %(longitude)s::float8,
            %(search)s::text[])
    RETURNING id
    """,
    Key,
)

LOCATE_ADDRESS = Statement(
    "subscribers.locate_address",
    """
    UPDATE address SET latitude = %(latitude)s::float8, longitude = %(longitude)s::float8
    WHERE id = %(id)s
      AND (latitude, longitude) IS DISTINCT FROM (%(latitude)s::float8, %(longitude)s::float8)
    """,
)

FIND_PREMISE = Statement(
    "subscribers.find_premise",
    f"""
    SELECT {PREMISE_COLUMNS} FROM premise p JOIN address a ON a.id = p.address_id
    WHERE p.address_id = %(address_id)s AND coalesce(p.unit, '') = coalesce(%(unit)s::text, '')
    """,
    Premise,
)

INSERT_PREMISE = Statement(
    "subscribers.insert_premise",
    """
    INSERT INTO premise (owner_id, network_id, address_id, area_id, unit, place_key, predefined,
                         timezone, created_by)
    VALUES (%(owner_id)s, %(network_id)s, %(address_id)s, %(area_id)s::uuid, %(unit)s::text,
            %(place_key)s, %(predefined)s, %(timezone)s::text, %(created_by)s::uuid)
    RETURNING id
    """,
    Key,
)

UPDATE_PREMISE = Statement(
    "subscribers.update_premise",
    """
    UPDATE premise SET area_id = %(area_id)s::uuid, predefined = %(predefined)s,
        timezone = %(timezone)s::text, updated_at = now()
    WHERE id = %(id)s
    """,
)

GET_PREMISE = Statement(
    "subscribers.get_premise",
    f"""
    SELECT {PREMISE_COLUMNS} FROM premise p JOIN address a ON a.id = p.address_id
    WHERE p.id = %(id)s
    """,
    Premise,
)
