"""Readings of several processes in Prometheus' text format, version 0.0.4."""

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate

from demarc.platform.telemetry.catalogue import CATALOGUE, PREFIX, Metric
from demarc.platform.telemetry.counters import Labels
from demarc.platform.telemetry.metrics import Distribution, Reading, Value

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_KNOWN: Mapping[str, Metric] = {metric.name: metric for metric in CATALOGUE}


def expose(readings: Sequence[tuple[str, Reading]]) -> bytes:
    """Write readings down.

    Args:
        readings: each with the name of its process, which becomes the label ``process``.
    """
    families: dict[str, list[tuple[str, Value | Distribution]]] = {}
    for process, reading in readings:
        told: list[Value | Distribution] = [*reading.values, *reading.distributions]
        for one in told:
            families.setdefault(PREFIX + one.name, []).append((process, one))
    lines: list[str] = []
    for name in sorted(families):
        family = families[name]
        metric = _KNOWN.get(name) or _unknown(name, family[0][1])
        lines.append(f"# HELP {name} {_escaped(metric.help)}")
        lines.append(f"# TYPE {name} {metric.kind}")
        for process, one in family:
            labels = (*one.labels, ("process", process))
            if isinstance(one, Value):
                lines.append(f"{name}{_labels(labels)} {_number(one.value)}")
            else:
                lines += _buckets(name, labels, one)
    return "".join(f"{line}\n" for line in lines).encode()


def _buckets(name: str, labels: Labels, one: Distribution) -> Iterable[str]:
    so_far = list(accumulate(one.counts))
    for bound, number in zip((*map(_number, one.bounds), "+Inf"), so_far, strict=True):
        yield f"{name}_bucket{_labels((*labels, ('le', bound)))} {number}"
    yield f"{name}_sum{_labels(labels)} {_number(one.sum)}"
    yield f"{name}_count{_labels(labels)} {so_far[-1]}"


def _unknown(name: str, one: Value | Distribution) -> Metric:
    # shown all the same: what is counted and nobody described is still what happened
    if isinstance(one, Distribution):
        return Metric(name, "histogram", "Not described.")
    return Metric(name, "counter" if name.endswith("_total") else "gauge", "Not described.")


def _labels(labels: Labels) -> str:
    return "{" + ",".join(f'{name}="{_quoted(value)}"' for name, value in labels) + "}"


def _quoted(value: str) -> str:
    return _escaped(value).replace('"', '\\"')


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n")


def _number(value: float) -> str:
    if math.isfinite(value):
        return repr(int(value)) if value == int(value) else repr(float(value))
    return "NaN" if math.isnan(value) else f"{'+' if value > 0 else '-'}Inf"


__all__ = ["CONTENT_TYPE", "expose"]
