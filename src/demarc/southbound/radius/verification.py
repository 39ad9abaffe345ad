"""Whether what somebody presents fits the credential they name."""

from collections.abc import Callable
from functools import partial
from typing import TypeAlias

import structlog

from demarc.domains.aaa.logins import OF_NETWORK, Login
from demarc.platform.clock import Monotonic
from demarc.platform.secrets.keys import KeyRing, Undecipherable, row_binding
from demarc.protocols.radius.dictionary import DICTIONARY
from demarc.southbound.radius.credentials import Entry
from demarc.southbound.radius.exchange import Exchange
from demarc.southbound.radius.failures import Failures, Guess
from demarc.southbound.radius.identity import OTHER_MAC, other_station, prove_place
from demarc.southbound.radius.proof import (
    NO_METHOD,
    PROVED,
    WRONG,
    Evidence,
    Proved,
    Slow,
    Unproved,
    judge,
    prove,
)
from demarc.southbound.radius.slow_hashes import SlowHashes

_log = structlog.get_logger(__name__)

CALLING_STATION_ID = DICTIONARY["Calling-Station-Id"]

TOO_MANY_GUESSES = "too many wrong passwords; try again in a minute"
UNCHECKABLE = "the password's hash cannot be checked here"

Verdict: TypeAlias = Proved | Unproved
Done: TypeAlias = Callable[[Verdict], None]
"""Called with the verdict, now or later."""

_NO_METHOD = Unproved(NO_METHOD)
_WRONG = Unproved(WRONG)
_OTHER_MAC = Unproved(OTHER_MAC)
_TOO_MANY_GUESSES = Unproved(TOO_MANY_GUESSES)
_UNCHECKABLE = Unproved(UNCHECKABLE)


class Overloaded(Exception):
    """Too many slow hashes wait to be checked."""


class Verifier:
    """Checks passwords, and counts the wrong ones.

    Args:
        keyring: decrypts what is stored.
        clock: monotonic seconds.
    """

    def __init__(self, keyring: KeyRing, clock: Monotonic) -> None:
        self._keyring = keyring
        self._slow = SlowHashes(clock)
        self._failures = Failures(clock)

    def check(
        self,
        exchange: Exchange,
        entry: Entry,
        login: Login,
        evidence: Evidence | None,
        done: Done,
        *,
        inside: bool = False,
    ) -> None:
        """Check what a request presents, with what its method adds to the reply.

        Args:
            exchange: the request.
            entry: the credential it names.
            login: that of the entry.
            evidence: what it presents; None for nothing.
            done: called with the verdict.
            inside: EAP presents it, which has its own ways to reply: nothing is added.

        Raises:
            Overloaded: it cannot be checked now.
            Malformed: the evidence is not what its method wants.
        """
        packet, shared_secret = exchange.packet, exchange.client.secret
        if login.kind == "mac" and other_station(login.username, packet):
            done(_OTHER_MAC)
            return
        stored = self.stored(entry, login)
        if stored is None:
            if login.kind in OF_NETWORK and login.secret is None:
                done(prove_place(evidence, login.username, packet, shared_secret))
            else:
                done(_WRONG)
        elif evidence is None:
            done(_NO_METHOD)
        else:
            # mostly nobody has guessed, and nobody needs to be named
            guess = _guess(exchange, login, stored) if self._failures else None
            if guess is not None and self._failures.too_many(guess):
                done(_TOO_MANY_GUESSES)
                return
            kind = login.secret_kind
            if inside:
                verdict = judge(evidence, kind, stored)
            else:
                verdict = prove(evidence, kind, stored, packet, shared_secret)
            if isinstance(verdict, Proved):
                if guess is not None:
                    self._failures.forget(guess)
                done(verdict)
            else:
                guess = guess or _guess(exchange, login, stored)
                self._conclude(login, stored, verdict, done, guess)

    def _conclude(
        self, login: Login, stored: bytes, verdict: Unproved | Slow, done: Done, guess: Guess
    ) -> None:
        if isinstance(verdict, Unproved):
            if verdict.reason == WRONG:
                self._failures.note(guess)
            done(verdict)
        elif not self._slow.check(
            login.id, stored, verdict.given, partial(self._checked, guess, done)
        ):
            raise Overloaded

    def _checked(self, guess: Guess, done: Done, right: bool | None) -> None:
        if right is None:
            done(_UNCHECKABLE)
        elif right:
            self._failures.forget(guess)
            done(PROVED)
        else:
            self._failures.note(guess)
            done(_WRONG)

    def stored(self, entry: Entry, login: Login) -> bytes | None:
        """Give a log-in's password or its hash, decrypted at first use; None if there is none."""
        password = entry.password
        if password is None and login.secret is not None:
            row = row_binding("credential", "secret", login.id)
            try:
                password = self._keyring.decrypt(login.secret, row=row)
            except Undecipherable as reason:
                _log.error("a password cannot be read", reason=str(reason))
                return None
            entry.password = password
            # one of the two is enough to keep
            login.secret = None
        return password

    async def stop(self) -> None:
        """Wait until all that was taken is checked, and take no more."""
        await self._slow.settle()
        self._slow.close()


def _guess(exchange: Exchange, login: Login, stored: bytes) -> Guess:
    station = exchange.packet.text(CALLING_STATION_ID)
    return Guess(login.id, exchange.host if station is None else station, hash(stored))


__all__ = ["TOO_MANY_GUESSES", "UNCHECKABLE", "Done", "Overloaded", "Verdict", "Verifier"]
