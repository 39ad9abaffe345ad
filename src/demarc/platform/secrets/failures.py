"""Limits on failed log-ins, by account and by address.

Each is a sliding window: so many failures within so many seconds, then nothing until the oldest
of them has left the window. Both are in the memory of one process.
"""

import hashlib
import ipaddress
import math
import time
import unicodedata
from collections import OrderedDict, deque

import msgspec

from demarc.platform.clock import Monotonic


class Limit(msgspec.Struct, frozen=True):
    """How many failures are allowed.

    Attributes:
        failures: within the window.
        seconds: the window's length.
    """

    failures: int
    seconds: float


PER_ACCOUNT = Limit(10, 900.0)
"""A person mistypes; a program guesses."""

PER_ADDRESS = Limit(50, 900.0)
"""More than per account, since many people share an address behind a NAT."""


class FailureLimiter:
    """Tells whether a log-in may be tried.

    Ask `retry_after` before verifying, report `failed` or `succeeded` afterwards. What runs at the
    same time may exceed the limit by as many as the password pool lets in. A credential that
    `VerifiedMemory` still knows need not be asked about, so that somebody guessing an account's
    password does not stop a client that holds the right one.
    """

    def __init__(
        self,
        *,
        per_account: Limit = PER_ACCOUNT,
        per_address: Limit = PER_ADDRESS,
        size: int = 20_000,
        clock: Monotonic = time.monotonic,
    ) -> None:
        """Make a limiter that knows of no failure.

        Args:
            per_account: limit for one account, wherever from.
            per_address: limit for one address, whatever account.
            size: accounts, and addresses, remembered; beyond, the one that failed least recently
                is forgotten.
            clock: seconds that never run backwards.
        """
        self._clock = clock
        self._accounts = _Windows(per_account, size)
        self._addresses = _Windows(per_address, size)

    def retry_after(self, account: str, address: str) -> int:
        """Give the seconds to wait before trying, rounded up; 0 if it may be tried now.

        Args:
            account: the name as presented; upper and lower case are one account.
            address: the client's IP address. Addresses of one IPv6 /64 are one.
        """
        at = self._clock()
        wait = max(
            self._accounts.wait(_account(account), at), self._addresses.wait(_address(address), at)
        )
        return math.ceil(wait)

    def failed(self, account: str, address: str) -> None:
        """Count a failure."""
        at = self._clock()
        self._accounts.add(_account(account), at)
        self._addresses.add(_address(address), at)

    def succeeded(self, account: str) -> None:
        """Forget an account's failures.

        Those of the address stay: otherwise one good account would let its owner guess at others.
        """
        self._accounts.forget(_account(account))


class _Windows:
    """Times of the last failures by key, never more than count."""

    def __init__(self, limit: Limit, size: int) -> None:
        self._limit = limit
        self._size = size
        self._times: OrderedDict[bytes, deque[float]] = OrderedDict()

    def wait(self, key: bytes, at: float) -> float:
        times = self._times.get(key)
        if times is None or len(times) < self._limit.failures:
            return 0.0
        return max(0.0, times[0] + self._limit.seconds - at)

    def add(self, key: bytes, at: float) -> None:
        times = self._times.get(key)
        if times is None:
            times = self._times[key] = deque(maxlen=self._limit.failures)
        times.append(at)
        self._times.move_to_end(key)
        # what has left the window is no use, and is first in order
        oldest = next(iter(self._times))
        if self._times[oldest][-1] + self._limit.seconds <= at or len(self._times) > self._size:
            del self._times[oldest]

    def forget(self, key: bytes) -> None:
        self._times.pop(key, None)


def _account(name: str) -> bytes:
    # hashed, so that long names take no more room than short ones
    folded = unicodedata.normalize("NFKC", name).strip().casefold()
    return hashlib.blake2b(folded.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _address(text: str) -> bytes:
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        # a Unix socket, a test client: all of those are one
        return b""
    if address.version == 4:  # noqa: PLR2004 - the version
        return address.packed
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped.packed
    return address.packed[:8]


__all__ = ["PER_ACCOUNT", "PER_ADDRESS", "FailureLimiter", "Limit"]
