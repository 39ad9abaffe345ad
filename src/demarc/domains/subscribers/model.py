"""Customers with their contacts and consents; addresses and the premises at them."""

from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec

CustomerKind = Literal["person", "company"]
ContactKind = Literal["email", "phone", "mobile", "whatsapp"]
Purpose = Literal["fno", "isp"]


class Customer(msgspec.Struct, frozen=True):
    """A person or company that has, or asked for, services.

    Attributes:
        tenant_id: the ISP; None while the customer is of no ISP yet.
        owner_id: the network's owner that knows them, where one brought them in.
        name: whole; of a person also in parts where it was given so.
        tax_id_kind: what the tax number is ("cpf", "cnpj", "vat" ...); ``tax_id`` without
            punctuation.
        fno_consent_at: since when the network's owner may contact them; None if it may not.
        isp_consent_at: likewise the ISP.
    """

    id: UUID
    tenant_id: UUID | None
    owner_id: UUID | None
    kind: str
    name: str
    first_name: str | None
    last_name: str | None
    tax_id_kind: str | None
    tax_id: str | None
    email: str | None
    mobile_number: str | None
    fno_consent_at: datetime | None
    isp_consent_at: datetime | None
    created_at: datetime
    updated_at: datetime


class Contact(msgspec.Struct, frozen=True):
    """One more way to reach a customer."""

    id: UUID
    kind: str
    value: str
    label: str | None


class Consent(msgspec.Struct, frozen=True):
    """That a customer agreed to be contacted, from when until when."""

    purpose: str
    given_at: datetime
    withdrawn_at: datetime | None
    recorded_at: datetime


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """An address as it is given: whole, in parts, or both.

    Attributes:
        full_address: whole; made of the parts where it is not given.
        latitude: degrees, WGS 84; with ``longitude`` or not at all.
    """

    full_address: str | None = None
    street: str | None = None
    number: str | None = None
    district: str | None = None
    city: str | None = None
    region: str | None = None
    postcode: str | None = None
    country: str | None = None
    latitude: float | None = None
    longitude: float | None = None


class Premise(msgspec.Struct, frozen=True):
    """A flat, house or shop that can be served, at an address of a network.

    Attributes:
        area_id: the area it lies in; None where none covers it.
        unit: which one within the address; None where the address has but one.
        predefined: the network's owner surveyed it ahead of any sale.
        timezone: IANA name, where it differs from the ISP's.
        created_by: the organisation that entered it.
        full_address: of the address, with the unit.
    """

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
