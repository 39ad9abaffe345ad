"""A subscriber's session on a NAS: what it was granted, what it carried, what was reported of it.

Each session reports in order: Start, Interim-Updates, Stop, one at a time and each until it is
acknowledged. An Interim-Update that still waits gives way to the next report, which says more.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from functools import partial
from ipaddress import IPv4Address, IPv6Network
from typing import Final, Literal, TypeAlias

import msgspec

from demarc.lab.nas.client import Client
from demarc.lab.nas.traffic import Carried, Demand, Limits
from demarc.lab.nas.walls import Walls
from demarc.protocols.radius.attributes import Pair, encode_attributes
from demarc.protocols.radius.dictionary import DICTIONARY
from demarc.protocols.radius.packet import Code, Packet

Status: TypeAlias = Literal["Start", "Interim-Update", "Stop"]

_STATUS_TYPE: Final = DICTIONARY["Acct-Status-Type"]
_SESSION_ID: Final = DICTIONARY["Acct-Session-Id"]
_AUTHENTIC: Final = DICTIONARY["Acct-Authentic"]
_DELAY_TIME: Final = DICTIONARY["Acct-Delay-Time"]
_EVENT_TIMESTAMP: Final = DICTIONARY["Event-Timestamp"]
_SESSION_TIME: Final = DICTIONARY["Acct-Session-Time"]
_TERMINATE_CAUSE: Final = DICTIONARY["Acct-Terminate-Cause"]
_USER_NAME: Final = DICTIONARY["User-Name"]
_FRAMED_IP: Final = DICTIONARY["Framed-IP-Address"]
_FRAMED_PREFIX: Final = DICTIONARY["Framed-IPv6-Prefix"]
_DELEGATED_PREFIX: Final = DICTIONARY["Delegated-IPv6-Prefix"]
_CLASS: Final = DICTIONARY["Class"]
_INPUT: Final = tuple(
    DICTIONARY[f"Acct-Input-{each}"] for each in ("Octets", "Packets", "Gigawords")
)
_OUTPUT: Final = tuple(
    DICTIONARY[f"Acct-Output-{each}"] for each in ("Octets", "Packets", "Gigawords")
)
_WORD: Final = 2**32


class Habits(msgspec.Struct, frozen=True):
    """How a NAS differs from the standard's letter.

    Attributes:
        message_authenticator: signs its Access-Requests; old ones do not.
        require_message_authenticator: takes no Access reply that is not signed.
        gigawords: reports the upper half of its 64-bit counters; without, they wrap at 4 GiB.
        reversed_counters: reports what the subscriber sent as Output.
        changes: takes CoA-Requests; without, it can only be asked to end sessions.
        filters: the names of the filters it has; None: any.
    """

    message_authenticator: bool = True
    require_message_authenticator: bool = True
    gigawords: bool = True
    reversed_counters: bool = False
    changes: bool = True
    filters: frozenset[str] | None = None


class Grant(msgspec.Struct, frozen=True):
    """What an Access-Accept gave.

    Attributes:
        username: what accounting is to call the subscriber.
        framed_ip: its address, None if the server left that open.
        framed_ipv6_prefix: the prefix of its link.
        delegated_ipv6_prefix: the prefix for behind its router.
        limits: its rates.
        interim_seconds: how often to report, None: not at all.
        session_timeout: seconds until the session is to end, None: never.
        classes: to be repeated in accounting as they are.
        reply: the packet.
        walls: what it is behind.
    """

    username: str
    framed_ip: IPv4Address | None
    framed_ipv6_prefix: IPv6Network | None
    delegated_ipv6_prefix: IPv6Network | None
    limits: Limits
    interim_seconds: int | None
    session_timeout: int | None
    classes: tuple[bytes, ...]
    reply: Packet
    walls: Walls = Walls()


class Counters(msgspec.Struct):
    """What a session has carried so far, 64 bits each; up is from the subscriber."""

    up_octets: int = 0
    down_octets: int = 0
    up_packets: int = 0
    down_packets: int = 0

    def add(self, carried: Carried) -> None:
        """Count what was carried."""
        self.up_octets += carried.up_octets
        self.down_octets += carried.down_octets
        self.up_packets += carried.up_packets
        self.down_packets += carried.down_packets


class _Record(msgspec.Struct, frozen=True):
    status: Status
    at: datetime
    attributes: bytes


class Session:
    """One subscriber, online. Made by `Nas.connect`.

    Attributes:
        id: its Acct-Session-Id.
        username: as the subscriber gave it.
        station: the subscriber's MAC address, as the NAS writes it into Calling-Station-Id.
        grant: what the Access-Accept gave.
        limits: its rates now; a CoA may have changed them.
        walls: what it is behind now, likewise.
        counters: what it has carried, as of the last report.
        started_at: when it came up.
        cause: why it ended, a name of Acct-Terminate-Cause; None while it is up.
        acknowledged: how many accounting packets the server has answered.
    """

    def __init__(
        self,
        session_id: str,
        username: str,
        line: list[Pair],
        grant: Grant,
        *,
        accounting: Client,
        clock: Callable[[], datetime],
        demand: Demand,
        habits: Habits,
        interim_seconds: float | None,
        on_change: Callable[[Session], None],
    ) -> None:
        self.id = session_id
        self.username = username
        self.line = line
        self.grant = grant
        self.limits = grant.limits
        self.walls = grant.walls
        self.counters = Counters()
        self.started_at = clock()
        self.cause: str | None = None
        self.acknowledged = 0
        self._accounting = accounting
        self._clock = clock
        self._demand = demand
        self._habits = habits
        self._interim_seconds = interim_seconds
        self._on_change = on_change
        self._carried_until = self.started_at
        self._pending: list[_Record] = []
        self._changed = asyncio.Event()
        self._timers: list[asyncio.Task[None]] = []
        self._ending: asyncio.Task[None] | None = None
        self._reporter: asyncio.Task[None] | None = None
        self._closed = False
        self._constant = encode_attributes(_constant(session_id, line, grant))

    @property
    def up(self) -> bool:
        """Whether it has not ended."""
        return self.cause is None

    @property
    def framed_ip(self) -> IPv4Address | None:
        """The address it was given."""
        return self.grant.framed_ip

    @property
    def closed(self) -> bool:
        """Whether it has ended and its Stop is acknowledged."""
        return self._closed

    def start(self) -> None:
        """Report the Start, and from now on what becomes of it."""
        self._report("Start")
        self._reporter = asyncio.create_task(self._deliver())
        if self._interim_seconds is not None:
            self._timers.append(asyncio.create_task(self._report_every(self._interim_seconds)))
        if self.grant.session_timeout is not None:
            self._limit_time(self.grant.session_timeout)

    def carry(self, up_octets: int, down_octets: int) -> None:
        """Count traffic beside what the demand brings, octets."""
        self.counters.add(Carried(up_octets, down_octets, 1, 1))

    def change(
        self,
        limits: Limits | None = None,
        *,
        walls: Walls | None = None,
        session_timeout: int | None = None,
    ) -> None:
        """Set what is given, and leave the rest.

        Args:
            limits: other rates; what was carried until now was carried at the old ones.
            walls: what it is behind from now on.
            session_timeout: seconds until it is to end, from now.
        """
        self.count()
        self.limits = limits or self.limits
        self.walls = walls or self.walls
        if session_timeout is not None:
            self._limit_time(session_timeout)
        self._announce()

    def interim(self) -> None:
        """Report the counters as they are now."""
        if self.up:
            self.count()
            self._report("Interim-Update")

    def end(self, cause: str) -> None:
        """End it and report the Stop, without waiting for that.

        Args:
            cause: a name of Acct-Terminate-Cause, such as User-Request or Lost-Carrier.

        Raises:
            ValueError: there is no such cause.
        """
        if cause not in _TERMINATE_CAUSE.values:
            raise ValueError(f"{cause} is no Acct-Terminate-Cause")
        if not self.up:
            return
        self.count()
        self.cause = cause
        for timer in self._timers:
            timer.cancel()
        self._report("Stop")
        self._announce()

    async def disconnect(self, cause: str = "User-Request") -> None:
        """End it, and wait until the server has acknowledged everything; raises as `end` does."""
        self.end(cause)
        await self.wait_closed()

    async def wait_ended(self) -> str:
        """Wait until it ends, from whichever side; gives the cause."""
        while self.cause is None:
            await self._changed.wait()
        return self.cause

    async def accounted(self, number: int) -> None:
        """Wait until the server has acknowledged this many of its accounting packets."""
        while self.acknowledged < number:
            await self._changed.wait()

    async def wait_closed(self) -> None:
        """Wait until it has ended and the server has acknowledged its Stop."""
        while not self.closed:
            await self._changed.wait()

    def abandon(self) -> None:
        """Forget it as a NAS that loses its power does: nothing more is reported."""
        for task in self._timers:
            task.cancel()
        if self._reporter is not None:
            self._reporter.cancel()
        if self.cause is None:
            self.cause = "NAS-Reboot"
            self._announce()

    def count(self) -> None:
        """Bring the counters up to now; without this they are as of the latest report."""
        now = self._clock()
        seconds = (now - self._carried_until).total_seconds()
        self._carried_until = max(now, self._carried_until)
        self.counters.add(self._demand.carry(max(0.0, seconds), self.limits))

    def _report(self, status: Status) -> None:
        now = self._clock()
        record = _Record(status, now, self._attributes(status, now))
        # The first may be on its way to the server just now; it is not touched.
        waiting = self._pending[1:]
        self._pending[1:] = [each for each in waiting if each.status != "Interim-Update"]
        self._pending.append(record)
        self._changed_now()

    def _attributes(self, status: Status, now: datetime) -> bytes:
        pairs: list[Pair] = [(_STATUS_TYPE, status), (_EVENT_TIMESTAMP, now)]
        if status != "Start":
            pairs.append((_SESSION_TIME, max(0, int((now - self.started_at).total_seconds()))))
            pairs += self._usage()
        if self.cause is not None:
            pairs.append((_TERMINATE_CAUSE, self.cause))
        return encode_attributes(pairs) + self._constant

    def _usage(self) -> list[Pair]:
        counted = self.counters
        up, down = _INPUT, _OUTPUT
        if self._habits.reversed_counters:
            up, down = down, up
        pairs: list[Pair] = []
        for (octets, packets, gigawords), (carried, number) in (
            (up, (counted.up_octets, counted.up_packets)),
            (down, (counted.down_octets, counted.down_packets)),
        ):
            pairs += [(octets, carried % _WORD), (packets, number % _WORD)]
            if self._habits.gigawords:
                pairs.append((gigawords, carried // _WORD))
        return pairs

    async def _deliver(self) -> None:
        while not self._closed:
            while not self._pending:
                await self._changed.wait()
            record = self._pending[0]
            await self._accounting.deliver(
                Code.ACCOUNTING_REQUEST, partial(self._as_of_now, record)
            )
            self._pending.pop(0)
            self.acknowledged += 1
            self._closed = record.status == "Stop"
            self._announce()

    def _as_of_now(self, record: _Record) -> bytes:
        delay = max(0, int((self._clock() - record.at).total_seconds()))
        return record.attributes + encode_attributes([(_DELAY_TIME, delay)])

    async def _report_every(self, seconds: float) -> None:
        while True:
            await asyncio.sleep(seconds)
            self.interim()

    def _limit_time(self, seconds: float) -> None:
        if self._ending is not None:
            self._ending.cancel()
        self._ending = asyncio.create_task(self._end_after(seconds))
        self._timers.append(self._ending)

    async def _end_after(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        self.end("Session-Timeout")

    def _announce(self) -> None:
        self._changed_now()
        self._on_change(self)

    def _changed_now(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()


def _constant(session_id: str, line: list[Pair], grant: Grant) -> list[Pair]:
    """What every report of a session says."""
    pairs: list[Pair] = [
        (_SESSION_ID, session_id),
        (_USER_NAME, grant.username),
        *line,
        (_AUTHENTIC, "RADIUS"),
    ]
    if grant.framed_ip is not None:
        pairs.append((_FRAMED_IP, grant.framed_ip))
    if grant.framed_ipv6_prefix is not None:
        pairs.append((_FRAMED_PREFIX, grant.framed_ipv6_prefix))
    if grant.delegated_ipv6_prefix is not None:
        pairs.append((_DELEGATED_PREFIX, grant.delegated_ipv6_prefix))
    return pairs + [(_CLASS, each) for each in grant.classes]
