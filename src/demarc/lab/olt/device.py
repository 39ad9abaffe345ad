"""The simulated OLT as a device: its ONUs, its UDP port, the passing of time."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from random import Random
from typing import Any, Final, cast

from demarc.lab.olt import tables
from demarc.lab.olt.agent import Agent
from demarc.lab.olt.light import MAX_DISTANCE_M
from demarc.lab.olt.mib import Commit, MibView, Prepare
from demarc.lab.olt.onu import CAUSES, Failure, Onu
from demarc.protocols.gpon import parse_serial
from demarc.protocols.snmp.message import ErrorStatus
from demarc.protocols.snmp.mibs import huawei
from demarc.protocols.snmp.values import Integer, Value

ONUS_PER_PON: Final = 128
BOOT_SECONDS: Final = 25.0
_DAY: Final = 86_400.0
_OLT_TX_DBM: Final = (3.0, 4.5)
_REPAIR_SECONDS: Final = (60.0, 600.0)
_SHARE_OF_LOS: Final = 0.6
_TICKS_PER_SECOND: Final = 100


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Olt:
    """A Huawei MA58xx with GPON boards.

    Example:
        ```python
        olt = Olt("olt-1", "public", seed=7)
        olt.add_onu(1, 0, "HWTC0A0B0C01", "EG8145V5", 2300)
        host, port = await olt.start("127.0.0.1", 0)
        ```

    Args:
        name: its sysName.
        community: who may read; others get no answer.
        slots: the slots of frame 0 that hold a GPON board.
        ports: how many PONs a board has.
        seed: the same seed and the same calls give the same light.
        write_community: who may write; None: `community` may.
        failures_per_day: how often an ONU fails of itself, mended after minutes.
        drift_every: seconds between two steps of the light while it is started.
        clock: what time it is, for up and down times and sysUpTime.
        max_message: the largest SNMP answer, octets.
    """

    def __init__(
        self,
        name: str,
        community: str,
        *,
        slots: Sequence[int] = (1,),
        ports: int = 16,
        seed: int = 0,
        write_community: str | None = None,
        failures_per_day: float = 0.0,
        drift_every: float = 5.0,
        clock: Callable[[], datetime] = _utc_now,
        max_message: int = 1472,
    ) -> None:
        self.name = name
        self._seed = seed
        self._clock = clock
        self._booted_at = clock()
        self._failures_per_day = failures_per_day
        self._drift_every = drift_every
        rng = Random(f"{seed}/pons")
        self._pons = {
            (slot, port): rng.uniform(*_OLT_TX_DBM) for slot in slots for port in range(ports)
        }
        self._onus: dict[bytes, Onu] = {}
        self._view: MibView | None = None
        self._silent = False
        self._lose = 0
        self._endpoint: _Endpoint | None = None
        self._drift: asyncio.Task[None] | None = None
        self.agent = Agent(
            community, self._current_view, write_community=write_community, max_message=max_message
        )

    # -- ONUs ------------------------------------------------------------------------------

    def add_onu(
        self,
        slot: int,
        port: int,
        serial: str,
        model: str,
        distance_m: int,
        *,
        description: str = "",
        configured: bool = True,
    ) -> Onu:
        """Connect an ONU to a PON.

        Args:
            slot: of the PON.
            port: of the PON.
            serial: `HWTC12345678`.
            model: what it calls itself.
            distance_m: length of the fibre, metres.
            description: the OLT's text for it.
            configured: False leaves it in autofind until `authorise`.

        Raises:
            ValueError: no such PON, a full one, a serial that is none or known already, or a
                distance beyond 60 km.
        """
        octets = parse_serial(serial)
        if (slot, port) not in self._pons:
            raise ValueError(f"{self.name} has no PON 0/{slot}/{port}")
        if octets in self._onus:
            raise ValueError(f"{serial} is connected already")
        if not 0 <= distance_m <= MAX_DISTANCE_M:
            raise ValueError(f"no ONU is {distance_m} m away")
        onu = Onu(
            serial,
            slot=slot,
            port=port,
            number=self._free_number(slot, port, configured=configured),
            model=model,
            distance_m=distance_m,
            description=description,
            olt_tx_dbm=self._pons[slot, port],
            rng=Random(f"{self._seed}/{octets.hex()}"),
        )
        onu.configured = configured
        onu.found_at = self._clock()
        onu.come_up(self._clock())
        self._onus[octets] = onu
        self._view = None
        return onu

    def onu(self, serial: str) -> Onu:
        """Give the ONU of this serial number.

        Raises:
            KeyError: none such is connected.
        """
        try:
            return self._onus[parse_serial(serial)]
        except KeyError:
            raise KeyError(f"{self.name} has no ONU {serial}") from None

    def onus(self) -> list[Onu]:
        """Give all ONUs, in the order they were connected."""
        return list(self._onus.values())

    def authorise(self, serial: str) -> Onu:
        """Configure an ONU that waits in autofind; it gets a number and comes up.

        Raises:
            KeyError: none such is connected.
            ValueError: it is configured already, or its PON is full.
        """
        onu = self.onu(serial)
        if onu.configured:
            raise ValueError(f"{serial} is configured already")
        onu.number = self._free_number(onu.slot, onu.port, configured=True)
        onu.configured = True
        onu.come_up(self._clock())
        self._view = None
        return onu

    def remove(self, serial: str) -> None:
        """Delete an ONU's configuration; while it is heard it waits in autofind again.

        Raises:
            KeyError: none such is connected.
        """
        onu = self.onu(serial)
        if onu.configured:
            onu.number = self._free_number(onu.slot, onu.port, configured=False)
            onu.configured = False
            onu.running = False
            onu.found_at = self._clock()
            self._view = None

    def fail(self, serial: str, failure: Failure) -> None:
        """Cut an ONU's fibre ("los") or its power ("dying-gasp") until `restore`.

        Raises:
            KeyError: none such is connected.
        """
        onu = self.onu(serial)
        onu.go_down(self._clock(), CAUSES[failure])
        onu.failed = failure
        self._view = None

    def restore(self, serial: str) -> None:
        """Mend whatever failed; the ONU comes up at once.

        Raises:
            KeyError: none such is connected.
        """
        onu = self.onu(serial)
        onu.failed = None
        onu.come_up(self._clock())
        self._view = None

    def attenuate(self, serial: str, loss_db: float) -> None:
        """Bend an ONU's fibre so that it loses so much more, in both directions; 0 unbends it.

        Raises:
            KeyError: none such is connected.
        """
        self.onu(serial).light.extra_loss_db = loss_db

    # -- time ------------------------------------------------------------------------------

    def tick(self, seconds: float) -> None:
        """Let time pass for the light, boots and failures (the clock is not touched)."""
        now = self._clock()
        chance = -math.expm1(-self._failures_per_day * seconds / _DAY)
        for onu in self._onus.values():
            if onu.advance(seconds, now):
                self._view = None
            elif chance and onu.running and onu.rng.random() < chance:
                failure: Failure = "los" if onu.rng.random() < _SHARE_OF_LOS else "dying-gasp"
                self.fail(onu.serial, failure)
                onu.schedule_repair(onu.rng.uniform(*_REPAIR_SECONDS))

    # -- the wire --------------------------------------------------------------------------

    async def start(self, host: str = "127.0.0.1", port: int = 161) -> tuple[str, int]:
        """Open the UDP port and let the light drift.

        Args:
            host: the address to bind.
            port: the port to bind; 0 takes a free one.

        Returns:
            The address and port that were bound.

        Raises:
            OSError: the port cannot be had.
            RuntimeError: it is started already.
        """
        if self._endpoint is not None:
            raise RuntimeError(f"{self.name} is started already")
        loop = asyncio.get_running_loop()
        transport, self._endpoint = await loop.create_datagram_endpoint(
            lambda: _Endpoint(self._receive), local_addr=(host, port)
        )
        self._drift = loop.create_task(self._drift_on())
        bound: tuple[str, int] = transport.get_extra_info("sockname")[:2]
        return bound

    async def stop(self) -> None:
        """Close the port and wait until it is free; starting again is possible."""
        if self._drift is not None:
            self._drift.cancel()
            with suppress(asyncio.CancelledError):
                await self._drift
            self._drift = None
        if self._endpoint is not None:
            await self._endpoint.close()
            self._endpoint = None

    def unreachable(self, silent: bool) -> None:
        """Stop answering, as behind a cut line, or answer again."""
        self._silent = silent

    def lose(self, datagrams: int) -> None:
        """Lose the next so many requests on the way."""
        self._lose = datagrams

    def _receive(self, datagram: bytes) -> bytes | None:
        if self._silent:
            return None
        if self._lose:
            self._lose -= 1
            return None
        return self.agent.respond(datagram)

    async def _drift_on(self) -> None:
        loop = asyncio.get_running_loop()
        before = loop.time()
        while True:
            await asyncio.sleep(self._drift_every)
            now = loop.time()
            self.tick(now - before)
            before = now

    # -- what is served --------------------------------------------------------------------

    def _current_view(self) -> MibView:
        if self._view is None:
            onus = self._onus.values()
            self._view = MibView(
                (
                    *tables.system(self.name, self._uptime_ticks, len(self._pons)),
                    *tables.interfaces(sorted(self._pons)),
                    *tables.configured((o for o in onus if o.configured), self._prepare_reset),
                    *tables.autofind(o for o in onus if o.heard and not o.configured),
                )
            )
        return self._view

    def _uptime_ticks(self) -> int:
        up = (self._clock() - self._booted_at).total_seconds()
        return int(up * _TICKS_PER_SECOND) % 2**32

    def _prepare_reset(self, onu: Onu) -> Prepare:
        def prepare(value: Value) -> Commit | ErrorStatus:
            if not isinstance(value, Integer):
                return ErrorStatus.WRONG_TYPE
            if value.value != huawei.RESET:
                return ErrorStatus.WRONG_VALUE
            if not onu.running:
                return ErrorStatus.INCONSISTENT_VALUE
            return lambda: onu.reset(self._clock(), BOOT_SECONDS)

        return prepare

    def _free_number(self, slot: int, port: int, *, configured: bool) -> int:
        taken = {
            onu.number
            for onu in self._onus.values()
            if (onu.slot, onu.port, onu.configured) == (slot, port, configured)
        }
        free: Iterator[int] = (number for number in range(ONUS_PER_PON) if number not in taken)
        number = next(free, None)
        if number is None:
            raise ValueError(f"PON 0/{slot}/{port} is full")
        return number


class _Endpoint(asyncio.DatagramProtocol):
    """Hands datagrams to the device and its answers back."""

    def __init__(self, receive: Callable[[bytes], bytes | None]) -> None:
        self._receive = receive
        self._transport: asyncio.DatagramTransport | None = None
        self._closed = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        answer = self._receive(data)
        if answer is not None and self._transport is not None:
            self._transport.sendto(answer, addr)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        self._closed.set_result(None)

    async def close(self) -> None:
        """Close the port and return once it is free."""
        if self._transport is not None:
            self._transport.close()
            await self._closed
