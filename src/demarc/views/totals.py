"""How many rows a list has in all.

Counting a short list costs next to nothing and is done for every call. A long one's total is
remembered for a short while: exact it is out of date before it has been read.
"""

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable

from demarc.platform.clock import Monotonic


class Totals:
    """Totals of long lists, each remembered for a while; one a process.

    Args:
        clock: seconds that only grow.
        longer_than: shorter lists are counted anew every time.
        max_age: seconds a total is good for.
        keep: totals remembered at most.
    """

    def __init__(
        self,
        clock: Monotonic,
        *,
        longer_than: int = 10_000,
        max_age: float = 30.0,
        keep: int = 1024,
    ) -> None:
        self._clock = clock
        self._longer_than = longer_than
        self._max_age = max_age
        self._keep = keep
        self._known: OrderedDict[Hashable, tuple[int, float]] = OrderedDict()

    async def get(self, key: Hashable, count: Callable[[], Awaitable[int]]) -> int:
        """Give a list's total: remembered, or counted now.

        Args:
            key: which list, for whom, with which filters.
            count: counts it.
        """
        now = self._clock()
        known = self._known.get(key)
        if known is not None and now - known[1] < self._max_age:
            return known[0]
        total = await count()
        if total > self._longer_than:
            self._known[key] = (total, now)
            self._known.move_to_end(key)
            if len(self._known) > self._keep:
                self._known.popitem(last=False)
        else:
            self._known.pop(key, None)
        return total
