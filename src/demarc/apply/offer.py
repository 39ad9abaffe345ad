"""Steps for what is sold and where: areas, products, premises."""

from decimal import Decimal

from demarc.apply import policies
from demarc.apply.document import AreaTable, PremiseTable, ProductTable
from demarc.apply.plan import Change
from demarc.apply.work import Work
from demarc.domains.errors import NotFound
from demarc.domains.subscribers.model import Place


async def area(work: Work, table: AreaTable) -> Change:
    """Bring an area to what its table says."""
    catalog = work.domains.catalog
    network = await work.network(table)
    try:
        known = await catalog.area_named(work.tx, network.id, table.slug)
        before = {"name": known.name, "available": known.available}
    except NotFound:
        before = None
    return await work.bring(
        table,
        before,
        {"name": table.name.strip(), "available": table.available},
        lambda: catalog.put_area(
            work.tx,
            network=network,
            slug=table.slug,
            name=table.name,
            available=table.available,
        ),
    )


async def product(work: Work, table: ProductTable) -> Change:
    """Bring a product to what its table says."""
    catalog = work.domains.catalog
    network = await work.network(table)
    isp_id = await work.tenant_id("isp", table.isp)
    areas = {slug: await work.area("areas", network, slug) for slug in sorted(set(table.areas))}
    profile = None
    if table.profile is not None:
        profile = await policies.of_product(work, table.profile, network.owner_id, isp_id)
    after = {
        "name": table.name.strip(),
        "download": int(table.download),
        "upload": int(table.upload),
        "description": table.description,
        "technology": table.technology,
        "areas": list(areas),
        "price": None if table.price is None else as_money(table.price),
        "currency": table.currency,
        "isp": table.isp,
        "active": table.active,
        "profile": table.profile,
    }
    before = None
    try:
        known = await catalog.product_named(work.tx, network.id, table.code)
    except NotFound:
        pass
    else:
        sold_in = set(await catalog.areas_of(work.tx, known.id))
        isp = known.isp_id and (await work.domains.identity.tenant(work.tx, known.isp_id)).slug
        before = {
            "name": known.name,
            "download": known.download_bps,
            "upload": known.upload_bps,
            "description": known.description,
            "technology": known.technology,
            "areas": sorted(
                one.slug for one in await catalog.areas(work.tx, network.id) if one.id in sold_in
            ),
            "price": None if known.monthly_price is None else as_money(known.monthly_price),
            "currency": known.currency,
            "isp": isp,
            "active": known.active,
            "profile": await policies.name_of(work, known.profile_id),
        }
    return await work.bring(
        table,
        before,
        after,
        lambda: catalog.put_product(
            work.tx,
            network=network,
            code=table.code,
            name=table.name,
            download_bps=int(table.download),
            upload_bps=int(table.upload),
            areas=[one.id for one in areas.values()],
            isp_id=isp_id,
            description=table.description,
            technology=table.technology,
            monthly_price=table.price,
            currency=table.currency,
            active=table.active,
            profile_id=None if profile is None else profile.id,
        ),
    )


def as_money(amount: Decimal) -> Decimal:
    """Give an amount with two decimals where it needs no more."""
    short = round(amount, 2)
    return short if short == amount else amount


async def premise(work: Work, table: PremiseTable) -> Change:
    """Bring a premise to what its table says.

    The address is what it is known by. Its parts are taken when it is entered; its position and
    its area can be added to or changed later, not taken away.
    """
    subscribers = work.domains.subscribers
    network = await work.network(table)
    area = None if table.area is None else await work.area("area", network, table.area)
    place = Place(
        full_address=table.full_address,
        street=table.street,
        number=table.number,
        district=table.district,
        city=table.city,
        region=table.region,
        postcode=table.postcode,
        country=table.country,
        latitude=table.latitude,
        longitude=table.longitude,
    )
    after = {
        "area": table.area,
        "predefined": table.predefined,
        "timezone": table.timezone,
        "latitude": table.latitude,
        "longitude": table.longitude,
    }
    before = None
    known = await subscribers.known_premise(
        work.tx, network_id=network.id, place=place, unit=table.unit
    )
    if known is not None:
        lies_in = None
        if known.area_id is not None:
            lies_in = (await work.domains.catalog.area(work.tx, known.area_id)).slug
        before = {
            "area": lies_in,
            "predefined": known.predefined,
            "timezone": known.timezone,
            "latitude": known.latitude,
            "longitude": known.longitude,
        }
        for key in ("area", "latitude", "longitude"):
            if after[key] is None:
                after[key] = before[key]
    return await work.bring(
        table,
        before,
        after,
        lambda: subscribers.put_premise(
            work.tx,
            network=network,
            place=place,
            unit=table.unit,
            area_id=None if area is None else area.id,
            predefined=table.predefined,
            timezone=table.timezone,
        ),
    )


__all__ = ["area", "as_money", "premise", "product"]
