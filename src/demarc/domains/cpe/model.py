"""Equipment in the subscriber's home, as it is known."""

from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec

State = Literal["quarantined", "managed", "retired"]


class Cpe(msgspec.Struct, frozen=True):
    """A device.

    Attributes:
        tenant_id: whose it is; None in quarantine.
        oui: of its maker, six hexadecimal digits, in capitals.
        mac: as "02:00:5E:00:53:01", where it is known.
        state: "quarantined" is known by its Inform alone, "managed" is looked after, "retired" is
            answered and otherwise left alone.
        root: "InternetGatewayDevice." or "Device."; empty before its first Inform.
        family: by which its parameters are read; None before that is known.
        acs_username: with which it proves itself; None where it need not.
        acs_secret: the password to that, encrypted.
        acs_next_secret: the one it is being given, encrypted.
        request_url: where it takes connection requests.
        request_username: with which we prove ourselves there.
        request_secret: the password to that, encrypted.
        inform_interval: seconds between two Informs.
        reach: whose workers reach it.
    """

    id: UUID
    tenant_id: UUID | None
    oui: str
    product_class: str
    serial_number: str
    manufacturer: str
    mac: str | None
    state: str
    root: str
    family: str | None
    model: str
    hardware_version: str
    software_version: str
    acs_username: str | None
    acs_secret: bytes | None
    acs_next_secret: bytes | None
    request_url: str | None
    request_username: str | None
    request_secret: bytes | None
    inform_interval: int
    reach: str
    first_seen_at: datetime
    adopted_at: datetime | None
    bootstrap_at: datetime | None
    boot_at: datetime | None


class Bootstrap(msgspec.Struct, frozen=True):
    """What a tenant's devices prove themselves with before they have passwords of their own.

    Attributes:
        secret: the password, encrypted.
        adopts: whether devices nobody knows become the tenant's at once.
    """

    id: UUID
    tenant_id: UUID
    username: str
    secret: bytes
    adopts: bool


class Status(msgspec.Struct, frozen=True):
    """What sessions change.

    Attributes:
        contact_at: when it was last heard of, UTC.
        address: where that came from.
        events: what its last Inform told of.
        sessions: how many it has had.
        called_at: when it was called last by a connection request.
        call_fault: why that did not reach it; None when it did.
        read_at: when each kind of things was read last.
    """

    cpe_id: UUID
    contact_at: datetime | None
    address: str | None
    events: list[str]
    sessions: int
    called_at: datetime | None
    call_fault: str | None
    read_at: dict[str, datetime]


class Assignment(msgspec.Struct, frozen=True):
    """Which service a device serves, or served."""

    id: UUID
    cpe_id: UUID
    service_id: UUID
    tenant_id: UUID
    since: datetime
    until: datetime | None


__all__ = ["Assignment", "Bootstrap", "Cpe", "State", "Status"]
