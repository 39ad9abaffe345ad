"""``/customers``: who services are for."""

from typing import Annotated

import msgspec
from litestar import Response, get, post, put
from litestar.openapi import ResponseSpec
from litestar.params import FromPath, JSONBody, QueryParameter

from demarc.domains.errors import NotFound
from demarc.domains.subscribers.model import Customer
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
from demarc.views import customers, wire_ids


@post(
    "/customers",
    operation_id="aex.customers.create",
    opt=needs("customer:create"),
    summary="Create a customer",
    responses={
        201: ResponseSpec(
            data_container=wire.Customer, description="Created", generate_examples=False
        )
    },
)
async def create_customer(
    request: AexRequest, api: Injected, data: JSONBody[wire.NewCustomer]
) -> Response[bytes]:
    """Create a customer of the ISP."""

    async def perform(tx: Tx) -> tuple[str, msgspec.Struct]:
        made = await api.subscribers.create_customer(
            tx,
            first_name=data.first_name,
            last_name=data.last_name,
            email=data.email,
            mobile_number=data.mobile_number,
            fno_consent_at=data.fno_opt_in,
            isp_consent_at=data.isp_opt_in,
        )
        shown = str(made.id)
        return path_of("customers", shown), mapping.customer(made, shown)

    return await api.create(request, perform)


@get(
    "/customers",
    operation_id="aex.customers.list",
    opt=needs("customer:read"),
    summary="List customers",
)
async def list_customers(
    request: AexRequest,
    api: Injected,
    *,
    email_address: Annotated[
        str | None,
        QueryParameter(description="Only with this e-mail address, in any case.", pattern=TEXT),
    ] = None,
    email_address_too: Annotated[
        str | None,
        QueryParameter(name="emailAddress", description="The same as email_address.", pattern=TEXT),
    ] = None,
    page: PageNumber = 1,
    page_size: PageSize = PAGE_SIZE,
) -> wire.Page[wire.Customer]:
    """Give a page of the ISP's own customers and of those of no ISP, oldest first."""
    async with api.begin(request) as tx:
        listed = await customers.page_of(
            tx,
            api=request.user.api,
            page=page,
            size=min(page_size, LARGEST_PAGE),
            totals=api.totals,
            email=email_address if email_address is not None else email_address_too,
        )
    return as_page(listed, [mapping.customer(row, row.shown_id) for row in listed.items])


@get(
    "/customers/{customer_id:str}",
    operation_id="aex.customers.get",
    opt=needs("customer:read"),
    summary="Read a customer",
)
async def get_customer(
    request: AexRequest, api: Injected, customer_id: FromPath[str]
) -> wire.Customer:
    """Give a customer of the ISP's or of no ISP."""
    async with api.begin(request) as tx:
        known = await _customer(tx, request, api, customer_id)
        shown = await wire_ids.of(tx, request.user.api, "customer", known.id)
    return mapping.customer(known, shown)


@put(
    "/customers/{customer_id:str}",
    operation_id="aex.customers.update",
    opt=needs("customer:update"),
    summary="Update a customer",
)
async def update_customer(
    request: AexRequest,
    api: Injected,
    customer_id: FromPath[str],
    data: JSONBody[wire.CustomerUpdate],
) -> wire.Customer:
    """Change what is given of a customer of the ISP's; give the whole record."""
    async with api.begin(request) as tx:
        known = await _customer(tx, request, api, customer_id)
        updated = await api.subscribers.update_customer(
            tx,
            known.id,
            first_name=data.first_name,
            last_name=data.last_name,
            email=data.email,
            mobile_number=data.mobile_number,
            fno_consent_at=data.fno_opt_in,
            isp_consent_at=data.isp_opt_in,
        )
        shown = await wire_ids.of(tx, request.user.api, "customer", updated.id)
    return mapping.customer(updated, shown)


async def _customer(tx: Tx, request: AexRequest, api: Api, shown: str) -> Customer:
    entity_id = await wire_ids.find(tx, request.user.api, "customer", shown)
    if entity_id is None:
        raise NotFound("customer", shown)
    known = await api.subscribers.customer(tx, entity_id)
    # who also owns a network may know other ISPs' customers, but not as an ISP
    if known.tenant_id not in (None, tx.tenant):
        raise NotFound("customer", shown)
    return known


HANDLERS = [create_customer, list_customers, get_customer, update_customer]
