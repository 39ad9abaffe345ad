"""EAP's server without database and sockets: one subscriber, requests in, replies out."""

import asyncio
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from demarc.domains.aaa.model import Nas
from demarc.protocols.radius.dictionary import DICTIONARY
from demarc.protocols.radius.mschap import mppe_keys, nt_hash
from demarc.protocols.radius.packet import Code, Packet, decode
from demarc.protocols.radius.request import encode_request
from demarc.southbound.radius.clients import Client
from demarc.southbound.radius.eap.method import Away, Keys, Person
from demarc.southbound.radius.eap.server import EapServer
from demarc.southbound.radius.eap.tls import Files
from demarc.southbound.radius.exchange import Exchange
from demarc.southbound.radius.proof import (
    WRONG,
    Proved,
    Unproved,
    judge,
    ms_chap2_success,
)

SECRET = b"between-us"
EAP_MESSAGE = DICTIONARY["EAP-Message"]
STATE = DICTIONARY["State"]
PASSWORD = b"correct horse"


class Login:
    """As much of a log-in as EAP looks at."""

    def __init__(self, kind: str) -> None:
        self.secret_kind = kind


class People:
    """Knows Ana alone."""

    def __init__(self, kind: str = "cleartext") -> None:
        self.login: Any = Login(kind)
        self.away = 0
        self.asked: list[tuple[str, str | None]] = []

    def _is_away(self) -> None:
        if self.away:
            self.away -= 1
            raise Away

    async def find(self, _exchange: Exchange, identity: str, outer: str | None = None) -> Person:
        self._is_away()
        self.asked.append((identity, outer))
        return Person(identity, None, self.login if identity == "ana" else None)

    async def check(self, _exchange: Exchange, person: Person, evidence: Any) -> Any:
        self._is_away()
        if person.login is None:
            return Unproved(WRONG)
        return judge(evidence, "cleartext", PASSWORD)

    def ms_chap_success(self, _person: Person, evidence: Any) -> tuple[bytes, Keys]:
        password_hash = nt_hash(PASSWORD)
        keys = mppe_keys(password_hash, evidence.response.nt_response)
        return ms_chap2_success(evidence, password_hash), Keys(*keys)


def client(nas_id: UUID | None = None) -> Client:
    nas = Nas(
        id=nas_id or uuid4(),
        owner_id=uuid4(),
        network_id=uuid4(),
        pop_id=None,
        name="bng",
        prefix="192.0.2.0/24",
        vendor="generic",
        secret=b"",
        coa_port=3799,
        reach="default",
        default_realm_id=None,
        require_message_authenticator="yes",
        counters_reversed=False,
        interim_interval=300,
    )
    return Client(nas, SECRET)


class Wire:
    """The server, and what it lets in or refuses.

    Args:
        people: whom it knows.
        files: its certificate.
    """

    def __init__(self, people: People | None = None, files: Files | None = None) -> None:
        self.people = people or People()
        self.now = 0.0
        self.server = EapServer(self.people, self, lambda: self.now, files)  # type: ignore[arg-type]
        self.admitted: list[Any] = []
        self.refused: list[str] = []
        self.client = client()
        self.raw = b""
        self._identifier = 0

    def admit(self, exchange: Exchange, login: Any, proof: Proved) -> None:
        self.admitted.append(login)
        exchange.reply(Code.ACCESS_ACCEPT, proof.attributes)

    def refuse(self, exchange: Exchange, login: Any, reason: str, extra: bytes = b"") -> None:
        _ = login
        self.refused.append(reason)
        exchange.reply(Code.ACCESS_REJECT, extra)

    async def ask(
        self,
        eap: bytes,
        state: bytes | None = None,
        *,
        of: Client | None = None,
        host: str = "192.0.2.1",
    ) -> Packet | None:
        """Send an EAP packet; give the reply, None for silence. Raises what ``take`` raises."""
        self._identifier = self._identifier + 1 & 0xFF
        pairs: list[Any] = [(DICTIONARY["User-Name"], "outer@isp"), (EAP_MESSAGE, eap)]
        if state is not None:
            pairs.append((STATE, state))
        self.raw = encode_request(Code.ACCESS_REQUEST, self._identifier, pairs, SECRET)
        answered: asyncio.Future[bytes | None] = asyncio.get_running_loop().create_future()
        self.server.take(
            Exchange(
                decode(self.raw),
                of or self.client,
                host,
                datetime(2024, 3, 10, tzinfo=UTC),
                send=answered.set_result,
                forget=lambda: answered.set_result(None),
            )
        )
        reply = await answered
        return None if reply is None else decode(reply)


def said(reply: Packet | None) -> tuple[bytes, bytes]:
    """Give the EAP packet and the State of a challenge."""
    assert reply is not None
    assert reply.code == Code.ACCESS_CHALLENGE, reply
    eap, state = reply.get(EAP_MESSAGE), reply.value(STATE)
    assert isinstance(eap, bytes)
    assert state is not None
    return eap, state
