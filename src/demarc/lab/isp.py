"""The lab as a whole: NASes, OLTs and subscribers, made as they are ordered, told of as they live.

It takes orders as JSON lines (see the structs below) and tells its status as one JSON line a
second. Whoever gives the orders ends the lab by closing the line to it.
"""

from __future__ import annotations

import asyncio
import ssl
import sys
import time
from collections.abc import Callable
from typing import Literal, TypeAlias

import msgspec

from demarc.lab.cpe import Fleet, Home, model
from demarc.lab.dialled import Dialled
from demarc.lab.nas import Event, Nas, Patience, Session, Subscriber
from demarc.lab.olt import Olt

_TELL_EVERY = 1.0
_STOP_PATIENCE = 3.0
# The drift of the light is made visible within a demo: an ONU fails about once in a few hours.
_FAILURES_PER_DAY = 6.0
_SLOT = 1


class NasOrder(msgspec.Struct, tag="nas", tag_field="kind"):
    """Put up a NAS."""

    name: str
    secret: str
    vendor: Literal["mikrotik", "huawei"]
    host: str
    server: str
    auth_port: int
    acct_port: int
    coa_port: int = 0
    interim_seconds: float | None = None


class OltOrder(msgspec.Struct, tag="olt", tag_field="kind"):
    """Put up an OLT with a GPON board in slot 1."""

    name: str
    host: str
    port: int
    community: str
    ports: int = 16


class OnuOrder(msgspec.Struct, tag="onu", tag_field="kind"):
    """Connect an ONU to a PON."""

    olt: str
    serial: str
    port: int
    distance_m: int
    model: str = "EG8145V5"


class SubscriberOrder(msgspec.Struct, tag="subscriber", tag_field="kind"):
    """Have a subscriber's router log in and stay."""

    nas: str
    username: str
    password: str
    station: str
    protocol: Literal["pap", "chap"] = "pap"


class AcsOrder(msgspec.Struct, tag="acs", tag_field="kind"):
    """Have routers inform an ACS, those of one tenant by one word.

    Attributes:
        certificate: file of the one that it is trusted by; None for the system's authorities.
    """

    name: str
    url: str
    username: str
    password: str
    certificate: str | None = None


class CpeOrder(msgspec.Struct, tag="cpe", tag_field="kind"):
    """Have a subscriber's router be one that an ACS manages.

    Attributes:
        acs: by its order's name.
        subscriber: by the name it dials with.
        onu: serial number of the one whose light it has; None for light of its own.
        serial: the router's own; None for one made of its number.
        after: seconds until it is switched on.
    """

    acs: str
    make: str
    number: int
    subscriber: str
    mac: str
    onu: str | None = None
    serial: str | None = None
    after: float = 0.0


Order: TypeAlias = NasOrder | OltOrder | OnuOrder | SubscriberOrder | AcsOrder | CpeOrder


class Status(msgspec.Struct):
    """What goes on in the lab.

    Attributes:
        subscribers: routers that try to be online; ``online`` are.
        accepted: log-ins so far, ``refused`` likewise.
        disconnected: sessions the server ended.
        interims: accounting packets acknowledged.
        down_bps: what sessions carried lately, bit/s towards the subscribers; ``up_bps`` back.
        onus: connected; ``onus_online`` have light.
        cpes: routers that an ACS manages; ``cpes_informed`` have had a session with it.
    """

    subscribers: int = 0
    online: int = 0
    accepted: int = 0
    refused: int = 0
    disconnected: int = 0
    interims: int = 0
    down_bps: float = 0.0
    up_bps: float = 0.0
    onus: int = 0
    onus_online: int = 0
    cpes: int = 0
    cpes_informed: int = 0


class _Report(msgspec.Struct):
    """A session's counters at its last report, and its rates up to then."""

    at: float
    up: int
    down: int
    up_bps: float = 0.0
    down_bps: float = 0.0


class Isp:
    """All that is simulated."""

    def __init__(self) -> None:
        self._nases: dict[str, Nas] = {}
        self._olts: dict[str, Olt] = {}
        self._subscribers: dict[str, Subscriber] = {}
        self._stations: dict[str, str] = {}
        self._fleets: dict[str, Fleet] = {}
        self._living: list[asyncio.Task[None]] = []
        self._status = Status()
        self._reports: dict[Session, _Report] = {}

    async def take(self, order: Order) -> None:
        """Carry out an order.

        Raises:
            KeyError: it names a NAS or OLT that was not ordered before.
            OSError: an address cannot be used.
        """
        match order:
            case NasOrder():
                nas = Nas(
                    order.name,
                    order.secret.encode(),
                    (order.server, order.auth_port),
                    (order.server, order.acct_port),
                    bind_host=order.host,
                    coa_port=order.coa_port,
                    vendor=order.vendor,
                    interim_seconds=order.interim_seconds,
                    # a NAS that boots anew does not repeat the session ids of its last life
                    seed=time.time_ns(),
                    on_event=self._happened,
                )
                await nas.start()
                await nas.announce("Accounting-On")
                self._nases[order.name] = nas
            case OltOrder():
                olt = Olt(
                    order.name,
                    order.community,
                    slots=(_SLOT,),
                    ports=order.ports,
                    failures_per_day=_FAILURES_PER_DAY,
                )
                await olt.start(order.host, order.port)
                self._olts[order.name] = olt
            case OnuOrder():
                self._olts[order.olt].add_onu(
                    _SLOT, order.port, order.serial, order.model, order.distance_m
                )
            case SubscriberOrder():
                subscriber = Subscriber(
                    self._nases[order.nas],
                    order.username,
                    order.password,
                    calling_station_id=order.station,
                    protocol=order.protocol,
                    patience=Patience(first=2.0, longest=15.0),
                )
                self._subscribers[order.username] = subscriber
                self._stations[order.username] = order.station
                self._living.append(asyncio.create_task(subscriber.run()))

            case AcsOrder():
                self._fleets[order.name] = Fleet(
                    order.url,
                    credential=(order.username, order.password),
                    trust=None if order.certificate is None else _trust(order.certificate),
                )
                await self._fleets[order.name].listen()
            case CpeOrder():
                self._living.append(asyncio.create_task(self._router(order)))

    async def _router(self, order: CpeOrder) -> None:
        """Switch a subscriber's router on."""
        await asyncio.sleep(order.after)
        subscriber = self._subscribers[order.subscriber]
        line = Dialled(subscriber)
        home = Home(
            model(order.make),
            order.number,
            line=line,
            light=None if order.onu is None else self._light(order.onu),
            serial=order.serial,
            mac=order.mac,
            wan_mac=self._stations[order.subscriber].replace("-", ":"),
            pppoe=(subscriber.username, subscriber.password),
        )
        await self._fleets[order.acs].add(home, line.rates).start()

    def _light(self, serial: str) -> Callable[[], tuple[float, float]]:
        [onu] = [onu for olt in self._olts.values() for onu in olt.onus() if onu.serial == serial]
        return lambda: (onu.light.onu_rx_dbm, onu.light.onu_tx_dbm)

    def status(self) -> Status:
        """Give what goes on now."""
        status = self._status
        status.subscribers = len(self._subscribers)
        status.online = sum(each.session is not None for each in self._subscribers.values())
        status.down_bps = sum(report.down_bps for report in self._reports.values())
        status.up_bps = sum(report.up_bps for report in self._reports.values())
        onus = [onu for olt in self._olts.values() for onu in olt.onus()]
        status.onus = len(onus)
        status.onus_online = sum(onu.heard for onu in onus)
        cpes = [cpe for fleet in self._fleets.values() for cpe in fleet.cpes]
        status.cpes = len(cpes)
        status.cpes_informed = sum(cpe.sessions.done > 0 for cpe in cpes)
        return status

    async def stop(self) -> None:
        """Shut everything down in order: sessions are stopped and accounted for."""
        await asyncio.gather(*(fleet.stop() for fleet in self._fleets.values()))
        for task in self._living:
            task.cancel()
        await asyncio.gather(*self._living, return_exceptions=True)
        await asyncio.gather(
            *(nas.stop(patience=_STOP_PATIENCE) for nas in self._nases.values()),
            *(olt.stop() for olt in self._olts.values()),
        )

    def _happened(self, event: Event) -> None:
        match event.kind:
            case "up":
                self._status.accepted += 1
            case "refused":
                self._status.refused += 1
            case "accounted":
                self._status.interims += 1
                self._measure(event)
            case "ended":
                if event.detail == "Admin-Reset":
                    self._status.disconnected += 1
                if event.session is not None:
                    self._reports.pop(event.session, None)

    def _measure(self, event: Event) -> None:
        """Work out what a session has carried between its last two reports."""
        session = event.session
        if session is None:
            return
        now, up, down = time.monotonic(), session.counters.up_octets, session.counters.down_octets
        before = self._reports.get(session)
        report = _Report(now, up, down)
        if before is not None and now > before.at:
            report.up_bps = (up - before.up) * 8 / (now - before.at)
            report.down_bps = (down - before.down) * 8 / (now - before.at)
        self._reports[session] = report


def _trust(certificate: str) -> ssl.SSLContext:
    """Trust one certificate, whoever it is of and whoever issued it, as devices are made to."""
    trust = ssl.create_default_context(cafile=certificate)
    trust.check_hostname = False
    trust.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return trust


async def run(orders: asyncio.StreamReader, tell: Callable[[bytes], None]) -> None:
    """Carry out orders until there are no more, telling the status every second.

    Args:
        orders: JSON lines.
        tell: called with each status, a JSON line.
    """
    isp = Isp()

    async def telling() -> None:
        while True:
            await asyncio.sleep(_TELL_EVERY)
            tell(msgspec.json.encode(isp.status()) + b"\n")

    talking = asyncio.create_task(telling())
    try:
        async for line in orders:
            await isp.take(msgspec.json.decode(line, type=Order))
    finally:
        talking.cancel()
        await isp.stop()


async def main() -> None:
    """Run the lab on standard input and output."""
    loop = asyncio.get_running_loop()
    orders = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)

    def tell(line: bytes) -> None:
        sys.stdout.buffer.write(line)
        sys.stdout.buffer.flush()

    await run(orders, tell)
