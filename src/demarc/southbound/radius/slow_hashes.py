"""Checks of hashes that are slow on purpose, off the loop, each once in some minutes."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import structlog

from demarc.platform.clock import Monotonic
from demarc.platform.secrets.crypted import Unsupported, verify_crypt
from demarc.platform.secrets.verified import VerifiedMemory

_log = structlog.get_logger(__name__)

_THREADS = 2
_REMEMBERED = 20_000
_MOST_WAITING = 500


class SlowHashes:
    """Checks passwords against crypt(3) hashes.

    A pair that was right is remembered for five minutes, not the password but a keyed HMAC, so
    that a subscriber who reconnects costs nothing. The hash is part of it: when the password is
    changed, what was remembered fits no more.

    Args:
        clock: monotonic seconds.
    """

    def __init__(self, clock: Monotonic) -> None:
        self._remembered = VerifiedMemory(size=_REMEMBERED, clock=clock)
        self._pool = ThreadPoolExecutor(_THREADS, "demarc-crypt")
        self._under_way: set[asyncio.Future[bool | None]] = set()

    def check(
        self, credential_id: UUID, stored: bytes, given: bytes, done: Callable[[bool | None], None]
    ) -> bool:
        """Check a password, and call ``done`` with whether it is right: now or later.

        It is called with None where that cannot be told: nothing here knows such a hash.

        Returns:
            False when too many wait already; ``done`` is not called then.
        """
        text, typed = stored.decode(errors="replace"), given.decode("latin-1")
        if self._remembered.find(text, "", typed) == credential_id:
            done(True)
            return True
        if len(self._under_way) >= _MOST_WAITING:
            return False
        epoch = self._remembered.epoch

        def checked(work: "asyncio.Future[bool | None]") -> None:
            self._under_way.discard(work)
            if work.cancelled():
                return
            right = work.result()
            if right:
                self._remembered.remember(text, "", typed, credential_id, epoch=epoch)
            done(right)

        loop = asyncio.get_running_loop()
        work = loop.run_in_executor(self._pool, _verify, text, given)
        self._under_way.add(work)
        work.add_done_callback(checked)
        return True

    async def settle(self) -> None:
        """Wait until all that was taken is checked and told."""
        while self._under_way:
            await asyncio.wait(list(self._under_way))

    def close(self) -> None:
        """Take no more."""
        self._pool.shutdown(wait=False, cancel_futures=True)


def _verify(stored: str, given: bytes) -> bool | None:
    try:
        return verify_crypt(stored, given)
    except Unsupported as reason:
        _log.warning("a password cannot be checked", reason=str(reason))
        return None


__all__ = ["SlowHashes"]
