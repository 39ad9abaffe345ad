"""Says the same thing seldom.

What can happen thousands of times a second (a packet from an unknown NAS, a database that is
away) is worth a line, then one a minute that tells how often it happened since:

    if (repeats := REPEATS.due("unknown client", address)) is not None:
        log.warning("packet of an unknown client", address=address, repeats=repeats)
"""

import time
from collections import OrderedDict
from collections.abc import Hashable

from demarc.platform.clock import Monotonic


class Repeats:
    """Remembers what was said when, and how often it was kept back since."""

    def __init__(
        self, seconds: float = 60.0, *, size: int = 1000, clock: Monotonic = time.monotonic
    ) -> None:
        """Make one that has said nothing.

        Args:
            seconds: between two lines about the same.
            size: different things remembered; beyond, the one said longest ago is forgotten.
            clock: seconds that never run backwards.
        """
        self._seconds = seconds
        self._size = size
        self._clock = clock
        self._said: OrderedDict[tuple[Hashable, ...], tuple[float, int]] = OrderedDict()

    def due(self, *about: Hashable) -> int | None:
        """Tell whether to say something.

        Args:
            *about: what makes two occasions the same.

        Returns:
            None if not; else how often it was kept back since it was said last.
        """
        at = self._clock()
        said, kept = self._said.get(about, (None, 0))
        if said is not None and at < said + self._seconds:
            self._said[about] = (said, kept + 1)
            return None
        self._said[about] = (at, 0)
        self._said.move_to_end(about)
        if len(self._said) > self._size:
            self._said.popitem(last=False)
        return kept


REPEATS = Repeats()
"""Those of this process."""

__all__ = ["REPEATS", "Repeats"]
