"""``/premises``, ``/locations`` and ``/details``: where services can be had."""

from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.openapi import ResponseSpec
from litestar.params import FromPath, JSONBody, QueryParameter

from demarc.domains.errors import Invalid, NotFound
from demarc.domains.identity.model import Network
from demarc.domains.subscribers.model import Place
from demarc.northbound.aex import mapping, wire
from demarc.northbound.aex.api import (
    LARGEST_PAGE,
    PAGE_SIZE,
    TEXT,
    Api,
    Injected,
    PageNumber,
    PageSize,
    as_page,
    path_of,
)
from demarc.northbound.aex.request import AexRequest, needs
from demarc.platform.database import Tx
from demarc.views import premises, wire_ids
from demarc.views.premises import PremiseRow

ADDRESSES = 10
NEAR_PAGE = 10


@post(
    "/premises",
    operation_id="aex.premises.create",
    opt=needs("premise:create"),
    summary="Create a premise",
    responses={
        201: ResponseSpec(
            data_container=wire.Premise, description="Created", generate_examples=False
        )
    },
)
async def create_premise(
    request: AexRequest, api: Injected, data: JSONBody[wire.NewPremise]
) -> Response[bytes]:
    """Enter a place that the network's owner has not surveyed.

    Without an area it gets that of other premises at the address; where there is none either,
    nothing can be ordered there until the owner gives it one.
    """

    async def perform(tx: Tx) -> tuple[str, msgspec.Struct]:
        area_id = None
        if data.area_id is not None:
            area_id = await api.referred(tx, request, "area", data.area_id)
        made = await api.subscribers.create_premise(
            tx,
            network=await _network(tx, api, area_id),
            place=Place(
                full_address=data.full_address,
                street=data.street,
                number=data.number,
                district=data.district,
                city=data.city,
                region=data.region,
                postcode=data.postcode,
                country=data.country,
                latitude=data.latitude,
                longitude=data.longitude,
            ),
            unit=data.unit,
            area_id=area_id,
        )
        shown = str(made.id)
        shown_area = None
        if made.area_id is not None:
            shown_area = await wire_ids.of(tx, request.user.api, "area", made.area_id)
        return path_of("premises", shown), mapping.premise(made, shown, shown_area)

    return await api.create(request, perform)


async def _network(tx: Tx, api: Api, area_id: UUID | None) -> Network:
    """Give the network of an area, or the only one the ISP sells on."""
    if area_id is not None:
        try:
            area = await api.catalog.area(tx, area_id)
        except NotFound as missing:
            raise Invalid("area_id", "is not an area that is known here") from missing
        network = await api.identity.network_sold_on(tx, area.network_id)
        if network is None:
            raise Invalid("area_id", "is not an area that is known here")
        return network
    networks = await api.identity.networks_sold_on(tx, tx.tenant)
    if len(networks) != 1:
        raise Invalid("area_id", "is needed: it tells which network the place is on")
    return networks[0]


@get(
    "/premises",
    operation_id="aex.premises.list",
    opt=needs("premise:read"),
    summary="List premises",
)
async def list_premises(
    request: AexRequest,
    api: Injected,
    *,
    address: Annotated[
        str | None,
        QueryParameter(description="Only at addresses with these words in them.", pattern=TEXT),
    ] = None,
    page: PageNumber = 1,
    page_size: PageSize = PAGE_SIZE,
) -> wire.Page[wire.Premise]:
    """Give a page of the premises on the ISP's networks, oldest first."""
    return await _list(request, api, address, page, page_size, predefined=False)


@get(
    "/premises/predefined",
    operation_id="aex.premises.predefined",
    opt=needs("premise:read"),
    summary="List predefined premises",
)
async def list_predefined(
    request: AexRequest,
    api: Injected,
    *,
    address: Annotated[
        str | None,
        QueryParameter(description="Only at addresses with these words in them.", pattern=TEXT),
    ] = None,
    page: PageNumber = 1,
    page_size: PageSize = PAGE_SIZE,
) -> wire.Page[wire.Premise]:
    """Give a page of the premises that networks' owners surveyed ahead of any sale."""
    return await _list(request, api, address, page, page_size, predefined=True)


async def _list(
    request: AexRequest,
    api: Api,
    address: str | None,
    page: int,
    page_size: int,
    *,
    predefined: bool,
) -> wire.Page[wire.Premise]:
    async with api.begin(request) as tx:
        listed = await premises.page_of(
            tx,
            api=request.user.api,
            page=page,
            size=min(page_size, LARGEST_PAGE),
            totals=api.totals,
            predefined=predefined,
            address=address,
        )
    return as_page(listed, [_shown(row) for row in listed.items])


def _shown(row: PremiseRow) -> wire.Premise:
    return mapping.premise(row, row.shown_id, row.shown_area_id)


@get(
    "/premises/{premise_id:str}",
    operation_id="aex.premises.get",
    opt=needs("premise:read"),
    summary="Read a premise",
)
async def get_premise(
    request: AexRequest, api: Injected, premise_id: FromPath[str]
) -> wire.Premise:
    """Give a premise on the ISP's networks."""
    async with api.begin(request) as tx:
        found = await premises.one(tx, api=request.user.api, shown=premise_id)
    if found is None:
        raise NotFound("premise", premise_id)
    return _shown(found)


@get(
    "/locations",
    operation_id="aex.locations.search",
    opt=needs("premise:read"),
    summary="Search addresses",
)
async def search_addresses(
    request: AexRequest,
    api: Injected,
    address: Annotated[
        str,
        QueryParameter(
            description="Words of the address, or parts of them.", min_length=1, pattern=TEXT
        ),
    ],
) -> list[str]:
    """Give up to 10 addresses with these words in them, in order; more text finds others."""
    async with api.begin(request) as tx:
        return await premises.addresses(tx, address, ADDRESSES)


@post(
    "/locations/proximity-search",
    operation_id="aex.locations.proximity",
    opt=needs("premise:read"),
    summary="Search near a point",
    status_code=200,
)
async def search_near(
    request: AexRequest,
    api: Injected,
    data: JSONBody[wire.Point],
    page: PageNumber = 1,
    page_size: PageSize = NEAR_PAGE,
) -> wire.Page[wire.Location]:
    """Give a page of up to 10 premises within 500 m of a point, nearest first."""
    async with api.begin(request) as tx:
        listed = await premises.near(
            tx,
            api=request.user.api,
            latitude=data.latitude,
            longitude=data.longitude,
            radius_m=data.radius,
            page=data.page or page,
            size=min(data.page_size or page_size, NEAR_PAGE),
        )
    return as_page(listed, [mapping.location(row) for row in listed.items])


@get(
    "/details",
    operation_id="aex.details",
    opt=needs("premise:read"),
    summary="Details of a location",
)
async def location_details(
    request: AexRequest,
    api: Injected,
    address: Annotated[
        str | None,
        QueryParameter(description="The full address, as the search gives it.", pattern=TEXT),
    ] = None,
    predefined_premise_id: Annotated[
        str | None, QueryParameter(description="The id of a predefined premise.", pattern=TEXT)
    ] = None,
) -> wire.LocationDetails:
    """Tell whether the ISP can order at a place now, by its address or its predefined premise.

    An address that is known without a premise has no ``premiseId``: the premise must be created.
    """
    if address is None and predefined_premise_id is None:
        raise Invalid("address", "or predefined_premise_id is needed")
    caller = request.user
    async with api.begin(request) as tx:
        if predefined_premise_id is not None:
            found = await premises.one(tx, api=caller.api, shown=predefined_premise_id)
            if found is None:
                raise NotFound("premise", predefined_premise_id)
        else:
            found = await premises.at_address(tx, api=caller.api, address=address or "")
        if found is not None:
            availability = await api.catalog.availability(tx, found.area_id)
            return wire.LocationDetails(
                availability=availability.orderable,
                premise_id=found.shown_id,
                predefined_premise_id=found.shown_id if found.predefined else None,
                area_id=found.shown_area_id,
                full_address=found.full_address,
            )
        empty = await premises.address_without_premise(tx, api=caller.api, address=address or "")
        if empty is None:
            raise NotFound("address", address)
        availability = await api.catalog.availability(tx, empty.area_id)
        return wire.LocationDetails(
            availability=availability.orderable,
            premise_id=None,
            predefined_premise_id=None,
            area_id=empty.shown_area_id,
            full_address=empty.full_address,
        )


HANDLERS = [
    create_premise,
    list_premises,
    list_predefined,
    get_premise,
    search_addresses,
    search_near,
    location_details,
]
