"""Access-Requests: who it is, whether they may, and what they get (RFC 2865)."""

import asyncio
from functools import partial
from uuid import UUID

import msgspec
import structlog

from demarc.domains.aaa.authorisation import Denied, Terms, authorise, binds_circuit, learned
from demarc.domains.aaa.logins import AnsweredAttempt, Login, lease_further
from demarc.domains.aaa.model import Lease
from demarc.domains.aaa.stations import Granted, Refused, Stations, WantsAddress
from demarc.platform.clock import Monotonic
from demarc.platform.database import Database
from demarc.platform.secrets.keys import KeyRing
from demarc.platform.telemetry.counters import count
from demarc.protocols.radius.dictionary import DICTIONARY
from demarc.protocols.radius.errors import Malformed
from demarc.protocols.radius.packet import Code
from demarc.southbound.radius.attempts import Attempts
from demarc.southbound.radius.clients import Clients
from demarc.southbound.radius.credentials import Credentials, Entry, Key
from demarc.southbound.radius.eap.method import People
from demarc.southbound.radius.eap.server import EapServer
from demarc.southbound.radius.eap.tls import Files
from demarc.southbound.radius.exchange import Exchange
from demarc.southbound.radius.identity import circuit_of, keys_of
from demarc.southbound.radius.limits import Limits
from demarc.southbound.radius.outage import is_outage, within
from demarc.southbound.radius.prefixes import pool_attributes, prefix_attributes
from demarc.southbound.radius.proof import WRONG, Proved, evidence_in
from demarc.southbound.radius.replies import (
    accept_attributes,
    address_attribute,
    reject_attributes,
)
from demarc.southbound.radius.verification import Overloaded, Verdict, Verifier

_log = structlog.get_logger(__name__)

EAP_MESSAGE = DICTIONARY["EAP-Message"]
CALLING_STATION_ID = DICTIONARY["Calling-Station-Id"]
NO_ADDRESS = "no free address"

_MOST_LEASING = 500


class Entrance(msgspec.Struct, frozen=True, gc=False):
    """Somebody who is to be let in.

    Attributes:
        station: Calling-Station-Id.
        terms: what the session may do.
        proof: what the method adds to the answer.
        circuit: the line, where the log-in is or is to be bound to one.
    """

    exchange: Exchange
    login: Login
    station: str | None
    terms: Terms
    proof: Proved
    circuit: str | None = None


class Authenticator:
    """Answers Access-Requests.

    Args:
        db: where a further address is leased.
        keyring: decrypts passwords.
        clients: knows realms.
        credentials: the log-ins.
        stations: who is logged in.
        attempts: records what was answered.
        limits: how long the database is waited for.
        clock: monotonic seconds.
        eap: the certificate for EAP methods with TLS; without it they are not offered.
    """

    def __init__(
        self,
        *,
        db: Database,
        keyring: KeyRing,
        clients: Clients,
        credentials: Credentials,
        stations: Stations,
        attempts: Attempts,
        limits: Limits,
        clock: Monotonic,
        eap: Files | None = None,
    ) -> None:
        self._db = db
        self._clients = clients
        self._credentials = credentials
        self._stations = stations
        self._attempts = attempts
        self._limits = limits
        self._clock = clock
        self._verifier = Verifier(keyring, clock)
        people = People(clients, credentials, self._verifier)
        self._eap = EapServer(people, self, clock, eap)
        self._leasing: dict[UUID, asyncio.Lock] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def take(self, exchange: Exchange) -> None:
        """Answer an Access-Request: at once if its log-in is in memory, else once it is read."""
        if exchange.packet.value(EAP_MESSAGE) is not None:
            self._eap.take(exchange)
            return
        keys = keys_of(exchange.packet, exchange.client, self._clients)
        if not keys:
            self.refuse(exchange, None, WRONG)
            return
        self._seek(exchange, keys)

    def _seek(self, exchange: Exchange, keys: tuple[Key, ...]) -> None:
        """Go on with the first of the log-ins that a request may mean."""
        key = keys[0]
        entry = self._credentials.find(key)
        if entry is not None:
            self._judge(exchange, keys, entry)
        elif not self._credentials.want(key, partial(self._judge_safely, exchange, keys)):
            count("radius_dropped", reason="overload")
            exchange.drop()

    def _judge_safely(self, exchange: Exchange, keys: tuple[Key, ...], entry: Entry | None) -> None:
        try:
            if entry is None:
                count("radius_dropped", reason="database_away")
                exchange.drop()
            else:
                self._judge(exchange, keys, entry)
        except Malformed as reason:
            count("radius_dropped", reason=reason.reason)
            exchange.drop()
        except Exception:  # noqa: BLE001 - logged and counted
            # one request must not take the answers of the others that were read with it
            count("radius_dropped", reason="error")
            _log.exception("an Access-Request failed")
            exchange.drop()

    def _judge(self, exchange: Exchange, keys: tuple[Key, ...], entry: Entry) -> None:
        login = entry.login
        if login is None or login.network_id != exchange.client.nas.network_id:
            if len(keys) > 1:
                self._seek(exchange, keys[1:])
            else:
                self.refuse(exchange, None, WRONG)
            return
        evidence = evidence_in(exchange.packet, exchange.client.secret)
        try:
            self._verifier.check(
                exchange, entry, login, evidence, partial(self._decide, exchange, login)
            )
        except Overloaded:
            count("radius_dropped", reason="overload")
            exchange.drop()

    def _decide(self, exchange: Exchange, login: Login, verdict: Verdict) -> None:
        if isinstance(verdict, Proved):
            self.admit(exchange, login, verdict)
        else:
            self.refuse(exchange, login, verdict.reason, verdict.attributes)

    def admit(self, exchange: Exchange, login: Login, proof: Proved) -> None:
        """Answer somebody who has proved who they are: let in, or not now.

        Args:
            exchange: what is answered.
            login: who they are, on the NAS's network.
            proof: what their method adds to the answer.
        """
        station = exchange.packet.text(CALLING_STATION_ID)
        circuit = circuit_of(exchange.packet) if binds_circuit(login) else None
        terms = authorise(login, station=station, circuit=circuit, now=exchange.received)
        if isinstance(terms, Denied):
            self.refuse(exchange, login, terms.reason, proof.refusal)
            return
        entrance = Entrance(exchange, login, station, terms, proof, circuit)
        decision = self._stations.decide(login, station, self._clock())
        if isinstance(decision, Granted):
            self._accept(entrance, decision)
        elif isinstance(decision, Refused):
            self.refuse(exchange, login, decision.reason, proof.refusal)
        elif len(self._tasks) >= _MOST_LEASING:
            count("radius_dropped", reason="overload")
            exchange.drop()
        else:
            task = asyncio.get_running_loop().create_task(
                self._accept_with_further_address(entrance)
            )
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _accept_with_further_address(self, entrance: "Entrance") -> None:
        """Lease one more address, which takes a commit, and accept with it."""
        exchange, login, station = entrance.exchange, entrance.login, entrance.station
        refusal = entrance.proof.refusal
        lock = self._leasing.setdefault(login.id, asyncio.Lock())
        try:
            async with lock:
                # another station may have been here first
                decision = self._stations.decide(login, station, self._clock())
                if isinstance(decision, WantsAddress):
                    login.leases = await within(
                        self._limits.database_patience, self._lease(login, station)
                    )
                    count("radius_further_leases")
                    decision = self._stations.decide(login, station, self._clock())
                if isinstance(decision, Granted):
                    self._accept(entrance, decision)
                elif isinstance(decision, Refused):
                    self.refuse(exchange, login, decision.reason, refusal)
                else:
                    self.refuse(exchange, login, NO_ADDRESS, refusal)
        except Exception as error:  # noqa: BLE001 - logged and counted
            exchange.drop()
            if not is_outage(error):
                _log.exception("leasing a further address failed")
            count("radius_dropped", reason="database_away" if is_outage(error) else "error")
        finally:
            if not lock.locked():
                self._leasing.pop(login.id, None)

    async def _lease(self, login: Login, station: str | None) -> list[Lease]:
        async with self._db.system() as tx:
            return await lease_further(tx, login, station)

    def _accept(self, entrance: "Entrance", granted: Granted) -> None:
        exchange, login, station = entrance.exchange, entrance.login, entrance.station
        address, prefixes = granted.address, granted.prefixes
        attributes = accept_attributes(login, entrance.terms, exchange.client.nas)
        self._stations.grant(login, station, address, self._clock(), prefixes)
        exchange.reply(
            Code.ACCESS_ACCEPT,
            attributes
            + address_attribute(address)
            + prefix_attributes(prefixes)
            + pool_attributes(exchange.client.nas.vendor, login.nas_pools, address, prefixes)
            + entrance.proof.attributes,
        )
        count("radius_replies", kind="accept")
        self._record(
            exchange,
            login,
            "Access-Accept",
            station,
            address=self._remembers(login, station, address),
            first=not login.accepted_before,
            entrance=entrance,
        )
        login.accepted_before = True

    @staticmethod
    def _remembers(login: Login, station: str | None, address: str | None) -> str | None:
        """Note in memory which station has an address; give it if that is new."""
        if station is None or address is None:
            return None
        for at, lease in enumerate(login.leases):
            if lease.address == address and lease.station != station:
                login.leases[at] = Lease(lease.address, lease.kind, station, lease.prefixes)
                return address
        return None

    def refuse(
        self, exchange: Exchange, login: Login | None, reason: str, extra: bytes = b""
    ) -> None:
        """Answer no.

        Args:
            exchange: what is answered.
            login: in whose attempts it is recorded; None where it is nobody's.
            reason: as its NAS and its ISP are told.
            extra: what the method adds to the Reject, ready to be sent.
        """
        # beside EAP there is no Reply-Message (RFC 3579, 2.6.5): the peer would not be shown it
        eap = exchange.packet.value(EAP_MESSAGE) is not None
        told = b"" if eap else reject_attributes(reason)
        exchange.reply(Code.ACCESS_REJECT, told + extra)
        count("radius_replies", kind="reject")
        if login is not None:
            station = exchange.packet.text(CALLING_STATION_ID)
            self._record(exchange, login, f"Access-Reject: {reason}", station)

    def _record(
        self,
        exchange: Exchange,
        login: Login,
        reply: str,
        station: str | None,
        *,
        address: str | None = None,
        first: bool = False,
        entrance: Entrance | None = None,
    ) -> None:
        terms = binds_station = binds_line = None
        if entrance is not None:
            terms = entrance.terms.label
            binds_station, binds_line = learned(login, entrance.terms, station, entrance.circuit)
            login.station = login.station or binds_station
            login.circuit_id = login.circuit_id or binds_line
        self._attempts.add(
            AnsweredAttempt(
                at=exchange.received,
                tenant_id=login.subscriber.tenant_id,
                owner_id=login.subscriber.owner_id,
                credential_id=login.id,
                nas_id=exchange.client.nas.id,
                accepted=reply == "Access-Accept",
                reply=reply,
                station=station,
                address=address,
                first=first,
                terms=terms,
                binds_station=binds_station,
                binds_circuit=binds_line,
            )
        )

    async def stop(self) -> None:
        """Wait for the log-ins that are being answered."""
        await self._eap.stop()
        await self._verifier.stop()
        await asyncio.gather(*self._tasks, return_exceptions=True)


__all__ = ["Authenticator"]
