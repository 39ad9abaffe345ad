"""Writing changes of Wi-Fi networks and of what sends them."""

import re
from typing import Final

from demarc.domains.cpe.changes import Unsupported, WifiChange
from demarc.domains.cpe.families_schema import many
from demarc.domains.cpe.families_wifi import (
    Place,
    band_data,
    passphrase_leaves,
    places,
    radio_leaves,
)
from demarc.domains.cpe.families_writer import Writer

_AT_5 = 5
_STANDARDS: Final = {
    2: {"b": "b", "g": "b,g", "n": "b,g,n", "ax": "b,g,n,ax", "be": "b,g,n,ax,be"},
    5: {
        "a": "a",
        "n": "a,n",
        "ac": "a,n,ac",
        "ax": "a,n,ac,ax",
        "be": "a,n,ac,ax,be",
    },
    6: {"ax": "ax", "be": "ax,be"},
}
_ALONE: Final = frozenset({"ac", "ax", "be"})
_PLAIN_WIDTH: Final = re.compile(r"(?:20|40|80|160|320)(\s*(?:M|MHz)?)", re.IGNORECASE)


def write_wifi(writer: Writer, change: WifiChange) -> None:
    """Set a network and its transmitter.

    Raises:
        Unsupported: the device cannot do it.
    """
    wifi = writer.spec.wifi
    place = _place(writer, change)
    if change.ssid is not None:
        if not writer.spec.can.ssid_write:
            raise Unsupported("ssid", "this device's cannot be set")
        writer.put(wifi.ssid, place.network, "ssid", change.ssid)
    _passphrase(writer, change, place)
    if change.enabled is not None:
        value = "1" if change.enabled else "0"
        writer.put(wifi.enabled, place.network, "enabled", value, "boolean")
        path = f"{place.access_point}Enable"
        if place.access_point != place.network and path in writer.tree:
            writer.set(path, value, "boolean")
    if change.hidden is not None:
        shown = "0" if change.hidden else "1"
        writer.put(wifi.advertised, place.access_point, "hidden", shown, "boolean")
    asked = (change.channel, change.bandwidth, change.standard, change.power_percent)
    if all(each is None for each in asked):
        return
    if not place.radio:
        raise Unsupported("radio", "it is not known what sends this network")
    _channel(writer, change, place)
    _bandwidth(writer, change, place)
    _standard(writer, change, place)
    if change.power_percent is not None:
        number = str(change.power_percent)
        writer.put(wifi.power, place.radio, "power", number, "unsignedInt")


def _passphrase(writer: Writer, change: WifiChange, place: Place) -> None:
    leaves = passphrase_leaves(writer.spec, place)
    passphrase = change.passphrase
    if passphrase is None and change.ssid is not None and writer.spec.quirks.resend_passphrase:
        # it would forget it; set again at once where it is known
        passphrase = writer.view.value(leaves, place.access_point)
    if passphrase is not None:
        writer.put(leaves, place.access_point, "passphrase", passphrase)


def _channel(writer: Writer, change: WifiChange, place: Place) -> None:
    wifi = writer.spec.wifi
    if change.channel is None:
        return
    if change.channel == "auto":
        writer.put(wifi.automatic_channel, place.radio, "channel", "1", "boolean")
        return
    automatic = writer.view.paths(many(wifi.automatic_channel), place.radio)
    if any(path in writer.tree for path in automatic):
        writer.put(wifi.automatic_channel, place.radio, "channel", "0", "boolean")
    writer.put(wifi.channel, place.radio, "channel", str(change.channel), "unsignedInt")


def _bandwidth(writer: Writer, change: WifiChange, place: Place) -> None:
    if change.bandwidth is None:
        return
    can, at_5 = writer.spec.can, place.band == _AT_5
    may = can.bandwidth_write_5 if at_5 else can.bandwidth_write_2
    may_auto = can.bandwidth_auto_5 if at_5 else can.bandwidth_auto_2
    if not may or (change.bandwidth == 0 and not may_auto):
        raise Unsupported("bandwidth", "this device's cannot be set so")
    leaves = radio_leaves(writer.spec, place.band, "bandwidth")
    path = writer.path(leaves, place.radio, "bandwidth")
    writer.set(path, _width(writer, path, change.bandwidth))


def _width(writer: Writer, path: str, mhz: int) -> str:
    """Say a width as the device does: the way it says the present one, or by its vocabulary."""
    known = writer.tree.get(path)
    now = "" if known is None else known.value.strip()
    match = _PLAIN_WIDTH.fullmatch(now)
    if match is not None and mhz:
        return f"{mhz}{match[1]}"
    for word, means in writer.spec.wifi.bandwidths.items():
        if means == mhz:
            return word
    if now.lower() == "auto" or match is not None:
        return f"{mhz}MHz" if mhz else now if now.lower() == "auto" else "Auto"
    raise Unsupported("bandwidth", "how this device says it is not known")


def _standard(writer: Writer, change: WifiChange, place: Place) -> None:
    if change.standard is None:
        return
    if not writer.spec.can.standard_write:
        raise Unsupported("standard", "this device's cannot be set")
    value = _STANDARDS[place.band].get(change.standard)
    if value is None:
        raise Unsupported("standard", f"{change.standard} is not of that band")
    path = writer.path(radio_leaves(writer.spec, place.band, "standard"), place.radio, "standard")
    known = writer.tree.get(path)
    now = "" if known is None else known.value.strip()
    if len(now) > 1 and "," not in now:
        # it says one word, the newest; other vocabularies (11bgn) are not known
        if now not in _ALONE:
            raise Unsupported("standard", f"how this device says it is not known: {now}")
        value = change.standard
    writer.set(path, value)


def _place(writer: Writer, change: WifiChange) -> Place:
    spec, view = writer.spec, writer.view
    for place in places(spec, view):
        if change.key == place.network or (
            change.key is None and place.primary and place.band == change.band
        ):
            return place
    if change.key is None and change.band is not None and not view.instances(spec.wifi.networks):
        # not read yet: the family knows where it is
        data, root = band_data(spec, change.band), spec.root
        if data.network:
            network = root + data.network
            radio = root + data.radio if data.radio else network
            access_point = root + data.access_point if data.access_point else network
            return Place(change.band, True, network, radio, access_point)
    raise Unsupported("wifi", "the device has no such network")


__all__ = ["write_wifi"]
