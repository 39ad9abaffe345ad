import pytest
from hypothesis import given
from hypothesis import strategies as st

from demarc.lab.nas.traffic import Carried, Household, Limits

SPANS = st.lists(st.floats(0.001, 86_400), min_size=1, max_size=20)
RATE = st.none() | st.integers(8_000, 10_000_000_000)


@given(seed=st.integers(), spans=SPANS, up=RATE, down=RATE)
def test_never_more_than_the_limits_let_through(
    seed: int, spans: list[float], up: int | None, down: int | None
) -> None:
    household = Household(seed)
    for seconds in spans:
        carried = household.carry(seconds, Limits(up, down))
        assert carried.up_octets <= (up or 1_000_000_000) * seconds / 8
        assert carried.down_octets <= (down or 1_000_000_000) * seconds / 8
        assert carried.down_octets <= carried.down_packets * 1500
        assert carried.up_octets <= carried.up_packets * 1500


@given(seed=st.integers(), spans=SPANS)
def test_the_same_seed_is_the_same_traffic(seed: int, spans: list[float]) -> None:
    limits = Limits(50_000_000, 100_000_000)
    one, other = Household(seed), Household(seed)
    assert [one.carry(each, limits) for each in spans] == [
        other.carry(each, limits) for each in spans
    ]


def test_another_seed_is_other_traffic() -> None:
    limits = Limits(50_000_000, 100_000_000)
    assert Household(1).carry(60, limits) != Household(2).carry(60, limits)


def test_there_is_always_some() -> None:
    household = Household(5)
    for _ in range(500):
        carried = household.carry(10, Limits(1_000_000, 1_000_000))
        assert min(carried.up_octets, carried.down_octets) > 0


@pytest.mark.parametrize("seconds", [0, -5])
def test_nothing_in_no_time(seconds: float) -> None:
    assert Household(1).carry(seconds, Limits()) == Carried(0, 0, 0, 0)


def test_a_household_mostly_downloads() -> None:
    household = Household(11)
    days = [household.carry(3600, Limits(100_000_000, 100_000_000)) for _ in range(24)]
    assert sum(each.down_octets for each in days) > 2 * sum(each.up_octets for each in days)
