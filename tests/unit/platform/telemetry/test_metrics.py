import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demarc.platform.telemetry.catalogue import CATALOGUE
from demarc.platform.telemetry.exposition import expose
from demarc.platform.telemetry.metrics import (
    SECONDS,
    Distribution,
    Histogram,
    Metrics,
    Reading,
    Value,
)
from support.prometheus import parse


@given(values=st.lists(st.floats(0, 100), max_size=50))
def test_a_distribution_counts_every_value_once(values):
    histogram = Histogram()
    for value in values:
        histogram.observe(value)
    counts, total = histogram.read()
    assert sum(counts) == len(values)
    assert math.isclose(total, sum(values), abs_tol=1e-9)
    for at, bound in enumerate(SECONDS):
        assert sum(counts[: at + 1]) == sum(value <= bound for value in values)


def test_a_function_is_asked_each_time_until_it_is_no_longer():
    metrics = Metrics()
    seen = [1.0, 2.0]
    end = metrics.ask("olts", lambda: seen.pop(0))
    assert metrics.read().values[-1] == Value("olts", (), 1.0)
    assert metrics.read().values[-1] == Value("olts", (), 2.0)
    end()
    assert "olts" not in {value.name for value in metrics.read().values}


def test_one_function_may_tell_several_values():
    metrics = Metrics()
    metrics.ask("jobs_waiting", lambda: {"upkeep": 1, "events": 2}, by="queue", node="a")
    told = [value for value in metrics.read().values if value.name == "jobs_waiting"]
    assert [(value.labels, value.value) for value in told] == [
        ((("node", "a"), ("queue", "upkeep")), 1),
        ((("node", "a"), ("queue", "events")), 2),
    ]


def test_a_function_that_fails_keeps_nothing_else_from_being_told():
    metrics = Metrics()
    metrics.ask("olts", lambda: 1 / 0)
    metrics.ask("olts_failing", lambda: 3.0)
    assert Value("olts_failing", (), 3.0) in metrics.read().values


def test_what_is_read_comes_whole_to_another_process():
    metrics = Metrics()
    metrics.histogram("job_seconds", task="a").observe(0.2)
    metrics.ask("olts", lambda: 2)
    reading = metrics.read()
    assert Reading.decode(reading.encode()) == reading


TEXT = st.text(st.characters(codec="utf-8"), max_size=12)


@given(
    labels=st.lists(TEXT, min_size=1, max_size=3),
    value=st.floats(allow_nan=False),
    times=st.lists(st.floats(0, 60), max_size=8),
)
def test_whatever_the_labels_are_the_exposition_says_them(labels, value, times):
    histogram = Histogram()
    for seconds in times:
        histogram.observe(seconds)
    told = [Value("radius_dropped_total", (("reason", label),), value) for label in set(labels)]
    took = Distribution("job_seconds", (("task", "x"),), histogram.bounds, *histogram.read())
    families = parse(expose([("radius", Reading(told, [took])), ("web", Reading([], [took]))]))
    dropped = families["demarc_radius_dropped_total"]
    assert dropped.kind == "counter"
    assert {sample.labels["reason"] for sample in dropped.samples} == set(labels)
    assert {sample.value for sample in dropped.samples} == {value}
    for process in ("radius", "web"):
        buckets = [
            sample
            for sample in families["demarc_job_seconds"].samples
            if sample.labels["process"] == process and sample.name.endswith("_bucket")
        ]
        assert [sample.value for sample in buckets] == sorted(sample.value for sample in buckets)
        assert buckets[-1].labels["le"] == "+Inf"
        assert buckets[-1].value == len(times)


def test_what_nobody_described_is_told_all_the_same():
    families = parse(
        expose([("web", Reading([Value("new_total", (), 1), Value("new", (), 2)], []))])
    )
    assert families["demarc_new_total"].kind == "counter"
    assert families["demarc_new"].kind == "gauge"


@pytest.mark.parametrize("metric", CATALOGUE, ids=lambda metric: metric.name)
def test_names_are_as_prometheus_wants_them(metric):
    assert metric.name.endswith("_total") == (metric.kind == "counter")
    assert metric.help.endswith(".")
    assert list(metric.labels) == sorted(metric.labels)
    assert "process" not in metric.labels


def test_every_metric_is_described_once():
    names = [metric.name for metric in CATALOGUE]
    assert len(names) == len(set(names))
