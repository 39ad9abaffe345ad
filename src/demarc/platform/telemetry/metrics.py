"""What a process can be asked about itself: its counters, distributions, and values of the moment.

Counters are counted where things happen (`counters`). Distributions are observed likewise, by
whoever holds one. Values of the moment are not kept at all: a function gives them when asked.
"""

from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence

import msgspec

from demarc.platform.telemetry.counters import Labels, count, snapshot

SECONDS = (
    *(0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05),
    *(0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0),
)
"""Upper bounds of the buckets of a distribution of times."""


class Histogram:
    """How often a value fell between which bounds.

    Made for the thread of an event loop: observing takes no lock, and about a fifth of a
    microsecond.

    Args:
        bounds: upper bounds of the buckets, ascending; the last bucket has none.
    """

    __slots__ = ("_counts", "_sum", "bounds")

    def __init__(self, bounds: Sequence[float] = SECONDS) -> None:
        self.bounds = tuple(bounds)
        self._counts = [0] * (len(self.bounds) + 1)
        self._sum = 0.0

    def observe(self, value: float) -> None:
        """Take a value into account."""
        self._counts[bisect_left(self.bounds, value)] += 1
        self._sum += value

    def read(self) -> tuple[list[int], float]:
        """Give how many fell into each bucket alone, and the sum of all values."""
        return list(self._counts), self._sum


class Value(msgspec.Struct, frozen=True, array_like=True):
    """A number that somebody gave when asked, or a counter.

    Attributes:
        name: as Prometheus has it, but for the product's own beginning.
        labels: (label, value), in the order of the labels' names.
    """

    name: str
    labels: Labels
    value: float


class Distribution(msgspec.Struct, frozen=True, array_like=True):
    """A histogram as it stood; see `Histogram.read`."""

    name: str
    labels: Labels
    bounds: tuple[float, ...]
    counts: list[int]
    sum: float


class Reading(msgspec.Struct, frozen=True, array_like=True):
    """Everything a process had to tell at one moment."""

    values: list[Value]
    distributions: list[Distribution]

    def encode(self) -> bytes:
        """Give it as octets, for another process."""
        return msgspec.msgpack.encode(self)

    @classmethod
    def decode(cls, octets: bytes) -> "Reading":
        """Read what `encode` gave.

        Raises:
            msgspec.DecodeError: it is something else.
        """
        return msgspec.msgpack.decode(octets, type=cls)


Ask = Callable[[], float | Mapping[str, float]]


class Metrics:
    """What one process tells beside its counters."""

    def __init__(self) -> None:
        self._histograms: dict[tuple[str, Labels], Histogram] = {}
        self._asked: dict[tuple[str, Labels, str], Ask] = {}

    def histogram(self, name: str, /, **labels: str) -> Histogram:
        """Give the distribution of a name and labels, the same each time; hold on to it."""
        key = name, tuple(sorted(labels.items()))
        found = self._histograms.get(key)
        if found is None:
            found = self._histograms[key] = Histogram()
        return found

    def ask(self, name: str, give: Ask, /, by: str = "", **labels: str) -> Callable[[], None]:
        """Have a function asked for a value whenever somebody reads.

        Args:
            name: what is asked for.
            give: gives it, at once; or several by the value of a further label.
            by: that label's name.
            **labels: which of them.

        Returns:
            Ends it.
        """
        key = name, tuple(sorted(labels.items())), by
        self._asked[key] = give

        def end() -> None:
            if self._asked.get(key) is give:
                del self._asked[key]

        return end

    def read(self) -> Reading:
        """Give everything as it stands, the counters of this process too."""
        values = [Value(f"{one.name}_total", one.labels, one.value) for one in snapshot()]
        for (name, labels, by), give in list(self._asked.items()):
            try:
                given = give()
            except Exception:  # noqa: BLE001 - counted; the others are told all the same
                count("metrics_failed", name=name)
                continue
            if isinstance(given, Mapping):
                values += [
                    Value(name, tuple(sorted({**dict(labels), by: key}.items())), value)
                    for key, value in given.items()
                ]
            else:
                values.append(Value(name, labels, given))
        return Reading(
            values,
            [
                Distribution(name, labels, each.bounds, *each.read())
                for (name, labels), each in self._histograms.items()
            ],
        )


METRICS = Metrics()
"""Those of this process."""

histogram = METRICS.histogram
"""Give a distribution of this process; see `Metrics.histogram`."""

ask = METRICS.ask
"""Have a function of this process asked; see `Metrics.ask`."""

__all__ = [
    "METRICS",
    "SECONDS",
    "Distribution",
    "Histogram",
    "Metrics",
    "Reading",
    "Value",
    "ask",
    "histogram",
]
