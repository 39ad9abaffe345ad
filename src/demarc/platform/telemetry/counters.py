"""Named counters with labels, in the memory of one process.

    count("radius_dropped", reason="unknown_client")

They only grow, and start at 0 with the process.
"""

import re
from threading import Lock

import msgspec

_NAME = re.compile(r"[a-z][a-z0-9_]*")

Labels = tuple[tuple[str, str], ...]
"""(label, value), in the order of the labels' names."""

OTHER = "other"
"""The value of the labels of all series beyond the most a name may have."""


class Count(msgspec.Struct, frozen=True, order=True):
    """A counter as it stood.

    Attributes:
        name: what is counted.
        labels: (label, value), in the order of the labels' names.
        value: how many, or how much.
    """

    name: str
    labels: Labels
    value: int


class Counters:
    """Counters by name and labels; safe to use from threads."""

    def __init__(self, *, most_series: int = 500) -> None:
        """Make a set without counters.

        Args:
            most_series: different labels one name may have. Beyond, everything is counted under
                "other", so that a label taken from the network cannot fill the memory.
        """
        self._most = most_series
        self._lock = Lock()
        self._series: dict[str, dict[Labels, int]] = {}

    def count(self, name: str, amount: int = 1, /, **labels: str) -> None:
        """Add to a counter, which begins at 0.

        Args:
            name: what is counted: lower case, digits and underscores.
            amount: how much; not negative.
            **labels: which of them, few values each.

        Raises:
            ValueError: the name cannot be one, or the amount is negative.
        """
        if amount < 0:
            raise ValueError("a counter only grows")
        # sorting costs as much as all the rest
        key = tuple(sorted(labels.items())) if len(labels) > 1 else tuple(labels.items())
        with self._lock:
            series = self._series.get(name)
            if series is None:
                if not _NAME.fullmatch(name):
                    raise ValueError(f"{name!r} cannot name a counter")
                series = self._series[name] = {}
            value = series.get(key)
            if value is None:
                value = 0
                if len(series) >= self._most:
                    key = tuple((label, OTHER) for label, _ in key)
                    value = series.get(key, 0)
            series[key] = value + amount

    def snapshot(self) -> list[Count]:
        """Give all counters as they stand, in order of name and labels."""
        with self._lock:
            return sorted(
                Count(name, labels, value)
                for name, series in self._series.items()
                for labels, value in series.items()
            )

    def value(self, name: str, /, **labels: str) -> int:
        """Give one counter, 0 if nothing was counted."""
        with self._lock:
            return self._series.get(name, {}).get(tuple(sorted(labels.items())), 0)


COUNTERS = Counters()
"""Those of this process."""

count = COUNTERS.count
"""Add to a counter of this process; see `Counters.count`."""


def snapshot() -> list[Count]:
    """Give the counters of this process."""
    return COUNTERS.snapshot()


__all__ = ["COUNTERS", "OTHER", "Count", "Counters", "Labels", "count", "snapshot"]
