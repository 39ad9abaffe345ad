"""What a line of another system's data says: a customer, a premise, a product, a service, a log-in.

Readers of every format make entries; one writer brings the database to them.
"""

from datetime import datetime
from typing import Any

import msgspec

from demarc.domains.aaa.model import SecretKind
from demarc.domains.aaa.profiles import Settings
from demarc.domains.subscribers.bulk import NewCustomer, NewPremise

API_KINDS = ("customer", "premise", "product", "service")
"""Kinds of things that APIs have ids of their own for."""

APIS = ("aex", "hubsoft", "flashman", "krill", "peplink")
"""The APIs whose ids can be brought along."""


class Refused(Exception):
    """A line cannot be taken.

    Attributes:
        field: the column in the way; None where the line as a whole is meant.
        reason: what is wrong with it.
        hint: what to do about it.
    """

    def __init__(self, field: str | None, reason: str, hint: str = "") -> None:
        super().__init__(f"{field} {reason}" if field else reason)
        self.field = field
        self.reason = reason
        self.hint = hint


class Source(msgspec.Struct, frozen=True, gc=False):
    """Where something was read.

    Attributes:
        line: from 1; 0 where a source has no lines.
    """

    file: str
    line: int = 0


class CustomerEntry(msgspec.Struct, frozen=True, gc=False):
    """A customer.

    Attributes:
        ref: what the other system calls it; None: found by its tax number, else that of the
            service on the line.
        fields: as given; None where the line only refers to the customer.
        checked: the same, held to the rules, under the id that a new one gets.
        wire: ids by API.
    """

    ref: str | None
    fields: dict[str, Any] | None = None
    checked: NewCustomer | None = None
    wire: dict[str, str] = {}


class PremiseEntry(msgspec.Struct, frozen=True, gc=False):
    """A premise.

    Attributes:
        ref: what the other system calls it; None: found by its address.
        checked: None where the line only refers to the premise.
        area: the area's slug.
    """

    ref: str | None
    checked: NewPremise | None = None
    area: str | None = None
    wire: dict[str, str] = {}


class ProductEntry(msgspec.Struct, frozen=True, gc=False):
    """A product.

    Attributes:
        code: its name on the network.
        values: as `Catalog.put_product` takes them; None where the line only names the product.
        profile: the RADIUS profile of its log-ins, by name; None leaves what there is.
    """

    code: str
    values: dict[str, Any] | None = None
    wire: dict[str, str] = {}
    profile: tuple[str, Settings] | None = None


class ServiceEntry(msgspec.Struct, frozen=True, gc=False):
    """A service.

    Attributes:
        ref: what the other system calls it; its log-in where it has no other name.
        number: its own, within the ISP; None for the next one.
        state: None where the line does not say: "active" for a new service.
    """

    ref: str
    number: int | None = None
    state: str | None = None
    reason: str | None = None
    created_at: datetime | None = None
    provisioned_at: datetime | None = None
    cancel_at: datetime | None = None
    sales_agent: str | None = None
    isp_reference: str | None = None
    wifi_username: str | None = None
    wifi_password: str | None = None
    wire: dict[str, str] = {}


class CredentialEntry(msgspec.Struct, frozen=True, gc=False):
    """A log-in.

    Attributes:
        username: without the realm, in the form it is compared in.
        realm: its name; None for the ISP's first.
        secret: the password, or the octets or text of its hash; None leaves what is there, and
            has one made for a new log-in unless it needs none.
        secretless: nobody logs in by a password.
        station: the Calling-Station-Id it is bound to.
        circuit_id: the line it is bound to.
        framed_prefix: an IPv6 prefix of its own for the line.
        delegated_prefix: one to be delegated.
    """

    username: str
    realm: str | None = None
    kind: str = "pppoe"
    secret: bytes | None = None
    secret_kind: SecretKind = "cleartext"  # noqa: S105 - a kind, no secret
    secretless: bool = False
    static_ipv4: str | None = None
    max_sessions: int | None = None
    expires_at: datetime | None = None
    station: str | None = None
    circuit_id: str | None = None
    framed_prefix: str | None = None
    delegated_prefix: str | None = None

    @property
    def login(self) -> str:
        """What tells it from others, and names it in reports."""
        return f"{self.username}@{self.realm}" if self.realm else self.username


class Entry(msgspec.Struct, frozen=True, gc=False):
    """One line.

    Attributes:
        network: the slug of the network it is on; None for the one of the run.
    """

    source: Source
    network: str | None = None
    customer: CustomerEntry | None = None
    premise: PremiseEntry | None = None
    product: ProductEntry | None = None
    service: ServiceEntry | None = None
    credential: CredentialEntry | None = None


class Bad(msgspec.Struct, frozen=True, gc=False):
    """A line that could not be made an entry of."""

    source: Source
    refused: Refused


class Note(msgspec.Struct, frozen=True, gc=False):
    """Something of the source that has no place here, or was taken otherwise than it stood."""

    source: Source
    kind: str
    ref: str
    reason: str
    hint: str = ""


Read = Entry | Bad | Note
"""What a reader gives."""


class Where(msgspec.Struct, frozen=True):
    """How far a reader is, in octets of all there are; both 0 where that cannot be told."""

    done: int = 0
    total: int = 0


__all__ = [
    "APIS",
    "API_KINDS",
    "Bad",
    "CredentialEntry",
    "CustomerEntry",
    "Entry",
    "Note",
    "PremiseEntry",
    "ProductEntry",
    "Read",
    "Refused",
    "ServiceEntry",
    "Source",
    "Where",
]
