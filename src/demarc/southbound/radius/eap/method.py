"""What a method is: requests of one type, each made of the answer to the one before."""

import asyncio
from typing import ClassVar, Protocol, TypeAlias

import msgspec

from demarc.domains.aaa.logins import Login
from demarc.protocols.eap.packet import Packet
from demarc.protocols.radius.mschap import mppe_keys
from demarc.southbound.radius.clients import Clients
from demarc.southbound.radius.credentials import Credentials, Entry, Key
from demarc.southbound.radius.exchange import Exchange
from demarc.southbound.radius.identity import by_name, mac_of, station_of
from demarc.southbound.radius.proof import (
    WRONG,
    Evidence,
    MsChapped2,
    Unproved,
    ms_chap2_success,
)
from demarc.southbound.radius.stored import nt_hash_of
from demarc.southbound.radius.verification import Verdict, Verifier


class Keys(msgspec.Struct, frozen=True, gc=False):
    """What both ends may encrypt with: MS-MPPE-Send-Key and -Recv-Key."""

    send: bytes
    receive: bytes


class Say(msgspec.Struct, frozen=True, gc=False):
    """Go on: the data of the next request."""

    data: bytes


class Won(msgspec.Struct, frozen=True, gc=False):
    """The peer is who it says."""

    login: Login
    identity: str
    keys: Keys | None = None


class Lost(msgspec.Struct, frozen=True, gc=False):
    """It is not, or the method cannot go on; ``login`` where it is known whose it was to be."""

    reason: str
    login: Login | None = None


Outcome: TypeAlias = Say | Won | Lost


class Away(Exception):
    """The database does not answer: the peer gets no answer now."""


class Method(Protocol):
    """One type of EAP in one conversation."""

    kind: ClassVar[int]

    async def start(self, identifier: int) -> bytes:
        """Give the data of the first request.

        Args:
            identifier: of the request.
        """
        ...

    async def answer(self, exchange: Exchange, packet: Packet) -> Outcome:
        """Take the peer's answer.

        Raises:
            Away: it cannot be judged now; the same answer may come again.
            Overloaded: likewise.
            Malformed: it is not what the method wants.
        """
        ...


class Person(msgspec.Struct, eq=False):
    """Whom an identity names.

    Attributes:
        identity: as the peer gave it.
        entry: None where there is nobody of that name here.
        login: that of the entry, if it is on the NAS's network.
    """

    identity: str
    entry: Entry | None
    login: Login | None


class People:
    """Finds whom an identity names, and checks what is presented for it.

    Args:
        clients: knows realms.
        credentials: the log-ins.
        verifier: checks passwords.
    """

    def __init__(self, clients: Clients, credentials: Credentials, verifier: Verifier) -> None:
        self._clients = clients
        self._credentials = credentials
        self._verifier = verifier

    async def find(self, exchange: Exchange, identity: str, outer: str | None = None) -> Person:
        """Find whom an identity names.

        A log-in that is for EAP alone goes before one that is for PPP as well.

        Args:
            exchange: the request; its NAS's realm and network count.
            identity: as the peer gave it.
            outer: the identity outside, where this one is from within a tunnel; its realm counts
                if this one has none.

        Raises:
            Away: the database does not answer.
        """
        client = exchange.client
        for key in self._keys(exchange, identity, outer):
            entry = self._credentials.find(key)
            if entry is None:
                entry = await self._read(key)
            login = entry.login
            if login is not None and login.network_id == client.nas.network_id:
                return Person(identity, entry, login)
        return Person(identity, None, None)

    def _keys(self, exchange: Exchange, identity: str, outer: str | None) -> list[Key]:
        client = exchange.client
        name = identity
        if outer is not None and "@" in outer and "@" not in identity:
            whole = f"{identity}@{outer.rpartition('@')[2]}"
            resolved = self._clients.resolve(whole, client)
            # a realm that is not known here would become part of the name
            if resolved is not None and resolved[1] == identity:
                name = whole
        found: list[Key] = []
        # a switch that speaks for a station without 802.1X; what is within a tunnel was typed
        mac = None if outer is not None else mac_of(identity, client)
        if mac is not None and station_of(exchange.packet) == mac:
            found.append((client.nas.network_id, mac, "mac"))
        found += by_name(name, "dot1x", client, self._clients)
        found += by_name(name, "pppoe", client, self._clients)
        return found

    async def _read(self, key: Key) -> Entry:
        waiting: asyncio.Future[Entry | None] = asyncio.get_running_loop().create_future()

        def found(entry: Entry | None) -> None:
            if not waiting.done():
                waiting.set_result(entry)

        if not self._credentials.want(key, found):
            raise Away
        entry = await waiting
        if entry is None:
            raise Away
        return entry

    async def check(self, exchange: Exchange, person: Person, evidence: Evidence) -> Verdict:
        """Check what is presented for somebody.

        Raises:
            Overloaded: it cannot be checked now.
            Malformed: it is not what its method wants.
        """
        if person.entry is None or person.login is None:
            return Unproved(WRONG)
        if isinstance(evidence, MsChapped2) and (
            self._verifier.stored(person.entry, person.login) is None
        ):
            # a MAC address may have no password; then there is nothing to prove to the station
            return Unproved(WRONG)
        waiting: asyncio.Future[Verdict] = asyncio.get_running_loop().create_future()
        self._verifier.check(
            exchange, person.entry, person.login, evidence, waiting.set_result, inside=True
        )
        return await waiting

    def ms_chap_success(self, person: Person, evidence: MsChapped2) -> tuple[bytes, Keys]:
        """Give the proof that the password is known here, and the keys, after MS-CHAPv2.

        Args:
            person: who proved to be it.
            evidence: by this.
        """
        entry, login = person.entry, person.login
        stored = None if entry is None or login is None else self._verifier.stored(entry, login)
        if login is None or stored is None:
            raise ValueError("nobody has proved to be somebody without a password")
        password_hash = nt_hash_of(login.secret_kind, stored) or b""
        send, receive = mppe_keys(password_hash, evidence.response.nt_response)
        return ms_chap2_success(evidence, password_hash), Keys(send, receive)


__all__ = ["Away", "Keys", "Lost", "Method", "Outcome", "People", "Person", "Say", "Won"]
