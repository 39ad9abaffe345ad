from random import Random
from statistics import fmean, pstdev

import pytest

from demarc.lab.olt.light import Light, Wander


def test_a_wander_returns_to_its_centre_and_keeps_its_spread() -> None:
    wander = Wander(Random(1), centre=-20.0, deviation=0.5, memory=60)
    seen = []
    for _ in range(4000):
        wander.advance(60)
        seen.append(wander.value)
    assert fmean(seen) == pytest.approx(-20, abs=0.05)
    assert pstdev(seen) == pytest.approx(0.5, abs=0.05)


def test_a_short_while_moves_it_a_little() -> None:
    wander = Wander(Random(1), centre=0, deviation=1, memory=3600)
    before = wander.value
    wander.advance(1)
    assert before != wander.value == pytest.approx(before, abs=0.2)


def test_the_same_seed_gives_the_same_light() -> None:
    one, other = (Light(Random("x"), 3000, 4.0) for _ in range(2))
    for light in (one, other):
        light.advance(100)
    assert one.onu_rx_dbm == other.onu_rx_dbm


def test_light_is_what_class_b_plus_allows() -> None:
    for seed in range(200):
        light = Light(Random(seed), 2000, 4.0)
        assert -25 < light.onu_rx_dbm < -11
        assert -27 < light.olt_rx_dbm < -12
        assert 0.5 < light.onu_tx_dbm < 5
        assert 25 < light.temperature_c < 70


def test_each_kilometre_costs_and_upstream_costs_more() -> None:
    near, far = Light(Random(3), 0, 4.0), Light(Random(3), 10_000, 4.0)
    assert near.onu_rx_dbm - far.onu_rx_dbm == pytest.approx(3.5)
    assert near.olt_rx_dbm - far.olt_rx_dbm == pytest.approx(4.0)


def test_a_bend_costs_in_both_directions() -> None:
    light = Light(Random(3), 1000, 4.0)
    down, up = light.onu_rx_dbm, light.olt_rx_dbm
    light.extra_loss_db = 6
    assert light.onu_rx_dbm == pytest.approx(down - 6)
    assert light.olt_rx_dbm == pytest.approx(up - 6)
