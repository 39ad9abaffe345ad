"""A make of CPE: who it says it is, its tree, where things stand in it, and its habits."""

import tomllib
from functools import cache
from importlib import resources
from typing import Final, Literal

import msgspec

from demarc.lab.cpe.schema import Draft, Schema

Band = Literal[2, 5]


class Habits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How devices of a make differ from the standard's letter.

    Attributes:
        cwmp: version of the name space it speaks.
        periodic_only: it tells of no BOOTSTRAP and no BOOT, "2 PERIODIC" is all it knows.
        late_begin: BOMTime is taken when the whole body is there, so that it equals EOMTime.
        complete: what DiagnosticsState says when one has ended.
        forgets_passphrase: a network whose name is changed has the factory's passphrase again.
        strict_types: a value must be given with its own type.
        truths: how it writes no and yes.
        one_ping: it pings once whatever it is asked.
        pppoe_needs_reboot: a changed PPPoE credential takes effect after a restart.
    """

    cwmp: str = "1-0"
    periodic_only: bool = False
    late_begin: bool = False
    complete: str = "Complete"
    forgets_passphrase: bool = False
    strict_types: bool = False
    truths: tuple[str, str] = ("0", "1")
    one_ping: bool = False
    pppoe_needs_reboot: bool = False


class Network(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A Wi-Fi network the device has from the factory; paths are whole.

    Attributes:
        band: GHz.
        ssid: its name's path.
        passphrase: its passphrase's path.
        stations: the object of what is connected to it.
    """

    band: Band
    ssid: str
    passphrase: str
    stations: str


class Places(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where things stand in the tree; objects end with a dot, None for what there is not.

    Attributes:
        hosts: the object of what is in the home.
        cable: how a host on a cable names what it hangs on.
        networks: of Wi-Fi.
        pppoe: the connection's object.
        ping: diagnostics, as all that follow.
        traceroute_ended: what its state says in the end, where that is another word.
        hops: the rest of the path of a traceroute's hops.
        neighbours: the objects of the surveys, several where each band has its own.
        found: the rest of the path of what a survey found.
    """

    hosts: str
    cable: str
    networks: tuple[Network, ...]
    pppoe: str
    ping: str | None = None
    traceroute: str | None = None
    traceroute_ended: str | None = None
    hops: str = "RouteHops."
    download: str | None = None
    upload: str | None = None
    neighbours: tuple[str, ...] = ()
    found: str = "Result."


class Model(msgspec.Struct, frozen=True):
    """A make.

    Attributes:
        name: of its file.
        title: for people.
        manufacturer: as devices say it.
        oui: six hexadecimal digits.
        product_class: as devices say it.
        model: its ModelName.
        serial: how serial numbers look; "{n}" is a number in eight hexadecimal digits.
        mac: the first three octets of its addresses.
        software: version from the factory.
        hardware: version.
        informs: parameters that each Inform carries.
    """

    name: str
    title: str
    manufacturer: str
    oui: str
    product_class: str
    model: str
    serial: str
    mac: str
    software: str
    hardware: str
    informs: tuple[str, ...]
    schema: Schema
    places: Places
    habits: Habits


class _File(msgspec.Struct, forbid_unknown_fields=True):
    root: str
    tree: str
    places: dict[str, object] = {}
    habits: dict[str, object] = {}
    about: dict[str, str] = {}
    informs: list[str] = []
    like: str | None = None


MODELS: Final = (
    "huawei-eg8145v5",
    "zte-f670l",
    "nokia-g1425g",
    "tplink-xc220",
    "unknown-tr181",
)
"""The makes there are."""


@cache
def model(name: str) -> Model:
    """Give a make; read once.

    Raises:
        KeyError: there is none of this name.
    """
    if name not in MODELS:
        raise KeyError(name)
    own = _read(name)
    files = [own]
    while files[0].like is not None:
        files.insert(0, _read(files[0].like))
    draft = Draft(own.root)
    about: dict[str, str] = {}
    places: dict[str, object] = {}
    habits: dict[str, object] = {}
    informs: list[str] = []
    for each in files:
        draft.add(each.tree)
        about |= each.about
        places |= each.places
        habits |= each.habits
        informs += each.informs
    return msgspec.convert(
        {
            **about,
            "name": name,
            "informs": tuple(own.root + path for path in informs),
            "schema": draft.schema(),
            "places": msgspec.convert(_whole(places, own.root), Places),
            "habits": msgspec.convert(habits, Habits),
        },
        Model,
    )


def _read(name: str) -> _File:
    text = resources.files(__package__).joinpath(f"trees/{name}.toml").read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text), _File)


_RELATIVE: Final = frozenset({"band", "hops", "found", "cable", "traceroute_ended"})


def _whole(places: dict[str, object], root: str) -> dict[str, object]:
    """Put the root before all paths."""

    def put(key: str, value: object) -> object:
        if key in _RELATIVE:
            return value
        if isinstance(value, dict):
            return {name: put(name, each) for name, each in value.items()}
        if isinstance(value, list):
            return [put(key, each) for each in value]
        return f"{root}{value}"

    return {key: put(key, value) for key, value in places.items()}


__all__ = ["MODELS", "Habits", "Model", "Network", "Places", "model"]
