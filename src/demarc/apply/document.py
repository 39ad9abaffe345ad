"""What a network file can say: a struct for each of its tables.

A table describes its thing whole: a key left out has the default shown here, also where the thing
exists already with another value. Secrets are the exception: a password left out stays.
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Literal

import msgspec

from demarc.apply.home_servers import HomeServerTable
from demarc.apply.values import Address, Hidden, Octets, Place, Prefix, Prefix4, Speed
from demarc.domains.aaa.model import Dynamic, PoolKind, PoolPurpose, Vendor
from demarc.domains.aaa.profiles import Counts, Learning, Period, Restraint, Settings, Wall
from demarc.domains.aaa.proxying import ALLOWED
from demarc.protocols.radius.dictionary import DICTIONARY

Port = Annotated[int, msgspec.Meta(ge=1, le=65535)]
Latitude = Annotated[float, msgspec.Meta(ge=-90, le=90)]
Longitude = Annotated[float, msgspec.Meta(ge=-180, le=180)]
PRICE_DIGITS = 4
"""Decimals of a price that are kept."""

Fault = tuple[str | None, str]
"""A key, or none where the table as a whole is meant, and what is wrong."""


class Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One ``[[section]]`` of the file.

    Attributes:
        place: where in the file it stands; not a key of the file.
    """

    #: the name of its section
    section: ClassVar[str]
    #: the keys that tell it from others of its section
    identity: ClassVar[tuple[str, ...]]

    place: Place = Place()

    @property
    def label(self) -> str:
        """What it is called in messages and plans."""
        return str(getattr(self, self.identity[-1]))

    @property
    def key(self) -> tuple[str | None, ...]:
        """What tells it from others of its section."""
        return tuple(getattr(self, name) for name in self.identity)

    def faults(self) -> Iterator[Fault]:
        """Say what is wrong beyond the types of single keys."""
        return iter(())


class TenantTable(Table, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An organisation: the owner of a network, an ISP, or both."""

    section: ClassVar[str] = "tenant"
    identity: ClassVar[tuple[str, ...]] = ("slug",)

    slug: str
    name: str
    timezone: str = "UTC"
    locale: str = "en"
    country: str | None = None
    currency: str | None = None
    login_pattern: str = "{number:06d}"
    activate_on: tuple[Literal["accept", "onu_online"], ...] = ("accept", "onu_online")


class NetworkTable(Table, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A physical network: whose it is, and which ISPs sell on it."""

    section: ClassVar[str] = "network"
    identity: ClassVar[tuple[str, ...]] = ("slug",)

    slug: str
    name: str
    owner: str
    isps: tuple[str, ...] = ()


class OnNetwork(Table, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A thing of a network; ``network`` may be left out where the file describes one only."""

    network: str | None = None


class RealmTable(Table, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A name space of log-ins, ours to answer or an ISP's own home servers'."""

    section: ClassVar[str] = "realm"
    identity: ClassVar[tuple[str, ...]] = ("name",)

    name: str
    tenant: str
    qualified: bool = True
    home_server: tuple[HomeServerTable, ...] = ()
    books_locally: bool = False
    allow: tuple[str, ...] = ALLOWED

    def faults(self) -> Iterator[Fault]:
        """Each of its home servers is sound and named once, and what it allows is known."""
        names = [server.name for server in self.home_server]
        if len(set(names)) < len(names):
            yield "home_server", "names one server twice"
        for server in self.home_server:
            for reason in server.faults():
                yield "home_server", reason
        for name in self.allow:
            if name not in DICTIONARY:
                yield "allow", f"names {name}, which is no attribute that is known"


class ProfileTable(Table, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What log-ins are given beyond their speed; as ``profiles.Settings``."""

    section: ClassVar[str] = "profile"
    identity: ClassVar[tuple[str, ...]] = ("tenant", "name")

    tenant: str
    name: str
    default: bool = False
    suspended: Wall = "reject"
    expired: Wall = "reject"
    hours: tuple[str, ...] = ()
    outside: Restraint = "reject"
    quota: Octets | None = None
    quota_period: Period = "month"
    quota_counts: Counts = "both"
    quota_reached: Restraint = "throttle"
    billing_day: int = 1
    throttle_download: Speed | None = None
    throttle_upload: Speed | None = None
    garden_download: Speed | None = None
    garden_upload: Speed | None = None
    garden_filter: str | None = None
    garden_redirect: str | None = None
    garden_session_timeout: int | None = None
    garden_attributes: tuple[str, ...] = ()
    filter: str | None = None
    session_timeout: int | None = None
    idle_timeout: int | None = None
    max_sessions: int | None = None
    attributes: tuple[str, ...] = ()
    station_binding: Learning = "none"
    circuit_binding: Learning = "none"

    @property
    def settings(self) -> Settings:
        """What the profile says, unchecked."""
        given: dict[str, Any] = {key: getattr(self, key) for key in Settings.__struct_fields__}
        for key, one in given.items():
            if isinstance(one, Speed | Octets):
                # as plain numbers, which is what they are kept as
                given[key] = int(one)
        return Settings(**given)


class AreaTable(OnNetwork, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A part of a network in which products are sold."""

    section: ClassVar[str] = "area"
    identity: ClassVar[tuple[str, ...]] = ("network", "slug")

    slug: str
    name: str
    available: bool = True


class ProductTable(OnNetwork, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is sold, where, and by whom: by every ISP of the network, or by one."""

    section: ClassVar[str] = "product"
    identity: ClassVar[tuple[str, ...]] = ("network", "code")

    code: str
    name: str
    download: Speed
    upload: Speed
    description: str | None = None
    technology: str = "gpon"
    areas: tuple[str, ...] = ()
    price: Decimal | None = None
    currency: str | None = None
    isp: str | None = None
    active: bool = True
    profile: str | None = None

    def faults(self) -> Iterator[Fault]:
        """A price has a currency, and no more digits than are kept."""
        if self.price is not None and not (
            self.price.is_finite() and self.price == round(self.price, PRICE_DIGITS)
        ):
            yield "price", f"must be an amount with {PRICE_DIGITS} decimals at most"
        if self.price is not None and self.currency is None:
            yield "price", "needs a currency beside it"
        if self.currency is not None and self.price is None:
            yield "currency", "needs a price beside it"


class PopTable(OnNetwork, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A point of presence."""

    section: ClassVar[str] = "pop"
    identity: ClassVar[tuple[str, ...]] = ("network", "code")

    code: str
    name: str
    latitude: Latitude | None = None
    longitude: Longitude | None = None

    def faults(self) -> Iterator[Fault]:
        """Half a position is none."""
        yield from _position(self.latitude, self.longitude)


class NasTable(OnNetwork, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A NAS, or a prefix of them that share a secret."""

    section: ClassVar[str] = "nas"
    identity: ClassVar[tuple[str, ...]] = ("network", "name")

    name: str
    address: Address | None = None
    prefix: Prefix | None = None
    vendor: Vendor = "generic"
    secret: Hidden | None = None
    secret_env: str | None = None
    coa_port: Port = 3799
    coa: Dynamic = "change"
    default_realm: str | None = None
    require_message_authenticator: Literal["yes", "no", "auto"] = "auto"
    limit_proxy_state: Literal["yes", "no", "auto"] = "auto"
    certificate: str | None = None
    mac_authentication: bool = False
    circuit_authentication: bool = False
    counters_reversed: bool = False
    speed_attributes: list[str] | None = None
    interim_interval: Annotated[int, msgspec.Meta(ge=10, le=86400)] = 300
    reach: str = "default"
    pop: str | None = None

    def faults(self) -> Iterator[Fault]:
        """It has one address or one prefix, and one secret."""
        if (self.address is None) == (self.prefix is None):
            yield None, "needs either an address or a prefix"
        if (self.secret is None) == (self.secret_env is None):
            yield None, "needs either secret or secret_env"

    @property
    def where(self) -> str:
        """Where its packets come from, as CIDR."""
        if self.prefix is not None:
            return str(self.prefix)
        if self.address is None:
            raise ValueError("a NAS without an address is refused when the file is read")
        return str(self.address.alone)


class PoolTable(OnNetwork, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A prefix of which addresses or prefixes are leased, or the name of a pool of the NASes."""

    section: ClassVar[str] = "pool"
    identity: ClassVar[tuple[str, ...]] = ("network", "name")

    name: str
    prefix: Prefix | None = None
    nas_pool: str | None = None
    kind: PoolKind = "ipv4"
    length: Annotated[int, msgspec.Meta(ge=16, le=64)] | None = None
    purpose: PoolPurpose = "service"
    isp: str | None = None

    def faults(self) -> Iterator[Fault]:
        """It has one prefix, or one name."""
        if (self.prefix is None) == (self.nas_pool is None):
            yield None, "needs either a prefix or nas_pool"


class NatPoolTable(OnNetwork, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A rule of CGNAT: each inside address has a block of ports of a public one."""

    section: ClassVar[str] = "nat_pool"
    identity: ClassVar[tuple[str, ...]] = ("network", "name")

    name: str
    inside: Prefix4
    public: Prefix4
    block_size: Annotated[int, msgspec.Meta(ge=16, le=65536)] = 1024
    first_port: Port = 1024


class OltTable(OnNetwork, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An OLT, read over SNMP."""

    section: ClassVar[str] = "olt"
    identity: ClassVar[tuple[str, ...]] = ("network", "name")

    name: str
    address: Address
    port: Port = 161
    community: Hidden | None = None
    community_env: str | None = None
    vendor: Literal["huawei"] = "huawei"
    model: str | None = None
    pop: str | None = None
    reach: str = "default"
    poll_interval: Annotated[int, msgspec.Meta(ge=5, le=86400)] | None = None

    def faults(self) -> Iterator[Fault]:
        """It has one community."""
        if (self.community is None) == (self.community_env is None):
            yield None, "needs either community or community_env"


class PremiseTable(OnNetwork, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A place that can be served, known by its whole address and its unit."""

    section: ClassVar[str] = "premise"
    identity: ClassVar[tuple[str, ...]] = ("network", "written", "unit")

    full_address: str | None = None
    street: str | None = None
    number: str | None = None
    district: str | None = None
    city: str | None = None
    region: str | None = None
    postcode: str | None = None
    country: str | None = None
    unit: str | None = None
    latitude: Latitude | None = None
    longitude: Longitude | None = None
    area: str | None = None
    predefined: bool = False
    timezone: str | None = None

    @property
    def written(self) -> str:
        """The whole address: as given, or made of its parts."""
        if self.full_address is not None:
            return self.full_address.strip()
        parts = (self.number, self.street, self.district, self.city, self.postcode, self.region)
        return ", ".join(part for part in parts if part)

    @property
    def label(self) -> str:
        """The address and the unit."""
        return self.written if self.unit is None else f"{self.written}, {self.unit}"

    def faults(self) -> Iterator[Fault]:
        """It has an address, and a whole position or none."""
        if not self.written:
            yield None, "needs full_address, or street and city"
        yield from _position(self.latitude, self.longitude)


class UserTable(Table, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Somebody who logs in; ``roles`` is by organisation: ``{ fibra = "admin" }``."""

    section: ClassVar[str] = "user"
    identity: ClassVar[tuple[str, ...]] = ("email",)

    email: str
    name: str
    password: Hidden | None = None
    password_env: str | None = None
    roles: dict[str, str] = {}

    def faults(self) -> Iterator[Fault]:
        """It has one password, or none."""
        if self.password is not None and self.password_env is not None:
            yield None, "takes password or password_env, not both"


class ClientTable(Table, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A program that calls an API for an organisation."""

    section: ClassVar[str] = "client"
    identity: ClassVar[tuple[str, ...]] = ("tenant", "api", "name")

    tenant: str
    api: Literal["aex", "fno", "hubsoft", "flashman", "krill", "peplink"]
    name: str
    scopes: tuple[Literal["read", "write"], ...] = ("read", "write")


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """A whole file, each section in the file's order."""

    tenant: list[TenantTable] = []
    network: list[NetworkTable] = []
    realm: list[RealmTable] = []
    profile: list[ProfileTable] = []
    area: list[AreaTable] = []
    product: list[ProductTable] = []
    pop: list[PopTable] = []
    nas: list[NasTable] = []
    pool: list[PoolTable] = []
    nat_pool: list[NatPoolTable] = []
    olt: list[OltTable] = []
    premise: list[PremiseTable] = []
    user: list[UserTable] = []
    client: list[ClientTable] = []


TABLES: Mapping[str, type[Table]] = {
    table.section: table
    for table in (
        TenantTable,
        NetworkTable,
        RealmTable,
        ProfileTable,
        AreaTable,
        ProductTable,
        PopTable,
        NasTable,
        PoolTable,
        NatPoolTable,
        OltTable,
        PremiseTable,
        UserTable,
        ClientTable,
    )
}
"""Every section of the file, in the order in which things are made."""


def _position(latitude: float | None, longitude: float | None) -> Iterator[Fault]:
    if (latitude is None) != (longitude is None):
        yield None, "needs latitude and longitude, or neither"


__all__ = [
    "TABLES",
    "AreaTable",
    "ClientTable",
    "Document",
    "NasTable",
    "NatPoolTable",
    "NetworkTable",
    "OltTable",
    "OnNetwork",
    "PoolTable",
    "PopTable",
    "PremiseTable",
    "ProductTable",
    "ProfileTable",
    "RealmTable",
    "Table",
    "TenantTable",
    "UserTable",
]
