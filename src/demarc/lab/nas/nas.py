"""The NAS as a device: it lets subscribers in, accounts for them, and obeys the server."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from ipaddress import IPv4Address, IPv6Network
from random import Random
from typing import Any, Final, Literal, TypeAlias

import msgspec

from demarc.lab.nas.client import Client, NoAnswer, Retry
from demarc.lab.nas.dynamic import Authority, CoaPort, Refusals
from demarc.lab.nas.session import Grant, Habits, Session
from demarc.lab.nas.traffic import Demand, Household, Limits
from demarc.lab.nas.vendors import VENDORS, Make, Vendor
from demarc.lab.nas.walls import Walls, read_walls
from demarc.protocols.radius.attributes import Pair, encode_attributes
from demarc.protocols.radius.dictionary import DICTIONARY
from demarc.protocols.radius.errors import Malformed
from demarc.protocols.radius.packet import Code, Packet
from demarc.protocols.radius.password import chap_response
from demarc.protocols.radius.request import encode_request

_OPEN_ADDRESSES: Final = {IPv4Address("255.255.255.254"), IPv4Address("255.255.255.255")}
_CHALLENGE_SIZE: Final = 16


class Refused(msgspec.Struct, frozen=True):
    """A login that did not succeed.

    Attributes:
        reply_message: what the server had to say.
        answered: False: the server said nothing at all, in all tries.
    """

    reply_message: str | None
    answered: bool = True


class Logins(msgspec.Struct):
    """What became of the logins so far."""

    accepted: int = 0
    refused: int = 0
    unanswered: int = 0


EventKind: TypeAlias = Literal["up", "refused", "accounted", "ended"]


class Event(msgspec.Struct, frozen=True):
    """Something that happened on a NAS.

    Attributes:
        kind: a session came up, a login was refused, an accounting packet was acknowledged, a
            session ended.
        nas: the NAS's name.
        username: the subscriber's.
        session: None for a refused login.
        detail: the Reply-Message of a refusal, the Acct-Terminate-Cause of an end.
    """

    kind: EventKind
    nas: str
    username: str
    session: Session | None = None
    detail: str | None = None


class Nas:
    """A BNG that speaks RADIUS over real sockets.

    Example:
        ```python
        nas = Nas("bng-1", b"secret", ("127.0.0.1", 1812), ("127.0.0.1", 1813))
        await nas.start()
        session = await nas.connect("ana@isp.example", "password")
        if isinstance(session, Session):
            await session.disconnect()
        await nas.stop()
        ```

    Args:
        name: what it is called, and its NAS-Identifier if `identifier` is not given.
        secret: shared with the server, for all three ports.
        auth_server: address and port that Access-Requests go to.
        acct_server: address and port that Accounting-Requests go to.
        bind_host: the address it speaks from and listens at.
        coa_port: where it listens for Disconnect and CoA; 0: any free port.
        vendor: whose ways it has.
        identifier: its NAS-Identifier.
        nas_ip: its NAS-IP-Address; left out, `bind_host`.
        seed: the same seed and the same calls give the same sessions and traffic.
        interim_seconds: how often sessions report, instead of what the server asks for; 0: only
            when told to.
        habits: how it differs from the standard's letter.
        retry: how patient it is.
        clock: what time it is, for Event-Timestamp, durations and traffic.
        on_event: called with all that happens.
    """

    def __init__(
        self,
        name: str,
        secret: bytes,
        auth_server: tuple[str, int],
        acct_server: tuple[str, int],
        *,
        bind_host: str = "127.0.0.1",
        coa_port: int = 0,
        vendor: Make = "mikrotik",
        identifier: str | None = None,
        nas_ip: str | None = None,
        seed: int = 0,
        interim_seconds: float | None = None,
        habits: Habits | None = None,
        retry: Retry | None = None,
        clock: Callable[[], datetime] | None = None,
        on_event: Callable[[Event], None] | None = None,
    ) -> None:
        self.name = name
        self.identifier = identifier or name
        self.nas_ip = IPv4Address(nas_ip or bind_host)
        self.habits = habits or Habits()
        self.logins = Logins()
        self.sessions: dict[int, Session] = {}
        self.authentication, self.accounting = (
            Client(
                server,
                secret,
                bind_host=bind_host,
                retry=retry,
                require_message_authenticator=self.habits.require_message_authenticator,
            )
            for server in (auth_server, acct_server)
        )
        self._secret = secret
        self._bind = (bind_host, coa_port)
        self._vendor: Vendor = VENDORS[vendor]
        self._seed = seed
        self._rng = Random(f"{seed}/{name}")
        self._interim_seconds = interim_seconds
        self._clock = clock or _utc_now
        self._on_event = on_event or _nobody
        self._ports = 0
        self._boot = self._rng.randrange(2**16)
        self._reported: dict[int, int] = {}
        self._ending: set[Session] = set()
        self._transport: asyncio.DatagramTransport | None = None
        self._make: Make = vendor
        authority = Authority(
            self.nas_ip, self.identifier, vendor, self.sessions.values, self.habits
        )
        self._coa = CoaPort(secret, self._clock, authority.decide)

    # -- as a device -------------------------------------------------------------------------

    async def start(self) -> None:
        """Listen for Disconnect- and CoA-Requests; after `stop`, boot anew.

        Raises:
            OSError: the CoA port is taken.
        """
        self._boot = (self._boot + 1) % 2**16
        self.authentication.open()
        self.accounting.open()
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(
            lambda: self._coa, local_addr=self._bind
        )

    @property
    def coa_address(self) -> tuple[str, int]:
        """Where it listens for Disconnect- and CoA-Requests, once started."""
        if self._transport is None:
            raise RuntimeError("the NAS is not started")
        host, port = self._transport.get_extra_info("sockname")[:2]
        return host, port

    @property
    def refusals(self) -> Refusals:
        """What came to the CoA port and was not answered."""
        return self._coa.refusals

    async def stop(self, *, patience: float = 0.0) -> None:
        """Close all sockets.

        Args:
            patience: seconds. Above 0 the sessions are ended (Admin-Reboot) and this long is
                waited for the acknowledgements; at 0 they end as on a loss of power.
        """
        if patience > 0:
            for session in list(self.sessions.values()):
                session.end("Admin-Reboot")
            ending = [asyncio.ensure_future(each.wait_closed()) for each in self._ending]
            if ending:
                _, late = await asyncio.wait(ending, timeout=patience)
                for task in late:
                    task.cancel()
        for session in [*self.sessions.values(), *self._ending]:
            session.abandon()
        self.sessions.clear()
        self._ending.clear()
        if self._transport is not None:
            self._transport.close()
            self._transport = None
        self.authentication.close()
        self.accounting.close()

    async def announce(self, status: Literal["Accounting-On", "Accounting-Off"]) -> None:
        """Tell the server that no session of this NAS is up, as it does around a reboot."""
        pairs: list[Pair] = [
            (DICTIONARY["Acct-Status-Type"], status),
            (DICTIONARY["Acct-Session-Id"], f"{self._boot:04x}0000"),
            *self._identity(),
            (DICTIONARY["Event-Timestamp"], self._clock()),
            (DICTIONARY["Acct-Delay-Time"], 0),
        ]
        body = encode_attributes(pairs)
        await self.accounting.deliver(Code.ACCOUNTING_REQUEST, lambda: body)

    # -- subscribers -------------------------------------------------------------------------

    async def connect(
        self,
        username: str,
        password: str,
        *,
        calling_station_id: str | None = None,
        protocol: Literal["pap", "chap"] = "pap",
        session_id: str | None = None,
        demand: Demand | None = None,
    ) -> Session | Refused:
        """Let a subscriber log in.

        Args:
            username: as the subscriber gives it.
            password: likewise.
            calling_station_id: the subscriber's MAC address, `02:00:00:00:00:01`; left out, one
                of the NAS's seed.
            protocol: how PPP authenticates.
            session_id: the Acct-Session-Id, to have one twice as careless NASes do; left out, the
                next.
            demand: the subscriber's traffic; left out, a household of the NAS's seed.

        Returns:
            The session, whose Start is under way, or why there is none.
        """
        self._ports += 1
        number = self._ports
        station = calling_station_id or _station(self._rng)
        session_id = session_id or f"{self._boot:04x}{number:04x}"
        line = [
            *self._identity(),
            (DICTIONARY["Service-Type"], "Framed-User"),
            (DICTIONARY["Framed-Protocol"], "PPP"),
            *self._vendor.port(number, station),
        ]
        pairs: list[Pair] = [
            (DICTIONARY["User-Name"], username),
            *self._credentials(password, protocol),
            *line,
            (DICTIONARY["Acct-Session-Id"], session_id),
        ]
        try:
            reply = await self.authentication.ask(
                lambda identifier: encode_request(
                    Code.ACCESS_REQUEST,
                    identifier,
                    pairs,
                    self._secret,
                    message_authenticator=self.habits.message_authenticator,
                )
            )
        except NoAnswer:
            self.logins.unanswered += 1
            return self._refuse(username, Refused(None, answered=False))
        if reply.code != Code.ACCESS_ACCEPT:
            self.logins.refused += 1
            return self._refuse(username, Refused(reply.text(DICTIONARY["Reply-Message"])))
        try:
            grant = self._grant(username, reply)
        except Malformed as error:
            # RFC 2865 section 5: an Accept with an attribute of invalid length is a Reject.
            self.logins.refused += 1
            return self._refuse(username, Refused(f"Access-Accept: {error.reason}"))
        self.logins.accepted += 1
        interim = grant.interim_seconds if self._interim_seconds is None else self._interim_seconds
        session = Session(
            session_id,
            username,
            line,
            grant,
            accounting=self.accounting,
            clock=self._clock,
            demand=demand or Household(f"{self._seed}/{self.name}/{number}"),
            habits=self.habits,
            interim_seconds=interim or None,
            on_change=lambda changed: self._changed(number, changed),
        )
        self.sessions[number] = session
        self._reported[number] = 0
        session.start()
        self._on_event(Event("up", self.name, username, session))
        return session

    def _refuse(self, username: str, refused: Refused) -> Refused:
        self._on_event(Event("refused", self.name, username, detail=refused.reply_message))
        return refused

    def _changed(self, number: int, session: Session) -> None:
        if not session.up and self.sessions.pop(number, None) is not None:
            self._ending.add(session)
            self._on_event(Event("ended", self.name, session.username, session, session.cause))
        if session.acknowledged > self._reported.get(number, session.acknowledged):
            self._reported[number] = session.acknowledged
            self._on_event(Event("accounted", self.name, session.username, session))
        if session.closed:
            self._ending.discard(session)
            self._reported.pop(number, None)

    def _identity(self) -> list[Pair]:
        return [
            (DICTIONARY["NAS-IP-Address"], self.nas_ip),
            (DICTIONARY["NAS-Identifier"], self.identifier),
        ]

    def _credentials(self, password: str, protocol: Literal["pap", "chap"]) -> list[Pair]:
        if protocol == "pap":
            # An empty password is sent all the same, hidden in one block.
            return [(DICTIONARY["User-Password"], password or b"\0")]
        challenge = self._rng.randbytes(_CHALLENGE_SIZE)
        response = chap_response(self._rng.randrange(256), password.encode(), challenge)
        return [(DICTIONARY["CHAP-Password"], response), (DICTIONARY["CHAP-Challenge"], challenge)]

    def _grant(self, username: str, reply: Packet) -> Grant:
        address = reply.address(DICTIONARY["Framed-IP-Address"])
        return Grant(
            username=reply.text(DICTIONARY["User-Name"]) or username,
            framed_ip=None if address in _OPEN_ADDRESSES else address,
            framed_ipv6_prefix=_prefix(reply, "Framed-IPv6-Prefix"),
            delegated_ipv6_prefix=_prefix(reply, "Delegated-IPv6-Prefix"),
            limits=self._vendor.limits(reply) or Limits(),
            interim_seconds=reply.number(DICTIONARY["Acct-Interim-Interval"]),
            session_timeout=reply.number(DICTIONARY["Session-Timeout"]),
            classes=tuple(reply.values(DICTIONARY["Class"])),
            reply=reply,
            walls=read_walls(self._make, reply) or Walls(),
        )


def _utc_now() -> datetime:
    return datetime.now(UTC)


def _nobody(_: Event) -> None:
    """Where events go that nobody asked for."""


def _prefix(reply: Packet, name: str) -> IPv6Network | None:
    prefix: Any = reply.get(DICTIONARY[name])
    return prefix if isinstance(prefix, IPv6Network) else None


def _station(rng: Random) -> str:
    # locally administered, so nobody's
    return ":".join(["02", *(f"{rng.randrange(256):02x}" for _ in range(5))])
