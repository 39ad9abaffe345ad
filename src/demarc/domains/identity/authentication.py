"""Who calls: from a token or a person's e-mail and password to a principal."""

import time
from collections import OrderedDict
from collections.abc import Callable, Collection
from uuid import UUID

import msgspec

from demarc.domains.errors import Limited
from demarc.domains.identity import queries
from demarc.domains.identity.model import READ, WRITE, Principal, Unauthenticated
from demarc.platform.database import Actor, Database
from demarc.platform.secrets import (
    FailureLimiter,
    Overloaded,
    PasswordPool,
    VerifiedMemory,
    digest,
    is_token,
)

# A revoked token is refused at once where its change is heard, and within this time anywhere.
_TOKEN_MAX_AGE = 15.0
_TOKENS_KEPT = 4096
# people's e-mails are one name space, whatever API they call
_PEOPLE = "people"
# a person's credential is narrowed by their role alone
_EVERYTHING = frozenset({READ, WRITE})


class _Known(msgspec.Struct, frozen=True):
    principal: Principal
    until: float


class Authenticator:
    """Establishes who calls; one a process.

    Args:
        db: where tokens and people are.
        passwords: hashes passwords off the loop.
        verified: remembers Basic credentials just verified.
        failures: slows down who guesses.
        clock: seconds that only grow.
    """

    def __init__(
        self,
        db: Database,
        passwords: PasswordPool,
        verified: VerifiedMemory,
        failures: FailureLimiter,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._db = db
        self._passwords = passwords
        self._verified = verified
        self._failures = failures
        self._clock = clock
        self._tokens: OrderedDict[bytes, _Known] = OrderedDict()
        self._epoch = 0

    def forget(self) -> None:
        """Trust nothing remembered: changes of people, clients or tokens may have been missed."""
        # what is being read now may have been read before the change
        self._epoch += 1
        self._tokens.clear()
        self._verified.clear()

    def forget_person(self, person_id: UUID) -> None:
        """Trust nothing remembered of one person."""
        self._verified.drop(person_id)

    async def bearer(self, token: str, apis: Collection[str], address: str) -> Principal:
        """Give the principal of a token.

        Args:
            token: as the request carries it.
            apis: the APIs the token may be bound to.
            address: the caller's, by which failures are limited.

        Raises:
            Unauthenticated: no such token, or of another API, or no longer good.
            Limited: too many failures from there.
        """
        key = digest(token)
        known = self._tokens.get(key)
        if known is None or known.until <= self._clock():
            known = await self._look_up(token, key, address)
        if known.principal.api not in apis:
            raise Unauthenticated("the token is for another API")
        return known.principal

    async def _look_up(self, token: str, key: bytes, address: str) -> _Known:
        epoch, now = self._epoch, self._clock()
        row = None
        if is_token(token):
            async with self._db.system() as tx:
                row = await queries.FIND_TOKEN.one(tx, digest=key)
        if row is None:
            self._tokens.pop(key, None)
            # Only what is refused anyway is limited: a client left with an old token must not
            # lock out those that share its address. Each token is an account of its own.
            self._refuse_guessers(key.hex(), address)
            self._failures.failed(key.hex(), address)
            raise Unauthenticated("the token is not known or no longer good")
        principal = Principal(
            tenant_id=row.tenant_id,
            actor=Actor("client", row.client_id, f"client:{row.client_name}"),
            api=row.api,
            scopes=frozenset(row.scopes),
            role=row.role,
            permissions=frozenset(row.permissions),
            owns_network=row.owns_network,
            sells=row.sells,
        )
        left = _TOKEN_MAX_AGE if row.seconds_left is None else row.seconds_left
        known = _Known(principal, now + min(left, _TOKEN_MAX_AGE))
        if epoch == self._epoch:
            self._tokens[key] = known
            self._tokens.move_to_end(key)
            if len(self._tokens) > _TOKENS_KEPT:
                self._tokens.popitem(last=False)
        return known

    async def basic(
        self,
        email: str,
        password: str,
        address: str,
        tenant: str | None = None,
        *,
        as_owner: bool = False,
    ) -> Principal:
        """Give the principal of a person.

        Args:
            email: as they log in.
            password: in clear; it is checked off the loop and never kept.
            address: the caller's, by which failures are limited.
            tenant: the slug of the organisation they act for. If not given, it is the one of
                those on the side called where they have had a role for longest; where several
                came at once, the first by its slug, octet by octet.
            as_owner: the side called is that of networks' owners, not of ISPs.

        Raises:
            Unauthenticated: the two do not belong together, or the person has no role there.
            Limited: too many failures by that account or from there.
        """
        email = email.strip().lower()
        epoch = self._verified.epoch
        if self._verified.find(_PEOPLE, email, password) is None:
            self._refuse_guessers(email, address)
        rows: list[queries.LoginRow] = []
        if email.isprintable():  # no account is named otherwise, nor could the server take it
            async with self._db.system() as tx:
                rows = await queries.FIND_LOGIN.all(tx, email=email)
        # It is remembered with the hash that it was verified against, so that an old password is
        # refused at once even where nobody has heard of the new one.
        if not rows or self._verified.find(rows[0].password_hash, email, password) is None:
            self._refuse_guessers(email, address)
            await self._verify(rows[0] if rows else None, email, password, address, epoch)
        # those of the side called come first; among them the order is that of their roles' age, so
        # that a further role does not change for whom somebody acts
        rows.sort(key=lambda row: not (row.owns_network if as_owner else row.sells))
        for row in rows:
            if tenant is None or row.tenant_slug == tenant:
                return Principal(
                    tenant_id=row.tenant_id,
                    actor=Actor("person", row.person_id, f"person:{email}"),
                    api=None,
                    scopes=_EVERYTHING,
                    role=row.role,
                    permissions=frozenset(row.permissions),
                    owns_network=row.owns_network,
                    sells=row.sells,
                )
        raise Unauthenticated("you have no role there")

    async def _verify(
        self, row: queries.LoginRow | None, email: str, password: str, address: str, epoch: int
    ) -> None:
        try:
            # an unknown account takes as long as a wrong password
            verdict = await self._passwords.verify(row.password_hash if row else None, password)
        except Overloaded as full:
            raise Limited(str(full), full.retry_after) from full
        if row is None or not verdict:
            self._failures.failed(email, address)
            raise Unauthenticated("e-mail and password do not belong together")
        self._failures.succeeded(email)
        stored = row.password_hash
        if verdict.new_hash is not None:
            async with self._db.system() as tx:
                await queries.REHASH.run(
                    tx, id=row.person_id, verified=stored, password_hash=verdict.new_hash
                )
            stored = verdict.new_hash
        for realm in (_PEOPLE, stored):
            self._verified.remember(realm, email, password, row.person_id, epoch=epoch)

    def _refuse_guessers(self, account: str, address: str) -> None:
        wait = self._failures.retry_after(account, address)
        if wait:
            raise Limited("too many failed attempts; try again later", wait)
