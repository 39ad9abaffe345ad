"""Who may ask: NASes by address or certificate, and the realms of log-ins."""

import asyncio
from collections.abc import Iterable
from datetime import datetime
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from uuid import UUID

import msgspec
import structlog

from demarc.domains.aaa.model import Nas, Realm
from demarc.domains.aaa.nas_clients import Noted, Sighting, Signer
from demarc.platform.secrets.keys import KeyRing, Undecipherable, row_binding
from demarc.platform.telemetry.counters import count

_log = structlog.get_logger(__name__)

# Addresses whose client is known without looking through the prefixes.
_MOST_REMEMBERED = 65_536
_PORTION = 200

RADSEC_SECRET = b"radsec"
"""What all share over TLS, where it protects nothing (RFC 6614, 2.3)."""


class Client(msgspec.Struct, frozen=True, eq=False):
    """A NAS, or a prefix of them, as packets are judged by it."""

    nas: Nas
    secret: bytes


class Peer(msgspec.Struct, eq=False):
    """An address of a client, and how packets from there are judged.

    Attributes:
        host: the address, as it is stored.
        signs: it has sent a valid Message-Authenticator.
        requires: an Access-Request from there must carry it.
        limits: an unsigned Access-Request with Proxy-State is dropped.
        seen: it has proved to know the secret since that was last noted.
        answered: it was answered since then.
        signed_at: when it signed for the first time, until that is noted.
    """

    client: Client
    host: str
    signs: bool
    requires: bool
    limits: bool
    seen: bool = False
    answered: bool = False
    signed_at: datetime | None = None


class Clients:
    """The NASes and realms in memory; replaced as a whole when one changes."""

    def __init__(self) -> None:
        self._by_prefix: dict[tuple[int, int], dict[int, Client]] = {}
        self._lengths: list[tuple[int, int]] = []
        self._by_id: dict[UUID, Client] = {}
        self._realms: dict[str, UUID] = {}
        self._by_certificate: dict[str, Client] = {}
        self._known: dict[str, Peer | None] = {}
        self._signing: set[tuple[UUID, str]] = set()
        # peers of which something is to be noted
        self._sighted: list[Peer] = []
        self.signed = asyncio.Event()

    async def replace(
        self,
        nases: Iterable[Nas],
        realms: Iterable[Realm],
        keyring: KeyRing,
        signers: Iterable[Signer] = (),
    ) -> None:
        """Take the NASes, the realms and the addresses that sign as they are now."""
        by_prefix: dict[tuple[int, int], dict[int, Client]] = {}
        by_id: dict[UUID, Client] = {}
        by_certificate: dict[str, Client] = {}
        for at, nas in enumerate(nases):
            if at % _PORTION == _PORTION - 1:
                await asyncio.sleep(0)
            try:
                secret = keyring.decrypt(nas.secret, row=row_binding("nas", "secret", nas.id))
            except Undecipherable as reason:
                _log.error("a NAS's secret cannot be read", nas=nas.name, reason=str(reason))
                continue
            network: IPv4Network | IPv6Network = ip_network(nas.prefix)
            place = (network.version, network.prefixlen)
            client = by_id[nas.id] = Client(nas, secret)
            by_prefix.setdefault(place, {})[int(network.network_address)] = client
            if nas.certificate is not None:
                by_certificate[nas.certificate] = Client(nas, RADSEC_SECRET)
        self._by_prefix = by_prefix
        # the longest prefix is looked for first
        self._lengths = sorted(by_prefix, reverse=True)
        self._by_id = by_id
        self._by_certificate = by_certificate
        self._realms = {realm.name: realm.id for realm in realms}
        # what has signed but is not written yet signs as well
        unwritten = {(p.client.nas.id, p.host) for p in self._sighted if p.signed_at is not None}
        self._signing = {(signer.nas_id, signer.address) for signer in signers} | unwritten
        self._known = {}

    def find(self, host: str) -> Client | None:
        """Give the client whose packets come from an address, by the longest prefix."""
        peer = self.peer(host)
        return None if peer is None else peer.client

    def peer(self, host: str) -> Peer | None:
        """Give how packets from an address are judged; None if it is no client's."""
        try:
            return self._known[host]
        except KeyError:
            client = self._search(host)
            peer = None if client is None else self._peer(client, host)
            if len(self._known) >= _MOST_REMEMBERED:
                self._known.clear()
            self._known[host] = peer
            return peer

    def _peer(self, client: Client, host: str) -> Peer:
        nas = client.nas
        mode, limit = nas.require_message_authenticator, nas.limit_proxy_state
        signs = (nas.id, host) in self._signing
        return Peer(
            client,
            host,
            signs=signs,
            requires=mode == "yes" or (mode == "auto" and signs),
            limits=limit == "yes" or (limit == "auto" and mode != "no"),
        )

    def certified(self, name: str) -> Client | None:
        """Give the client that is known by a certificate's name, or by its fingerprint."""
        return self._by_certificate.get(name)

    def _search(self, host: str) -> Client | None:
        address = ip_address(host.partition("%")[0])
        number, bits, version = int(address), address.max_prefixlen, address.version
        mapped = getattr(address, "ipv4_mapped", None)
        if mapped is not None:
            number, bits, version = int(mapped), 32, 4
        for place in self._lengths:
            if place[0] == version:
                rest = bits - place[1]
                client = self._by_prefix[place].get(number >> rest << rest)
                if client is not None:
                    return client
        return None

    def by_id(self, nas_id: UUID) -> Client | None:
        """Give the client of a NAS's id."""
        return self._by_id.get(nas_id)

    def resolve(self, login: str, client: Client) -> tuple[UUID, str] | None:
        """Tell the realm and the username of a log-in as it was sent.

        ``user@realm`` is of that realm if there is such a realm; all else is a name in the NAS's
        own realm.

        Returns:
            None when there is no realm to look in.
        """
        username, at, realm = login.rpartition("@")
        if at and username:
            realm_id = self._realms.get(realm.lower())
            if realm_id is not None:
                return realm_id, username
        default = client.nas.default_realm_id
        return None if default is None else (default, login)

    def note(self, peer: Peer, *, signed: bool, at: datetime) -> None:
        """Note that an address has proved to know the secret, for others to know as well.

        From the first valid Message-Authenticator on "auto" requires it of that address: a NAS
        does not unlearn it, so that who leaves it out later is a forger (CVE-2024-3596).
        """
        if not peer.seen:
            if len(self._sighted) >= _MOST_REMEMBERED:
                return
            peer.seen = True
            self._sighted.append(peer)
        if signed and not peer.signs and len(self._signing) < _MOST_REMEMBERED:
            peer.signs, peer.signed_at = True, at
            peer.requires = peer.client.nas.require_message_authenticator != "no"
            self._signing.add((peer.client.nas.id, peer.host))
            count("radius_clients_signing")
            self.signed.set()

    def sightings(self, most: int, now: datetime) -> list[Sighting]:
        """Give what is to be noted of addresses, the oldest first, and forget it."""
        taken, self._sighted = self._sighted[:most], self._sighted[most:]
        found: dict[tuple[UUID, str], Sighting] = {}
        for peer in taken:
            key = (peer.client.nas.id, peer.host)
            found[key] = Sighting(*key, peer.signed_at, now, now if peer.answered else None)
            peer.seen = peer.answered = False
            peer.signed_at = None
        return list(found.values())

    def noted(self, stands: Iterable[Noted]) -> None:
        """Let those sign no more that a person unlocked while they were being noted."""
        for one in stands:
            key = (one.nas_id, one.address)
            if not one.signs and key in self._signing:
                self._signing.discard(key)
                self._known.pop(one.address, None)

    @property
    def signing(self) -> int:
        """How many addresses have sent a valid Message-Authenticator."""
        return len(self._signing)

    def __len__(self) -> int:
        return len(self._by_id)


__all__ = ["RADSEC_SECRET", "Client", "Clients", "Peer"]
