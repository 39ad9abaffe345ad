"""Blocks of ports that accounting tells of, by make."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demarc.domains.aaa.sessions import PortBlock
from demarc.protocols.radius.attributes import encode_attributes
from demarc.protocols.radius.dictionary import DICTIONARY
from demarc.protocols.radius.packet import decode
from demarc.southbound.radius.nat import port_blocks


def told(*pairs):
    attributes = encode_attributes([(DICTIONARY[name], value) for name, value in pairs])
    return port_blocks(
        decode(bytes([4, 0]) + (20 + len(attributes)).to_bytes(2, "big") + bytes(16) + attributes)
    )


def test_huawei_tells_address_and_ports():
    assert told(
        ("Huawei-NAT-Public-Address", "203.0.113.7"),
        ("Huawei-NAT-Start-Port", 4096),
        ("Huawei-NAT-End-Port", 8191),
    ) == (PortBlock("203.0.113.7", 4096, 8191),)


def test_without_ports_the_whole_address_is_the_sessions():
    assert told(("Huawei-NAT-Public-Address", "203.0.113.7")) == (
        PortBlock("203.0.113.7", 0, 65535),
    )


def test_nokia_tells_several_blocks_as_text():
    assert told(
        ("Alc-Nat-Port-Range", "198.51.100.7 2048..3071 router base"),
        ("Alc-Nat-Port-Range", "198.51.100.7 5120..6143 router base"),
    ) == (PortBlock("198.51.100.7", 2048, 3071), PortBlock("198.51.100.7", 5120, 6143))


@pytest.mark.parametrize(
    "pairs",
    [
        [("Alc-Nat-Port-Range", text)]
        for text in (
            "x",
            "1.1.1.\u0661 1..2",
            "300.1.1.1 1..2",
            "1.1.1.1 5..4",
            "1.1.1.1 1..70000",
            "1.1.1.1 1-2",
        )
    ]
    + [
        [("Huawei-NAT-Public-Address", "203.0.113.7"), ("Huawei-NAT-Start-Port", 70000)],
        [("Huawei-NAT-Start-Port", 1), ("Huawei-NAT-End-Port", 2)],
    ],
)
def test_what_makes_no_sense_is_no_block(pairs):
    assert told(*pairs) == ()


@given(st.text(min_size=1, max_size=60))
def test_any_text_gives_blocks_that_can_be_or_none(text):
    octets = text.encode()[:247].decode(errors="ignore")
    for block in told(("Alc-Nat-Port-Range", octets)):
        assert 0 <= block.port_from <= block.port_to <= 65535
