"""The device record: what Demarc knows of a device under Flashman's names and in its units."""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from demarc.domains.cpe.neutral import Band, Host, Radio, Wan, WifiNetwork
from demarc.domains.cpe.reading import Reading
from demarc.domains.cpe.tree import Parameter
from demarc.views.cpes import Answer
from demarc.views.holders import ServiceHolder

Record = dict[str, Any]

HIDDEN = frozenset(
    {
        "ap_survey", "apps", "current_diagnostic", "device", "firstboot_log", "lan_devices",
        "lastboot_log", "mqtt_secret", "ping_results", "pon_signal_measure", "port_mapping",
        "pppoe_password", "speedtest_results", "traceroute_results", "wan_bytes",
        "web_admin_password", "web_admin_username",
    }
)  # fmt: skip
"""What v3 gives only to those who ask for it by ``fields``."""

_MODES = {
    2: {"b": "11g", "g": "11g", "n": "11n", "ax": "11ax", "be": "11ax"},
    5: {"a": "11na", "n": "11na", "ac": "11ac", "ax": "11ax", "be": "11ax"},
}
_WIFI_MODES = {"b": "G", "g": "G", "n": "N", "ac": "AC", "ax": "AX", "be": "BE"}
_GIGAHERTZ = {2: 2.4, 5: 5, 6: 6}
_CONNECTIONS = {"pppoe": "pppoe", "dhcp": "dhcp", "static": "static", "bridge": "bridge"}
_SERVICES = ("internet", "tr069", "voip", "iptv", "data", "other")
_LATE = 3
_PROBE = 1_000_000
_MAC_LEAVES = ("MACAddress", "PhysAddress")


class Known(msgspec.Struct, frozen=True):
    """All that goes into a record.

    Attributes:
        reading: the device.
        traffic: octets down and up by the second they were read in.
        hosts_at: when the list of what is connected was read.
        holder: whom it serves, as far as the caller may know.
        pppoe_password: None for those who may not see it.
        reveals: whether passwords are shown.
    """

    reading: Reading
    traffic: dict[str, tuple[int, int]]
    hosts_at: datetime | None
    holder: ServiceHolder | None
    pppoe_password: str | None
    reveals: bool


def iso(at: datetime | None) -> str | None:
    """Give a time as the documents show it: UTC, milliseconds, Z."""
    if at is None:
        return None
    at = at.astimezone(UTC)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"


def document(known: Known, now: datetime | None = None) -> Record:
    """Give the whole record, as v2 does.

    Args:
        known: what goes into it.
        now: against which the device counts as online; the present time if not given.
    """
    reading, device = known.reading, known.reading.device
    cpe, info = reading.cpe, device.info
    contact = iso(reading.status.contact_at)
    mac = cpe.mac or cpe.serial_number
    wan = device.internet
    record: Record = {
        "_id": mac,
        "serial_tr069": cpe.serial_number,
        "alt_uid_tr069": info.alternative_uid,
        "use_tr069": True,
        "acs_id": str(cpe.id),
        "vendor": cpe.manufacturer or info.manufacturer,
        "model": cpe.model or info.model or cpe.product_class,
        "version": cpe.software_version or info.software_version,
        "installed_release": cpe.software_version or info.software_version,
        "hw_version": cpe.hardware_version or info.hardware_version,
        "created_at": iso(cpe.adopted_at or cpe.first_seen_at),
        "last_contact": contact,
        "last_tr069_sync": iso(reading.learned_at),
        "last_devices_refresh": iso(known.hosts_at),
        "last_hardreset": iso(cpe.bootstrap_at),
        "ip": reading.status.address,
        "do_update": False,
        "sys_up_time": info.uptime_seconds,
        "cpu_usage": info.cpu_percent,
        "pon_rxpower": None if device.pon is None else device.pon.rx_dbm,
        "pon_txpower": None if device.pon is None else device.pon.tx_dbm,
        "lan_subnet": device.lan.ipv4,
        "lan_netmask": _prefix(device.lan.netmask),
        **_connection(known, wan),
        **_wifi(known, 2, ""),
        **_wifi(known, 5, "_5ghz"),
        "wifi_is_5ghz_capable": any(each.band == 5 for each in device.networks),  # noqa: PLR2004
        "wans": [_wan(each, each is wan) for each in device.wans],
        "lan_devices": [_host(known, each) for each in device.hosts],
        "wan_bytes": known.traffic,
        "speedtest_results": [],
        "external_reference": _reference(known.holder),
        "mqtt_secret": None,
        "firstboot_log": None,
        "lastboot_log": None,
        **_standing(known, now or datetime.now(UTC)),
    }
    # where the document reads the result of ``onlinedevs``
    record["device"] = {"_id": mac, "last_contact": contact}
    return record


def _standing(known: Known, now: datetime) -> Record:
    """Tell whether it is online, by how many Informs it is late."""
    at = known.reading.status.contact_at
    interval = timedelta(seconds=known.reading.cpe.inform_interval)
    if at is None or now - at > _LATE * interval:
        return {"status_color": "grey", "online_status": False}
    if now - at > interval:
        return {"status_color": "red", "online_status": False}
    return {"status_color": "green", "online_status": True}


def _connection(known: Known, wan: Wan | None) -> Record:
    if wan is None:
        wan = Wan(key="")
    return {
        "connection_type": _CONNECTIONS.get(wan.kind or ""),
        "pppoe_user": wan.pppoe_username,
        "pppoe_password": known.pppoe_password,
        "wan_ip": wan.ipv4,
        "wan_netmask": wan.netmask,
        "wan_ipv6": wan.ipv6,
        "wan_bssid": wan.mac,
        "wan_vlan_id": wan.vlan,
        "wan_mtu": wan.mtu,
        "wan_up_time": wan.uptime_seconds,
        "default_gateway_v4": wan.gateway,
        "dns_server": ",".join(wan.dns) or None,
    }


def _wifi(known: Known, band: Band, suffix: str) -> Record:
    """Give a band's own network and what sends it."""
    device = known.reading.device
    network = next(
        (each for each in device.networks if each.band == band and each.primary),
        WifiNetwork(key="", band=band, primary=True),
    )
    radio = next((each for each in device.radios if each.band == band), Radio(key="", band=band))
    fields = {
        "ssid": network.ssid,
        "password": network.passphrase if known.reveals else None,
        "channel": "auto" if radio.automatic_channel else _text(radio.channel),
        "last_channel": _text(radio.channel),
        "band": _band(radio),
        "mode": _MODES.get(band, {}).get(radio.standard or ""),
        "power": radio.power_percent,
        "state": _flag(_both(network.enabled, radio.enabled)),
        "hidden": _flag(network.hidden),
        "bssid": network.bssid,
    }
    return {f"wifi_{name}{suffix}": value for name, value in fields.items()}


def _band(radio: Radio) -> str | None:
    if radio.bandwidth is None:
        return None
    if radio.bandwidth == 0:
        return "auto"
    very_high = radio.band != 2 and radio.standard not in ("a", "n")  # noqa: PLR2004
    return f"{'VHT' if very_high else 'HT'}{radio.bandwidth}"


def _both(one: bool | None, other: bool | None) -> bool | None:
    return other if one is None else one if other is None else one and other


def _flag(value: bool | None) -> int | None:
    return None if value is None else int(value)


def _text(value: int | None) -> str | None:
    return None if value is None else str(value)


def _prefix(netmask: str | None) -> str | None:
    """Give "255.255.255.0" as "24"."""
    if netmask is None:
        return None
    return str(sum(int(part).bit_count() for part in netmask.split(".")))


def _wan(wan: Wan, used: bool) -> Record:
    carries = {*wan.carries}
    if used and not carries:
        carries = {"internet"}
    return {
        "_id": wan.key,
        "alias": wan.name,
        "connection_type": _CONNECTIONS.get(wan.kind or ""),
        "enable": wan.enabled,
        "status": wan.status,
        "mac": wan.mac,
        "ipv4": {
            "ip": wan.ipv4,
            "gateway": wan.gateway,
            "mask": wan.netmask,
            "dns": [each for each in wan.dns if ":" not in each],
        },
        "ipv6": {
            "enabled": wan.ipv6 is not None or wan.delegated_prefix is not None,
            "address": wan.ipv6,
            "prefix": wan.delegated_prefix,
            "dns": [each for each in wan.dns if ":" in each],
        },
        "uptime": wan.uptime_seconds,
        "pppoe": {"username": wan.pppoe_username},
        "vlan_id": wan.vlan,
        "mtu": wan.mtu,
        "service_types": {each: each in carries for each in _SERVICES},
    }


def _host(known: Known, host: Host) -> Record:
    tree = known.reading.tree
    row = _row_of(known.reading, host.mac)
    met = None if row is None else tree[row].at
    gone = None
    if host.active is False and row is not None:
        active = tree.get(row.rpartition(".")[0] + ".Active")
        gone = None if active is None else active.at
    digest = hashlib.sha256(f"{known.reading.cpe.id} {host.mac}".encode()).hexdigest()
    wifi = host.connection == "wifi"
    return {
        "is_blocked": False,
        "port": [],
        "router_port": [],
        "lan_port": 0,
        "dmz": False,
        "ipv6": list(host.ipv6),
        "dhcpv6": [],
        "upnp_permission": "none",
        "_id": digest[:24],
        "mac": host.mac,
        "name": host.name,
        "dhcp_name": host.name,
        "ip": host.ip,
        "conn_type": None if host.connection is None else int(wifi),
        "conn_speed": host.rate_mbps,
        "wifi_signal": host.rssi_dbm,
        "wifi_freq": None if host.band is None or not wifi else _GIGAHERTZ[host.band],
        "wifi_snr": host.snr_db,
        "wifi_mode": _WIFI_MODES.get(host.standard or ""),
        # of one that has gone: when the device noticed
        "last_seen": iso(gone or known.hosts_at),
        "first_seen": iso(met or known.hosts_at),
    }


def _row_of(reading: Reading, mac: str) -> str | None:
    """Give the parameter by which the device tells this host's address."""
    wanted = (mac, mac.replace(":", "-"))
    found = [
        path
        for path, each in reading.tree.items()
        if path.endswith(_MAC_LEAVES) and each.value.upper() in wanted
    ]
    return next((path for path in found if ".Host" in path), next(iter(found), None))


def _reference(holder: ServiceHolder | None) -> Record | None:
    if holder is None:
        return None
    if holder.isp_reference:
        return {"kind": "Contrato", "data": holder.isp_reference}
    return {"kind": "Documento", "data": holder.tax_id} if holder.tax_id else None


def traffic(reading: Reading, answers: Sequence[Answer]) -> dict[str, tuple[int, int]]:
    """Give a device's octets, down and up, by the second they were read in, oldest first.

    Args:
        reading: the device.
        answers: what it answered when asked for its counters, newest first.
    """
    found: dict[str, tuple[int, int]] = {}
    counters = _counters(reading, {path for each in answers for path in each.values})
    for each in reversed(answers):
        pair = [_octets(each.values.get(path)) for path in counters]
        if len(pair) == 2 and pair[0] is not None and pair[1] is not None:  # noqa: PLR2004
            found[str(int(each.at.timestamp()))] = (pair[0], pair[1])
    wan = reading.device.internet
    at = reading.learned_at
    if not found and at is not None and wan is not None:
        down, up = wan.received_octets, wan.sent_octets
        if down is not None and up is not None:
            found[str(int(at.timestamp()))] = (down, up)
    return found


def _octets(value: Any) -> int | None:
    text = str(value).strip()
    return int(text) if text.isdecimal() else None


def _counters(reading: Reading, paths: set[str]) -> list[str]:
    """Find which parameters count the octets down and up, by seeing where a mark comes out."""
    marks = {_PROBE + at: path for at, path in enumerate(sorted(paths))}
    marked = {path: Parameter(str(mark), "unsignedInt") for mark, path in marks.items()}
    wan = reading.family.read({**reading.tree, **marked}).internet if marks else None
    if wan is None or wan.received_octets is None or wan.sent_octets is None:
        return []
    found = [marks.get(wan.received_octets), marks.get(wan.sent_octets)]
    return [path for path in found if path is not None]


def chosen(record: Record, fields: str | None) -> Record:
    """Give what v3 shows of a record.

    Args:
        record: the whole.
        fields: what is asked for, "wans.uptime;_id"; None for what is usual.
    """
    if fields is None or not fields.strip(" ;"):
        return {name: value for name, value in record.items() if name not in HIDDEN}
    found: Record = {"_id": record["_id"]}
    for field in fields.split(";"):
        if path := field.strip().split("."):
            _pick(record, path, found)
    return found


def _pick(source: Record, path: list[str], into: Record) -> None:
    name, rest = path[0], path[1:]
    if name not in source:
        return
    value = source[name]
    if not rest:
        into[name] = value
    elif isinstance(value, dict):
        kept = into.get(name)
        if kept is not value:
            into[name] = kept if isinstance(kept, dict) else {}
            _pick(value, rest, into[name])
    elif isinstance(value, list):
        kept = into.get(name)
        if kept is value:
            return
        rows = kept if isinstance(kept, list) else [{} for _ in value]
        for row, each in zip(rows, value, strict=True):
            if isinstance(each, dict):
                _pick(each, rest, row)
        into[name] = rows


__all__ = ["HIDDEN", "Known", "Record", "chosen", "document", "iso", "traffic"]
