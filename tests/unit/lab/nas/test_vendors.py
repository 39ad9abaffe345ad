from typing import Any

import pytest

from demarc.lab.nas.traffic import Limits
from demarc.lab.nas.vendors import VENDORS, Make
from demarc.protocols.radius.dictionary import DICTIONARY
from demarc.protocols.radius.errors import Malformed
from demarc.protocols.radius.packet import Packet, decode
from demarc.protocols.radius.request import encode_request

MIKROTIK = VENDORS["mikrotik"]
HUAWEI = VENDORS["huawei"]


def reply(**values: Any) -> Packet:
    pairs = [(DICTIONARY[name.replace("_", "-")], value) for name, value in values.items()]
    return decode(encode_request(1, 1, pairs, b"secret"))


@pytest.mark.parametrize(
    ("text", "limits"),
    [
        ("50M/100M", Limits(50_000_000, 100_000_000)),
        ("512k", Limits(512_000, 512_000)),
        ("1G/2500M", Limits(1_000_000_000, 2_500_000_000)),
        ("64000/128000", Limits(64_000, 128_000)),
        ("50M/100M 60M/120M 40M/80M 8/8 8", Limits(50_000_000, 100_000_000)),
        ("0/100M", Limits(None, 100_000_000)),
    ],
)
def test_mikrotik_rate_limit(text: str, limits: Limits) -> None:
    assert MIKROTIK.limits(reply(MikroTik_Rate_Limit=text)) == limits


@pytest.mark.parametrize("text", ["fast", "50M/", "/100M", " 50M", "50MB/100MB", "-1M/1M"])
def test_mikrotik_rate_limit_that_is_none(text: str) -> None:
    with pytest.raises(Malformed):
        MIKROTIK.limits(reply(MikroTik_Rate_Limit=text))


def test_huawei_rates() -> None:
    both = {"Huawei_Input_Average_Rate": 50_000_000, "Huawei_Output_Average_Rate": 100_000_000}
    assert HUAWEI.limits(reply(**both)) == Limits(50_000_000, 100_000_000)
    peaks = {"Huawei_Input_Peak_Rate": 60_000_000, "Huawei_Output_Peak_Rate": 120_000_000}
    assert HUAWEI.limits(reply(**both, **peaks)) == Limits(50_000_000, 100_000_000)
    assert HUAWEI.limits(reply(**peaks)) == Limits(60_000_000, 120_000_000)
    assert HUAWEI.limits(reply(Huawei_Output_Average_Rate=1000)) == Limits(None, 1000)


def test_each_reads_its_own_only() -> None:
    assert HUAWEI.limits(reply(MikroTik_Rate_Limit="1M/1M")) is None
    assert MIKROTIK.limits(reply(Huawei_Output_Average_Rate=1000)) is None


def test_addresses_as_each_writes_them() -> None:
    calling = DICTIONARY["Calling-Station-Id"]
    mikrotik = dict(MIKROTIK.port(7, "02:00:00:0a:0b:0c"))
    huawei = dict(HUAWEI.port(7, "02:00:00:0a:0b:0c"))
    assert mikrotik[calling] == "02:00:00:0A:0B:0C"
    assert huawei[calling] == "0200-000a-0b0c"
    assert mikrotik[DICTIONARY["NAS-Port"]] == huawei[DICTIONARY["NAS-Port"]] == 7


@pytest.mark.parametrize(
    ("make", "values", "limits"),
    [
        ("juniper", {"ERX_CoS_Shaping_Pmt_Type": "T02 20m"}, Limits(None, 20_000_000)),
        ("juniper", {"ERX_CoS_Shaping_Pmt_Type": "T03 20m"}, None),
        (
            "cisco",
            {"Cisco_AVPair": "ip:qos-policy-in=add-class(sub,(class-default),police(5000,9,0))"},
            Limits(5000, None),
        ),
        ("cisco", {"Cisco_AVPair": "ip:addr-pool=home"}, None),
        ("nokia", {"Alc_Subscriber_QoS_Override": "E:R:rate=800000"}, Limits(None, 800_000_000)),
        ("nokia", {"Alc_Subscriber_QoS_Override": "i:q:1:pir=40,cir=20"}, Limits(40_000, None)),
        ("nokia", {"Alc_Subscriber_QoS_Override": "i:q:3:pir=40"}, None),
        (
            "zte",
            {"ZTE_Rate_Ctrl_SCR_Up": 512, "ZTE_Rate_Ctrl_SCR_Down": 0},
            Limits(512_000, None),
        ),
        ("accel-ppp", {"Filter_Id": "1000"}, Limits(1_000_000, 1_000_000)),
        ("accel-ppp", {"Filter_Id": "2000/500"}, Limits(500_000, 2_000_000)),
        ("accel-ppp", {"Filter_Id": "guests"}, None),
    ],
)
def test_rates_as_each_make_reads_them(
    make: Make, values: dict[str, Any], limits: Limits | None
) -> None:
    assert VENDORS[make].limits(reply(**values)) == limits


@pytest.mark.parametrize(
    ("make", "station"),
    [
        ("juniper", "02:00:00:0a:0b:0c"),
        ("cisco", "0200.000a.0b0c"),
        ("nokia", "02:00:00:0a:0b:0c"),
        ("zte", "0200000a0b0c"),
        ("accel-ppp", "02:00:00:0a:0b:0c"),
    ],
)
def test_addresses_as_each_make_writes_them(make: Make, station: str) -> None:
    port = dict(VENDORS[make].port(7, "02:00:00:0A:0B:0C"))
    assert port[DICTIONARY["Calling-Station-Id"]] == station
    assert port[DICTIONARY["NAS-Port"]] == 7
