"""A line's rate: octets go through it no faster than it lets them."""

import asyncio
import time

import msgspec

_BURST_SECONDS = 0.005


class Rates(msgspec.Struct, frozen=True):
    """Of a line, bit/s; None for whatever the machine gives."""

    down_bps: int | None = None
    up_bps: int | None = None


class Bucket:
    """Lets octets through at a rate, whoever shares it.

    Args:
        bps: bit/s; None for all at once.
    """

    def __init__(self, bps: int | None) -> None:
        self._seconds_per_octet = 0.0 if bps is None else 8 / bps
        self._free_at = 0.0

    async def take(self, octets: int) -> None:
        """Wait until so many octets are through."""
        if not self._seconds_per_octet:
            return
        now = time.monotonic()
        self._free_at = max(self._free_at, now - _BURST_SECONDS) + octets * self._seconds_per_octet
        if self._free_at > now:
            await asyncio.sleep(self._free_at - now)


__all__ = ["Bucket", "Rates"]
