"""What a family's file may say.

Paths are below the root. A leaf is a name in the object it is read from, or with "/" before it a
path from the root; of several the first that the device has a value in is taken. A key that is
not here is an error.
"""

from typing import Literal, TypeAlias

import msgspec

Leaf: TypeAlias = str | tuple[str, ...]
Names: TypeAlias = str | tuple[str, ...]


class Match(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """By what a device is known; all that is given must be so.

    Attributes:
        manufacturer: begins with one of these, in any case.
        oui: one of these.
        product_class: one of these.
        model: one of these, or the product class is where no model is known.
        hardware: exactly one of these.
        hardware_has: stands somewhere in the hardware version.
        software_has: stands somewhere in the software version.
    """

    manufacturer: Names = ()
    oui: Names = ()
    product_class: Names = ()
    model: Names = ()
    hardware: Names = ()
    hardware_has: str = ""
    software_has: str = ""


class About(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a device tells about itself; memory in KiB."""

    manufacturer: Leaf = ()
    model: Leaf = ()
    serial_number: Leaf = ()
    hardware_version: Leaf = ()
    software_version: Leaf = ()
    uptime: Leaf = ()
    cpu: Leaf = ()
    memory_total: Leaf = ()
    memory_free: Leaf = ()
    mac: Leaf = ()
    alternative_uid: Leaf = ()


class WanData(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Connections. ``ppp`` and ``ip`` are their objects, the leaves of either."""

    ppp: str = ""
    ip: str = ""
    name: Leaf = ()
    enabled: Leaf = ()
    status: Leaf = ()
    connection_type: Leaf = ()
    addressing: Leaf = ()
    mac: Leaf = ()
    ipv4: Leaf = ()
    netmask: Leaf = ()
    gateway: Leaf = ()
    dns: Leaf = ()
    ipv6: Leaf = ()
    delegated_prefix: Leaf = ()
    username: Leaf = ()
    password: Leaf = ()
    uptime: Leaf = ()
    mtu: Leaf = ()
    vlan: Leaf = ()
    services: Leaf = ()
    received: Leaf = ()
    sent: Leaf = ()
    lan: Leaf = ()


class BandData(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A band's primary network, and leaves that differ on that band."""

    network: str = ""
    radio: str = ""
    access_point: str = ""
    passphrase: Leaf = ()
    bandwidth: Leaf = ()
    standard: Leaf = ()


class WifiData(
    msgspec.Struct,
    frozen=True,
    forbid_unknown_fields=True,
    rename={"two": "2", "five": "5", "six": "6"},
):
    """Wi-Fi. Where radios or access points have no objects of their own the network is theirs.

    Attributes:
        bandwidths: what the device's words for a width mean, MHz; 0 for automatic.
    """

    networks: str = ""
    radios: str = ""
    access_points: str = ""
    ssid: Leaf = ()
    enabled: Leaf = ()
    bssid: Leaf = ()
    passphrase: Leaf = ()
    advertised: Leaf = ()
    clients: Leaf = ()
    radio_enabled: Leaf = ()
    channel: Leaf = ()
    automatic_channel: Leaf = ()
    bandwidth: Leaf = ()
    bandwidths: dict[str, int] = msgspec.field(default_factory=dict)
    standard: Leaf = ()
    power: Leaf = ()
    frequency: Leaf = ()
    two: BandData = BandData()
    five: BandData = BandData()
    six: BandData = BandData()


class LanData(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The network in the home."""

    ipv4: Leaf = ()
    netmask: Leaf = ()
    dhcp: Leaf = ()
    dns: Leaf = ()
    gateway: Leaf = ()
    lowest: Leaf = ()
    highest: Leaf = ()
    dhcp_netmask: Leaf = ()


class HostsData(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is in the home, as DHCP and the switch know it; ``link`` says how it is connected."""

    objects: Names = ()
    mac: Leaf = ()
    name: Leaf = ()
    ip: Leaf = ()
    ipv6: Leaf = ()
    active: Leaf = ()
    link: Leaf = ()
    rssi: Leaf = ()
    rate: Leaf = ()


class StationsData(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is connected by Wi-Fi, as the transmitter knows it."""

    objects: Names = ()
    mac: Leaf = ()
    rssi: Leaf = ()
    rssi_unit: Literal["dbm", "negated", "rcpi"] = "dbm"
    snr: Leaf = ()
    rate: Leaf = ()
    rate_unit: Literal["mbps", "kbps"] = "mbps"
    standard: Leaf = ()
    frequency: Leaf = ()


class PonData(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Light on the fibre."""

    rx: Leaf = ()
    tx: Leaf = ()
    unit: Literal["dbm", "tenth_microwatt", "thousandth_dbm", "by_number"] = "dbm"


class WebData(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """With what the device's own pages are opened."""

    username: Leaf = ()
    password: Leaf = ()


class TimeData(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the time is learnt: ``zone`` as POSIX writes it, ``offset`` as "-03:00"."""

    enabled: Leaf = ()
    servers: Names = ()
    zone: Leaf = ()
    offset: Leaf = ()


class DiagnosticsData(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Objects of diagnostics, below the root with a dot at their ends; empty: there is none.

    Attributes:
        neighbour_states: what begins a survey, where it is not DiagnosticsState in its object.
    """

    ping: str = ""
    traceroute: str = ""
    download: str = ""
    upload: str = ""
    neighbours: Names = ()
    neighbour_states: Leaf = ()


class Can(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is known to work on a device; the rest may, and is not refused for that."""

    ping: bool = False
    traceroute: bool = False
    speed_test: bool = False
    site_survey: bool = False
    pon: bool = False
    port_forward: bool = False
    stun: bool = False
    hosts: bool = True
    stations: bool = True
    station_snr: bool = False
    cable_rate: bool = False
    wan_bytes: bool = True
    wan_uptime: bool = True
    wan_mtu_read: bool = True
    wan_mtu_write: bool = True
    wan_vlan_read: bool = False
    wan_vlan_write: bool = False
    lan_write: bool = True
    lan_dns_write: bool = True
    wifi_5: bool = True
    ssid_write: bool = True
    standard_read: bool = True
    standard_write: bool = True
    bandwidth_read_2: bool = True
    bandwidth_read_5: bool = True
    bandwidth_write_2: bool = True
    bandwidth_write_5: bool = True
    bandwidth_auto_2: bool = True
    bandwidth_auto_5: bool = True
    wifi_ax: bool = False
    mesh: bool = False
    wifi_blocking: bool = False
    mac_blocking: bool = False
    host_blocking: bool = False
    cable_host_blocking: bool = False
    ipv6: bool = False
    cpu: bool = False
    memory: bool = False


class Quirks(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Habits of a device that are not the standard's.

    Attributes:
        wildcard_is_last: of several instances the last is the one in use.
        resend_passphrase: forgets the passphrase when its SSID changes.
        reboot_after_pppoe_change: takes a PPPoE account into use only then.
        reboot_after_ssid_change: takes an SSID on 2.4 GHz into use only then.
        enabled_to_configure: a transmitter that is off cannot be set.
        one_ping: answers one ping of those asked for.
        active_untrusted: says of hosts that they are connected, or not, without knowing.
        lists_hosts_that_left: lists hosts by Wi-Fi that are gone; only those that the
            transmitters know are there.
        survey_one_by_one: begins the survey of one transmitter in a request.
        port_forward_separate: likewise of port forwardings.
        port_forward_interface: port forwardings name their interface.
        survey_polled: tells not when a survey is over; it must be asked.
        ping_interface: pings only with Interface set; likewise the two that follow.
        speed_limit_mbps: it measures no faster than that.
        hops_state: the state in which a traceroute ends that reached its last hop.
        tries_at_least: probes for each hop; fewer are refused.
        tries_at_most: likewise more.
        traceroute_protocol: by which it probes.
        spaces_in_ssid: are taken.
        diacritics_in_ssid: are taken.
        channels_12_13: are taken.
        dns_servers: how many DHCP gives out.
        lan_gateway_sent: what DHCP gives as gateway must be set with the address.
        lan_dns_sent: likewise its DNS server.
        wan_rate_untrusted: the rate of its WAN port is not the link's.
        dhcp_uptime_unknown: tells no uptime of connections by DHCP.
        online_after_reset: stays connected through a factory reset.
        web_password_needs_username: sets both together.
    """

    wildcard_is_last: bool = False
    resend_passphrase: bool = False
    reboot_after_pppoe_change: bool = False
    reboot_after_ssid_change: bool = False
    enabled_to_configure: bool = False
    one_ping: bool = False
    active_untrusted: bool = False
    lists_hosts_that_left: bool = False
    survey_one_by_one: bool = False
    port_forward_separate: bool = True
    port_forward_interface: bool = False
    survey_polled: bool = False
    ping_interface: bool = False
    traceroute_interface: bool = False
    speed_interface: bool = False
    speed_limit_mbps: int = 0
    hops_state: str = ""
    tries_at_least: int = 1
    tries_at_most: int = 3
    traceroute_protocol: str = "UDP"
    spaces_in_ssid: bool = True
    diacritics_in_ssid: bool = False
    channels_12_13: bool = True
    dns_servers: int = 1
    lan_gateway_sent: bool = True
    lan_dns_sent: bool = True
    wan_rate_untrusted: bool = False
    dhcp_uptime_unknown: bool = False
    online_after_reset: bool = False
    web_password_needs_username: bool = False


class Spec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A family, all of it.

    Attributes:
        title: as people call it.
        root: "InternetGatewayDevice." or "Device.".
        match: rules by which a device is known, any of them; none: others are like it.
    """

    title: str
    root: Literal["InternetGatewayDevice.", "Device."]
    match: tuple[Match, ...] = ()
    about: About = About()
    wan: WanData = WanData()
    wifi: WifiData = WifiData()
    lan: LanData = LanData()
    hosts: HostsData = HostsData()
    stations: StationsData = StationsData()
    pon: PonData = PonData()
    web: WebData = WebData()
    time: TimeData = TimeData()
    diagnostics: DiagnosticsData = DiagnosticsData()
    can: Can = Can()
    quirks: Quirks = Quirks()


def many(leaf: Leaf) -> tuple[str, ...]:
    """Give the possible names of a leaf."""
    return leaf if isinstance(leaf, tuple) else (leaf,) if leaf else ()


__all__ = [
    "About",
    "BandData",
    "Can",
    "DiagnosticsData",
    "HostsData",
    "LanData",
    "Leaf",
    "Match",
    "Names",
    "PonData",
    "Quirks",
    "Spec",
    "StationsData",
    "TimeData",
    "WanData",
    "WebData",
    "WifiData",
    "many",
]
