from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demarc.apply.values import Address, Hidden, Prefix, Prefix4, Speed, read


@pytest.mark.parametrize(
    ("written", "bps"),
    [
        ("100M", 100_000_000),
        ("2.5G", 2_500_000_000),
        ("512k", 512_000),
        ("1 Gbps", 1_000_000_000),
        ("10mbps", 10_000_000),
        ("64000", 64_000),
        (64_000, 64_000),
        ("1.5k", 1500),
    ],
)
def test_a_speed_is_bit_per_second(written, bps):
    assert Speed.read(written) == bps


@pytest.mark.parametrize(
    "written",
    [
        "",
        "fast",
        "100 MB",
        "-5M",
        "0",
        0,
        -1,
        True,
        1.5,
        None,
        "1.0005k",
        "1e9",
        "9999999T",
        "\u0661M",
    ],
)
def test_what_is_no_speed_is_refused(written):
    with pytest.raises(ValueError, match=r"speed|bit/s"):
        Speed.read(written)


@given(st.integers(min_value=1, max_value=10**15))
def test_a_number_of_bits_round_trips(bps):
    assert Speed.read(bps) == Speed.read(str(bps) if bps < 10**9 else bps) == bps


@given(st.text())
def test_no_text_breaks_a_value(text):
    for kind in (Speed, Address, Prefix, Prefix4, Hidden):
        with suppress(ValueError):
            assert isinstance(read(kind, text), kind)


def test_a_secret_is_never_shown():
    secret = Hidden.read("testing-secret")
    assert "testing" not in repr(secret)
    assert "testing" not in repr([secret])
    assert str(secret) == "testing-secret"


def test_an_address_alone_is_a_prefix():
    assert Address.read("192.0.2.7").alone == "192.0.2.7/32"
    assert Address.read("2001:DB8:0::1").alone == "2001:db8::1/128"


def test_a_prefix_with_an_address_in_it_is_told_how_to_write_it():
    with pytest.raises(ValueError, match=r"write 192\.0\.2\.0/24"):
        Prefix.read("192.0.2.1/24")


def test_pools_are_of_ipv4():
    with pytest.raises(ValueError, match="IPv4"):
        Prefix4.read("2001:db8::/32")
