"""What a household carries: octets up and down, within its rate, the same for the same seed."""

from __future__ import annotations

import math
from random import Random
from typing import Final, Protocol

import msgspec

_LINE_BPS: Final = 1_000_000_000
_BACKGROUND_BPS: Final = 4_000
_CHANGE_SECONDS: Final = 60.0
_DOWN_PACKET: Final = 1_100
_UP_PACKET: Final = 180


class Limits(msgspec.Struct, frozen=True):
    """A subscriber's rates in bit/s; None: only the line limits it."""

    up_bps: int | None = None
    down_bps: int | None = None


class Carried(msgspec.Struct, frozen=True):
    """What went over a session in a span of time: octets and packets, up from the subscriber."""

    up_octets: int
    down_octets: int
    up_packets: int
    down_packets: int


class Demand(Protocol):
    """Where a session's traffic comes from."""

    def carry(self, seconds: float, limits: Limits) -> Carried:
        """The traffic of the next span, never more than the limits let through in it."""
        ...


class Household:
    """Demand that comes and goes, mostly down, mostly little, now and then all there is.

    Args:
        seed: the same seed and the same spans give the same traffic.
    """

    def __init__(self, seed: int | str) -> None:
        self._rng = Random(f"{seed}/traffic")
        self._level = self._wish()

    def carry(self, seconds: float, limits: Limits) -> Carried:
        """The traffic of the next span; there is always some."""
        if seconds <= 0:
            return Carried(0, 0, 0, 0)
        nearer = 1 - math.exp(-seconds / _CHANGE_SECONDS)
        self._level += (self._wish() - self._level) * nearer
        down = _octets(self._level, limits.down_bps, seconds)
        up = _octets(self._level * self._rng.uniform(0.05, 0.3), limits.up_bps, seconds)
        return Carried(up, down, _packets(up, _UP_PACKET), _packets(down, _DOWN_PACKET))

    def _wish(self) -> float:
        return self._rng.betavariate(0.6, 3.0)


def _octets(level: float, limit_bps: int | None, seconds: float) -> int:
    limit = _LINE_BPS if limit_bps is None else limit_bps
    return int(max(level * limit, min(_BACKGROUND_BPS, limit)) * seconds / 8)


def _packets(octets: int, size: int) -> int:
    return -(-octets // size)
