"""Premises as an API lists them, found by address or by position."""

import math
from datetime import datetime
from uuid import UUID

import msgspec

from demarc.domains.subscribers.queries import PREMISE_COLUMNS
from demarc.platform.database import Tx
from demarc.platform.search import fold, sought
from demarc.platform.statements import Scalar, Statement
from demarc.views import wire_ids
from demarc.views.paging import PageOf, paged
from demarc.views.totals import Totals

# Mean radius of the Earth, in metres (IUGG); a sphere is exact enough within a kilometre.
EARTH_RADIUS_M = 6_371_008.8

# A vague search stops looking after so many addresses; more text finds the rest.
_FOUND_AT_MOST = 1000


class PremiseRow(msgspec.Struct, frozen=True):
    """A premise in a list; the first two ids as the API shows them."""

    shown_id: str
    shown_area_id: str | None
    id: UUID
    owner_id: UUID
    network_id: UUID
    address_id: UUID
    area_id: UUID | None
    unit: str | None
    predefined: bool
    timezone: str | None
    created_by: UUID | None
    created_at: datetime
    updated_at: datetime
    full_address: str
    street: str | None
    number: str | None
    district: str | None
    city: str | None
    region: str | None
    postcode: str | None
    country: str | None
    latitude: float | None
    longitude: float | None


class NearRow(msgspec.Struct, frozen=True):
    """A premise near a point; ids as the API shows them, the distance in metres."""

    id: str
    area_id: str | None
    predefined: bool
    full_address: str
    latitude: float
    longitude: float
    distance_m: float


class AddressRow(msgspec.Struct, frozen=True):
    """An address and the area that premises at it lie in, if any does."""

    full_address: str
    area_id: UUID | None
    shown_area_id: str | None


class AddressText(msgspec.Struct, frozen=True):
    """An address as it is written."""

    full_address: str


_COLUMNS = f"""{wire_ids.known_as("premise", "p.id")} AS shown_id,
    {wire_ids.known_as("area", "p.area_id")} AS shown_area_id, {PREMISE_COLUMNS}"""

# Of each network in the order of its index, none read further than the page asked for.
_PAGE = f"""
    SELECT {_COLUMNS}
    FROM (SELECT o.* FROM demarc_networks() AS n (id)
          CROSS JOIN LATERAL (
              SELECT * FROM premise q WHERE q.network_id = n.id {{filter}}
              ORDER BY q.created_at, q.id LIMIT %(limit)s::bigint + %(offset)s::bigint) o
          ORDER BY o.created_at, o.id LIMIT %(limit)s::bigint OFFSET %(offset)s::bigint) p
    JOIN address a ON a.id = p.address_id
    ORDER BY p.created_at, p.id
"""
_COUNT = """
    SELECT count(*) AS value FROM premise q
    WHERE q.network_id IN (SELECT demarc_networks()) {filter}
"""
_BY_TEXT = """AND q.address_id IN (
    SELECT demarc_search_address(%(sought)s::text[], %(at_most)s::integer))"""

PAGES: dict[tuple[bool, bool], Statement[PremiseRow]] = {}
COUNTS: dict[tuple[bool, bool], Statement[Scalar]] = {}
for _predefined in (False, True):
    for _by_text in (False, True):
        _name = f"{'predefined' if _predefined else 'all'}{'.by_text' if _by_text else ''}"
        _filter = ("AND q.predefined " if _predefined else "") + (_BY_TEXT if _by_text else "")
        PAGES[_predefined, _by_text] = Statement(
            f"views.premises.{_name}", _PAGE.format(filter=_filter), PremiseRow
        )
        COUNTS[_predefined, _by_text] = Statement(
            f"views.premises.{_name}.count", _COUNT.format(filter=_filter), Scalar
        )

ONE = Statement(
    "views.premises.one",
    f"""
    {wire_ids.wanted("premise")}
    SELECT {_COLUMNS}
    FROM wanted JOIN premise p ON p.id = wanted.id JOIN address a ON a.id = p.address_id
    """,
    PremiseRow,
)

AT_ADDRESS = Statement(
    "views.premises.at_address",
    f"""
    SELECT {_COLUMNS} FROM premise p JOIN address a ON a.id = p.address_id
    WHERE p.place_key = %(key)s ORDER BY p.predefined DESC, p.created_at, p.id LIMIT 1
    """,
    PremiseRow,
)

WITHOUT_PREMISE = Statement(
    "views.premises.address_without_premise",
    f"""
    SELECT a.full_address, a.area_id, {wire_ids.known_as("area", "a.area_id")} AS shown_area_id
    FROM (SELECT b.full_address, (SELECT p.area_id FROM premise p
                                  WHERE p.address_id = b.id AND p.area_id IS NOT NULL
                                  ORDER BY p.created_at, p.id LIMIT 1) AS area_id
          FROM address b WHERE b.address_key = %(key)s ORDER BY b.created_at, b.id LIMIT 1) a
    """,
    AddressRow,
)

ADDRESSES = Statement(
    "views.premises.addresses",
    """
    SELECT DISTINCT a.full_address || coalesce(', ' || p.unit, '') AS full_address
    FROM address a LEFT JOIN premise p ON p.address_id = a.id
    WHERE a.id IN (SELECT demarc_search_address(%(sought)s::text[], %(at_most)s::integer))
    ORDER BY 1 LIMIT %(limit)s::bigint
    """,
    AddressText,
)

_NEAR = f"""
    FROM (
        SELECT p.id, p.area_id, p.predefined, a.latitude, a.longitude,
               a.full_address || coalesce(', ' || p.unit, '') AS full_address,
               2 * {EARTH_RADIUS_M} * asin(least(1, sqrt(
                   sin(radians(a.latitude - %(latitude)s::float8) / 2) ^ 2
                   + cos(radians(%(latitude)s::float8)) * cos(radians(a.latitude))
                   * sin(radians(a.longitude - %(longitude)s::float8) / 2) ^ 2))) AS distance_m
        FROM address a JOIN premise p ON p.address_id = a.id
        WHERE a.latitude BETWEEN %(south)s::float8 AND %(north)s::float8
          AND (a.longitude BETWEEN %(west)s::float8 AND %(east)s::float8
               OR a.longitude BETWEEN %(west2)s::float8 AND %(east2)s::float8)
    ) p
    WHERE p.distance_m <= %(radius)s::float8
"""

NEAR = Statement(
    "views.premises.near",
    f"""
    SELECT {wire_ids.known_as("premise", "p.id")} AS id,
           {wire_ids.known_as("area", "p.area_id")} AS area_id, p.predefined, p.full_address,
           p.latitude, p.longitude, p.distance_m
    {_NEAR}
    ORDER BY p.distance_m, p.id LIMIT %(limit)s::bigint OFFSET %(offset)s::bigint
    """,
    NearRow,
)

COUNT_NEAR = Statement("views.premises.count_near", f"SELECT count(*) AS value {_NEAR}", Scalar)


class Box(msgspec.Struct, frozen=True):
    """Degrees that surely hold a circle; two spans of longitude where it crosses 180°."""

    south: float
    north: float
    west: float
    east: float
    west2: float
    east2: float


def box_around(latitude: float, longitude: float, radius_m: float) -> Box:
    """Give the box of latitudes and longitudes around a circle on the sphere.

    Args:
        latitude: degrees, of the centre.
        longitude: degrees, of the centre.
        radius_m: metres, far less than a quarter of the Earth.
    """
    reach = math.degrees(radius_m / EARTH_RADIUS_M) * 1.000001
    south, north = latitude - reach, latitude + reach
    if south <= -90 or north >= 90:  # noqa: PLR2004 - a pole: every longitude is near
        return Box(max(south, -90.0), min(north, 90.0), -180.0, 180.0, 1.0, 0.0)
    width = (
        math.degrees(
            math.asin(min(1.0, math.sin(math.radians(reach)) / math.cos(math.radians(latitude))))
        )
        * 1.000001
    )
    west, east = longitude - width, longitude + width
    if west < -180:  # noqa: PLR2004 - degrees
        return Box(south, north, -180.0, east, west + 360.0, 180.0)
    if east > 180:  # noqa: PLR2004 - degrees
        return Box(south, north, west, 180.0, -180.0, east - 360.0)
    return Box(south, north, west, east, 1.0, 0.0)


async def one(tx: Tx, *, api: str, shown: str) -> PremiseRow | None:
    """Give the premise that an API shows by this id."""
    return await ONE.one(tx, api=api, tenant_id=tx.tenant, shown=shown, id=wire_ids.as_uuid(shown))


async def at_address(tx: Tx, *, api: str, address: str) -> PremiseRow | None:
    """Give the premise of an address written whole, with its unit if it has one."""
    return await AT_ADDRESS.one(tx, api=api, tenant_id=tx.tenant, key=fold(address))


async def address_without_premise(tx: Tx, *, api: str, address: str) -> AddressRow | None:
    """Give an address written whole, though there is no premise of just that name."""
    return await WITHOUT_PREMISE.one(tx, api=api, tenant_id=tx.tenant, key=fold(address))


async def addresses(tx: Tx, text: str, limit: int) -> list[str]:
    """Give addresses that contain these words or parts of them, in order.

    Args:
        text: what is typed; accents, case and punctuation do not matter.
        limit: addresses at most.
    """
    words = sought(text)
    if not words:
        return []
    rows = await ADDRESSES.all(tx, sought=words, at_most=_FOUND_AT_MOST, limit=limit)
    return [row.full_address for row in rows]


async def near(
    tx: Tx, *, api: str, latitude: float, longitude: float, radius_m: float, page: int, size: int
) -> PageOf[NearRow]:
    """Give a page of the premises within a circle, nearest first.

    Args:
        api: whose ids are shown.
        latitude: degrees, WGS 84.
        longitude: degrees, WGS 84.
        radius_m: metres along the great circle.
        page: from 1.
        size: rows a page.
    """
    box = box_around(latitude, longitude, radius_m)
    circle = {
        "latitude": latitude,
        "longitude": longitude,
        "radius": radius_m,
        **msgspec.structs.asdict(box),
    }
    counted = await COUNT_NEAR.one(tx, **circle)
    total = 0 if counted is None else int(counted.value)
    offset = (page - 1) * size
    if offset >= total:
        return PageOf([], page, total)
    rows = await NEAR.all(tx, api=api, tenant_id=tx.tenant, limit=size, offset=offset, **circle)
    return PageOf(rows, page, total)


async def page_of(
    tx: Tx,
    *,
    api: str,
    page: int,
    size: int,
    totals: Totals,
    predefined: bool = False,
    address: str | None = None,
) -> PageOf[PremiseRow]:
    """Give a page of the premises on the tenant's networks, oldest first.

    Args:
        api: whose ids are shown.
        page: from 1.
        size: rows a page.
        totals: remembers counts.
        predefined: only those surveyed ahead of any sale.
        address: only at addresses that contain these words or parts of them.
    """
    words = sought(address) if address is not None else []
    by_text = {"sought": words, "at_most": _FOUND_AT_MOST} if words else {}
    which = (predefined, bool(words))

    async def rows(limit: int, offset: int) -> list[PremiseRow]:
        return await PAGES[which].all(
            tx, api=api, tenant_id=tx.tenant, limit=limit, offset=offset, **by_text
        )

    async def count() -> int:
        found = await COUNTS[which].one(tx, **by_text)
        return 0 if found is None else int(found.value)

    return await paged(
        page=page,
        size=size,
        rows=rows,
        count=count,
        totals=totals,
        key=("premises", tx.tenant, predefined, tuple(words)),
    )
