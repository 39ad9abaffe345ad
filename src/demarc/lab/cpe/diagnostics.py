"""What a device tries out when an ACS asks for it, and tells of in a session of its own."""

import asyncio
import zlib
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from functools import partial
from random import Random
from typing import TYPE_CHECKING, Final, Protocol

from demarc.lab.cpe import speed
from demarc.lab.cpe.home import iso
from demarc.lab.cpe.shaping import Bucket, Rates
from demarc.lab.cpe.speed import Measured, Unsuccessful
from demarc.protocols.cwmp import events
from demarc.protocols.cwmp.messages import ParameterValue

if TYPE_CHECKING:
    from demarc.lab.cpe.device import Cpe

_REQUESTED: Final = "Requested"
_SURVEY_SECONDS: Final = 0.05
_NOT_REACHED: Final = 11
_BANDS: Final = {2: ("2.4GHz", (1, 6, 11)), 5: ("5GHz", (36, 44, 149, 157))}


class Echo(Protocol):
    """What answers pings."""

    async def __call__(self, host: str, within: float) -> float | None:
        """Give seconds until a host's answer; None if there is none within the time."""
        ...


class Distances:
    """Answers pings as far hosts would, each always as far; without a packet sent.

    Args:
        unreachable: hosts that do not answer.
        scale: what waiting is shortened to; 1 for real time.
    """

    def __init__(self, *unreachable: str, scale: float = 1.0) -> None:
        self._unreachable = frozenset(unreachable)
        self._scale = scale
        self._rng = Random("echo")

    async def __call__(self, host: str, within: float) -> float | None:
        """Give seconds until a host's answer."""
        far = 0.004 + zlib.crc32(host.encode()) % 40 / 1000
        seconds = far * self._rng.uniform(0.9, 1.3)
        if host in self._unreachable or seconds > within:
            await asyncio.sleep(within * self._scale)
            return None
        await asyncio.sleep(seconds * self._scale)
        return seconds


class Diagnostics:
    """A device's.

    Args:
        cpe: the device.
        rates: asked for those of its line whenever it is measured.
        echo: what answers its pings.
    """

    def __init__(self, cpe: "Cpe", rates: Callable[[], Rates], echo: Echo) -> None:
        self._cpe = cpe
        self._echo = echo
        self._rates = rates
        places = cpe.home.make.places
        kinds: list[tuple[str | None, Callable[[str], Awaitable[str | None]]]] = [
            (places.ping, self._ping),
            (places.traceroute, self._traceroute),
            (places.download, self._download),
            (places.upload, self._upload),
            *((each, self._survey) for each in places.neighbours),
        ]
        self._kinds = {place: run for place, run in kinds if place is not None}
        self._running: dict[str, asyncio.Task[None]] = {}

    def asked(self, parameters: Sequence[ParameterValue]) -> None:
        """Look whether values that were set ask for something, or end it."""
        states = {f"{place}DiagnosticsState": place for place in self._kinds}
        wanted = {
            states[each.name]
            for each in parameters
            if each.name in states and each.value == _REQUESTED
        }
        for each in parameters:
            for place in self._kinds:
                if each.name.startswith(place):
                    self._end(place)
                    if place not in wanted:
                        self._cpe.tree.put(f"{place}DiagnosticsState", "None")
        for place in wanted:
            self._cpe.afterwards(partial(self._begin, place))

    def stop(self) -> None:
        """Give up all that runs."""
        for place in list(self._running):
            self._end(place)

    def _end(self, place: str) -> None:
        task = self._running.pop(place, None)
        if task is not None:
            task.cancel()

    async def _begin(self, place: str) -> None:
        self._running[place] = self._cpe.in_background(self._run(place))

    async def _run(self, place: str) -> None:
        try:
            state = await self._kinds[place](place)
        except Unsuccessful as reason:
            state = str(reason)
        self._running.pop(place, None)
        self._put(place, "DiagnosticsState", state or self._cpe.habits.complete)
        self._cpe.happen(events.DIAGNOSTICS_COMPLETE)

    def _get(self, place: str, name: str) -> str:
        return self._cpe.tree.get(place + name)

    def _number(self, place: str, name: str, otherwise: int = 0) -> int:
        if self._cpe.tree.find(place + name) is None:
            return otherwise
        return int(self._get(place, name))

    def _put(self, place: str, name: str, value: object) -> None:
        self._cpe.tree.put(place + name, str(value))

    # each kind: gives its state in the end where that is not the usual one

    async def _ping(self, place: str) -> str | None:
        host = self._get(place, "Host")
        if not host:
            return "Error_CannotResolveHostName"
        tries = 1 if self._cpe.habits.one_ping else self._number(place, "NumberOfRepetitions", 3)
        within = self._number(place, "Timeout", 1000) / 1000
        times = [await self._echo(host, within) for _ in range(tries)]
        heard = [each * 1_000_000 for each in times if each is not None]
        self._put(place, "SuccessCount", len(heard))
        self._put(place, "FailureCount", tries - len(heard))
        of_all = {
            "Average": sum(heard) / len(heard) if heard else 0,
            "Minimum": min(heard, default=0),
            "Maximum": max(heard, default=0),
        }
        for name, micros in of_all.items():
            self._put(place, f"{name}ResponseTime", round(micros / 1000))
            self._put(place, f"{name}ResponseTimeDetailed", round(micros))
        return None

    async def _traceroute(self, place: str) -> str | None:
        host = self._get(place, "Host")
        table = place + self._cpe.home.make.places.hops
        self._cpe.tree.clear(table)
        if not host:
            return "Error_CannotResolveHostName"
        within = self._number(place, "Timeout", 5000) / 1000
        tries = self._number(place, "NumberOfTries", 3)
        most = self._number(place, "MaxHopCount", 30)
        between = 3 + zlib.crc32(host.encode()) % 6
        way = ["192.168.1.1", *(f"203.0.113.{each}" for each in range(1, between)), host]
        last: float | None = None
        for hop in way[:most]:
            times = [await self._echo(hop, within) for _ in range(tries)]
            heard = [round(each * 1000) for each in times if each is not None]
            last = None if not heard else sum(heard) / len(heard)
            facts = {
                "hop_host": hop if hop == host else "",
                "hop_address": hop,
                "hop_error": "0" if heard else str(_NOT_REACHED),
                "hop_times": ",".join(map(str, heard)),
            }
            self._cpe.tree.put_instance(table, facts.get, len(self._cpe.tree.instances(table)) + 1)
        if len(way) > most or last is None:
            return "Error_MaxHopCountExceeded"
        self._put(place, "ResponseTime", round(last))
        return self._cpe.home.make.places.traceroute_ended

    async def _survey(self, place: str) -> str | None:
        home, tree = self._cpe.home, self._cpe.tree
        table = place + home.make.places.found
        tree.clear(table)
        await asyncio.sleep(_SURVEY_SECONDS)
        per_band = len(home.make.places.neighbours) > 1
        bands: list[int] = [2, 5]
        if per_band:
            bands = [bands[home.make.places.neighbours.index(place) % 2]]
        rng = Random(f"{home.serial}/neighbours")
        for each in range(1, rng.randrange(3, 12)):
            band = rng.choice((2, 5))
            name, channels = _BANDS[band]
            facts = {
                "near_ssid": f"Vizinho_{rng.randrange(1000, 9999)}",
                "near_bssid": ":".join(["02", *(f"{rng.randrange(256):02X}" for _ in range(5))]),
                "near_channel": str(rng.choice(channels)),
                "near_signal": str(-rng.randrange(45, 92)),
                "near_band": name,
                "near_radio": f"Device.WiFi.Radio.{1 if band == 2 else 2}",  # noqa: PLR2004 - GHz
            }
            if band in bands:
                tree.put_instance(table, facts.get, each)
        return None

    async def _download(self, place: str) -> str | None:
        measured = await speed.download(
            self._get(place, "DownloadURL"),
            Bucket(self._line().down_bps),
            connections=self._number(place, "NumberOfConnections", 1),
            seconds=self._number(place, "TimeBasedTestDuration"),
            trust=self._cpe.trust,
        )
        self._tell(place, measured)
        self._put(place, "TestBytesReceived", measured.content)
        self._put(place, "TestBytesReceivedUnderFullLoading", measured.full_content)
        return None

    async def _upload(self, place: str) -> str | None:
        measured = await speed.upload(
            self._get(place, "UploadURL"),
            Bucket(self._line().up_bps),
            octets=self._number(place, "TestFileLength"),
            connections=self._number(place, "NumberOfConnections", 1),
            seconds=self._number(place, "TimeBasedTestDuration"),
            trust=self._cpe.trust,
        )
        self._tell(place, measured)
        self._put(place, "TestBytesSent", measured.content)
        self._put(place, "TestBytesSentUnderFullLoading", measured.full_content)
        return None

    def _line(self) -> Rates:
        if self._cpe.home.line.session() is None:
            raise Unsuccessful("Error_InitConnectionFailed")
        return self._rates()

    def _tell(self, place: str, measured: Measured) -> None:
        offset: timedelta = self._cpe.home.clock_offset
        began = measured.ended if self._cpe.habits.late_begin else measured.began
        times = {
            "TCPOpenRequestTime": measured.opening,
            "TCPOpenResponseTime": measured.opened,
            "ROMTime": measured.requested,
            "BOMTime": began,
            "EOMTime": measured.ended,
        }
        for name, moment in times.items():
            self._put(place, name, iso(moment + offset, micros=True))
        self._put(place, "TotalBytesReceived", measured.received)
        self._put(place, "TotalBytesSent", measured.sent)
        self._put(place, "TotalBytesReceivedUnderFullLoading", measured.full_content)
        self._put(place, "TotalBytesSentUnderFullLoading", measured.full_content)
        self._put(place, "PeriodOfFullLoading", round(measured.full_seconds * 1_000_000))


__all__ = ["Diagnostics", "Distances", "Echo"]
