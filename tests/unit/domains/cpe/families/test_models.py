"""Each of the models, by a tree that was made from what is written about it."""

import msgspec
import pytest

from demarc.domains.cpe.changes import (
    Change,
    PppoeChange,
    Unsupported,
    WanChange,
    WebPasswordChange,
    WifiChange,
)
from demarc.domains.cpe.family import Families, Family
from demarc.domains.cpe.neutral import Device, Host, Need, WifiNetwork
from demarc.domains.cpe.tree import Parameter, Tree
from support.cpe_trees import CABLE, WIFI_2, WIFI_5, Model, models

MODELS = {each.name: each for each in models()}


@pytest.fixture(params=MODELS, ids=str)
def model(request: pytest.FixtureRequest) -> Model:
    return MODELS[request.param]


@pytest.fixture
def family(model: Model) -> Family:
    return Families.load()[model.name]


@pytest.fixture
def device(model: Model, family: Family) -> Device:
    return family.read(model.tree)


def applied(family: Family, tree: Tree, change: Change) -> Device:
    """Set what a change asks for in a tree, and read that."""
    after = dict(tree)
    for each in family.write(tree, change):
        before = after.get(each.name)
        if before is not None:
            assert before.type == each.type, each.name
        after[each.name] = Parameter(each.value, each.type, writable=True)
    return family.read(after)


def primary(device: Device, band: int) -> WifiNetwork:
    return next(each for each in device.networks if each.band == band and each.primary)


def host(device: Device, mac: str) -> Host:
    return next(each for each in device.hosts if each.mac == mac)


def test_there_are_92() -> None:
    assert len(MODELS) == 92


def test_it_is_known_by_each_of_its_names(model: Model) -> None:
    for identity in model.identities:
        found = Families.load().of(root=model.root, tree=model.tree, **identity)
        assert found.name == model.name, identity


def test_it_is_known_by_its_tree_alone(model: Model) -> None:
    leaves = {"model": "ModelName", "product_class": "ProductClass", "hardware": "HardwareVersion"}
    tree = dict(model.tree)
    for key, value in model.identities[0].items():
        tree[f"{model.root}DeviceInfo.{leaves[key]}"] = Parameter(value)
    assert Families.load().of(tree=tree).name == model.name


def test_its_wifi_is_read(model: Model, device: Device) -> None:
    for band in (2, 5):
        network = primary(device, band)
        assert network.key == model.expected[f"network_{band}"]
        assert network.ssid == model.expected[f"ssid_{band}"]
        assert network.passphrase == model.expected[f"passphrase_{band}"]
        assert network.enabled is True
    radio = next(each for each in device.radios if each.band == 2)
    assert radio.standard == model.expected.get("standard")
    if "bandwidth" in model.expected:
        assert radio.bandwidth == model.expected["bandwidth"]


def test_its_connection_is_read(model: Model, device: Device) -> None:
    wan = device.internet
    assert wan is not None
    assert wan.key == model.expected["wan_key"]
    assert wan.kind == "pppoe"
    assert wan.status == "up"
    assert wan.pppoe_username == model.expected["username"]
    assert wan.vlan == model.expected.get("vlan")
    assert wan.uptime_seconds == model.expected.get("uptime")
    assert wan.received_octets == model.expected["received"]
    assert wan.sent_octets == model.expected["sent"]
    if "mtu" in model.expected:
        assert wan.mtu == model.expected["mtu"]
    if "services" in model.expected:
        assert "internet" in wan.carries


def test_its_light_is_read_as_dbm(model: Model, device: Device) -> None:
    if "rx" not in model.expected:
        assert device.pon is None
        return
    assert device.pon is not None
    assert device.pon.rx_dbm == pytest.approx(model.expected["rx"], abs=0.01)
    assert device.pon.tx_dbm == pytest.approx(model.expected["tx"], abs=0.01)


def test_its_hosts_are_read(model: Model, device: Device) -> None:
    assert {each.mac for each in device.hosts} == {CABLE, WIFI_2, WIFI_5}
    by_cable = host(device, CABLE)
    assert by_cable.name == "aparelho-1"
    assert by_cable.ip == "192.168.1.11"
    assert by_cable.connection == ("cable" if "cable" in model.expected else None)
    trusted = model.says("LANDeviceCanTrustActive", True)
    assert by_cable.active is (True if trusted else None)
    for band, mac in ((2, WIFI_2), (5, WIFI_5)):
        if f"rssi_{band}" not in model.expected:
            continue
        by_air = host(device, mac)
        assert by_air.connection == "wifi"
        assert by_air.band == band
        assert by_air.rssi_dbm == model.expected[f"rssi_{band}"]
        assert by_air.snr_db == model.expected[f"snr_{band}"]
        assert by_air.rate_mbps == model.expected[f"rate_{band}"]


def test_its_addresses_and_its_web_account_are_read(model: Model, device: Device) -> None:
    assert device.info.mac == model.expected["mac"]
    assert device.info.alternative_uid == model.expected.get("alternative_uid")
    assert device.info.uptime_seconds == 90_000
    told = ("web_username" in model.expected, "web_password" in model.expected)
    if not any(told):
        assert device.web is None
        return
    assert device.web is not None
    assert device.web.username == model.expected.get("web_username")
    assert device.web.password == model.expected.get("web_password")


def test_wifi_that_is_written_is_read_again(model: Model, family: Family) -> None:
    for band in (2, 5):
        change = WifiChange(band=band, ssid="Casa Nova", passphrase="outra-senha-9")  # type: ignore[arg-type]
        if not model.says("ssidWrite", True):
            with pytest.raises(Unsupported):
                family.write(model.tree, change)
            continue
        before, after = family.read(model.tree), applied(family, model.tree, change)
        assert primary(after, band).ssid == "Casa Nova"
        assert primary(after, band).passphrase == "outra-senha-9"
        other = 7 - band
        assert primary(after, other) == primary(before, other)


def test_an_account_that_is_written_is_read_again(model: Model, family: Family) -> None:
    change = PppoeChange(username="outra-casa@example.net", password="segredo")
    before = family.read(model.tree).internet
    after = applied(family, model.tree, change).internet
    assert before is not None
    assert after == msgspec.structs.replace(before, pppoe_username="outra-casa@example.net")
    set_ = {each.name.rpartition(".")[2]: each.value for each in family.write(model.tree, change)}
    assert set_["Password"] == "segredo"


def test_vlan_and_mtu_that_are_written_are_read_again(model: Model, family: Family) -> None:
    may_vlan = model.says("allowEditWanVlan", False)
    if not may_vlan:
        with pytest.raises(Unsupported):
            family.write(model.tree, WanChange(vlan=200))
    elif "vlan" in model.expected:
        wan = applied(family, model.tree, WanChange(vlan=200)).internet
        assert wan is not None
        assert wan.vlan == 200
    may_mtu = model.says("allowEditWanMtu", True)
    if not may_mtu:
        with pytest.raises(Unsupported):
            family.write(model.tree, WanChange(mtu=1480))
    elif "mtu" in model.expected:
        wan = applied(family, model.tree, WanChange(mtu=1480)).internet
        assert wan is not None
        assert wan.mtu == 1480


def test_a_web_password_that_is_written_is_read_again(model: Model, family: Family) -> None:
    change = WebPasswordChange("nova-web-1")
    if "web_password" not in model.expected:
        with pytest.raises(Unsupported):
            family.write(model.tree, change)
        return
    web = applied(family, model.tree, change).web
    assert web is not None
    assert web.password == "nova-web-1"


def test_what_it_can_is_what_is_written_of_it(model: Model, family: Family) -> None:
    for flag, name, default in (
        ("pingTest", "ping", False),
        ("traceroute", "traceroute", False),
        ("speedTest", "speed_test", False),
        ("siteSurvey", "site_survey", False),
        ("ponSignal", "pon", False),
        ("portForward", "port_forward", False),
        ("configWrite", "lan_write", True),
        ("dualBand", "wifi_5", True),
        ("modeWrite", "standard_write", True),
        ("bandAuto5", "bandwidth_auto_5", True),
        ("allowReadWanVlan", "wan_vlan_read", False),
        ("axWiFiMode", "wifi_ax", False),
    ):
        assert (name in family.capabilities) is model.says(flag, default), flag
    for flag, name in (
        ("pingTestSingleAttempt", "one_ping"),
        ("mustRebootAfterChanges", "reboot_after_pppoe_change"),
        ("requiresPolling", "survey_polled"),
        ("requiresSeparateTasks", "survey_one_by_one"),
        ("useLastIndexOnWildcard", "wildcard_is_last"),
    ):
        assert family.quirks.get(name, False) is model.says(flag, False), flag
    limit = int(model.flags.get("speedTestLimit", 0))
    assert family.quirks.get("speed_limit_mbps", 0) == limit


def test_what_comes_after_a_change(model: Model, family: Family) -> None:
    reboots = model.says("mustRebootAfterChanges", False)
    assert ("reboot" in family.follow_up(PppoeChange(password="x"))) is reboots
    nokia = model.name.startswith("nokia-")
    after = family.follow_up(WifiChange(band=2, ssid="x"))
    assert ("resend_passphrase" in after) is nokia
    assert "resend_passphrase" not in family.follow_up(
        WifiChange(band=2, ssid="x", passphrase="yyyyyyyy")
    )


def test_its_diagnostics_are_where_they_are_written(model: Model, family: Family) -> None:
    text = dict(part.strip().partition(" ")[::2] for part in model.sections["diag"].split(" ; "))
    for kind, key in (("ping", "ping"), ("traceroute", "trace"), ("download", "speed")):
        path = text[key].replace("IGD.", "InternetGatewayDevice.")
        arguments = (
            {"url": "http://198.51.100.1/x"} if kind == "download" else {"host": "a.example"}
        )
        made = family.diagnostic(kind, arguments)  # type: ignore[arg-type]
        assert made.state == f"{path}.DiagnosticsState"
        assert made.set[-1].name == made.state
    if text["survey"] == "-":
        with pytest.raises(Unsupported):
            family.diagnostic("neighbours", {})
        return
    survey = family.diagnostic("neighbours", {})
    root = text["survey"].replace("IGD.", "InternetGatewayDevice.")
    assert (
        survey.read[0]
        == root.replace("WLAN1.", "LANDevice.1.WLANConfiguration.1.").replace("*", "1") + "."
    )


def test_what_is_asked_for_is_what_is_read(model: Model, family: Family, device: Device) -> None:
    """Answer only what is asked for, and read the same."""

    def answered(*needs: Need) -> Device:
        asked = tuple(path for need in needs for path in family.paths(need, model.tree))
        assert len(asked) <= 32
        told = {
            path: each
            for path, each in model.tree.items()
            if path in asked or path.startswith(tuple(a for a in asked if a.endswith(".")))
        }
        return family.read(told)

    assert answered(Need.WIFI).networks[:2] == device.networks[:2]
    assert answered(Need.PON).pon == device.pon
    assert answered(Need.INFO).info == device.info
    assert answered(Need.WEB).web == device.web
    everywhere = answered(Need.HOSTS, Need.WIFI)
    assert everywhere.hosts == device.hosts
    wan, whole = answered(Need.WAN, Need.BYTES).internet, device.internet
    assert wan is not None
    assert whole is not None
    assert wan.key == whole.key
    assert (wan.pppoe_username, wan.mtu) == (whole.pppoe_username, whole.mtu)
    assert (wan.received_octets, wan.sent_octets) == (whole.received_octets, whole.sent_octets)
