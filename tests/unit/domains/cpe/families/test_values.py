"""What devices say, and what of it can be believed."""

from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demarc.domains.cpe import families_values as values
from demarc.domains.cpe.changes import PppoeChange, Unsupported, WanChange, WifiChange
from demarc.domains.cpe.family import Families
from demarc.domains.cpe.neutral import Device, Need
from demarc.domains.cpe.tree import Parameter, Tree
from support.cpe_trees import models


@pytest.mark.parametrize(
    ("text", "unit", "dbm"),
    [
        ("-19", "dbm", -19),
        ("-20.1 dBm", "dbm", -20.1),
        ("-20,5", "dbm", -20.5),
        ("115", "tenth_microwatt", -19.39),
        ("10000", "tenth_microwatt", 0),
        ("-18.4", "tenth_microwatt", -18.4),
        ("0", "tenth_microwatt", None),
        ("-21500", "thousandth_dbm", -21.5),
        ("-21.5", "thousandth_dbm", -21.5),
        ("-19.4", "by_number", -19.4),
        ("2.3", "by_number", 2.3),
        ("115", "by_number", -19.39),
        ("--", "dbm", None),
        ("", "dbm", None),
        ("-4000", "dbm", None),
        ("1e999", "dbm", None),
        ("nan", "dbm", None),
        (None, "dbm", None),
    ],
)
def test_light(text: str | None, unit: str, dbm: float | None) -> None:
    assert values.light(text, unit) == dbm


@pytest.mark.parametrize(
    ("text", "unit", "dbm"),
    [
        ("-61", "dbm", -61),
        ("-61 dBm", "dbm", -61),
        ("98", "rcpi", -61),
        ("61", "negated", -61),
        ("-61", "negated", -61),
        ("0", "dbm", None),
        ("61", "dbm", None),
        ("255", "rcpi", None),
        ("abc", "dbm", None),
    ],
)
def test_signal(text: str, unit: str, dbm: float | None) -> None:
    assert values.signal(text, unit) == dbm


@pytest.mark.parametrize(
    ("text", "unit", "mbps"),
    [
        ("144", "mbps", 144),
        ("72.2", "mbps", 72.2),
        ("866M", "mbps", 866),
        ("1.2 Gbps", "mbps", 1200),
        ("866000", "mbps", 866),
        ("6500", "kbps", 6.5),
        ("72200 Kbps", "mbps", 72.2),
        ("0", "mbps", None),
        ("auto", "mbps", None),
    ],
)
def test_rate(text: str, unit: str, mbps: float | None) -> None:
    assert values.rate(text, unit) == mbps


@pytest.mark.parametrize(
    "text", ["02:00:5e:00:53:01", "02-00-5E-00-53-01", "02005E005301", " 0200.5e00.5301 "]
)
def test_mac(text: str) -> None:
    assert values.mac(text) == "02:00:5E:00:53:01"


@pytest.mark.parametrize("text", ["00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff", "02:00", "", "x"])
def test_no_mac(text: str) -> None:
    assert values.mac(text) is None


@pytest.mark.parametrize("text", ["-5", "1.5", "1e3", "٣", "²", "9" * 30, "", " ", "--", "x"])
def test_no_whole_number(text: str) -> None:
    assert values.whole(text, 0, 10**12) is None


@pytest.mark.parametrize(
    ("text", "newest"),
    [
        ("b,g,n", "n"),
        ("n", "n"),
        ("11ac", "ac"),
        ("a,n,ac,ax", "ax"),
        ("802.11ax", "ax"),
        ("11bgn", "n"),
        ("11a/n/ac", "ac"),
        ("g-only", "g"),
        ("mixed", None),
        ("", None),
        ("7", None),
    ],
)
def test_standard(text: str, newest: str | None) -> None:
    assert values.standard(text) == newest


@pytest.mark.parametrize(
    ("text", "carries"),
    [
        ("TR069_INTERNET", {"tr069", "internet"}),
        ("INTERNET,VOIP", {"internet", "voip"}),
        ("IPTV", {"iptv"}),
        ("OTHER", {"other"}),
        ("x", set()),
        ("", set()),
    ],
)
def test_carries(text: str, carries: set[str]) -> None:
    assert values.carries(text) == carries


@pytest.mark.parametrize(
    ("text", "mhz"), [("20MHz", 20), ("80", 80), ("Auto", 0), ("HT40", 40), ("2", None)]
)
def test_width(text: str, mhz: int | None) -> None:
    assert values.width(text, {}) == mhz
    assert values.width("2", {"2": 40}) == 40
    assert values.width("9", {"2": 40}) is None


JUNK = st.one_of(
    st.text(max_size=40),
    st.sampled_from(["", "-", "nan", "inf", "-1", "9" * 400, "1e400", "0x10", "٣", "true", "-0"]),
)
SEGMENT = st.one_of(
    st.sampled_from(["1", "2", "007", "99999999999", "WANDevice", "Hosts", "Host", "PPP", "IP"]),
    st.sampled_from(["Interface", "WiFi", "SSID", "LowerLayers", "WLANConfiguration", "", "*"]),
    st.text(max_size=6),
)
PATH = st.lists(SEGMENT, max_size=7).map(".".join)
MODELS = {each.name: each for each in models()}


@given(
    st.sampled_from(["InternetGatewayDevice.", "Device.", ""]),
    st.dictionaries(PATH, JUNK, max_size=30),
    st.sampled_from([each.name for each in Families.load()]),
)
def test_any_tree_is_a_device(root: str, paths: dict[str, str], name: str) -> None:
    tree = {root + path: Parameter(value) for path, value in paths.items()}
    family = Families.load()[name]
    assert isinstance(family.read(tree), Device)
    for need in Need:
        assert all(path.startswith(family.root) for path in family.paths(need, tree))
    assert Families.load().of(tree=tree) is not None
    for change in (WifiChange(band=2, ssid="x", channel=6), PppoeChange("x"), WanChange(mtu=1400)):
        with suppress(Unsupported):
            family.write(tree, change)


@given(st.sampled_from(list(MODELS)), st.data())
def test_any_values_are_a_device(name: str, data: st.DataObject) -> None:
    """The paths of a real model, each with whatever a device may put there."""
    whole: Tree = MODELS[name].tree
    broken = data.draw(st.dictionaries(st.sampled_from(sorted(whole)), JUNK, max_size=12))
    family = Families.load()[name]
    device = family.read(dict(whole) | {path: Parameter(v) for path, v in broken.items()})
    for wan in device.wans:
        assert wan.uptime_seconds is None or wan.uptime_seconds >= 0
        assert wan.vlan is None or 1 <= wan.vlan <= 4094
    if device.pon is not None and device.pon.rx_dbm is not None:
        assert -60 <= device.pon.rx_dbm <= 20
    for host in device.hosts:
        assert len(host.mac) == 17


def test_a_type_that_was_heard_goes_before_ours() -> None:
    path = "InternetGatewayDevice.LANDevice.1.WLANConfiguration.1.Channel"
    heard = datetime(2026, 5, 1, tzinfo=UTC)
    for known, kind in (
        (Parameter("6", "int"), "int"),
        (Parameter("6", "string", at=heard), "string"),
        (Parameter("", "string"), "unsignedInt"),
    ):
        tree = {path: known}
        (value,) = Families.load()["tr098"].write(tree, WifiChange(band=2, channel=6))
        assert value.type == kind
