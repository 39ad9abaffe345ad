"""How often a password may be guessed."""

from collections import OrderedDict
from typing import NamedTuple
from uuid import UUID

from demarc.platform.clock import Monotonic

ALLOWED = 30
"""Wrong passwords of one station for one log-in within a minute; then nothing is checked."""

_WINDOW = 60.0
_REMEMBERED = 20_000


class Guess(NamedTuple):
    """Who guesses at what.

    Attributes:
        station: Calling-Station-Id, or the NAS where it gives none.
        secret: hash of the stored secret: a new password is not refused for the old one's guesses.
    """

    credential_id: UUID
    station: str
    secret: int


class Failures:
    """Counts wrong passwords, and says when it has been enough for now.

    Whoever has guessed too often is refused at once: a delay or silence would only have the NAS
    ask again, elsewhere.

    Args:
        clock: monotonic seconds.
    """

    def __init__(self, clock: Monotonic) -> None:
        self._clock = clock
        # the oldest first: how many, and until when they count
        self._counts: OrderedDict[Guess, tuple[int, float]] = OrderedDict()

    def too_many(self, guess: Guess) -> bool:
        """Tell whether a password is not to be checked now."""
        if not self._counts:
            return False
        counted = self._counts.get(guess)
        if counted is None or counted[0] < ALLOWED:
            return False
        if counted[1] <= self._clock():
            del self._counts[guess]
            return False
        return True

    def note(self, guess: Guess) -> None:
        """Count a wrong password."""
        now = self._clock()
        counted, until = self._counts.pop(guess, (0, 0.0))
        if until <= now:
            counted, until = 0, now + _WINDOW
        while len(self._counts) >= _REMEMBERED:
            self._counts.popitem(last=False)
        self._counts[guess] = (counted + 1, until)

    def forget(self, guess: Guess) -> None:
        """Drop the count of who has logged in."""
        if self._counts:
            self._counts.pop(guess, None)

    def __len__(self) -> int:
        return len(self._counts)


__all__ = ["ALLOWED", "Failures", "Guess"]
