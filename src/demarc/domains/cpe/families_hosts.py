"""Reading what is connected in the home, by cable and by Wi-Fi."""

from typing import Literal

import msgspec

from demarc.domains.cpe import families_values as values
from demarc.domains.cpe.families_schema import Leaf, Spec, many
from demarc.domains.cpe.families_view import View
from demarc.domains.cpe.families_wifi import Place, frequency_band
from demarc.domains.cpe.neutral import Band, Host

_NOISE = 95
"""dB under 0 dBm that noise is taken for where a device tells no SNR."""
_MOST_HOSTS = 1_000


class Station(msgspec.Struct, frozen=True):
    """What is connected by Wi-Fi, as the transmitter knows it."""

    band: Band | None
    rssi_dbm: float | None
    snr_db: float | None
    rate_mbps: float | None
    standard: str | None


def read_hosts(spec: Spec, view: View, found: list[Place]) -> tuple[Host, ...]:
    """Read hosts; those the transmitters alone know come last."""
    bands = {each.network: each.band for each in found}
    bands |= {each.access_point: each.band for each in found if each.access_point}
    bands |= {each.radio: each.band for each in found if each.radio}
    stations = _stations(spec, view, bands)
    hosts: dict[str, Host] = {}
    for pattern in many(spec.hosts.objects):
        for key in view.instances(pattern):
            host = _host(spec, view, key, bands, stations)
            if host is not None and len(hosts) < _MOST_HOSTS:
                hosts.setdefault(host.mac, host)
    for mac, station in stations.items():
        if mac not in hosts and len(hosts) < _MOST_HOSTS:
            hosts[mac] = _with(Host(mac=mac, active=True), station)
    return tuple(hosts.values())


def _stations(spec: Spec, view: View, bands: dict[str, Band]) -> dict[str, Station]:
    data = spec.stations
    stations: dict[str, Station] = {}
    for pattern in many(data.objects):
        for key in view.instances(pattern):

            def text(leaf: Leaf, key: str = key) -> str | None:
                return view.value(many(leaf), key)

            mac = values.mac(text(data.mac))
            if mac is None:
                continue
            rssi = values.signal(text(data.rssi), data.rssi_unit)
            snr = values.number(text(data.snr))
            if snr is None or not 0 < snr <= 120:  # noqa: PLR2004  what a radio can have
                snr = None if rssi is None else rssi + _NOISE
            owner = key.rpartition("AssociatedDevice.")[0]
            band = bands.get(owner) or frequency_band(text(data.frequency))
            if band is None and ".Radio." in key:
                # a station of a mesh, whose transmitters are numbered as the device's own
                number = key.partition(".Radio.")[2].partition(".")[0]
                band = bands.get(f"{spec.root}WiFi.Radio.{number}.")
            stations[mac] = Station(
                band=band,
                rssi_dbm=rssi,
                snr_db=None if snr is None else round(snr, 1),
                rate_mbps=values.rate(text(data.rate), data.rate_unit),
                standard=values.standard(text(data.standard)),
            )
    return stations


def _host(
    spec: Spec,
    view: View,
    key: str,
    bands: dict[str, Band],
    stations: dict[str, Station],
) -> Host | None:
    data = spec.hosts

    def text(leaf: Leaf) -> str | None:
        return view.value(many(leaf), key)

    mac = values.mac(text(data.mac))
    if mac is None:
        return None
    connection, band = _link(text(data.link), bands)
    active = values.flag(text(data.active))
    ipv6 = (values.ipv6(view.value((leaf,), key)) for leaf in many(data.ipv6))
    rssi = values.signal(text(data.rssi), spec.stations.rssi_unit)
    host = Host(
        mac=mac,
        name=values.word(text(data.name)),
        ip=values.ipv4(text(data.ip)),
        ipv6=tuple(each for each in ipv6 if each is not None),
        connection=connection,
        band=band,
        rssi_dbm=rssi,
        snr_db=None if rssi is None else rssi + _NOISE,
        rate_mbps=values.rate(text(data.rate), spec.stations.rate_unit),
        active=None if spec.quirks.active_untrusted else active,
    )
    station = stations.get(mac)
    if station is not None:
        return _with(host, station)
    if spec.quirks.lists_hosts_that_left and stations and connection == "wifi":
        # it keeps those that have left
        return msgspec.structs.replace(host, active=False)
    return host


def _link(
    text: str | None, bands: dict[str, Band]
) -> tuple[Literal["cable", "wifi"] | None, Band | None]:
    """Read how a host is connected: by a word, or the path of what it is connected to."""
    told = values.word(text)
    if told is None:
        return None, None
    band = bands.get(told.rstrip(".") + ".")
    lower = told.lower()
    if band is not None or any(each in lower for each in ("802.11", "wlan", "wifi", "wireless")):
        if band is None and "." not in told.replace("802.11", ""):
            band = 5 if "5g" in lower else 2 if "2g" in lower else None
        return "wifi", band
    return ("cable", None) if "ethernet" in lower or "lan" in lower else (None, None)


def _with(host: Host, station: Station) -> Host:
    """Put what a transmitter knows to what is known of a host."""
    return msgspec.structs.replace(
        host,
        connection="wifi",
        band=station.band or host.band,
        rssi_dbm=host.rssi_dbm if station.rssi_dbm is None else station.rssi_dbm,
        snr_db=host.snr_db if station.snr_db is None else station.snr_db,
        rate_mbps=host.rate_mbps if station.rate_mbps is None else station.rate_mbps,
        standard=station.standard,
        # the transmitter knows who is connected, whatever the list of hosts says
        active=True,
    )


__all__ = ["read_hosts"]
