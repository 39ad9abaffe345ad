"""One home server as it is asked: its ways, whether it lives, and how a dead one comes back.

A server is dead after three requests in a row without an answer, and is asked by Status-Server
(RFC 5997) until it answers; one that has no Status-Server is tried again after half a minute. Over
RadSec a server without a connection is dead, and the connection is what is tried.
"""

import asyncio
import contextlib
import random
from abc import ABC, abstractmethod
from collections.abc import Callable

import msgspec
import structlog

from demarc.platform.telemetry.counters import count
from demarc.platform.telemetry.repeats import REPEATS
from demarc.protocols.radius.errors import BadAuthenticator
from demarc.protocols.radius.packet import Code, Packet
from demarc.protocols.radius.request import encode_request, verify_response
from demarc.southbound.radius.proxy.channel import Channel, Query, TlsChannel, UdpChannel
from demarc.southbound.radius.tls import Contexts

_log = structlog.get_logger(__name__)

_DEAD_AFTER = 3
_TRIED_AGAIN_AFTER = 30.0
_MOST_SOCKETS = 16
_MOST_CONNECTIONS = 4
_CONNECT_WITHIN = 10.0
_CLOSE_WITHIN = 3.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 30.0


class Manner(msgspec.Struct, frozen=True):
    """How a server is asked.

    Attributes:
        name: as people know it.
        address: IPv4 or IPv6.
        secret: shared with it.
        patience: seconds for an answer.
        status_server: whether it answers Status-Server.
        signs: whether its Access replies must have Message-Authenticator: "yes", "no", or "auto",
            from the first that has it on.
        certificate: by which it is known over RadSec; None over UDP.
        probe_every: seconds between two Status-Servers to a dead one, and on a silent connection.
    """

    name: str
    address: str
    port: int
    secret: bytes
    patience: float
    status_server: bool
    signs: str
    certificate: str | None = None
    probe_every: float = 10.0


class Target(ABC):
    """A home server's port.

    Args:
        manner: how it is asked.
    """

    def __init__(self, manner: Manner) -> None:
        self.manner = manner
        self.alive = True
        self.outstanding = 0
        self._channels: list[Channel] = []
        self._silent = 0
        self._signs = manner.signs == "yes"
        self._reviving: asyncio.Task[None] | None = None

    # -- asking --------------------------------------------------------------------------------

    def ask(self, build: Callable[[int], bytes], answered: Callable[[Packet | None], None]) -> bool:
        """Send a request.

        Args:
            build: gives its octets for an Identifier; may raise, and then nothing is sent.
            answered: called once with the reply, or with None when none came in time.

        Returns:
            False when it cannot be asked now; ``answered`` is not called then.
        """
        channel = self._with_room()
        if channel is None:
            return False
        identifier = channel.free.popleft()
        try:
            query = Query(build(identifier), answered)
        except BaseException:
            channel.free.append(identifier)
            raise
        self._send(channel, identifier, query)
        return True

    def _send(self, channel: Channel, identifier: int, query: Query) -> None:
        channel.asked[identifier] = query
        self.outstanding += 1
        # asked once more in the middle of the time, where a packet may be lost
        first = self.manner.patience / 2 if self._repeats else self.manner.patience
        query.timer = asyncio.get_running_loop().call_later(
            first, self._overdue, channel, identifier, query
        )
        channel.send(query.octets)

    def _overdue(self, channel: Channel, identifier: int, query: Query) -> None:
        if self._repeats and not query.again:
            query.again = True
            query.timer = asyncio.get_running_loop().call_later(
                self.manner.patience / 2, self._overdue, channel, identifier, query
            )
            channel.send(query.octets)
            return
        count("radius_proxy", kind="timeout")
        self._silent += 1
        if self._silent >= _DEAD_AFTER:
            self._die("it does not answer")
        self._settle(channel, identifier, query, None)

    def _settle(
        self, channel: Channel, identifier: int, query: Query, reply: Packet | None
    ) -> None:
        if query.timer is not None:
            query.timer.cancel()
        if channel.asked.pop(identifier, None) is not query:
            return
        # used again last of all, when no late answer comes any more
        channel.free.append(identifier)
        self.outstanding -= 1
        query.answered(reply)

    def _received(self, channel: Channel, packet: Packet) -> None:
        query = channel.asked.get(packet.identifier)
        if query is None:
            count("radius_proxy", kind="late")
            return
        try:
            verify_response(
                packet,
                query.octets,
                self.manner.secret,
                require_message_authenticator=self._signs
                and query.octets[0] == Code.ACCESS_REQUEST,
            )
        except BadAuthenticator:
            # somebody else's, who may not make the right one unheard
            count("radius_proxy", kind="forged")
            return
        if packet.signature and self.manner.signs == "auto":
            self._signs = True
        self._silent = 0
        if not self.alive:
            self._live()
        self._settle(channel, packet.identifier, query, packet)

    def _drop(self, channel: Channel) -> None:
        """End what is under way on a channel that is gone."""
        if channel in self._channels:
            self._channels.remove(channel)
        for identifier, query in list(channel.asked.items()):
            self._settle(channel, identifier, query, None)

    # -- whether it lives ----------------------------------------------------------------------

    def _die(self, why: str) -> None:
        if not self.alive:
            return
        self.alive = False
        count("radius_proxy", kind="dead")
        _log.warning("a home server is dead", server=self.manner.name, reason=why)
        if self._reviving is None or self._reviving.done():
            self._reviving = asyncio.get_running_loop().create_task(self._revive())

    def _live(self) -> None:
        if self.alive:
            return
        self.alive = True
        self._silent = 0
        count("radius_proxy", kind="alive")
        _log.info("a home server lives", server=self.manner.name)

    async def probe(self) -> bool:
        """Ask whether it lives; True if it said so."""
        reply: asyncio.Future[Packet | None] = asyncio.get_running_loop().create_future()

        def build(identifier: int) -> bytes:
            return encode_request(Code.STATUS_SERVER, identifier, b"", self.manner.secret)

        def answered(packet: Packet | None) -> None:
            if not reply.done():
                reply.set_result(packet)

        return self.ask(build, answered) and await reply is not None

    @abstractmethod
    async def _revive(self) -> None:
        """Try until it lives."""

    @abstractmethod
    def _with_room(self) -> Channel | None:
        """Give a channel with a free Identifier."""

    @property
    @abstractmethod
    def _repeats(self) -> bool:
        """Whether a packet may be lost on the way."""

    async def close(self) -> None:
        """End what is under way, and close the ways."""
        if self._reviving is not None:
            self._reviving.cancel()
            await asyncio.gather(self._reviving, return_exceptions=True)
        for channel in list(self._channels):
            self._drop(channel)
            channel.close()


class UdpTarget(Target):
    """A home server that is asked over UDP."""

    @property
    def _repeats(self) -> bool:
        return True

    def _with_room(self) -> Channel | None:
        for channel in self._channels:
            if channel.free:
                return channel
        if len(self._channels) >= _MOST_SOCKETS:
            return None
        try:
            made = UdpChannel((self.manner.address, self.manner.port), self._received)
        except OSError as error:
            self._die(error.strerror or str(error))
            return None
        self._channels.append(made)
        return made

    async def _revive(self) -> None:
        while not self.alive:
            if self.manner.status_server:
                await asyncio.sleep(self.manner.probe_every * random.uniform(0.75, 1.25))  # noqa: S311 - spread
                if await self.probe():
                    return
            else:
                await asyncio.sleep(_TRIED_AGAIN_AFTER)
                # on trial: it is dead again with the first request it does not answer
                self._live()
                self._silent = _DEAD_AFTER - 1


class RadsecTarget(Target):
    """A home server that is asked over TLS; a connection is kept from the start.

    Args:
        manner: how it is asked.
        contexts: our certificate; None where we have none, and then it is dead.
    """

    def __init__(self, manner: Manner, contexts: Contexts | None) -> None:
        super().__init__(manner)
        self._contexts = contexts
        self._growing: asyncio.Task[None] | None = None
        self._watching: set[asyncio.Task[None]] = set()
        self.alive = False
        if contexts is None:
            _log.error("a home server wants RadSec, and we have no certificate", server=manner.name)
        else:
            self._reviving = asyncio.get_running_loop().create_task(self._revive())

    @property
    def _repeats(self) -> bool:
        return False

    def _with_room(self) -> Channel | None:
        for channel in self._channels:
            if channel.free:
                return channel
        grows = self._growing is not None and not self._growing.done()
        if self.alive and not grows and len(self._channels) < _MOST_CONNECTIONS:
            self._growing = asyncio.get_running_loop().create_task(self._grow())
        return None

    def _die(self, why: str) -> None:
        super()._die(why)
        # what does not answer is not asked on the same connections again
        for channel in list(self._channels):
            self._drop(channel)
            channel.close()

    async def _grow(self) -> None:
        with contextlib.suppress(OSError):
            await self._connect()

    async def _revive(self) -> None:
        pause = _FIRST_PAUSE
        while not self.alive and self._contexts is not None:
            try:
                await self._connect()
            except OSError as error:
                # an ssl.SSLError is one
                _log.debug("no connection", server=self.manner.name, reason=str(error))
                await asyncio.sleep(pause * random.uniform(0.75, 1.25))  # noqa: S311 - spread
                pause = min(pause * 2, _LONGEST_PAUSE)

    async def _connect(self) -> None:
        """Make a connection.

        Raises:
            OSError: there is none, or the server is not the one expected.
        """
        if self._contexts is None:
            raise OSError("there is no certificate of ours")
        expected = self.manner.certificate or self.manner.address
        async with asyncio.timeout(_CONNECT_WITHIN):
            transport, channel = await asyncio.get_running_loop().create_connection(
                lambda: TlsChannel(expected, self._received, self._lost),
                self.manner.address,
                self.manner.port,
                ssl=self._contexts.current(),
                server_hostname="" if ":" in expected else expected,
                ssl_shutdown_timeout=_CLOSE_WITHIN,
            )
        if not channel.right:
            transport.abort()
            count("radius_proxy", kind="wrong certificate")
            if (repeats := REPEATS.due("home server", self.manner.name)) is not None:
                _log.warning(
                    "a home server shows another's certificate",
                    server=self.manner.name,
                    repeats=repeats,
                )
            raise OSError("the server shows another's certificate")
        self._channels.append(channel)
        self._live()
        if self.manner.status_server:
            task = asyncio.get_running_loop().create_task(self._watch(channel))
            self._watching.add(task)
            task.add_done_callback(self._watching.discard)

    async def _watch(self, channel: TlsChannel) -> None:
        """Send Status-Server on a connection now and then (RFC 3539, 3.4); drop it if it is dead."""
        while channel in self._channels:
            await asyncio.sleep(self.manner.probe_every * random.uniform(2.25, 3.75))  # noqa: S311 - spread
            if channel not in self._channels or not channel.free:
                continue
            reply: asyncio.Future[Packet | None] = asyncio.get_running_loop().create_future()

            def answered(
                packet: Packet | None, reply: asyncio.Future[Packet | None] = reply
            ) -> None:
                if not reply.done():
                    reply.set_result(packet)

            identifier = channel.free.popleft()
            octets = encode_request(Code.STATUS_SERVER, identifier, b"", self.manner.secret)
            self._send(channel, identifier, Query(octets, answered))
            if await reply is None:
                channel.close()
                self._lost(channel)

    def _lost(self, channel: TlsChannel) -> None:
        known = channel in self._channels
        self._drop(channel)
        if known and not self._channels:
            self._die("the connection was lost")

    async def close(self) -> None:
        """End what is under way, and close the connections."""
        tasks = [task for task in (self._growing, *self._watching) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await super().close()


__all__ = ["Manner", "RadsecTarget", "Target", "UdpTarget"]
