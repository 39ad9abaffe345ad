"""Who may ask: NASes by address, and the realms of log-ins."""

import asyncio
from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from uuid import UUID

import msgspec
import structlog

from demarc.domains.aaa.model import Nas, Realm
from demarc.platform.secrets.keys import KeyRing, Undecipherable, row_binding
from demarc.platform.telemetry.counters import count

_log = structlog.get_logger(__name__)

# Addresses whose client is known without looking through the prefixes.
_MOST_REMEMBERED = 65_536
_PORTION = 200


class Client(msgspec.Struct, frozen=True, eq=False):
    """A NAS, or a prefix of them, as packets are judged by it."""

    nas: Nas
    secret: bytes


class Clients:
    """The NASes and realms in memory; replaced as a whole when one changes."""

    def __init__(self) -> None:
        self._by_prefix: dict[tuple[int, int], dict[int, Client]] = {}
        self._lengths: list[tuple[int, int]] = []
        self._by_id: dict[UUID, Client] = {}
        self._realms: dict[str, UUID] = {}
        self._known: dict[str, Client | None] = {}
        self._signing: set[str] = set()

    async def replace(
        self, nases: Iterable[Nas], realms: Iterable[Realm], keyring: KeyRing
    ) -> None:
        """Take the NASes and realms as they are now."""
        by_prefix: dict[tuple[int, int], dict[int, Client]] = {}
        by_id: dict[UUID, Client] = {}
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
        self._by_prefix = by_prefix
        # the longest prefix is looked for first
        self._lengths = sorted(by_prefix, reverse=True)
        self._by_id = by_id
        self._realms = {realm.name: realm.id for realm in realms}
        self._known = {}

    def find(self, host: str) -> Client | None:
        """Give the client whose packets come from an address, by the longest prefix."""
        try:
            return self._known[host]
        except KeyError:
            found = self._search(host)
            if len(self._known) >= _MOST_REMEMBERED:
                self._known.clear()
            self._known[host] = found
            return found

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

    def requires_signature(self, client: Client, host: str) -> bool:
        """Tell whether an Access-Request from there must carry Message-Authenticator.

        "auto" requires it of an address that has once sent a valid one: a NAS does not unlearn
        it, so that who leaves it out later is a forger (CVE-2024-3596).
        """
        mode = client.nas.require_message_authenticator
        return mode == "yes" or (mode == "auto" and host in self._signing)

    def note_signature(self, host: str) -> None:
        """Note that a valid Message-Authenticator came from there."""
        if host not in self._signing and len(self._signing) < _MOST_REMEMBERED:
            self._signing.add(host)
            count("radius_clients_signing")

    @property
    def signing(self) -> int:
        """How many addresses have sent a valid Message-Authenticator."""
        return len(self._signing)

    def __len__(self) -> int:
        return len(self._by_id)


__all__ = ["Client", "Clients"]
