"""Structs exactly as they are on the wire, in the order of the document's examples.

Requests refuse unknown keys. Times are strings, because the document writes them in two ways.
"""

from datetime import datetime
from typing import Annotated, Generic, Literal, TypeVar

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

Item = TypeVar("Item")

Id = Annotated[str, Meta(min_length=1, max_length=200)]
# Python's $ matches before a last line feed as well
_ONE_LINE = r"^[^\x00-\x1f\x7f]*$(?!\n)"
Line = Annotated[str, Meta(max_length=200, pattern=_ONE_LINE)]
Address = Annotated[str, Meta(max_length=400, pattern=_ONE_LINE)]
Ssid = Annotated[str, Meta(min_length=1, max_length=32, description="1 to 32 octets")]
Passphrase = Annotated[
    str,
    Meta(min_length=8, max_length=63, pattern="^[ -~]*$", description="as WPA takes it"),
]
Moment = Annotated[datetime, Meta(tz=True)]
Latitude = Annotated[float, Meta(ge=-90, le=90, description="degrees, WGS 84")]
Longitude = Annotated[float, Meta(ge=-180, le=180, description="degrees, WGS 84")]
Time = Annotated[str, Meta(extra_json_schema={"format": "date-time"})]
Day = Annotated[str, Meta(extra_json_schema={"format": "date"})]

Status = Literal[
    "Pending installation",
    "Pending activation",
    "Active",
    "Suspended",
    "Pending cancellation",
    "Cancelled",
]


class Page(Struct, Generic[Item]):
    """A page of a list: ``count`` items here, ``total`` in all."""

    items: list[Item]
    page: int
    count: int
    total: int


# services


class NewService(Struct, forbid_unknown_fields=True):
    """The three elements of a service, and what the ISP wants noted with it."""

    customer_id: Id
    product_id: Id
    premise_id: Id
    sales_agent: Line | None = None
    isp_reference: Line | None = None


class ServiceUpdate(Struct, forbid_unknown_fields=True):
    """What an ISP may change of a service; null clears, what is not given stays."""

    isp_reference: Line | UnsetType | None = UNSET
    wifi_username: Ssid | UnsetType | None = UNSET
    wifi_password: Passphrase | UnsetType | None = UNSET


class Service(Struct):
    """A service in a list."""

    id: str
    customer_id: str
    product_id: str
    provider_id: str
    premise_id: str
    provisioned_date: Time | None
    sales_agent: str | None
    created_at: Time
    updated_at: Time
    created_by_id: str | None
    status: Status


class ServiceDetails(Service):
    """The full details of a service, for the ISP whose it is."""

    isp_reference: str | None
    wifi_username: str | None
    wifi_password: str | None


class OwnerService(Service):
    """A service as the owner of the network sees it: no Wi-Fi, but why it is in its state."""

    status_reason: str | None
    isp_reference: str | None


class Change(Struct):
    """A service that changed since the ISP last took a snapshot."""

    service_id: str
    customer_name: str
    full_address: str
    status: Status
    product: str
    last_updated_date: Time


class StateChange(Struct, forbid_unknown_fields=True):
    """Why a service is suspended or resumed."""

    reason: Line | None = None


class Cancellation(Struct, forbid_unknown_fields=True):
    """Why a service is cancelled, and when: at once if no time is given."""

    reason: Line | None = None
    at: Moment | None = None


class ProductChange(Struct, forbid_unknown_fields=True):
    """The product a service is to have from now on."""

    product_id: Id


class Transition(Struct):
    """One step in the life of a service."""

    date: Time
    from_status: Status | None
    to_status: Status
    reason: str | None
    actor: str


class DeviceAssignment(Struct, forbid_unknown_fields=True):
    """The ONU that serves a service from now on."""

    serial_number: Annotated[Line, Meta(min_length=1)]
    model: Line | None = None


class AssignedDevice(Struct):
    """The ONU that serves a service, its serial number in one form."""

    service: str
    serial_number: str


class DeviceStatus(Struct):
    """The device of a service: powers in dBm, the distance in metres of fibre."""

    network: str | None
    pop: str | None
    serial_number: str | None
    gpon_status: str | None
    cpe: str | None
    model: str | None
    last_updated: Time | None
    service: str
    pop_name: str | None
    alerts: list[str]
    alarms: list[str]
    populated_ports: str | None
    olt_port: str | None
    distance: float | None
    rx_status: str | None
    rx_power: float | None
    sfp_status: str | None
    sfp_power: float | None
    sfp_rx_status: str | None
    sfp_rx_power: float | None
    tx_power: float | None
    tx_status: str | None
    switch: str | None
    sfp_sync_speed: str | None
    switch_port: str | None


class Attempt(Struct):
    """A log-in that RADIUS answered."""

    date: Time
    reply: str


class Accounting(Struct):
    """A session. Octets are of IPv4 and IPv6 apart, input is from the subscriber."""

    session_id: str
    username: str
    ipaddress: str | None
    acct_start_time: Time
    acct_stop_time: Time | None
    session_time: int
    input_octets: int
    output_octets: int
    ipv6_input_octets: int
    ipv6_output_octets: int
    terminate_cause: str | None
    update_time: Time


class RadiusStatus(Struct):
    """The log-in of a service, its last attempts, its sessions."""

    username: str
    password: str | None
    authentication_attempts: list[Attempt]
    accounting: list[Accounting]


class UsageDay(Struct):
    """Bytes of a local day: IPv4, IPv6 and both."""

    date: Day
    bytes_downloaded: int
    bytes_uploaded: int
    i_pv6_bytes_downloaded: int
    i_pv6_bytes_uploaded: int
    total_bytes_downloaded: int
    total_bytes_uploaded: int


# customers


class NewCustomer(Struct, forbid_unknown_fields=True):
    """A person who wants a service."""

    first_name: Line
    last_name: Line
    email: Line
    mobile_number: Line
    fno_opt_in: Moment | None = None
    isp_opt_in: Moment | None = None


class CustomerUpdate(Struct, forbid_unknown_fields=True):
    """What is to change of a customer; what is not given stays, null withdraws a consent."""

    first_name: Line | UnsetType = UNSET
    last_name: Line | UnsetType = UNSET
    email: Line | UnsetType = UNSET
    mobile_number: Line | UnsetType = UNSET
    fno_opt_in: Moment | UnsetType | None = UNSET
    isp_opt_in: Moment | UnsetType | None = UNSET


class Customer(Struct):
    """A customer. Of a company the whole name is the first name."""

    id: str
    first_name: str
    last_name: str
    email: str | None
    mobile_number: str | None
    fno_opt_in: Time | None
    isp_opt_in: Time | None


# products and places


class Product(Struct):
    """What an ISP can sell; speeds in Mbit/s, the price as a decimal number."""

    id: str
    code: str
    name: str
    description: str | None
    technology: str
    download_speed: float
    upload_speed: float
    monthly_price: str | None
    currency: str | None
    area_ids: list[str]
    active: bool


class NewPremise(Struct, forbid_unknown_fields=True):
    """A place to be served: an address whole or in parts, and which unit there."""

    full_address: Address | None = None
    street: Line | None = None
    number: Line | None = None
    district: Line | None = None
    city: Line | None = None
    region: Line | None = None
    postcode: Line | None = None
    country: Line | None = None
    latitude: Latitude | None = None
    longitude: Longitude | None = None
    unit: Line | None = None
    area_id: Id | None = None


class Premise(Struct):
    """A place that can be served."""

    id: str
    full_address: str
    street: str | None
    number: str | None
    unit: str | None
    district: str | None
    city: str | None
    region: str | None
    postcode: str | None
    country: str | None
    latitude: float | None
    longitude: float | None
    area_id: str | None
    predefined: bool
    created_at: Time
    updated_at: Time


class Point(Struct, forbid_unknown_fields=True):
    """Where to look, and how far: 500 metres at most."""

    latitude: Latitude
    longitude: Longitude
    radius: Annotated[float, Meta(gt=0, le=500, description="metres")] = 500
    page: Annotated[int, Meta(ge=1)] | None = None
    page_size: Annotated[int, Meta(ge=1)] | None = None


class Location(Struct):
    """A premise near a point, its distance in metres."""

    id: str
    type: Literal["premise", "predefined_premise"]
    full_address: str
    latitude: float
    longitude: float
    distance: float
    area_id: str | None


class LocationDetails(Struct, rename="camel"):
    """Whether something can be ordered at a place, and the ids to order it with."""

    availability: bool
    premise_id: str | None
    predefined_premise_id: str | None
    area_id: str | None
    full_address: str


# errors


class FieldError(Struct):
    """What is wrong with one field of a request."""

    field: str
    message: str


class Problem(Struct, omit_defaults=True):
    """Why a request was refused (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str = ""
    errors: list[FieldError] = msgspec.field(default_factory=list)
