"""People's passwords: argon2id (RFC 9106), computed in few threads with a short queue.

One verification costs tens of milliseconds and 19 MiB, on purpose. That must neither stop the
event loop nor let a flood of log-ins take the machine, so a pool has a fixed number of threads
and refuses work beyond its queue.
"""

import asyncio
import unicodedata
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock
from typing import Final, TypeVar

import msgspec
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

Result = TypeVar("Result")

HASHER: Final = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
"""argon2id with OWASP's parameters: 19 MiB, two passes, one lane."""

LONGEST: Final = 1024
"""Octets of UTF-8 a password may have; beyond, it is refused unread."""


class Overloaded(Exception):
    """The queue is full; the same may be tried again later.

    Attributes:
        retry_after: seconds after which it is worth trying.
    """

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"too many passwords are being verified, try again in {retry_after} s")
        self.retry_after = retry_after


class Verdict(msgspec.Struct, frozen=True):
    """What came of a verification.

    Attributes:
        ok: the password is the right one.
        new_hash: to be stored in the old one's place, since that was made with parameters no
            longer in use; None where there is nothing to store.
    """

    ok: bool
    new_hash: str | None = None

    def __bool__(self) -> bool:
        return self.ok


class PasswordPool:
    """Hashes and verifies passwords in threads of its own."""

    def __init__(
        self, workers: int = 2, max_waiting: int = 64, *, hasher: PasswordHasher = HASHER
    ) -> None:
        """Make a pool; its threads start when there is work.

        Args:
            workers: verifications at the same time.
            max_waiting: verifications that may wait for one of them.
            hasher: argon2's parameters for new hashes.
        """
        self._hasher = hasher
        self._room = workers + max_waiting
        self._taken = 0
        self._lock = Lock()
        self._executor = ThreadPoolExecutor(workers, thread_name_prefix="passwords")

    async def hash(self, password: str) -> str:
        """Give the hash to store for a password, in argon2's own format.

        Raises:
            ValueError: the password is longer than 1024 octets.
            Overloaded: the queue is full.
        """
        octets = _octets(password)
        if octets is None:
            raise ValueError(f"a password may have {LONGEST} octets")
        return await self._run(lambda: self._hasher.hash(octets))

    async def verify(self, stored: str | None, password: str) -> Verdict:
        """Compare a password with a stored hash.

        Args:
            stored: the hash; None where the account does not exist. That takes as long as a wrong
                password, so that the time tells nobody which accounts exist.
            password: as it was presented.

        Raises:
            Overloaded: the queue is full.
        """
        octets = _octets(password)
        if octets is None:
            return Verdict(ok=False)
        return await self._run(lambda: self._verify(stored, octets))

    async def close(self) -> None:
        """Let the verifications under way finish and drop those that wait."""
        await asyncio.to_thread(self._executor.shutdown, cancel_futures=True)

    def _verify(self, stored: str | None, octets: bytes) -> Verdict:
        if stored is None:
            self._hasher.hash(octets)  # costs what a verification costs
            return Verdict(ok=False)
        if not self._matches(stored, octets):
            return Verdict(ok=False)
        if self._hasher.check_needs_rehash(stored):
            return Verdict(ok=True, new_hash=self._hasher.hash(octets))
        return Verdict(ok=True)

    def _matches(self, stored: str, octets: bytes) -> bool:
        try:
            return self._hasher.verify(stored, octets)
        except (VerificationError, InvalidHashError):
            return False

    async def _run(self, work: Callable[[], Result]) -> Result:
        with self._lock:
            if self._taken >= self._room:
                raise Overloaded(retry_after=1)
            self._taken += 1
        try:
            future = self._executor.submit(work)
        except BaseException:
            self._leave()
            raise
        # called when the work is done, or when its caller gave up before it began; a caller who
        # gives up later leaves a thread busy, which goes on counting
        future.add_done_callback(self._leave)
        return await asyncio.wrap_future(future)

    def _leave(self, _done: Future[Result] | None = None) -> None:
        with self._lock:
            self._taken -= 1


def _octets(password: str) -> bytes | None:
    """Give the octets that are hashed, None if there are too many.

    The same password typed on different systems may be composed differently; RFC 8265 (OpaqueString)
    settles that by NFC.
    """
    if len(password) > LONGEST:
        return None
    octets = unicodedata.normalize("NFC", password).encode("utf-8", "surrogatepass")
    return octets if len(octets) <= LONGEST else None


__all__ = ["HASHER", "LONGEST", "Overloaded", "PasswordPool", "Verdict"]
