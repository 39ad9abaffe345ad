from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demarc.platform.telemetry import counters
from demarc.platform.telemetry.counters import Count, Counters


def test_what_is_counted_is_in_the_snapshot_in_order():
    counts = Counters()
    counts.count("radius_dropped", reason="unknown_client")
    counts.count("radius_dropped", reason="malformed")
    counts.count("radius_dropped", reason="malformed")
    counts.count("accounting_octets", 1500)
    assert counts.snapshot() == [
        Count("accounting_octets", (), 1500),
        Count("radius_dropped", (("reason", "malformed"),), 2),
        Count("radius_dropped", (("reason", "unknown_client"),), 1),
    ]


def test_the_order_of_labels_does_not_matter():
    counts = Counters()
    counts.count("x", a="1", b="2")
    counts.count("x", b="2", a="1")
    assert counts.value("x", a="1", b="2") == 2


def test_what_was_never_counted_is_zero():
    assert Counters().value("x", reason="y") == 0


@given(labels=st.lists(st.text(max_size=5), max_size=50))
def test_a_label_from_the_network_fills_no_memory_and_loses_no_count(labels):
    counts = Counters(most_series=4)
    for label in labels:
        counts.count("x", user=label)
    found = counts.snapshot()
    assert len(found) <= 5
    assert sum(count.value for count in found) == len(labels)


def test_threads_lose_no_count():
    counts = Counters()

    def many(_number):
        for _ in range(5000):
            counts.count("x", reason="y")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(many, range(4)))
    assert counts.value("x", reason="y") == 20_000


def test_a_counter_only_grows():
    with pytest.raises(ValueError, match="only grows"):
        Counters().count("x", -1)


@pytest.mark.parametrize("name", ["", "X", "radius dropped", "9lives", "a-b"])
def test_names_are_fit_for_metrics(name):
    with pytest.raises(ValueError, match="cannot name a counter"):
        Counters().count(name)


def test_a_process_has_its_own_counters():
    before = counters.COUNTERS.value("test_process")
    counters.count("test_process")
    assert Count("test_process", (), before + 1) in counters.snapshot()
