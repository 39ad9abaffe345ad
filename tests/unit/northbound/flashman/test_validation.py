"""Which values are taken, each field by itself, and what is made of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demarc.domains.cpe.changes import LanChange, PppoeChange, WanChange, WifiChange
from demarc.northbound.flashman.validation import RULES, changes, examine


def test_values_become_changes_of_what_they_belong_to():
    wanted = examine(
        {
            "wifi_ssid": " Casa 1 ",
            "wifi_channel": "auto",
            "wifi_band": "HT40",
            "wifi_mode": "11n",
            "wifi_state": 1,
            "wifi_hidden_5ghz": "0",
            "wifi_power_5ghz": 50,
            "wifi_channel_5ghz": "36",
            "pppoe_password": "x",
            "wan_mtu": 1492,
            "wan_vlan": "100",
            "lan_subnet": "192.168.7.1",
            "lan_netmask": 24,
            "nobody_knows": "this",
        }
    )
    assert wanted.errors == []
    assert [change for _, change in changes(wanted.values)] == [
        WifiChange(band=2, ssid="Casa 1", channel="auto", bandwidth=40, standard="n", enabled=True),
        WifiChange(band=5, channel=36, power_percent=50, hidden=False),
        PppoeChange(password="x"),
        WanChange(mtu=1492, vlan=100),
        LanChange(ipv4="192.168.7.1", netmask="255.255.255.0"),
    ]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("wifi_ssid", "línea"), ("wifi_ssid", "a\nb"), ("wifi_password", "with space"),
        ("wifi_channel", "14"), ("wifi_channel_5ghz", "6"), ("wifi_band", "HT80"),
        ("wifi_mode", "11b"), ("wifi_power", 10), ("wifi_state", 2), ("wan_mtu", 575),
        ("wan_mtu", "²"), ("wan_vlan", 4095), ("wan_vlan", 0), ("lan_subnet", "300.1.1.1"),
        ("lan_netmask", 23), ("pppoe_user", "a" * 65), ("pppoe_user", None),
    ],
)  # fmt: skip
def test_what_a_rule_does_not_take_is_an_error_of_that_field(field, value):
    wanted = examine({field: value})
    assert wanted.values == {}
    [error] = wanted.errors
    assert list(error) == [RULES[field][0]]


@given(st.dictionaries(st.sampled_from(sorted(RULES)), st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=2), max_leaves=3,
)))  # fmt: skip
def test_whatever_is_sent_each_field_is_taken_or_named(content):
    wanted = examine(content)
    assert len(wanted.values) + len(wanted.errors) == len(content)
    changes(wanted.values)
