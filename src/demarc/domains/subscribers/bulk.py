"""Thousands of customers and premises at once, as they are brought from another system.

The values are held to the same rules as those of single ones. One statement writes all rows of a
table; who calls writes one entry of the audit log for all.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import msgspec

from demarc.domains.identity.model import Network
from demarc.domains.subscribers import rules
from demarc.domains.subscribers.model import Place
from demarc.domains.subscribers.premises import LONGEST_UNIT, check_timezone
from demarc.platform.database import Tx
from demarc.platform.search import fold, trigrams
from demarc.platform.statements import Statement

_CUSTOMER_FIELDS = (
    *("kind", "name", "first_name", "last_name", "tax_id_kind", "tax_id", "email"),
    "mobile_number",
)


class NewCustomer(msgspec.Struct, frozen=True, gc=False):
    """A customer that holds to the rules; made by `customer`."""

    id: UUID
    kind: str
    name: str
    first_name: str | None
    last_name: str | None
    tax_id_kind: str | None
    tax_id: str | None
    email: str | None
    mobile_number: str | None
    search: list[str]
    created_at: datetime | None
    fno_consent_at: datetime | None
    isp_consent_at: datetime | None


class NewPremise(msgspec.Struct, frozen=True, gc=False):
    """A premise that holds to the rules; made by `premise`.

    Attributes:
        folded: the whole address as addresses are compared.
    """

    full_address: str
    folded: str
    street: str | None
    number: str | None
    district: str | None
    city: str | None
    region: str | None
    postcode: str | None
    country: str | None
    latitude: float | None
    longitude: float | None
    search: list[str]
    unit: str | None
    place_key: str
    area_id: UUID | None
    timezone: str | None


class Entered(msgspec.Struct, frozen=True, gc=False):
    """A premise that was looked for or made."""

    id: UUID
    made: bool
    timezone: str | None


class _Found(msgspec.Struct, frozen=True, gc=False):
    place: int
    id: UUID


class _Known(msgspec.Struct, frozen=True, gc=False):
    place: int
    id: UUID
    timezone: str | None


_INSERT_CUSTOMERS = Statement(
    "subscribers.insert_customers",
    """
    INSERT INTO customer (id, tenant_id, kind, name, first_name, last_name, tax_id_kind, tax_id,
                          email, mobile_number, search, created_at)
    SELECT id, %(tenant_id)s::uuid, kind, name, first_name, last_name, tax_id_kind, tax_id,
           email, mobile_number, search, coalesce(created_at, now())
    FROM json_to_recordset(%(rows)s::text::json) AS r (
        id uuid, kind text, name text, first_name text, last_name text, tax_id_kind text,
        tax_id text, email text, mobile_number text, search text[], created_at timestamptz)
    """,
)

_INSERT_CONSENTS = Statement(
    "subscribers.insert_consents",
    """
    INSERT INTO consent (customer_id, purpose, given_at, recorded_by)
    SELECT customer_id, purpose, given_at, %(recorded_by)s::uuid
    FROM unnest(%(customers)s::uuid[], %(purposes)s::text[], %(times)s::timestamptz[])
        AS r (customer_id, purpose, given_at)
    """,
)

_FIND_BY_TAX_IDS = Statement(
    "subscribers.find_by_tax_ids",
    """
    SELECT w.place::int8 AS place, c.id
    FROM unnest(%(kinds)s::text[], %(numbers)s::text[]) WITH ORDINALITY AS w (kind, number, place)
    JOIN customer c ON c.tenant_id = %(tenant_id)s AND c.tax_id_kind = w.kind
                   AND c.tax_id = w.number
    """,
    _Found,
)

_FIND_ADDRESSES = Statement(
    "subscribers.find_addresses",
    """
    SELECT w.place::int8 AS place,
           (SELECT a.id FROM address a
            WHERE a.network_id = %(network_id)s AND a.address_key = w.folded
            ORDER BY a.created_at, a.id LIMIT 1) AS id
    FROM unnest(%(folded)s::text[]) WITH ORDINALITY AS w (folded, place)
    WHERE EXISTS (SELECT 1 FROM address a
                  WHERE a.network_id = %(network_id)s AND a.address_key = w.folded)
    """,
    _Found,
)

_INSERT_ADDRESSES = Statement(
    "subscribers.insert_addresses",
    """
    INSERT INTO address (id, owner_id, network_id, full_address, address_key, street, number,
                         district, city, region, postcode, country, latitude, longitude, search)
    SELECT id, %(owner_id)s, %(network_id)s, full_address, folded, street, number, district, city,
           region, postcode, country, latitude, longitude, search
    FROM json_to_recordset(%(rows)s::text::json) AS r (
        id uuid, full_address text, folded text, street text, number text, district text,
        city text, region text, postcode text, country text, latitude float8, longitude float8,
        search text[])
    """,
)

_FIND_PREMISES = Statement(
    "subscribers.find_premises",
    """
    SELECT w.place::int8 AS place, p.id, p.timezone
    FROM unnest(%(addresses)s::uuid[], %(units)s::text[])
        WITH ORDINALITY AS w (address_id, unit, place)
    JOIN premise p ON p.address_id = w.address_id AND coalesce(p.unit, '') = w.unit
    """,
    _Known,
)

_INSERT_PREMISES = Statement(
    "subscribers.insert_premises",
    """
    INSERT INTO premise (id, owner_id, network_id, address_id, area_id, unit, place_key, timezone,
                         created_by)
    SELECT r.id, %(owner_id)s, %(network_id)s, r.address_id,
           coalesce(r.area_id, (SELECT p.area_id FROM premise p
                                WHERE p.address_id = r.address_id AND p.area_id IS NOT NULL
                                ORDER BY p.created_at, p.id LIMIT 1)),
           r.unit, r.place_key, r.timezone, %(created_by)s::uuid
    FROM json_to_recordset(%(rows)s::text::json) AS r (
        id uuid, address_id uuid, area_id uuid, unit text, place_key text, timezone text)
    """,
)


def customer(
    customer_id: UUID,
    fields: dict[str, Any],
    *,
    created_at: datetime | None = None,
    fno_consent_at: datetime | None = None,
    isp_consent_at: datetime | None = None,
) -> NewCustomer:
    """Hold a customer to the rules.

    Args:
        customer_id: the id it gets.
        fields: as `Subscribers.create_customer` takes them; those left out are None.
        created_at: since when it is a customer; None is now.
        fno_consent_at: when the customer agreed to be contacted by the network's owner.
        isp_consent_at: likewise by the ISP.

    Raises:
        Invalid: a value cannot be taken.
    """
    given = {name: fields.get(name) for name in _CUSTOMER_FIELDS}
    given["kind"] = given["kind"] or "person"
    checked = rules.customer(given)
    return NewCustomer(
        id=customer_id,
        search=rules.search(checked),
        created_at=created_at,
        fno_consent_at=fno_consent_at and rules.consent_time("fno_consent_at", fno_consent_at),
        isp_consent_at=isp_consent_at and rules.consent_time("isp_consent_at", isp_consent_at),
        **checked,
    )


def premise(
    place: Place,
    *,
    unit: str | None = None,
    area_id: UUID | None = None,
    timezone: str | None = None,
) -> NewPremise:
    """Hold a premise to the rules.

    Raises:
        Invalid: a value cannot be taken.
    """
    place = rules.place(place)
    whole = place.full_address or ""
    unit = rules.text("unit", unit, LONGEST_UNIT) if unit and unit.strip() else None
    if timezone is not None:
        check_timezone(timezone)
    folded = fold(whole)
    if not folded:
        rules.text("full_address", "")
    return NewPremise(
        full_address=whole,
        folded=folded,
        street=place.street,
        number=place.number,
        district=place.district,
        city=place.city,
        region=place.region,
        postcode=place.postcode,
        country=place.country,
        latitude=place.latitude,
        longitude=place.longitude,
        search=trigrams(whole),
        unit=unit,
        place_key=fold(f"{whole} {unit}") if unit else folded,
        area_id=area_id,
        timezone=timezone,
    )


async def create_customers(tx: Tx, rows: Sequence[NewCustomer]) -> None:
    """Make customers of the transaction's tenant, all or none.

    Raises:
        psycopg.errors.UniqueViolation: one has a tax number that another has.
    """
    await _INSERT_CUSTOMERS.run(tx, tenant_id=tx.tenant, rows=_json(rows))
    consents = [
        (row.id, purpose, given_at)
        for row in rows
        for purpose, given_at in (("fno", row.fno_consent_at), ("isp", row.isp_consent_at))
        if given_at is not None
    ]
    if consents:
        await _INSERT_CONSENTS.run(
            tx,
            customers=[one[0] for one in consents],
            purposes=[one[1] for one in consents],
            times=[one[2] for one in consents],
            recorded_by=tx.actor.id,
        )


async def customers_of_tax_ids(
    tx: Tx, numbers: Collection[tuple[str, str]]
) -> dict[tuple[str, str], UUID]:
    """Give the tenant's customers by kind and bare tax number; those that are none are not there."""
    wanted = list(numbers)
    found = await _FIND_BY_TAX_IDS.all(
        tx,
        tenant_id=tx.tenant,
        kinds=[kind for kind, _ in wanted],
        numbers=[number for _, number in wanted],
    )
    return {wanted[one.place - 1]: one.id for one in found}


async def enter_premises(
    tx: Tx, network: Network, ids: Sequence[UUID], rows: Sequence[NewPremise]
) -> list[Entered]:
    """Give the premises of these addresses and units; those that are not there are made.

    Args:
        tx: of a tenant on the network.
        network: the network that reaches them.
        ids: those that new premises get, one for each row.
        rows: what is looked for or made. The same place may be there several times.
    """
    addresses = await _addresses(tx, network, rows)
    keys = [(addresses[row.folded], row.unit or "") for row in rows]
    distinct = list(dict.fromkeys(keys))
    known = {
        distinct[one.place - 1]: Entered(one.id, made=False, timezone=one.timezone)
        for one in await _FIND_PREMISES.all(
            tx, addresses=[key[0] for key in distinct], units=[key[1] for key in distinct]
        )
    }
    new = []
    entered = []
    for premise_id, key, row in zip(ids, keys, rows, strict=True):
        if key not in known:
            known[key] = Entered(premise_id, made=False, timezone=row.timezone)
            entered.append(Entered(premise_id, made=True, timezone=row.timezone))
            new.append(
                {
                    "id": premise_id,
                    "address_id": key[0],
                    "area_id": row.area_id,
                    "unit": row.unit,
                    "place_key": row.place_key,
                    "timezone": row.timezone,
                }
            )
        else:
            entered.append(known[key])
    if new:
        await _INSERT_PREMISES.run(
            tx,
            owner_id=network.owner_id,
            network_id=network.id,
            created_by=tx.tenant_id,
            rows=msgspec.json.encode(new).decode(),
        )
    return entered


async def _addresses(tx: Tx, network: Network, rows: Sequence[NewPremise]) -> dict[str, UUID]:
    """Give the ids of the rows' addresses by their folded text; new ones are made."""
    first = {row.folded: row for row in reversed(rows)}
    texts = list(first)
    known = {
        texts[one.place - 1]: one.id
        for one in await _FIND_ADDRESSES.all(tx, network_id=network.id, folded=texts)
    }
    new = [
        {"id": uuid4(), **msgspec.structs.asdict(row)}
        for text, row in first.items()
        if text not in known
    ]
    if new:
        await _INSERT_ADDRESSES.run(
            tx,
            owner_id=network.owner_id,
            network_id=network.id,
            rows=msgspec.json.encode(new).decode(),
        )
    return known | {row["folded"]: row["id"] for row in new}


def _json(rows: Sequence[msgspec.Struct]) -> str:
    return msgspec.json.encode(rows).decode()


__all__ = [
    "Entered",
    "NewCustomer",
    "NewPremise",
    "create_customers",
    "customer",
    "customers_of_tax_ids",
    "enter_premises",
    "premise",
]
