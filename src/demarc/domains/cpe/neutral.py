"""A device as everybody understands it, whatever its maker calls things.

A family reads these out of a device's parameters and writes changes of them back. What a device
does not tell is None, which is not the same as nothing.
"""

from datetime import datetime
from enum import Enum
from typing import Literal

import msgspec

Band = Literal[2, 5, 6]
"""GHz, as people say it."""

Carries = Literal["internet", "tr069", "voip", "iptv", "other"]


class Need(Enum):
    """Kinds of things that are read together."""

    INFO = "info"
    WAN = "wan"
    WIFI = "wifi"
    HOSTS = "hosts"
    PON = "pon"
    BYTES = "bytes"
    UPTIME = "uptime"
    MANAGEMENT = "management"
    LAN = "lan"
    WEB = "web"


class Info(msgspec.Struct, frozen=True):
    """What it is and how it does.

    Attributes:
        mac: by which it is known, as "02:00:5E:00:53:01".
        alternative_uid: what some makers' devices are known by besides, mostly another MAC.
        uptime_seconds: since it was switched on.
        cpu_percent: in use.
        memory_total: octets.
        memory_free: octets.
    """

    manufacturer: str | None = None
    model: str | None = None
    serial_number: str | None = None
    hardware_version: str | None = None
    software_version: str | None = None
    mac: str | None = None
    alternative_uid: str | None = None
    uptime_seconds: int | None = None
    cpu_percent: float | None = None
    memory_total: int | None = None
    memory_free: int | None = None


class Wan(msgspec.Struct, frozen=True):
    """A connection towards the network.

    Attributes:
        key: its path in the device's own parameters, with the dot at its end.
        kind: how it gets its address.
        status: "up", "down", or the device's own word for what lies between.
        carries: what the network uses it for; empty where the device does not tell.
        uptime_seconds: since it was connected.
        received_octets: from the network, towards the subscriber.
        sent_octets: towards the network.
        vlan: 802.1Q id.
        mtu: octets.
        dns: servers, in their order.
    """

    key: str
    name: str | None = None
    kind: Literal["pppoe", "dhcp", "static", "bridge"] | None = None
    enabled: bool | None = None
    status: str | None = None
    carries: frozenset[Carries] = frozenset()
    mac: str | None = None
    ipv4: str | None = None
    netmask: str | None = None
    gateway: str | None = None
    dns: tuple[str, ...] = ()
    ipv6: str | None = None
    delegated_prefix: str | None = None
    pppoe_username: str | None = None
    uptime_seconds: int | None = None
    received_octets: int | None = None
    sent_octets: int | None = None
    vlan: int | None = None
    mtu: int | None = None


class Radio(msgspec.Struct, frozen=True):
    """A Wi-Fi transmitter.

    Attributes:
        channel: the one in use.
        bandwidth: MHz; 0 for automatic.
        standard: the newest it speaks: "b", "g", "n", "ac", "ax", "be".
        power_percent: of what it can.
    """

    key: str
    band: Band
    enabled: bool | None = None
    channel: int | None = None
    automatic_channel: bool | None = None
    bandwidth: int | None = None
    standard: str | None = None
    power_percent: int | None = None


class WifiNetwork(msgspec.Struct, frozen=True):
    """A Wi-Fi network.

    Attributes:
        primary: the subscriber's own on its band; the others are guests' and the like.
        passphrase: in clear; None where the device does not tell it.
        bssid: as "02:00:5E:00:53:01".
        clients: stations connected now.
    """

    key: str
    band: Band
    primary: bool
    enabled: bool | None = None
    ssid: str | None = None
    passphrase: str | None = None
    hidden: bool | None = None
    bssid: str | None = None
    clients: int | None = None


class Host(msgspec.Struct, frozen=True):
    """Something in the subscriber's home that is, or was, connected.

    Attributes:
        mac: as "02:00:5E:00:53:01".
        connection: how; None where the device does not tell.
        rssi_dbm: how strongly the device hears it.
        snr_db: over the noise.
        rate_mbps: of the link.
        active: whether it is connected now, as far as the device can be trusted in that.
    """

    mac: str
    name: str | None = None
    ip: str | None = None
    ipv6: tuple[str, ...] = ()
    connection: Literal["cable", "wifi"] | None = None
    band: Band | None = None
    rssi_dbm: float | None = None
    snr_db: float | None = None
    rate_mbps: float | None = None
    standard: str | None = None
    active: bool | None = None


class Pon(msgspec.Struct, frozen=True):
    """Light on the fibre, dBm."""

    rx_dbm: float | None = None
    tx_dbm: float | None = None


class Lan(msgspec.Struct, frozen=True):
    """The network in the home."""

    ipv4: str | None = None
    netmask: str | None = None
    dhcp_enabled: bool | None = None
    dns: tuple[str, ...] = ()


class WebAccount(msgspec.Struct, frozen=True):
    """With what the device's own pages are opened; the password None where it is not told."""

    username: str | None = None
    password: str | None = None


class Management(msgspec.Struct, frozen=True):
    """How the device is managed; the interval in seconds."""

    acs_url: str | None = None
    inform_enabled: bool | None = None
    inform_interval: int | None = None
    request_url: str | None = None


class Device(msgspec.Struct, frozen=True):
    """All that is understood of a device."""

    family: str
    info: Info = Info()
    wans: tuple[Wan, ...] = ()
    radios: tuple[Radio, ...] = ()
    networks: tuple[WifiNetwork, ...] = ()
    hosts: tuple[Host, ...] = ()
    pon: Pon | None = None
    lan: Lan = Lan()
    web: WebAccount | None = None
    management: Management = Management()

    @property
    def internet(self) -> Wan | None:
        """The connection the subscriber uses: the one said to carry it, or the first by PPPoE.

        One that is said to carry something else is only taken where there is no other.
        """
        for wan in self.wans:
            if "internet" in wan.carries:
                return wan
        pppoe = [wan for wan in self.wans if wan.kind == "pppoe"]
        unsaid = [wan for wan in pppoe if not wan.carries]
        return next(iter(unsaid or pppoe or self.wans), None)


class Neighbour(msgspec.Struct, frozen=True):
    """A Wi-Fi network of somebody else that the device hears."""

    bssid: str
    ssid: str
    channel: int | None = None
    signal_dbm: float | None = None
    band: Band | None = None


class PingResult(msgspec.Struct, frozen=True):
    """How pings went; times in milliseconds."""

    host: str
    sent: int
    received: int
    average_ms: float | None = None
    minimum_ms: float | None = None
    maximum_ms: float | None = None


class Hop(msgspec.Struct, frozen=True):
    """A router on the way; times in milliseconds."""

    host: str
    address: str | None
    times_ms: tuple[float, ...] = ()


class SpeedResult(msgspec.Struct, frozen=True):
    """How fast a transfer was.

    Attributes:
        bps: bit/s.
        octets: transferred.
        seconds: it took.
    """

    bps: int
    octets: int
    seconds: float
    began_at: datetime | None = None


__all__ = [
    "Band",
    "Carries",
    "Device",
    "Hop",
    "Host",
    "Info",
    "Lan",
    "Management",
    "Need",
    "Neighbour",
    "PingResult",
    "Pon",
    "Radio",
    "SpeedResult",
    "Wan",
    "WebAccount",
    "WifiNetwork",
]
