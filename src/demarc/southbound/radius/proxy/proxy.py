"""Requests of realms that an ISP's own AAA answers, sent on and answered by what comes back.

Nothing waits for anybody: a request is under way until its reply or its time-out, when the next
home server is asked. If none answers, the NAS gets silence and asks again. An Accounting-Request is
acknowledged when a home server has acknowledged it, and not before.
"""

import asyncio
import contextlib
from collections import OrderedDict
from collections.abc import Callable, Iterable
from uuid import UUID

import msgspec
import structlog

from demarc.domains.aaa.proxying import HomeServer, RealmProxy
from demarc.platform.secrets.keys import KeyRing, Undecipherable, row_binding
from demarc.platform.telemetry.counters import count
from demarc.protocols.radius.dictionary import DICTIONARY
from demarc.protocols.radius.errors import Malformed
from demarc.protocols.radius.forward import PROXY_STATE, forward_request
from demarc.protocols.radius.packet import Code, Packet
from demarc.southbound.radius.clients import RADSEC_SECRET, Clients
from demarc.southbound.radius.exchange import Exchange
from demarc.southbound.radius.limits import Limits
from demarc.southbound.radius.proxy.passing import Allowed, attributes_for, keys_of
from demarc.southbound.radius.proxy.target import Manner, RadsecTarget, Target, UdpTarget
from demarc.southbound.radius.tls import Contexts, TlsFiles

_log = structlog.get_logger(__name__)

_USER_NAME = DICTIONARY["User-Name"]
_STATE = DICTIONARY["State"]

_MARK = b"Demarc"
_MOST_PROXIES = 8
_MOST_ASKED = 3
_MOST_STATES = 20_000
_SETTLE_WITHIN = 5.0
_KINDS = {
    Code.ACCESS_ACCEPT: "accept",
    Code.ACCESS_REJECT: "reject",
    Code.ACCESS_CHALLENGE: "challenge",
}


class ProxiedRealm(msgspec.Struct, frozen=True, eq=False):
    """A realm as its requests are sent on.

    Attributes:
        mark: our Proxy-State; a request that has it already goes in a circle.
        auth: who is asked to authenticate, with their priorities; ``acct`` for accounting.
    """

    mark: bytes
    allowed: Allowed
    books_locally: bool
    auth: list[tuple[int, Target]]
    acct: list[tuple[int, Target]]


class Proxy:
    """The realms that are proxied, in the memory of one RADIUS process.

    Args:
        clients: tells the realm of a log-in.
        limits: sizes and ages.
        book: books accounting here, and acknowledges it.
        tls: our certificate for RadSec.
    """

    def __init__(
        self,
        clients: Clients,
        limits: Limits,
        book: Callable[[Exchange], None],
        tls: TlsFiles | None,
    ) -> None:
        self._clients = clients
        self._limits = limits
        self._book = book
        self._tls = tls
        self._contexts: Contexts | None = None
        self._realms: dict[UUID, ProxiedRealm] = {}
        self._targets: dict[Manner, Target] = {}
        # which server a conversation of several rounds is with
        self._states: OrderedDict[bytes, Target] = OrderedDict()
        self._outstanding = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._closing: set[asyncio.Task[None]] = set()

    # -- what there is -------------------------------------------------------------------------

    def replace(
        self, proxies: Iterable[RealmProxy], servers: Iterable[HomeServer], keyring: KeyRing
    ) -> None:
        """Take the realms and home servers as they are now; those that stay keep their ways."""
        targets: dict[Manner, Target] = {}
        auth: dict[UUID, list[tuple[int, Target]]] = {}
        acct: dict[UUID, list[tuple[int, Target]]] = {}
        for server in servers:
            try:
                secret = _secret(server, keyring)
            except Undecipherable as reason:
                _log.error("a home server's secret cannot be read", reason=str(reason))
                continue
            for port, of_realm in ((server.auth_port, auth), (server.acct_port, acct)):
                if port is None:
                    continue
                manner = _manner(server, port, secret, self._limits)
                target = targets.get(manner) or self._targets.get(manner) or self._target(manner)
                targets[manner] = target
                of_realm.setdefault(server.realm_id, []).append((server.priority, target))
        gone = [target for manner, target in self._targets.items() if manner not in targets]
        self._targets = targets
        kept = set(map(id, targets.values()))
        for state in [state for state, one in self._states.items() if id(one) not in kept]:
            del self._states[state]
        self._realms = {
            proxy.realm_id: ProxiedRealm(
                mark=_MARK + proxy.realm_id.bytes[:10],
                allowed=keys_of(proxy.allowed),
                books_locally=proxy.books_locally,
                auth=auth.get(proxy.realm_id, []),
                acct=acct.get(proxy.realm_id, []),
            )
            for proxy in proxies
        }
        for target in gone:
            task = asyncio.get_running_loop().create_task(target.close())
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)

    def _target(self, manner: Manner) -> Target:
        if manner.certificate is None:
            return UdpTarget(manner)
        if self._contexts is None and self._tls is not None:
            try:
                self._contexts = Contexts(self._tls, server=False)
            except OSError as error:
                _log.error("the RadSec certificate cannot be read", reason=str(error))
        return RadsecTarget(manner, self._contexts)

    @property
    def outstanding(self) -> int:
        """How many requests are under way to home servers."""
        return self._outstanding

    @property
    def dead(self) -> int:
        """How many home servers' ports do not answer."""
        return sum(not target.alive for target in self._targets.values())

    # -- requests ------------------------------------------------------------------------------

    def takes(self, exchange: Exchange) -> bool:
        """Send a request on, if its realm is proxied; False leaves it to ourselves."""
        if not self._realms:
            return False
        login = exchange.packet.text(_USER_NAME)
        key = None if login is None else self._clients.resolve(login, exchange.client)
        realm = None if key is None else self._realms.get(key[0])
        if realm is None:
            return False
        refusal = self._refusal(exchange, realm)
        if refusal is not None:
            count("radius_dropped", reason=refusal)
            exchange.drop()
            return True
        self._outstanding += 1
        self._idle.clear()
        _Journey(self, exchange, realm).ask_next()
        return True

    def _refusal(self, exchange: Exchange, realm: ProxiedRealm) -> str | None:
        states = exchange.packet.values(PROXY_STATE)
        if realm.mark in states:
            return "proxy loop"
        if len(states) >= _MOST_PROXIES:
            return "too many proxies"
        return "overload" if self._outstanding >= self._limits.proxy_outstanding else None

    def order(self, realm: ProxiedRealm, packet: Packet) -> list[Target]:
        """Give whom to ask, in order: who lives, by priority, then who has least to do.

        A server that is dead is asked after all who live: it may be back, and silence is what the
        NAS would have anyway. A conversation goes on with whom it began.
        """
        if packet.code == Code.ACCESS_REQUEST:
            state = packet.value(_STATE)
            begun = None if state is None else self._states.get(state)
            if begun is not None:
                return [begun]
        servers = realm.auth if packet.code == Code.ACCESS_REQUEST else realm.acct
        ranked = sorted(servers, key=lambda one: (not one[1].alive, one[0], one[1].outstanding))
        return [target for _, target in ranked[:_MOST_ASKED]]

    def settle(
        self,
        exchange: Exchange,
        realm: ProxiedRealm,
        target: Target,
        asked: bytes,
        reply: Packet,
    ) -> None:
        """Answer a NAS by a home server's reply."""
        self._ended()
        if exchange.packet.code == Code.ACCOUNTING_REQUEST:
            count("radius_proxy", kind="accounting")
            if realm.books_locally:
                self._book(exchange)
            else:
                exchange.reply(Code.ACCOUNTING_RESPONSE)
            return
        try:
            attributes = attributes_for(
                exchange,
                reply,
                asked=asked,
                secret=target.manner.secret,
                allowed=realm.allowed,
            )
            exchange.reply(reply.code, attributes)
        except (Malformed, ValueError):
            # too long with our own, or keys hidden by another secret
            count("radius_dropped", reason="reply of a home server")
            exchange.drop()
            return
        count("radius_proxy", kind=_KINDS[Code(reply.code)])
        state = reply.value(_STATE)
        if state is not None and reply.code == Code.ACCESS_CHALLENGE:
            self._states[state] = target
            if len(self._states) > _MOST_STATES:
                self._states.popitem(last=False)

    def give_up(self, exchange: Exchange, reason: str) -> None:
        """Leave a request unanswered."""
        self._ended()
        count("radius_dropped", reason=reason)
        exchange.drop()

    def _ended(self) -> None:
        self._outstanding -= 1
        if not self._outstanding:
            self._idle.set()

    # -- the end -------------------------------------------------------------------------------

    async def settled(self) -> None:
        """Wait for what is under way, a few seconds at most."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._idle.wait(), _SETTLE_WITHIN)

    async def close(self) -> None:
        """Close all ways; what is still under way gets no answer."""
        await asyncio.gather(*(target.close() for target in self._targets.values()))
        await asyncio.gather(*self._closing, return_exceptions=True)


class _Journey:
    """One request on its way from home server to home server."""

    __slots__ = ("_asked", "_exchange", "_left", "_proxy", "_realm", "_target")

    def __init__(self, proxy: Proxy, exchange: Exchange, realm: ProxiedRealm) -> None:
        self._proxy = proxy
        self._exchange = exchange
        self._realm = realm
        self._left = proxy.order(realm, exchange.packet)
        self._target: Target | None = None
        self._asked = b""

    def ask_next(self) -> None:
        """Ask the next home server; give up when there is none."""
        try:
            while self._left:
                self._target = self._left.pop(0)
                if self._target.ask(self._build, self._answered):
                    return
        except Malformed as reason:
            self._proxy.give_up(self._exchange, reason.reason)
            return
        self._proxy.give_up(self._exchange, "no home server answers")

    def _build(self, identifier: int) -> bytes:
        target = self._target
        if target is None:  # it is set before anybody is asked
            raise RuntimeError("a request is built for nobody")
        self._asked = forward_request(
            self._exchange.packet,
            identifier,
            self._exchange.client.secret,
            target.manner.secret,
            self._realm.mark,
        )
        return self._asked

    def _answered(self, reply: Packet | None) -> None:
        if reply is None or self._target is None:
            self.ask_next()
        else:
            self._proxy.settle(self._exchange, self._realm, self._target, self._asked, reply)


def _secret(server: HomeServer, keyring: KeyRing) -> bytes:
    if server.secret is None:
        return RADSEC_SECRET
    return keyring.decrypt(server.secret, row=row_binding("home_server", "secret", server.id))


def _manner(server: HomeServer, port: int, secret: bytes, limits: Limits) -> Manner:
    tls = server.transport == "radsec"
    if tls:
        # one port takes both
        port = server.auth_port or server.acct_port or port
    return Manner(
        name=server.name,
        address=server.address,
        port=port,
        secret=secret,
        patience=server.timeout_ms / 1000,
        status_server=server.status_server,
        # over TLS nobody between can forge
        signs="no" if tls else server.require_message_authenticator,
        certificate=(server.certificate or server.address) if tls else None,
        probe_every=limits.proxy_probe,
    )


__all__ = ["ProxiedRealm", "Proxy"]
