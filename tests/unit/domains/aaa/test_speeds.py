"""What a NAS of each make is told of a speed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demarc.domains.aaa.speeds import OF_MAKE, check, read_template, speed_pairs
from demarc.domains.errors import Invalid
from demarc.lab.nas.traffic import Limits
from demarc.lab.nas.vendors import VENDORS, Make
from demarc.protocols.radius.attributes import encode_attributes
from demarc.protocols.radius.packet import Code, decode
from demarc.protocols.radius.request import encode_request
from demarc.protocols.radius.values import Tagged


def told(vendor: str, own: list[str] | None = None) -> list[tuple[str, object]]:
    pairs = speed_pairs(vendor, own, 300_000_000, 150_000_000)
    return [(attribute.name, value) for attribute, value in pairs]


@pytest.mark.parametrize(
    ("vendor", "expected"),
    [
        ("generic", []),
        ("mikrotik", [("MikroTik-Rate-Limit", "150000000/300000000")]),
        (
            "huawei",
            [
                ("Huawei-Input-Average-Rate", 150_000_000),
                ("Huawei-Output-Average-Rate", 300_000_000),
            ],
        ),
        ("juniper", [("ERX-CoS-Shaping-Pmt-Type", "T02 300000000")]),
        (
            "cisco",
            [
                ("Cisco-AVPair", "qos-policy-in=add-class(sub,(class-default),police(150000000))"),
                ("Cisco-AVPair", "qos-policy-out=add-class(sub,(class-default),shape(300000000))"),
            ],
        ),
        (
            "nokia",
            [
                ("Alc-Subscriber-QoS-Override", "i:q:1:pir=150000"),
                ("Alc-Subscriber-QoS-Override", "e:r:rate=300000"),
            ],
        ),
        ("zte", [("ZTE-Rate-Ctrl-SCR-Up", 150_000), ("ZTE-Rate-Ctrl-SCR-Down", 300_000)]),
        ("accel-ppp", [("Filter-Id", "300000/150000")]),
        (
            "wispr",
            [("WISPr-Bandwidth-Max-Up", 150_000_000), ("WISPr-Bandwidth-Max-Down", 300_000_000)],
        ),
    ],
)
def test_each_make_is_told_in_its_own_words(
    vendor: str, expected: list[tuple[str, object]]
) -> None:
    assert told(vendor) == expected


@pytest.mark.parametrize("make", sorted(set(VENDORS) - {"juniper"}))
def test_an_access_server_of_the_make_understands_it(make: Make) -> None:
    pairs = speed_pairs(make, None, 300_000_000, 150_000_000)
    request = decode(encode_request(Code.COA_REQUEST, 1, pairs, b"secret"))

    assert VENDORS[make].limits(request) == Limits(150_000_000, 300_000_000)


def test_a_nas_may_have_words_of_its_own() -> None:
    own = ["ERX-Service-Activate:1 = internet({down_mbps}m,{up_mbps}m)"]

    assert told("juniper", own) == [("ERX-Service-Activate", Tagged(1, "internet(300m,150m)"))]


def test_a_nas_may_be_told_nothing() -> None:
    assert told("mikrotik", []) == []


def test_rates_are_rounded_up() -> None:
    pairs = speed_pairs("accel-ppp", None, 1_500, 999)

    assert [value for _, value in pairs] == ["2/1"]


def test_a_rate_beyond_the_attribute_is_the_largest_it_holds() -> None:
    pairs = speed_pairs("huawei", None, 10_000_000_000, 1)

    assert [value for _, value in pairs] == [1, 2**32 - 1]


def test_a_number_keeps_its_tag_and_leaves_it_room() -> None:
    own = ["ERX-Service-Statistics:1 = 2", "ERX-Service-Timeout:1 = {down_bps}"]

    pairs = speed_pairs("juniper", own, 300_000_000, 1)

    assert [value for _, value in pairs] == [Tagged(1, 2), Tagged(1, 2**24 - 1)]
    assert encode_attributes(pairs)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("Filter-Id", "form"),
        ("Filter-Id =", "form"),
        ("No-Such-Attribute = 1", "not known"),
        ("User-Password = {up_bps}", "neither text nor a number"),
        ("Framed-IP-Address = 10.0.0.1", "neither text nor a number"),
        ("Filter-Id:3 = a", "tag"),
        ("ERX-Service-Activate:32 = a", "tag"),
        ("Filter-Id = {speed}", "down_bps"),
        ("Filter-Id = {up_bps", "brace"),
        ("Session-Timeout = soon", "number"),
        ("Filter-Id = " + "x" * 300, "too long"),
    ],
)
def test_a_template_that_cannot_be_used_says_why(line: str, reason: str) -> None:
    with pytest.raises(Invalid, match=reason) as refused:
        check([line])

    assert refused.value.field == "speed_attributes"


def test_a_nas_takes_sixteen_templates() -> None:
    with pytest.raises(Invalid, match="17"):
        check(["Filter-Id = x"] * 17)


@given(
    vendor=st.sampled_from(sorted(OF_MAKE)),
    down=st.integers(0, 10**12),
    up=st.integers(0, 10**12),
)
def test_every_speed_can_be_sent_to_every_make(vendor: str, down: int, up: int) -> None:
    assert encode_attributes(speed_pairs(vendor, None, down, up)) is not None


@given(st.text(max_size=300))
def test_any_text_is_a_template_or_refused(line: str) -> None:
    try:
        template = read_template(line)
    except Invalid:
        return
    encode_attributes(
        [
            template.pair(
                dict.fromkeys(
                    ["down_bps", "up_bps", "down_kbps", "up_kbps", "down_mbps", "up_mbps"], 10**9
                )
            )
        ]
    )
