"""Areas of a network and the products sold in them."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

import msgspec


class Area(msgspec.Struct, frozen=True):
    """A part of a network in which the same products are sold.

    Attributes:
        owner_id: the network's owner.
        available: whether new services are taken there at all.
    """

    id: UUID
    owner_id: UUID
    network_id: UUID
    slug: str
    name: str
    available: bool
    created_at: datetime


class Product(msgspec.Struct, frozen=True):
    """What an ISP sells: a technology, a speed, a price.

    Attributes:
        owner_id: the owner of the network it runs on.
        isp_id: the only ISP that sells it; None where every ISP on the network does.
        code: the owner's own name for it, unique on the network.
        download_bps: towards the subscriber, bit/s.
        upload_bps: from the subscriber, bit/s.
        monthly_price: None where it is agreed elsewhere; else with ``currency`` (ISO 4217).
        active: whether it is still sold; those who have it keep it.
        profile_id: the RADIUS profile of its log-ins, if it has one.
    """

    id: UUID
    owner_id: UUID
    network_id: UUID
    isp_id: UUID | None
    code: str
    name: str
    description: str | None
    technology: str
    download_bps: int
    upload_bps: int
    monthly_price: Decimal | None
    currency: str | None
    active: bool
    profile_id: UUID | None
    created_at: datetime
    updated_at: datetime


class Availability(msgspec.Struct, frozen=True):
    """Whether something can be ordered at a place now.

    Attributes:
        area_id: the area the place lies in; None where no area covers it.
        orderable: the area takes new services and a product is sold there to the asking ISP.
    """

    area_id: UUID | None
    orderable: bool


class ProductOfferChanged(msgspec.Struct, frozen=True):
    """Event: a product has another speed now, bit/s, or another RADIUS profile."""

    product_id: UUID
    download_bps: int
    upload_bps: int
    profile_id: UUID | None
