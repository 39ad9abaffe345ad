"""Reading Wi-Fi: which networks there are, on which band, sent by what."""

from typing import cast

import msgspec

from demarc.domains.cpe import families_values as values
from demarc.domains.cpe.families_schema import BandData, Leaf, Spec, many
from demarc.domains.cpe.families_view import View
from demarc.domains.cpe.neutral import Band, Radio, WifiNetwork

_LAST_CHANNEL_OF_2 = 14
_FIRST_CHANNEL_OF_5 = 32
_FIRST_OF_SECOND_BAND = 5
BANDS: tuple[Band, ...] = (2, 5, 6)


class Place(msgspec.Struct, frozen=True):
    """The objects of a network: its own, its transmitter's, its access point's."""

    band: Band
    primary: bool
    network: str
    radio: str
    access_point: str


def band_data(spec: Spec, band: Band) -> BandData:
    """Give what a family says of a band alone."""
    wifi = spec.wifi
    return wifi.two if band == 2 else wifi.five if band == 5 else wifi.six  # noqa: PLR2004


def places(spec: Spec, view: View) -> list[Place]:
    """Find the networks of a device, the bands' primary ones first."""
    wifi = spec.wifi
    said = {
        spec.root + band_data(spec, band).network: band
        for band in BANDS
        if band_data(spec, band).network
    }
    found: list[Place] = []
    for key in view.instances(wifi.networks):
        known = said.get(key)
        data = BandData() if known is None else band_data(spec, known)
        radio = _tied(view, key, wifi.radios, data.radio)
        band = known or _band(spec, view, key, radio)
        access_point = _tied(view, key, wifi.access_points, data.access_point)
        found.append(Place(band, key in said, key, radio, access_point))
    for band in BANDS:
        of_band = [each for each in found if each.band == band]
        if of_band and not any(each.primary for each in of_band):
            first = found.index(of_band[0])
            found[first] = msgspec.structs.replace(found[first], primary=True)
    return sorted(found, key=lambda each: (not each.primary, each.band))


def _tied(view: View, key: str, pattern: str, said: str) -> str:
    """Give the object of a kind that belongs to a network; itself where there is no such kind."""
    if said:
        return view.root + said
    if not pattern:
        return key
    related = view.related(key)
    for each in view.instances(pattern):
        if each in related:
            return each
    if pattern.endswith("AccessPoint.*."):
        # where nothing is said they are numbered alike
        return view.root + pattern.replace("*", key.rstrip(".").rpartition(".")[2])
    return ""


def _band(spec: Spec, view: View, key: str, radio: str) -> Band:
    """Tell a network's band, by what there is to tell it by."""
    wifi = spec.wifi
    if radio:
        frequency = frequency_band(view.value(many(wifi.frequency), radio))
        if frequency is not None:
            return frequency
        for band in BANDS:
            said = band_data(spec, band)
            if said.radio and radio == spec.root + said.radio:
                return band
        channel = values.whole(view.value(many(wifi.channel), radio), 1, 233)
        if channel is not None and channel <= _LAST_CHANNEL_OF_2:
            return 2
        if channel is not None and channel >= _FIRST_CHANNEL_OF_5:
            return 5
        told = {each.strip() for each in (view.value(many(wifi.standard), radio) or "").split(",")}
        if told & {"a", "ac"}:
            return 5
        if told & {"b", "g"}:
            return 2
    number = int(key.rstrip(".").rpartition(".")[2])
    return 2 if number < _FIRST_OF_SECOND_BAND else 5


def frequency_band(text: str | None) -> Band | None:
    """Read a band: "2.4GHz", "5GHz"."""
    read = (text or "").strip()[:1]
    return cast("Band", int(read)) if read in {"2", "5", "6"} else None


def read_wifi(
    spec: Spec, view: View, found: list[Place]
) -> tuple[tuple[Radio, ...], tuple[WifiNetwork, ...]]:
    """Read transmitters and networks."""
    radios: dict[str, Radio] = {}
    networks = []
    for place in found:
        networks.append(_network(spec, view, place))
        key = place.radio
        if key and key not in radios and (spec.wifi.radios or place.primary):
            radios[key] = _radio(spec, view, key, place.band)
    for key in view.instances(spec.wifi.radios):
        band = frequency_band(view.value(many(spec.wifi.frequency), key))
        if key not in radios and band is not None:
            radios[key] = _radio(spec, view, key, band)
    return tuple(radios.values()), tuple(networks)


def passphrase_leaves(spec: Spec, place: Place) -> tuple[str, ...]:
    """Give where a network's passphrase may be."""
    own = many(band_data(spec, place.band).passphrase)
    return own if own and place.primary else many(spec.wifi.passphrase)


def radio_leaves(spec: Spec, band: Band, leaf: str) -> tuple[str, ...]:
    """Give where a transmitter's bandwidth or standard may be."""
    own: Leaf = getattr(band_data(spec, band), leaf)
    return many(own) or many(getattr(spec.wifi, leaf))


def _network(spec: Spec, view: View, place: Place) -> WifiNetwork:
    wifi = spec.wifi

    def text(leaf: Leaf) -> str | None:
        return view.value(many(leaf), place.network)

    advertised = values.flag(view.value(many(wifi.advertised), place.access_point))
    ssid = text(wifi.ssid)
    return WifiNetwork(
        key=place.network,
        band=place.band,
        primary=place.primary,
        enabled=values.flag(text(wifi.enabled)),
        ssid=ssid or None,
        passphrase=view.value(passphrase_leaves(spec, place), place.access_point),
        hidden=None if advertised is None else not advertised,
        bssid=values.mac(text(wifi.bssid)),
        clients=values.whole(view.value(many(wifi.clients), place.access_point), 0, 10_000),
    )


def _radio(spec: Spec, view: View, key: str, band: Band) -> Radio:
    wifi, can = spec.wifi, spec.can
    tells_width = can.bandwidth_read_2 if band == 2 else can.bandwidth_read_5  # noqa: PLR2004
    width = view.value(radio_leaves(spec, band, "bandwidth"), key) if tells_width else None
    standard = view.value(radio_leaves(spec, band, "standard"), key) if can.standard_read else None
    channel = values.whole(view.value(many(wifi.channel), key), 0, 233)
    automatic = values.flag(view.value(many(wifi.automatic_channel), key))
    if automatic is None and channel == 0:
        automatic = True
    return Radio(
        key=key,
        band=band,
        enabled=values.flag(view.value(many(wifi.radio_enabled), key)),
        channel=channel or None,
        automatic_channel=automatic,
        bandwidth=values.width(width, wifi.bandwidths),
        standard=values.standard(standard),
        power_percent=values.whole(view.value(many(wifi.power), key), 0, 100),
    )


__all__ = [
    "BANDS",
    "Place",
    "band_data",
    "frequency_band",
    "passphrase_leaves",
    "places",
    "radio_leaves",
    "read_wifi",
]
