"""What the lines of a run stand on: whose they are, on which networks, in which realms."""

from base64 import b64encode
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from hashlib import blake2b
from typing import Any
from uuid import UUID

import msgspec

from demarc.domains.aaa.bulk import Cursor
from demarc.domains.aaa.model import Nas, Realm
from demarc.domains.aaa.service import Aaa
from demarc.domains.catalog.model import Area, Product
from demarc.domains.catalog.service import Catalog
from demarc.domains.errors import NotFound
from demarc.domains.identity.model import Network, Tenant
from demarc.domains.identity.service import Identity
from demarc.domains.services.service import Services
from demarc.domains.subscribers.service import Subscribers
from demarc.imports.entry import Refused
from demarc.platform.database import Tx
from demarc.platform.secrets import KeyRing

_DIGEST_OCTETS = 15


class Domains(msgspec.Struct, frozen=True, kw_only=True):
    """The use cases an import goes through."""

    identity: Identity
    catalog: Catalog
    subscribers: Subscribers
    aaa: Aaa
    services: Services
    keys: KeyRing


class Ground:
    """Whose things are brought, and what has been looked up for them.

    Args:
        domains: the use cases.
        tenant: the ISP.
        network: of the lines that name none.
        realm: of the log-ins that name none; None for the ISP's first.
        source: what the other system is called.
        run_id: the run.
        dry_run: nothing is to remain.
    """

    def __init__(
        self,
        domains: Domains,
        *,
        tenant: Tenant,
        network: Network,
        realm: str | None = None,
        source: str,
        run_id: UUID,
        dry_run: bool = False,
    ) -> None:
        self.domains = domains
        self.tenant = tenant
        self.source = source
        self.run_id = run_id
        self.dry_run = dry_run
        self._network = network
        # of all that is imported for the ISP: what the same thing said is the same in each run
        self._key = domains.keys.hmac("import", tenant.id.bytes)
        self._realm = realm
        self.forget()

    def forget(self) -> None:
        """Forget what was looked up: some of it may have been taken back."""
        self._networks: dict[str, Network] | None = None
        self._nases: dict[UUID, list[Nas]] = {}
        self._realms: dict[str, Realm] | None = None
        self._products: dict[tuple[UUID, str], Product | None] = {}
        self._areas: dict[tuple[UUID, str], Area | None] = {}
        self.cursors: dict[UUID, Cursor] = {}

    def digest(self, *what: Any) -> str:
        """Give what a thing said is recognised by, of which nothing can be told."""
        octets = blake2b(
            msgspec.json.encode(what), key=self._key, digest_size=_DIGEST_OCTETS
        ).digest()
        return b64encode(octets).decode()

    async def look_up(self, tx: Tx) -> None:
        """Look up the networks the ISP sells on, and its realms, unless they are known."""
        if self._networks is None:
            sold_on = await self.domains.identity.networks_sold_on(tx, self.tenant.id)
            self._networks = {network.slug: network for network in sold_on}
        if self._realms is None:
            known = await self.domains.aaa.realms(tx, self.tenant.id)
            self._realms = {realm.name: realm for realm in known}

    def network_slug(self, slug: str | None) -> str:
        """Give the name of the network of a line."""
        return slug or self._network.slug

    def realm_name(self, name: str | None) -> str:
        """Give the name of the realm of a log-in; empty where the ISP has none."""
        return name or self._realm or next(iter(self._realms or ()), "")

    def own_network(self) -> Network:
        """Give the network of the run, if it is the organisation's own.

        Raises:
            Refused: another owns it.
        """
        if self._network.owner_id != self.tenant.id:
            raise Refused(
                None,
                f"the NASes of {self._network.slug} are not {self.tenant.slug}'s to bring",
                "run it with --only nas and the owner for --tenant, and with the others for the ISP",
            )
        return self._network

    def network(self, slug: str | None) -> Network:
        """Give the network of a line.

        Raises:
            Refused: the ISP does not sell on one of that name.
        """
        found = (self._networks or {}).get(self.network_slug(slug))
        if found is None:
            raise Refused(
                "network", f"{self.network_slug(slug)} is none that {self.tenant.slug} sells on"
            )
        return found

    def realm(self, name: str | None) -> Realm:
        """Give the realm of a log-in.

        Raises:
            Refused: the ISP has none, or none of that name.
        """
        wanted = self.realm_name(name)
        found = (self._realms or {}).get(wanted)
        if found is None:
            reason = f"{wanted} is no realm of the ISP" if wanted else "is needed: the ISP has none"
            raise Refused("realm", reason, "add it to the network file: [[realm]]")
        return found

    async def product(self, tx: Tx, network: Network, code: str) -> Product | None:
        """Give the product of a network by its code, None where there is none."""
        key = (network.id, code)
        if key not in self._products:
            try:
                self._products[key] = await self.domains.catalog.product_named(tx, *key)
            except NotFound:
                self._products[key] = None
        return self._products[key]

    def remember_product(self, product: Product) -> None:
        """Take a product as it is now."""
        self._products[product.network_id, product.code] = product

    async def area(self, tx: Tx, network: Network, slug: str) -> Area:
        """Give an area of a network.

        Raises:
            Refused: there is none of that name.
        """
        key = (network.id, slug)
        if key not in self._areas:
            try:
                self._areas[key] = await self.domains.catalog.area_named(tx, *key)
            except NotFound:
                self._areas[key] = None
        found = self._areas[key]
        if found is None:
            raise Refused(
                "area", f"{slug} is no area of {network.slug}", "add [[area]] to the network file"
            )
        return found

    async def nases(self, tx: Tx, network: Network) -> list[Nas]:
        """Give the NASes of a network, whoever's it is."""
        if network.id not in self._nases:
            async with as_operator(tx) as system:
                self._nases[network.id] = await self.domains.aaa.nases(system, network.id)
        return self._nases[network.id]

    def forget_nases(self) -> None:
        """Forget the NASes: some are new."""
        self._nases = {}

    def cursor(self, network_id: UUID) -> Cursor:
        """Give how far the addresses of a network have been leased."""
        return self.cursors.setdefault(network_id, Cursor())


@asynccontextmanager
async def as_operator(tx: Tx) -> AsyncGenerator[Tx]:
    """Let the transaction do what is not the ISP's to do, but the operator's who runs this."""
    await tx.conn.execute("SET LOCAL ROLE demarc_system")
    yield Tx(tx.conn, None, tx.actor)
    # if it fails, the savepoint is taken back, and the role with it
    await tx.conn.execute("SET LOCAL ROLE demarc_app")


__all__ = ["Domains", "Ground", "as_operator"]
