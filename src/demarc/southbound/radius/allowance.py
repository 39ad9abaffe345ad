"""How often something may be done for each of many, so that none of them fills the disk."""

from uuid import UUID

_HOUR = 3600.0


class Allowance:
    """A number of times an hour for each key, refilled steadily.

    Args:
        hourly: times an hour, and at once.
    """

    def __init__(self, hourly: int) -> None:
        self._hourly = hourly
        self._left: dict[UUID, tuple[float, float]] = {}

    def take(self, key: UUID, now: float) -> bool:
        """Take one; False when there is none left now."""
        left, since = self._left.get(key, (float(self._hourly), now))
        left = min(float(self._hourly), left + (now - since) * self._hourly / _HOUR)
        if left < 1:
            self._left[key] = (left, now)
            return False
        self._left[key] = (left - 1, now)
        return True


__all__ = ["Allowance"]
