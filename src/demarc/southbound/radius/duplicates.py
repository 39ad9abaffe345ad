"""Requests that come again, and the replies they get again (RFC 5080, 2.2.2)."""

from collections import OrderedDict
from typing import Any

Key = tuple[Any, int]
"""Source address and port, with the address they asked where it may be several; Identifier."""


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
    reply out of it. A source has one for each Identifier: a new one takes the old one's place.

    Args:
        age: seconds a request is remembered.
        size: requests remembered at most; the oldest go first.
    """

    def __init__(self, age: float, size: int) -> None:
        self._age = age
        self._size = size
        # the oldest first
        self._slots: OrderedDict[Key, Slot] = OrderedDict()

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
        slots = self._slots
        slots.pop(key, None)
        while slots:
            oldest = next(iter(slots))
            if len(slots) < self._size and slots[oldest].until > now:
                break
            del slots[oldest]
        slot = slots[key] = Slot(authenticator, now + self._age)
        return slot

    def discard(self, key: Key, slot: Slot) -> None:
        """Forget a request that gets no reply now, so that it may be tried again."""
        if self._slots.get(key) is slot:
            del self._slots[key]

    def __len__(self) -> int:
        return len(self._slots)


__all__ = ["Duplicates", "Key", "Slot"]
