"""What a simulated device is in truth is what Demarc's families read out of its tree."""

import pytest

from demarc.domains.cpe.family import Families
from demarc.domains.cpe.tree import Parameter
from demarc.lab.cpe import MODELS, Cpe, Home, Online, model

FAMILIES = {
    "huawei-eg8145v5": "huawei-eg8145v5",
    "zte-f670l": "multilaser-f670l",
    "nokia-g1425g": "nokia-g1425ga",
    "tplink-xc220": "tplink-xc220g3v",
    "unknown-tr181": "tr181",
}


class Given:
    def dial(self, username: str, password: str) -> None: ...

    def hang_up(self) -> None: ...

    def session(self) -> Online:
        return Online("100.64.9.9", 90, 5_000_000_000, 7_000)


@pytest.mark.parametrize("make", MODELS)
def test_each_make_is_understood(make: str) -> None:
    made = model(make)
    home = Home(made, 3, hosts=8, line=Given(), light=lambda: (-21.0, 2.0), mac="020000000310")
    device = Cpe(home, "http://127.0.0.1:1/")
    home.settle(device.tree)
    tree = {
        each.name: Parameter(each.value, each.type, True)
        for each in device.tree.values([device.tree.root])
    }

    family = Families.load().of(
        manufacturer=made.manufacturer, product_class=made.product_class, oui=made.oui, tree=tree
    )
    read = family.read(tree)

    assert family.name == FAMILIES[make]
    assert (read.info.model, read.info.mac) == (made.model, "02:00:00:00:03:10")
    wan = next(each for each in read.wans if each.kind == "pppoe")
    assert (wan.received_octets, wan.sent_octets) == (5_000_000_000, 7_000)
    assert (wan.ipv4, wan.vlan, wan.mtu) == ("100.64.9.9", 100, 1492)
    assert wan.pppoe_username == home.ask("ppp_username")
    assert (round(read.pon.rx_dbm), round(read.pon.tx_dbm)) == (-21, 2)
    primary = {each.band: each.ssid for each in read.networks if each.primary}
    assert primary == {2: home.ask("ssid"), 5: home.ask("ssid") + "_5G"}
    for truth, seen in zip(home.hosts, read.hosts, strict=True):
        assert (seen.mac, seen.name, seen.ip) == (truth.mac, truth.name, truth.ip)
        assert seen.connection == ("cable" if truth.band is None else "wifi")
        if seen.rssi_dbm is not None:
            assert seen.rssi_dbm == pytest.approx(truth.rssi(), abs=1)
            assert seen.band == truth.band
    assert any(each.rssi_dbm is not None for each in read.hosts)
