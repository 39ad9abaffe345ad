"""Requests that come again, and the replies they get again (RFC 5080, 2.2.2)."""

from collections import deque
from typing import Any

Key = tuple[Any, int]
"""Source address and port as the socket gives them, Identifier."""


class Slot:
    """A request that was taken: under way until it has its reply."""

    __slots__ = ("authenticator", "reply", "until")

    def __init__(self, authenticator: bytes, until: float) -> None:
        self.authenticator = authenticator
        self.until = until
        self.reply: bytes | None = None


class Duplicates:
    """The requests of one socket, for as long as they may come again.

    Only requests that were verified are put in, so that a forger can neither fill it nor put a
    reply out of it.

    Args:
        age: seconds a request is remembered.
        size: requests remembered at most; the oldest go first.
    """

    def __init__(self, age: float, size: int) -> None:
        self._age = age
        self._size = size
        self._slots: dict[Key, Slot] = {}
        self._order: deque[tuple[Key, Slot]] = deque()

    def find(self, key: Key, authenticator: bytes, now: float) -> Slot | None:
        """Give the request that this one repeats, None if it is a new one.

        Another Request Authenticator under the same Identifier makes it a new one.
        """
        slot = self._slots.get(key)
        if slot is None or slot.authenticator != authenticator or slot.until <= now:
            return None
        return slot

    def open(self, key: Key, authenticator: bytes, now: float) -> Slot:
        """Remember a new request."""
        order = self._order
        while order and (order[0][1].until <= now or len(order) >= self._size):
            self._forget(*order.popleft())
        slot = Slot(authenticator, now + self._age)
        self._slots[key] = slot
        order.append((key, slot))
        return slot

    def discard(self, key: Key, slot: Slot) -> None:
        """Forget a request that gets no reply now, so that it may be tried again."""
        self._forget(key, slot)

    def _forget(self, key: Key, slot: Slot) -> None:
        if self._slots.get(key) is slot:
            del self._slots[key]

    def __len__(self) -> int:
        return len(self._slots)


__all__ = ["Duplicates", "Key", "Slot"]
