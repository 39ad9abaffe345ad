"""Realms whose log-ins an ISP's own AAA answers, and the home servers that are asked.

A network's owner lets its ISPs answer for their subscribers themselves; what they may tell a NAS
stays the owner's to decide.
"""

from collections.abc import Iterable, Sequence
from ipaddress import ip_address
from uuid import UUID, uuid4

import msgspec

from demarc.domains.aaa.certificates import certificate_name
from demarc.domains.aaa.model import Realm
from demarc.domains.errors import Invalid
from demarc.domains.identity import audit
from demarc.platform.database import Tx
from demarc.platform.secrets.keys import KeyRing, row_binding
from demarc.platform.statements import Statement

ALLOWED = (
    "Framed-IP-Address",
    "Framed-IP-Netmask",
    "Framed-IPv6-Prefix",
    "Delegated-IPv6-Prefix",
    "Framed-Interface-Id",
    "Session-Timeout",
    "Idle-Timeout",
)
"""What an Accept may tell the NAS where nothing else is said, beside what a log-in itself needs."""


class HomeServer(msgspec.Struct, frozen=True):
    """A server of an ISP that answers for a realm.

    Attributes:
        transport: "udp" or "radsec".
        auth_port: where it takes Access-Requests; None where it is not asked. Over RadSec both
            come on one port, the first of the two that is set.
        acct_port: the same of Accounting-Requests.
        secret: encrypted, for the row "home_server", "secret", its id; None over RadSec.
        certificate: the name (or "sha256:…") its certificate must have; None for its address.
        priority: the lowest that lives is asked; several of one share the load.
        timeout_ms: after that another one is asked.
        status_server: whether it answers Status-Server (RFC 5997), by which a dead one is probed.
        require_message_authenticator: "auto" becomes "yes" once it has sent a valid one.
    """

    id: UUID
    tenant_id: UUID
    realm_id: UUID
    name: str
    transport: str
    address: str
    auth_port: int | None
    acct_port: int | None
    secret: bytes | None
    certificate: str | None
    priority: int
    timeout_ms: int
    status_server: bool
    require_message_authenticator: str


class RealmProxy(msgspec.Struct, frozen=True):
    """How a realm is proxied.

    Attributes:
        books_locally: accounting is booked here too, where the log-in exists here.
        allowed: names of attributes that an Accept may tell the NAS.
    """

    realm_id: UUID
    tenant_id: UUID
    books_locally: bool
    allowed: list[str]


class NewServer(msgspec.Struct, frozen=True, kw_only=True):
    """A home server as it is to be; see ``HomeServer``."""

    name: str
    address: str
    transport: str = "udp"
    auth_port: int | None = 1812
    acct_port: int | None = 1813
    secret: str | None = None
    certificate: str | None = None
    priority: int = 10
    timeout_ms: int = 3000
    status_server: bool = True
    require_message_authenticator: str = "auto"


_SERVER = """id, tenant_id, realm_id, name, transport, host(address) AS address, auth_port,
    acct_port, secret, certificate, priority, timeout_ms, status_server,
    require_message_authenticator"""
_PROXY = "realm_id, tenant_id, books_locally, allowed"

SERVERS = Statement(
    "aaa.home_servers",
    f"SELECT {_SERVER} FROM home_server ORDER BY realm_id, priority, name",
    HomeServer,
)

PROXIES = Statement("aaa.realm_proxies", f"SELECT {_PROXY} FROM realm_proxy", RealmProxy)

SERVERS_OF_REALM = Statement(
    "aaa.home_servers_of_realm",
    f"SELECT {_SERVER} FROM home_server WHERE realm_id = %(realm_id)s ORDER BY priority, name",
    HomeServer,
)

PROXY_OF_REALM = Statement(
    "aaa.proxy_of_realm",
    f"SELECT {_PROXY} FROM realm_proxy WHERE realm_id = %(realm_id)s",
    RealmProxy,
)

PUT_PROXY = Statement(
    "aaa.put_realm_proxy",
    """
    INSERT INTO realm_proxy AS p (realm_id, tenant_id, books_locally, allowed)
    VALUES (%(realm_id)s, %(tenant_id)s, %(books_locally)s, %(allowed)s::text[])
    ON CONFLICT (realm_id) DO UPDATE SET books_locally = excluded.books_locally,
                                         allowed = excluded.allowed
    WHERE (p.books_locally, p.allowed) <> (excluded.books_locally, excluded.allowed)
    """,
)

DROP_PROXY = Statement(
    "aaa.drop_realm_proxy", "DELETE FROM realm_proxy WHERE realm_id = %(realm_id)s"
)

DROP_SERVERS = Statement(
    "aaa.drop_home_servers",
    "DELETE FROM home_server WHERE realm_id = %(realm_id)s AND name <> ALL(%(names)s::text[])",
)

PUT_SERVER = Statement(
    "aaa.put_home_server",
    f"""
    INSERT INTO home_server (id, tenant_id, realm_id, name, transport, address, auth_port,
                             acct_port, secret, certificate, priority, timeout_ms, status_server,
                             require_message_authenticator)
    VALUES (%(id)s, %(tenant_id)s, %(realm_id)s, %(name)s, %(transport)s,
            %(address)s::text::inet, %(auth_port)s::integer, %(acct_port)s::integer,
            %(secret)s::bytea, %(certificate)s::text, %(priority)s, %(timeout_ms)s,
            %(status_server)s, %(require_message_authenticator)s)
    ON CONFLICT (realm_id, name) DO UPDATE SET transport = excluded.transport,
        address = excluded.address, auth_port = excluded.auth_port,
        acct_port = excluded.acct_port, secret = excluded.secret,
        certificate = excluded.certificate, priority = excluded.priority,
        timeout_ms = excluded.timeout_ms, status_server = excluded.status_server,
        require_message_authenticator = excluded.require_message_authenticator
    RETURNING {_SERVER}
    """,
    HomeServer,
)


async def all_servers(tx: Tx) -> list[HomeServer]:
    """Give every home server, by realm, priority and name."""
    return await SERVERS.all(tx)


async def all_proxies(tx: Tx) -> list[RealmProxy]:
    """Give every realm that is proxied, and how."""
    return await PROXIES.all(tx)


class Proxies:
    """Use cases on realms that are proxied.

    Args:
        keyring: encrypts the secrets of home servers.
    """

    def __init__(self, keyring: KeyRing) -> None:
        self._keyring = keyring

    async def of_realm(self, tx: Tx, realm_id: UUID) -> tuple[RealmProxy, list[HomeServer]] | None:
        """Give how a realm is proxied and its home servers; None if it is not."""
        proxy = await PROXY_OF_REALM.one(tx, realm_id=realm_id)
        if proxy is None:
            return None
        return proxy, await SERVERS_OF_REALM.all(tx, realm_id=realm_id)

    def secret(self, server: HomeServer) -> str | None:
        """Give a home server's secret in clear; None over RadSec."""
        if server.secret is None:
            return None
        return self._keyring.decrypt(server.secret, row=_binding(server.id)).decode()

    async def put(
        self,
        tx: Tx,
        realm: Realm,
        servers: Sequence[NewServer],
        *,
        books_locally: bool = False,
        allowed: Iterable[str] = ALLOWED,
    ) -> None:
        """Have a realm answered by these home servers; by none, by ourselves again.

        Args:
            tx: of the system.
            realm: the realm.
            servers: all of its home servers; others it has are dropped.
            books_locally: book accounting here too.
            allowed: names of attributes that an Accept may tell the NAS.

        Raises:
            Invalid: a server has no address, port or secret, or its certificate can name none.
        """
        before = await self.of_realm(tx, realm.id)
        known = {server.name: server for server in before[1]} if before is not None else {}
        if not servers:
            await DROP_PROXY.run(tx, realm_id=realm.id)
        else:
            await PUT_PROXY.run(
                tx,
                realm_id=realm.id,
                tenant_id=realm.tenant_id,
                books_locally=books_locally,
                allowed=sorted(set(allowed)),
            )
            await DROP_SERVERS.run(tx, realm_id=realm.id, names=[server.name for server in servers])
            for server in servers:
                await self._put(tx, realm, server, known.get(server.name))
        after = await self.of_realm(tx, realm.id)
        await audit.write(
            tx,
            action="proxy",
            kind="realm",
            key=realm.id,
            before=_image(before),
            after=_image(after),
            tenant_id=realm.tenant_id,
        )

    async def _put(self, tx: Tx, realm: Realm, server: NewServer, known: HomeServer | None) -> None:
        key = uuid4() if known is None else known.id
        try:
            address = str(ip_address(server.address))
        except ValueError:
            raise Invalid("home_server", f"{server.name}: {server.address} is no address") from None
        if server.auth_port is None and server.acct_port is None:
            raise Invalid("home_server", f"{server.name} needs auth_port or acct_port")
        secret = None
        if server.transport == "udp":
            if not server.secret:
                raise Invalid("home_server", f"{server.name} needs a secret")
            same = known is not None and self.secret(known) == server.secret
            secret = (
                known.secret
                if same and known is not None
                else self._keyring.encrypt(server.secret.encode(), row=_binding(key))
            )
        await PUT_SERVER.one(
            tx,
            id=key,
            tenant_id=realm.tenant_id,
            realm_id=realm.id,
            name=server.name,
            transport=server.transport,
            address=address,
            auth_port=server.auth_port,
            acct_port=server.acct_port,
            secret=secret,
            certificate=certificate_name(server.certificate),
            priority=server.priority,
            timeout_ms=server.timeout_ms,
            status_server=server.status_server,
            require_message_authenticator=server.require_message_authenticator,
        )


def _binding(server_id: UUID) -> bytes:
    return row_binding("home_server", "secret", server_id)


def _image(proxied: tuple[RealmProxy, list[HomeServer]] | None) -> dict[str, object]:
    if proxied is None:
        return {"home_servers": []}
    proxy, servers = proxied
    return {
        "books_locally": proxy.books_locally,
        "allowed": proxy.allowed,
        "home_servers": [
            f"{server.name} {server.transport} {server.address}" for server in servers
        ],
    }


__all__ = [
    "ALLOWED",
    "HomeServer",
    "NewServer",
    "Proxies",
    "RealmProxy",
    "all_proxies",
    "all_servers",
]
