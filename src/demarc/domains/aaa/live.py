"""Commands for live sessions carried out: ended, or given what they should have now."""

from collections.abc import Callable
from time import monotonic
from typing import Any
from uuid import UUID

import msgspec

from demarc.domains.aaa import logins, terms_queries
from demarc.domains.aaa.authorisation import GARDEN, Denied, Terms, terms_now
from demarc.domains.aaa.commanding import CHANGE, DISCONNECT, Request
from demarc.domains.aaa.logins import Login
from demarc.domains.aaa.model import Nas
from demarc.domains.aaa.ports import (
    NasAnswer,
    NoAnswer,
    SessionDriver,
    SessionKeys,
    Untellable,
)
from demarc.domains.aaa.service import Aaa
from demarc.domains.aaa.terms_queries import Given, Target
from demarc.domains.errors import NotFound
from demarc.domains.network import commands
from demarc.domains.network.model import Command
from demarc.platform.clock import Clock, Monotonic, now
from demarc.platform.database import Database
from demarc.platform.jobs import Task

NO_SUCH_SESSION = 503
"""Session-Context-Not-Found (RFC 5176, 3.5): to end it would find it no better."""

_GIVE_UP_AFTER = 3
_LEFT_ALONE = 20.0


class _Asking(msgspec.Struct, frozen=True):
    """All that is needed to ask a NAS about a session."""

    nas: Nas
    secret: bytes
    keys: SessionKeys
    target: Target | None
    login: Login | None


class LiveSessions:
    """Carries out commands for live sessions.

    Args:
        db: where the commands are.
        aaa: knows the NASes and their secrets.
        driver: asks the NAS.
        clock: the time.
        monotonic_clock: seconds that never run backwards.
    """

    def __init__(
        self,
        db: Database,
        aaa: Aaa,
        driver: SessionDriver,
        *,
        clock: Clock = now,
        monotonic_clock: Monotonic = monotonic,
    ) -> None:
        self._db = db
        self._aaa = aaa
        self._driver = driver
        self._clock = clock
        self._silent = _Silent(monotonic_clock)

    def tasks(self) -> list[Task]:
        """Give the tasks of the commands."""
        return [Task(DISCONNECT, self.disconnect), Task(CHANGE, self.change)]

    async def disconnect(self, *, command_id: str) -> None:
        """Have a session ended, and write the NAS's own answer into the command.

        Run again after a crash it asks again: a NAS that has ended the session already says so.
        """
        await self._carry_out(UUID(command_id), self._end)

    async def change(self, *, command_id: str) -> None:
        """Give a session what it should have now, and write the NAS's answer into the command.

        What that is, is asked only now: of several changes in a row each finds the last one.
        Where it should not be at all, or the NAS cannot change it, it is ended, so that it begins
        anew with the right terms.
        """
        await self._carry_out(UUID(command_id), self._change)

    async def _carry_out(self, key: UUID, act: Callable[[Command, _Asking], Any]) -> None:
        async with self._db.system() as tx:
            command = await commands.sent(tx, key)
            if command is None:
                return
            request = msgspec.convert(command.request, Request)
            try:
                nas = await self._aaa.find_nas(tx, request.nas_id)
            except NotFound:
                await commands.failed(tx, key, "the NAS is no longer known")
                return
            if nas.coa == "none":
                await commands.failed(tx, key, "the NAS takes no requests on live sessions")
                return
            target = await terms_queries.TARGET.one(tx, id=command.target_id)
            login = None
            if target is not None:
                found = await logins.logins_by_id(tx, [target.credential_id])
                login = found.get(target.credential_id)
            asking = _Asking(nas, self._aaa.nas_secret(nas), _keys(request), target, login)
        # the NAS is waited for outside any transaction
        await act(command, asking)

    async def _end(self, command: Command, asking: _Asking) -> None:
        try:
            answer = await self._ask_end(asking)
        except NoAnswer as silence:
            await self._fail(command, str(silence))
            return
        await self._finish(command, answer, None, _told(answer))

    async def _change(self, command: Command, asking: _Asking) -> None:
        target, login = asking.target, asking.login
        if target is None or login is None:
            await self._done(command, {"code": None, "note": "the session has ended"})
            return
        wanted = terms_now(login, self._clock())
        if (
            isinstance(wanted, Denied)
            or asking.nas.coa == "disconnect"
            or anew(target.terms, wanted, login)
        ):
            await self._end(command, asking)
            return
        if target.terms == wanted.label:
            await self._done(command, {"code": None, "note": "it has these terms already"})
            return
        told: dict[str, Any] = {"terms": wanted.label}
        try:
            answer = await self._silent.ask(
                asking.keys.nas_address,
                lambda: self._driver.change(
                    nas=asking.nas, secret=asking.secret, keys=asking.keys, terms=wanted
                ),
            )
        except (NoAnswer, Untellable) as why:
            told["change"] = str(why)
        else:
            if answer.acknowledged:
                await self._finish(
                    command, answer, _given(target, wanted, self._clock), {**_told(answer), **told}
                )
                return
            told["change"] = _told(answer)
            if answer.error_cause == NO_SUCH_SESSION:
                await self._finish(command, answer, None, {**_told(answer), **told})
                return
        try:
            answer = await self._ask_end(asking)
        except NoAnswer as silence:
            await self._fail(command, str(silence), told)
            return
        await self._finish(command, answer, None, {**_told(answer), **told})

    async def _ask_end(self, asking: _Asking) -> NasAnswer:
        return await self._silent.ask(
            asking.keys.nas_address,
            lambda: self._driver.disconnect(nas=asking.nas, secret=asking.secret, keys=asking.keys),
        )

    async def _finish(
        self, command: Command, answer: NasAnswer, given: Given | None, told: dict[str, Any]
    ) -> None:
        async with self._db.system() as tx:
            if given is not None:
                rows = msgspec.json.encode([given]).decode()
                await terms_queries.NOTE_TERMS.run(tx, rows=rows)
            if answer.acknowledged:
                await commands.done(tx, command.id, told)
            else:
                cause = answer.error_cause_name or answer.error_cause or "no cause given"
                await commands.failed(tx, command.id, f"{answer.code}: {cause}", told)

    async def _done(self, command: Command, told: dict[str, Any]) -> None:
        async with self._db.system() as tx:
            await commands.done(tx, command.id, told)

    async def _fail(self, command: Command, fault: str, told: dict[str, Any] | None = None) -> None:
        async with self._db.system() as tx:
            await commands.failed(tx, command.id, fault, told)


class _Silent:
    """NASes that do not answer are left alone for a while, so that others need not wait for them.

    Args:
        clock: monotonic seconds.
    """

    def __init__(self, clock: Monotonic) -> None:
        self._clock = clock
        self._missed: dict[str, tuple[int, float]] = {}

    async def ask(self, address: str, ask: Callable[[], Any]) -> NasAnswer:
        """Ask, unless the NAS was silent several times in a row a moment ago.

        Raises:
            NoAnswer: it does not answer, or was not asked.
            Untellable: as the question.
        """
        missed, until = self._missed.get(address, (0, 0.0))
        if missed >= _GIVE_UP_AFTER and self._clock() < until:
            raise NoAnswer(f"{address} has not answered {missed} times; it is left alone a while")
        try:
            answer: NasAnswer = await ask()
        except NoAnswer:
            missed, _ = self._missed.get(address, (0, 0.0))
            self._missed[address] = (missed + 1, self._clock() + _LEFT_ALONE)
            raise
        self._missed.pop(address, None)
        return answer


def anew(given: str | None, wanted: Terms, login: Login) -> bool:
    """Tell whether a session has to begin anew for other terms, since a change cannot undo it.

    What walls a garden is given by attributes; that there is no wall any more is told by none.
    """
    if given is None or f" {GARDEN}" not in given or wanted.kind == GARDEN:
        return False
    profile = login.profile
    return profile is None or not profile.settings.lifts


def _given(target: Target, wanted: Terms, clock: Clock) -> Given:
    return Given(
        target.credential_id,
        target.calling_station_id or "",
        target.tenant_id,
        target.owner_id,
        wanted.label,
        clock(),
    )


def _keys(request: Request) -> SessionKeys:
    return SessionKeys(
        username=request.username,
        acct_session_id=request.acct_session_id,
        nas_address=request.nas_address,
        framed_ipv4=request.framed_ipv4,
        calling_station_id=request.calling_station_id,
        nas_port_id=request.nas_port_id,
    )


def _told(answer: NasAnswer) -> dict[str, Any]:
    told: dict[str, Any] = msgspec.to_builtins(answer)
    del told["acknowledged"]
    return told


__all__ = ["LiveSessions", "anew"]
