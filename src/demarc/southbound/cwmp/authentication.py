"""Devices proving who they are, by HTTP Digest or, where TLS protects it, by Basic."""

import base64
import binascii
import os
from collections import OrderedDict
from hmac import compare_digest

import msgspec

from demarc.platform.telemetry.counters import count
from demarc.protocols import http_digest
from demarc.protocols.http_digest import Answer, Challenge, Nonces

REALM = "Demarc"


class Claim(msgspec.Struct, frozen=True):
    """What a device says to prove itself.

    Attributes:
        username: by which it is known.
        digest: its answer to a challenge; None where it gave its password.
        password: in clear; None where it answered a challenge.
    """

    username: str
    digest: Answer | None = None
    password: str | None = None


class Doorkeeper:
    """Challenges devices and judges their answers.

    Args:
        key: signs nonces; the same in all processes.
        nonce_age: seconds a nonce may be answered.
        most: nonces whose uses are remembered.
    """

    def __init__(self, key: bytes, *, nonce_age: float, most: int) -> None:
        self._nonces = Nonces(key)
        self._nonce_age = nonce_age
        self._most = most
        self._counts: OrderedDict[str, int] = OrderedDict()

    def challenge(self, now: float, *, stale: bool = False) -> str:
        """Give the WWW-Authenticate of a 401.

        Args:
            now: seconds since 1970.
            stale: the device knew the password, its nonce was too old.
        """
        nonce = self._nonces.give(now, os.urandom(8))
        return http_digest.challenge_header(Challenge(REALM, nonce, stale=stale))

    def read(self, header: str | None, *, secure: bool) -> Claim | None:
        """Read what a device says in Authorization; None if it says nothing of use.

        Args:
            header: as it came.
            secure: whether it came over TLS; a password in clear counts there alone.
        """
        if header is None:
            return None
        scheme = header.partition(" ")[0].lower()
        if scheme == "basic" and secure:
            return _basic(header)
        if scheme == "digest":
            try:
                answer = http_digest.read_answer(header)
            except http_digest.Malformed:
                return None
            return Claim(answer.username, digest=answer)
        return None

    def is_stale(self, claim: Claim, now: float) -> bool:
        """Tell whether a claim is right but for its nonce, which is too old, or used up."""
        answer = claim.digest
        if answer is None:
            return False
        age = self._nonces.age(answer.nonce, now)
        return age is None or not 0 <= age + 1 <= self._nonce_age or self._is_replayed(answer)

    def proves(self, claim: Claim, *, method: str, passwords: list[str]) -> bool:
        """Tell whether a claim proves one of these passwords; its nonce is looked at elsewhere."""
        if claim.digest is None:
            given = (claim.password or "").encode()
            return any(compare_digest(given, each.encode()) for each in passwords)
        answer = claim.digest
        for password in passwords:
            secret = http_digest.secret_of(
                answer.username, answer.realm, password, answer.algorithm
            )
            if answer.realm == REALM and http_digest.proves(answer, method=method, secret=secret):
                self._note_use(answer)
                return True
        count("cwmp_refused", reason="wrong password")
        return False

    def _is_replayed(self, answer: Answer) -> bool:
        """Tell whether a nonce was used as often as this, or oftener."""
        if answer.count is None:
            return answer.nonce in self._counts
        return int(answer.count, 16) <= self._counts.get(answer.nonce, 0)

    def _note_use(self, answer: Answer) -> None:
        number = 1 if answer.count is None else int(answer.count, 16)
        self._counts[answer.nonce] = max(number, self._counts.get(answer.nonce, 0))
        self._counts.move_to_end(answer.nonce)
        while len(self._counts) > self._most:
            self._counts.popitem(last=False)


def _basic(header: str) -> Claim | None:
    try:
        text = base64.b64decode(header.partition(" ")[2].strip(), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
    username, colon, password = text.partition(":")
    return Claim(username, password=password) if colon else None


__all__ = ["REALM", "Claim", "Doorkeeper"]
