"""A device: it starts, informs, is called, does what it is told, and starts again."""

import asyncio
import secrets
import ssl
import time
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from functools import partial
from random import Random
from typing import Any, Final

import msgspec

from demarc.lab.cpe import rpc
from demarc.lab.cpe.diagnostics import Diagnostics, Distances, Echo
from demarc.lab.cpe.doorbell import Answer, Bell, Doorbell
from demarc.lab.cpe.home import Home
from demarc.lab.cpe.http import Broken, Login
from demarc.lab.cpe.model import Habits
from demarc.lab.cpe.session import Later, Refused, Session, Trouble
from demarc.lab.cpe.shaping import Rates
from demarc.lab.cpe.transfers import Transfers
from demarc.lab.cpe.tree import Tree
from demarc.protocols.cwmp import events
from demarc.protocols.cwmp.errors import Malformed
from demarc.protocols.cwmp.messages import (
    DeviceId,
    Event,
    Inform,
    ParameterValue,
    TransferComplete,
)

_LOOK_EVERY: Final = 15.0
_MANY: Final = frozenset({events.M_DOWNLOAD, events.M_UPLOAD, events.M_SCHEDULE_INFORM})
_BOOTS: Final = frozenset({events.BOOTSTRAP, events.BOOT})


class Patience(msgspec.Struct, frozen=True):
    """How long a device waits, seconds.

    Attributes:
        first: after a session that failed.
        factor: how much longer after each further one.
        longest: never longer.
        boot: from being told to start anew until it informs.
        session: a session is given up after.
    """

    first: float = 5.0
    factor: float = 2.0
    longest: float = 1800.0
    boot: float = 20.0
    session: float = 300.0


class Sessions(msgspec.Struct):
    """What became of a device's sessions.

    Attributes:
        done: went through to the end.
        failed: did not; ``reason`` of the last one.
    """

    done: int = 0
    failed: int = 0
    reason: str = ""


class Cpe:
    """A simulated CPE that speaks CWMP over real sockets.

    Example:
        ```python
        cpe = Cpe(Home(model("huawei-eg8145v5"), 1), "http://127.0.0.1:7547/")
        await cpe.start()
        ...
        await cpe.stop()
        ```

    Args:
        home: what it is and where it stands.
        acs_url: where it informs.
        credential: user name and password from the factory.
        doorbell: where it is called; a port of its own by default.
        rates: of its line; asked for whenever it is measured, where they change.
        echo: what answers its pings.
        patience: how long it waits.
        habits: how it differs from the standard; its make's by default.
        trust: for TLS.
    """

    def __init__(
        self,
        home: Home,
        acs_url: str,
        *,
        credential: tuple[str, str] = ("", ""),
        doorbell: Doorbell | None = None,
        rates: Rates | Callable[[], Rates] | None = None,
        echo: Echo | None = None,
        patience: Patience | None = None,
        habits: Habits | None = None,
        trust: ssl.SSLContext | None = None,
    ) -> None:
        self.home = home
        self.habits = habits or home.make.habits
        self.trust = trust
        self.trouble = Trouble()
        self.sessions = Sessions()
        self.tree = Tree(
            home.make.schema,
            home.ask,
            strict=self.habits.strict_types,
            truths=self.habits.truths,
        )
        self.management = f"{self.tree.root}ManagementServer."
        self.transfers = Transfers(self, trust)
        home.fix("acs_url", acs_url)
        home.fix("acs_username", credential[0])
        home.fix("acs_password", credential[1])
        self._patience = patience or Patience()
        self._own_doorbell = doorbell is None
        self._doorbell = doorbell or Doorbell()
        self._path = f"/{secrets.token_hex(8)}"
        self._rng = Random(f"{home.serial}/life")
        self._pending: list[Event] = []
        self._afterwards: list[Callable[[], Awaitable[None]]] = []
        self._scheduled: list[tuple[float, str]] = []
        self._wake = asyncio.Event()
        self._life: asyncio.Task[None] | None = None
        self._background: set[asyncio.Task[Any]] = set()
        self._in_session = False
        self._off = False
        self._failures = 0
        self._not_before = 0.0
        self._next_periodic = 0.0
        self._seen: dict[str, str] = {}
        self._login = Login("", "")
        self._ended = asyncio.Condition()
        limits = rates if callable(rates) else partial(_same, rates or Rates())
        self.diagnostics = Diagnostics(self, limits, echo or Distances())

    # being switched on and off

    async def start(self) -> None:
        """Switch it on; the first time it bootstraps.

        Raises:
            OSError: its port is taken.
        """
        await self._open_door()
        self.home.booted = time.monotonic()
        self.prove_at_once()
        await self.dial()
        self.reckon()
        self.home.settle(self.tree)
        self.notice()
        if not self.sessions.done:
            self.happen(events.BOOTSTRAP)
        self.happen(events.BOOT)
        self._life = asyncio.create_task(self._live())

    async def stop(self) -> None:
        """Switch it off as the plug is pulled."""
        self.diagnostics.stop()
        tasks = [*self._background, *([] if self._life is None else [self._life])]
        self._life = None
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._close_door()

    async def _open_door(self) -> None:
        if self._own_doorbell:
            await self._doorbell.start()
        self._doorbell.hang(self._path, Bell(self._credential, self.ring))
        self.home.fix("request_url", self._doorbell.url(self._path))

    async def _close_door(self) -> None:
        self._doorbell.take_down(self._path)
        if self._own_doorbell:
            await self._doorbell.stop()

    def _credential(self) -> tuple[str, str]:
        base = f"{self.management}ConnectionRequest"
        return self.tree.get(f"{base}Username"), self.tree.get(f"{base}Password")

    # what happens to it

    def ring(self) -> Answer:
        """Be called by the ACS."""
        if self._in_session:
            return "busy"
        self._not_before = 0.0
        self.happen(events.CONNECTION_REQUEST)
        return "come"

    def happen(self, code: str, key: str = "") -> None:
        """Have something to tell the ACS."""
        event = Event(code, key)
        if code in _MANY or all(each.code != code for each in self._pending):
            self._pending.append(event)
        self._wake.set()

    def change(self, path: str, value: str) -> None:
        """Have the subscriber change something on the device's own page.

        Raises:
            KeyError: there is no such parameter.
        """
        if not self.tree.put(path, value):
            raise KeyError(path)
        self.look()

    def look(self) -> None:
        """Find out whether something has changed that is to be told at once."""
        if any(self.tree.notification(path) == 2 for path in self._changed()):  # noqa: PLR2004
            self.happen(events.VALUE_CHANGE)

    def notice(self) -> None:
        """Take values as they are now for told."""
        self._seen = {path: self.tree.get(path) for path in self.tree.told_of()}

    def _changed(self) -> list[str]:
        return [
            path
            for path, before in self._seen.items()
            if self.tree.find(path) is not None and self.tree.get(path) != before
        ]

    # what the ACS has it do

    def afterwards(self, action: Callable[[], Awaitable[None]]) -> None:
        """Have something done when the session is over."""
        self._afterwards.append(action)

    def in_background(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Have something done while life goes on."""
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)
        return task

    async def meanwhile(self, work: Coroutine[Any, Any, None]) -> None:
        """Have something done while life goes on, from now on."""
        self.in_background(work)

    async def dial(self) -> None:
        """Log in over the line with the credential that is set."""
        base = self.home.make.places.pppoe
        self.home.line.dial(self.tree.get(f"{base}Username"), self.tree.get(f"{base}Password"))

    async def prove_anew(self) -> None:
        """Use the ACS credential that is set."""
        self.prove_at_once()

    def prove_at_once(self) -> None:
        """Use the ACS credential that is set."""
        base = self.management
        self._login = Login(self.tree.get(f"{base}Username"), self.tree.get(f"{base}Password"))

    async def meet_anew(self) -> None:
        """Begin with another ACS."""
        self.happen(events.BOOTSTRAP)

    def schedule(self, seconds: int, key: str) -> None:
        """Come back after a while."""
        self._scheduled.append((time.monotonic() + seconds, key))

    def reckon(self) -> None:
        """Work out when the next periodic Inform is due."""
        base = f"{self.management}PeriodicInform"
        if self.tree.get(f"{base}Enable") in {"1", "true"}:
            self._next_periodic = time.monotonic() + int(self.tree.get(f"{base}Interval"))
        else:
            self._next_periodic = float("inf")
        self._wake.set()

    async def restart(self, key: str | None) -> None:
        """Start anew.

        Args:
            key: of the ACS's Reboot; None where it starts for another reason.
        """
        self._off = True
        self.diagnostics.stop()
        self.home.line.hang_up()
        await self._close_door()
        await asyncio.sleep(self._patience.boot)
        self._off = False
        self.home.booted = time.monotonic()
        self.prove_at_once()
        await self.dial()
        await self._open_door()
        self.reckon()
        self.happen(events.BOOT)
        if key is not None:
            self.happen(events.M_REBOOT, key)

    async def reset(self) -> None:
        """Be as it came from the factory, and start anew."""
        self.tree.forget()
        self.home.unsettle()
        self.home.settle(self.tree)
        self._pending.clear()
        self._scheduled.clear()
        self.happen(events.BOOTSTRAP)
        await self.restart(None)
        self.notice()

    def told(self) -> str:
        """Give what was set on it, as its configuration file has it; no secrets."""
        shown = self.tree.values([self.tree.root])
        return "".join(f"{each.name}={each.value}\n" for each in shown)

    # life

    async def _live(self) -> None:
        while True:
            await self._rest()
            now = time.monotonic()
            self._pass(now)
            if self._pending and now >= self._not_before and not self._off:
                await self._talk()

    async def _rest(self) -> None:
        """Wait until there may be something to do."""
        now = time.monotonic()
        if self._off:
            until = now + _LOOK_EVERY
        elif self._pending:
            until = self._not_before
        else:
            due = [at for at, _ in self._scheduled]
            until = min(now + _LOOK_EVERY, self._next_periodic, *due)
        if until <= now:
            return
        self._wake.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(until - now):
                await self._wake.wait()

    def _pass(self, now: float) -> None:
        """See what has come due."""
        if now >= self._next_periodic:
            self.reckon()
            self.happen(events.PERIODIC)
        for at, key in [each for each in self._scheduled if each[0] <= now]:
            self._scheduled.remove((at, key))
            self.happen(events.SCHEDULED)
            self.happen(events.M_SCHEDULE_INFORM, key)
        self.look()

    async def _talk(self) -> None:
        """Have a session; after one that fails, wait longer and longer."""
        telling = tuple(self._pending)
        self._in_session = True
        try:
            async with asyncio.timeout(self._patience.session):
                await self._session(telling)
        except (Later, Refused, Broken, Malformed, OSError) as reason:
            self._failed(reason)
        else:
            self.sessions.done += 1
            self._failures = 0
            self._pending = [each for each in self._pending if each not in telling]
        finally:
            self._in_session = False
        actions, self._afterwards = self._afterwards, []
        for action in actions:
            await action()
        async with self._ended:
            self._ended.notify_all()

    async def _session(self, telling: tuple[Event, ...]) -> None:
        self.home.settle(self.tree)
        inform = self._inform(telling)
        session = Session(
            self.tree.get(f"{self.management}URL"),
            self._login,
            version=self.habits.cwmp,
            trust=self.trust,
            trouble=self.trouble,
        )
        await session.run(
            inform,
            list(self.transfers.untold),
            lambda message: rpc.answer(self, message),
            self._told_transfer,
        )

    def _told_transfer(self, transfer: TransferComplete) -> None:
        self.transfers.untold.remove(transfer)

    def _inform(self, telling: tuple[Event, ...]) -> Inform:
        changed = self._changed()
        if changed and all(each.code != events.VALUE_CHANGE for each in telling):
            telling = (*telling, Event(events.VALUE_CHANGE))
        make = self.home.make
        if self.habits.periodic_only:
            kept = [each for each in telling if each.code not in _BOOTS]
            telling = tuple(kept or [Event(events.PERIODIC)])
        paths = dict.fromkeys([*make.informs, *changed])
        told: list[ParameterValue] = [
            self.tree.shown(each) for each in paths if self.tree.find(each) is not None
        ]
        self.notice()
        return Inform(
            device=DeviceId(make.manufacturer, make.oui, make.product_class, self.home.serial),
            events=telling,
            parameters=tuple(told),
            current_time=self.home.now(),
            retry_count=self._failures,
        )

    def _failed(self, reason: Exception) -> None:
        self.sessions.failed += 1
        self.sessions.reason = str(reason)
        self._failures += 1
        # a call that went wrong is not made up for; whoever called calls again
        self._pending = [each for each in self._pending if each.code != events.CONNECTION_REQUEST]
        if not self._pending:
            self.happen(events.PERIODIC)
        patience = self._patience
        longest = min(patience.longest, patience.first * patience.factor ** (self._failures - 1))
        pause = self._rng.uniform(longest / patience.factor, longest)
        if isinstance(reason, Later) and reason.seconds is not None:
            pause = max(pause, reason.seconds)
        self._not_before = time.monotonic() + pause

    async def sessions_done(self, count: int) -> None:
        """Wait until it has gone through so many sessions, and done what they brought."""
        async with self._ended:
            await self._ended.wait_for(lambda: self.sessions.done >= count)

    async def sessions_failed(self, count: int) -> None:
        """Wait until so many of its sessions have failed."""
        async with self._ended:
            await self._ended.wait_for(lambda: self.sessions.failed >= count)


def _same(rates: Rates) -> Rates:
    return rates


__all__ = ["Cpe", "Patience", "Sessions"]
