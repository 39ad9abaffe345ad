"""The ACS as devices reach it: HTTP posts, each answered with the next step of their sessions."""

import asyncio
import hashlib
import random
import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from datetime import timedelta
from http.cookies import CookieError, SimpleCookie
from time import monotonic
from typing import Any, Final
from uuid import UUID

import msgspec
import structlog

from demarc.domains.cpe.model import Bootstrap, Cpe
from demarc.domains.cpe.service import Cpes, Informed
from demarc.domains.errors import Conflict, Invalid
from demarc.platform.clock import Clock, now
from demarc.platform.database import Database, Tx
from demarc.platform.telemetry.counters import count
from demarc.protocols.cwmp.envelope import Envelope, decode, encode
from demarc.protocols.cwmp.errors import ACS_FAULTS, ACS_INVALID_ARGUMENTS, Malformed
from demarc.protocols.cwmp.messages import Fault, Inform, InformResponse
from demarc.protocols.cwmp.session import OutOfTurn, Session, State
from demarc.southbound.cwmp.authentication import Claim, Doorkeeper
from demarc.southbound.cwmp.conversation import Conversation
from demarc.southbound.cwmp.limits import Limits

_log = structlog.get_logger(__name__)

COOKIE: Final = "demarc-session"
_XML: Final = ("content-type", 'text/xml; charset="utf-8"')
_SWEEP_EVERY: Final = 5.0
_WORD_WITHIN: Final = 3600.0
_MOST_ASKED: Final = 10_000

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Headers = list[tuple[str, str]]


class Answer(msgspec.Struct, frozen=True):
    """What a post is answered with."""

    status: int
    body: bytes = b""
    headers: Headers = []


class Acs:
    """An ASGI application that speaks CWMP.

    Args:
        db: transactions of the system are opened on it.
        cpes: what is known of devices.
        key: signs nonces; the same in all processes.
        node: this machine's name.
        limits: sizes and ages.
        clock: the time.
    """

    def __init__(
        self,
        *,
        db: Database,
        cpes: Cpes,
        key: bytes,
        node: str,
        limits: Limits | None = None,
        clock: Clock = now,
    ) -> None:
        self._db = db
        self._cpes = cpes
        self._node = node
        self._limits = limits or Limits()
        self._clock = clock
        self._door = Doorkeeper(key, nonce_age=self._limits.nonce_age, most=self._limits.nonces)
        self._live: dict[bytes, Conversation] = {}
        self._by_cpe: dict[UUID, Conversation] = {}
        self._beginning = 0
        self._asked: dict[tuple[str, str], float] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            return
        if scope["method"] != "POST":
            await _send(send, Answer(405, b"CWMP is spoken by POST.\n", [("allow", "POST")]))
            return
        headers = {name.decode("latin-1"): value for name, value in scope["headers"]}
        try:
            async with asyncio.timeout(self._limits.body_within):
                body = await self._body(receive, headers)
        except TimeoutError:
            count("cwmp_refused", reason="slow")
            await _send(send, Answer(408, b"", [("connection", "close")]))
            return
        if body is None:
            count("cwmp_refused", reason="too large")
            await _send(send, Answer(413, b"", [("connection", "close")]))
            return
        try:
            answer = await self._post(scope, headers, body)
        except Exception:  # noqa: BLE001 - logged; the device comes again by itself
            _log.exception("a post of a device failed")
            count("cwmp_refused", reason="error")
            answer = self._later()
        await _send(send, answer)

    async def _body(self, receive: Receive, headers: dict[str, bytes]) -> bytes | None:
        announced = headers.get("content-length", b"0")
        if announced.isdigit() and int(announced) > self._limits.body:
            return None
        parts: list[bytes] = []
        size = 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return b"".join(parts)
            part = message.get("body", b"")
            size += len(part)
            if size > self._limits.body:
                return None
            parts.append(part)
            if not message.get("more_body"):
                return b"".join(parts)

    async def _post(self, scope: Scope, headers: dict[str, bytes], body: bytes) -> Answer:
        carried = _carried(headers.get("cookie"))
        conversation = None
        if carried is not None:
            conversation = self._live.get(_digest(carried)) or await self._take_up(carried)
        if conversation is None:
            return await self._begin(scope, headers, body)
        async with conversation.turn:
            if conversation.over or self._live.get(conversation.token) is not conversation:
                # its session ended while it was being told so; a new Inform begins anew
                return await self._begin(scope, headers, body)
            return await self._go_on(conversation, body)

    async def _go_on(self, conversation: Conversation, body: bytes) -> Answer:
        if conversation.received + len(body) > self._limits.received:
            await self._end(conversation)
            return Answer(413, b"", [("connection", "close")])
        try:
            reply = await conversation.take(body)
        except Malformed as reason:
            count("cwmp_refused", reason="malformed")
            return _fault(reason.reason)
        except OutOfTurn as reason:
            count("cwmp_refused", reason="out of turn")
            await self._end(conversation)
            return _fault(str(reason), ("connection", "close"))
        if not reply:
            await self._end(conversation)
            return Answer(204, b"", [("set-cookie", f"{COOKIE}=; Max-Age=0; Path=/")])
        return Answer(200, reply, [_XML])

    # a session begins

    async def _begin(self, scope: Scope, headers: dict[str, bytes], body: bytes) -> Answer:
        if len(self._live) + self._beginning >= self._limits.sessions:
            count("cwmp_refused", reason="overload")
            return self._later()
        if not body.strip():
            # the end of a session that is over already, or the first post of a careful device
            return Answer(204)
        try:
            inform = decode(body)
        except Malformed as reason:
            count("cwmp_refused", reason="malformed")
            return _fault(reason.reason)
        if not isinstance(inform.message, Inform):
            return _fault("a session begins with an Inform")
        self._beginning += 1
        try:
            return await self._admit(scope, headers, inform, body)
        finally:
            self._beginning -= 1

    async def _admit(
        self, scope: Scope, headers: dict[str, bytes], envelope: Envelope, body: bytes
    ) -> Answer:
        moment = self._clock()
        inform = envelope.message
        if not isinstance(inform, Inform):
            raise TypeError("an Inform begins a session")
        given = headers.get("authorization")
        claim = self._door.read(
            None if given is None else given.decode("latin-1"), secure=scope["scheme"] == "https"
        )
        client = scope.get("client")
        address = client[0] if client else "0.0.0.0"  # noqa: S104 - no address
        token = secrets.token_urlsafe(24)
        stale = claim is not None and self._door.is_stale(claim, moment.timestamp())
        async with self._db.system() as tx:
            cpe = await self._known(tx, inform, None if stale else claim)
            if cpe is None:
                challenge = self._door.challenge(moment.timestamp(), stale=stale)
                return Answer(401, b"", [("www-authenticate", challenge)])
            informed = await self._cpes.informed(tx, cpe, inform, address=address, now=moment)
            carried = f"{cpe.id.hex}.{token}"
            expires = moment + timedelta(seconds=self._limits.session)
            await self._cpes.begin_session(
                tx, cpe, token=_digest(carried), node=self._node, expires_at=expires
            )
        for event in informed.events:
            count("cwmp_informs", event=event if event[:1].isdigit() else "other")
        session = Session()
        session.receive(body)
        reply = session.answer(InformResponse())
        self._enter(self._conversation(informed, session, _digest(carried)))
        cookie = f"{COOKIE}={carried}; Path=/; HttpOnly"
        return Answer(200, reply, [_XML, ("set-cookie", cookie)])

    async def _known(self, tx: Tx, inform: Inform, claim: Claim | None) -> Cpe | None:
        """Give the device that informs, if it has proved to be it; None to challenge it."""
        cpe = await self._cpes.identify(tx, inform.device)
        if claim is not None:
            found = await self._cpes.bootstrap(tx, claim.username)
            if found is not None:
                bootstrap, password = found
                if not self._door.proves(claim, method="POST", passwords=[password]):
                    return None
                return await self._let_in_by_word(tx, inform, cpe, bootstrap)
        if cpe is None or cpe.tenant_id is None:
            if claim is None and self._asks_for_a_word(inform):
                return None
            return cpe or await self._meet(tx, inform)
        passwords = self._cpes.passwords(cpe)
        if not passwords:
            return cpe
        if claim is None or claim.username != cpe.acs_username:
            return None
        return cpe if self._door.proves(claim, method="POST", passwords=passwords) else None

    async def _let_in_by_word(
        self, tx: Tx, inform: Inform, cpe: Cpe | None, bootstrap: Bootstrap
    ) -> Cpe | None:
        """Let in a device that knows the word of a tenant: the tenant's own, or nobody's yet."""
        known = cpe or await self._meet(tx, inform)
        if known is not None and known.tenant_id is None and bootstrap.adopts:
            return await self._cpes.adopt(tx, known.id, bootstrap.tenant_id)
        # a tenant's word opens nobody else's devices
        mine = known is not None and known.tenant_id in {None, bootstrap.tenant_id}
        return known if mine else None

    def _asks_for_a_word(self, inform: Inform) -> bool:
        """Tell whether a device nobody knows is to be challenged, so that it shows what it knows.

        One that comes again without a word has none: it is kept in quarantine as it is.
        """
        who = (inform.device.oui, inform.device.serial_number)
        moment = monotonic()
        asked = self._asked.get(who)
        if asked is not None and moment - asked < _WORD_WITHIN:
            return False
        while len(self._asked) >= _MOST_ASKED:
            self._asked.pop(next(iter(self._asked)))
        self._asked[who] = moment
        return True

    async def _meet(self, tx: Tx, inform: Inform) -> Cpe | None:
        try:
            met = await self._cpes.meet(tx, inform.device)
        except (Invalid, Conflict):
            count("cwmp_refused", reason="unknown device")
            return None
        count("cwmp_quarantined")
        return met

    def _conversation(self, informed: Informed, session: Session, token: bytes) -> Conversation:
        return Conversation(
            db=self._db,
            cpes=self._cpes,
            informed=informed,
            session=session,
            token=token,
            limits=self._limits,
            clock=self._clock,
        )

    def _enter(self, conversation: Conversation) -> None:
        """Begin a session; one its device was in before is over."""
        before = self._by_cpe.get(conversation.cpe.id)
        if before is not None:
            self._live.pop(before.token, None)
        self._by_cpe[conversation.cpe.id] = conversation
        self._live[conversation.token] = conversation

    async def _take_up(self, carried: str) -> Conversation | None:
        """Go on with a session that another process began; None if there is none."""
        try:
            cpe_id = UUID(hex=carried.partition(".")[0])
        except ValueError:
            return None
        token = _digest(carried)
        async with self._db.system() as tx:
            cpe = await self._cpes.take_up(tx, cpe_id, token, self._clock())
        if cpe is None:
            return None
        count("cwmp_taken_up")
        session = Session(State(stage="resumed"))
        conversation = self._conversation(Informed(cpe, frozenset(), frozenset()), session, token)
        self._enter(conversation)
        return conversation

    # and ends

    async def _end(self, conversation: Conversation) -> None:
        self._leave(conversation)
        await conversation.end()

    def _leave(self, conversation: Conversation) -> None:
        self._live.pop(conversation.token, None)
        if self._by_cpe.get(conversation.cpe.id) is conversation:
            del self._by_cpe[conversation.cpe.id]

    async def run(self) -> None:
        """Drop sessions whose devices went away, until cancelled."""
        while True:
            await asyncio.sleep(_SWEEP_EVERY)
            moment = monotonic()
            for conversation in [each for each in self._live.values() if each.expired(moment)]:
                count("cwmp_broken_off")
                self._leave(conversation)

    @property
    def sessions(self) -> int:
        """How many devices are in a session."""
        return len(self._live)

    def _later(self) -> Answer:
        seconds = self._limits.retry_after + random.randrange(self._limits.retry_after + 1)  # noqa: S311 - spread
        return Answer(503, b"", [("retry-after", str(seconds)), ("connection", "close")])


def _carried(header: bytes | None) -> str | None:
    if header is None:
        return None
    try:
        found = SimpleCookie(header.decode("latin-1")).get(COOKIE)
    except CookieError:
        return None
    return None if found is None or not found.value else found.value


def _digest(carried: str) -> bytes:
    return hashlib.sha256(carried.encode()).digest()


def _fault(reason: str, *headers: tuple[str, str]) -> Answer:
    """Give a SOAP fault, which travels with status 200 (TR-069 Amendment 6, 3.5)."""
    code = ACS_INVALID_ARGUMENTS
    fault = Fault(code, f"{ACS_FAULTS[code]}: {reason}")
    return Answer(200, encode(Envelope(fault)), [_XML, *headers])


async def _send(send: Send, answer: Answer) -> None:
    headers = [*answer.headers]
    if answer.status != 204:  # noqa: PLR2004 - which has no body
        headers.append(("content-length", str(len(answer.body))))
    await send(
        {
            "type": "http.response.start",
            "status": answer.status,
            "headers": [
                (name.encode("latin-1"), value.encode("latin-1")) for name, value in headers
            ],
        }
    )
    await send({"type": "http.response.body", "body": answer.body})


__all__ = ["COOKIE", "Acs"]
