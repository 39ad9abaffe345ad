"""The memory of credentials that were verified a moment ago.

Some APIs send a person's name and password with every call. Verifying costs tens of milliseconds
(argon2id), so a pair that was right is remembered for a few minutes: not the password, but a
keyed HMAC of the pair, under a key that lives and dies with the process.
"""

import hmac
import secrets
import time
from collections import OrderedDict
from uuid import UUID

from demarc.platform.clock import Monotonic

LONGEST_SECONDS = 300.0
"""Nothing is remembered for longer."""


class VerifiedMemory:
    """Remembers which (realm, name, password) belong to which account.

    A password may be changed while an old one is still being verified. Therefore take `epoch`
    before reading the stored hash, and give it to `remember`, which does nothing if anything was
    dropped meanwhile:

        epoch = memory.epoch
        verdict = await pool.verify(await stored_hash(name), password)
        if verdict:
            memory.remember("krill", name, password, account, epoch=epoch)
    """

    def __init__(
        self,
        *,
        max_age: float = LONGEST_SECONDS,
        size: int = 10_000,
        clock: Monotonic = time.monotonic,
        key: bytes | None = None,
    ) -> None:
        """Make an empty memory.

        Args:
            max_age: seconds after which a credential must be verified again, counted from its
                verification, however often it is used.
            size: credentials remembered; beyond, the oldest is forgotten.
            clock: seconds that never run backwards.
            key: of the HMAC; a random one if left out.

        Raises:
            ValueError: max_age is above 300 s, or not positive.
        """
        if not 0 < max_age <= LONGEST_SECONDS:
            raise ValueError(f"a credential is remembered for at most {LONGEST_SECONDS:.0f} s")
        self._max_age = max_age
        self._size = size
        self._clock = clock
        self._key = key if key is not None else secrets.token_bytes(32)
        self._epoch = 0
        self._known: OrderedDict[bytes, tuple[UUID, float]] = OrderedDict()
        self._by_account: dict[UUID, set[bytes]] = {}

    def __len__(self) -> int:
        return len(self._known)

    @property
    def epoch(self) -> int:
        """Changes whenever something is dropped."""
        return self._epoch

    def find(self, realm: str, name: str, password: str) -> UUID | None:
        """Give the account of a credential that was verified lately, or None."""
        tag = self._tag(realm, name, password)
        known = self._known.get(tag)
        if known is None:
            return None
        account, until = known
        if self._clock() >= until:
            self._forget(tag)
            return None
        return account

    def remember(self, realm: str, name: str, password: str, account: UUID, *, epoch: int) -> None:
        """Remember a credential that was just verified.

        Args:
            realm: where the name is one (an API, a tenant): the same pair elsewhere is unknown.
            name: as presented.
            password: as presented.
            account: whose it is.
            epoch: `epoch` as it was before the stored hash was read.
        """
        if epoch != self._epoch:
            return
        tag = self._tag(realm, name, password)
        self._forget(tag)
        self._known[tag] = (account, self._clock() + self._max_age)
        self._by_account.setdefault(account, set()).add(tag)
        while len(self._known) > self._size:
            self._forget(next(iter(self._known)))

    def drop(self, account: UUID) -> None:
        """Forget an account: its password, its roles or its right to be here changed."""
        self._epoch += 1
        for tag in list(self._by_account.get(account, ())):
            self._forget(tag)

    def clear(self) -> None:
        """Forget everything, as after changes may have been missed."""
        self._epoch += 1
        self._known.clear()
        self._by_account.clear()

    def _forget(self, tag: bytes) -> None:
        known = self._known.pop(tag, None)
        if known is None:
            return
        tags = self._by_account[known[0]]
        tags.discard(tag)
        if not tags:
            del self._by_account[known[0]]

    def _tag(self, *parts: str) -> bytes:
        octets = [part.encode("utf-8", "surrogatepass") for part in parts]
        # lengths first, so that no two different lists of parts are the same octets
        message = b"".join(len(part).to_bytes(4, "big") + part for part in octets)
        return hmac.digest(self._key, message, "sha256")


__all__ = ["LONGEST_SECONDS", "VerifiedMemory"]
