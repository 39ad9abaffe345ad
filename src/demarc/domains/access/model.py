"""OLTs, ONUs and the status of a service's device."""

from datetime import datetime
from uuid import UUID

import msgspec


class Olt(msgspec.Struct, frozen=True):
    """An optical line terminal.

    Attributes:
        address: where its SNMP agent is reached, by workers of ``reach``.
        poll_interval: seconds between polls; None where the platform's setting holds.
        last_fault: why the last poll failed; None when it did not.
    """

    id: UUID
    owner_id: UUID
    network_id: UUID
    pop_id: UUID | None
    name: str
    vendor: str
    model: str | None
    address: str
    snmp_port: int
    reach: str
    poll_interval: int | None
    next_poll_at: datetime
    last_polled_at: datetime | None
    last_fault: str | None


class OltSecrets(msgspec.Struct, frozen=True):
    """What is needed to ask an OLT; the community is encrypted."""

    id: UUID
    vendor: str
    address: str
    snmp_port: int
    community: bytes


class OnuPlace(msgspec.Struct, frozen=True):
    """Where a service's ONU hangs now, and whose it is."""

    onu_id: UUID
    serial: str
    tenant_id: UUID
    owner_id: UUID
    olt_id: UUID | None
    reach: str | None
    if_index: int | None
    onu_index: int | None


class DeviceRow(msgspec.Struct, frozen=True):
    """A service's ONU with its place and its last reading."""

    onu_id: UUID
    serial: str
    model: str | None
    network: str
    olt: str | None
    pop_code: str | None
    pop_name: str | None
    frame: int | None
    slot: int | None
    port: int | None
    onu_index: int | None
    read_at: datetime | None
    state: str | None
    last_down_cause: str | None
    distance_m: int | None
    tx_dbm: float | None
    rx_dbm: float | None
    olt_rx_dbm: float | None
    temperature_c: float | None


class DeviceStatus(msgspec.Struct, frozen=True):
    """What is known of a service's ONU at one time.

    Attributes:
        network: name of the network.
        olt: name of the OLT; ``port`` is "frame/slot/port", ``onu_index`` the ONU on it.
        read_at: when the OLT said so; None if it has not yet.
        state: "online" or "offline"; None if never read.
        distance_m: metres of fibre.
        tx_dbm: power the ONU sends with, dBm.
        rx_dbm: power the ONU receives, dBm.
        olt_rx_dbm: power the OLT receives from it, dBm.
        rx_status: "ok", "warning", "critical" or "unknown"; ``tx_status`` likewise.
        alerts: what should be looked at; ``alarms``: what must be.
    """

    serial: str
    model: str | None
    network: str
    olt: str | None
    pop_code: str | None
    pop_name: str | None
    port: str | None
    onu_index: int | None
    read_at: datetime | None
    state: str | None
    last_down_cause: str | None
    distance_m: int | None
    tx_dbm: float | None
    rx_dbm: float | None
    olt_rx_dbm: float | None
    temperature_c: float | None
    rx_status: str
    tx_status: str
    alerts: list[str]
    alarms: list[str]


class OnuRow(msgspec.Struct, frozen=True):
    """An ONU in a list of an OLT's."""

    serial: str
    model: str | None
    slot: int
    port: int
    onu_index: int
    state: str | None
    rx_dbm: float | None
    tx_dbm: float | None
    distance_m: int | None
    read_at: datetime | None
    service_id: UUID | None


class OnusOnline(msgspec.Struct, frozen=True):
    """Event: these services' ONUs were seen online."""

    service_ids: list[UUID]
