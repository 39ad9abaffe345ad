"""What the steps of an apply stand on: the transaction, the domains, and names made into things."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar
from uuid import UUID

import msgspec

from demarc.apply.document import OnNetwork, Table
from demarc.apply.plan import Change, compare
from demarc.domains.aaa.model import Realm
from demarc.domains.aaa.service import Aaa
from demarc.domains.access.service import Access
from demarc.domains.catalog.model import Area
from demarc.domains.catalog.service import Catalog
from demarc.domains.errors import Invalid, NotFound
from demarc.domains.identity.model import Network, Tenant
from demarc.domains.identity.service import Identity
from demarc.domains.network import pops
from demarc.domains.network.model import Pop
from demarc.domains.subscribers.service import Subscribers
from demarc.platform.database import Tx

Thing = TypeVar("Thing")


class Domains(msgspec.Struct, frozen=True, kw_only=True):
    """The use cases a file is applied through."""

    identity: Identity
    catalog: Catalog
    subscribers: Subscribers
    access: Access
    aaa: Aaa


class Follows(Exception):
    """A table names one that was refused itself; that one's mistake is enough."""


class Work:
    """One apply under way.

    Args:
        tx: of the system.
        domains: the use cases.
    """

    def __init__(self, tx: Tx, domains: Domains) -> None:
        self.tx = tx
        self.domains = domains
        self._refused: set[tuple[str, tuple[str | None, ...]]] = set()
        self._lists: dict[tuple[str, UUID], Mapping[str, Any]] = {}

    def refuse(self, table: Table) -> None:
        """Remember that a table came to nothing."""
        self._refused.add((table.section, table.key))

    async def bring(
        self,
        table: Table,
        before: Mapping[str, Any] | None,
        after: Mapping[str, Any],
        act: Callable[[], Awaitable[object]],
    ) -> Change:
        """Compare, and act only where something differs."""
        name = table.label
        if isinstance(table, OnNetwork):
            name = f"{table.network}/{name}"
        change = compare(table.section, name, before, after)
        if change.action != "unchanged":
            await act()
        return change

    # names

    async def tenant(self, key: str, slug: str) -> Tenant:
        """Give the organisation a key names.

        Raises:
            Invalid: there is none.
            Follows: its own table was refused.
        """
        found = self.domains.identity.tenant_named(self.tx, slug)
        return await self._named(key, "tenant", (slug,), found)

    async def tenant_id(self, key: str, slug: str | None) -> UUID | None:
        """Give the id of the organisation a key names, if it names one."""
        return None if slug is None else (await self.tenant(key, slug)).id

    async def network(self, table: OnNetwork) -> Network:
        """Give the network a table is on.

        Raises:
            Invalid: there is none.
            Follows: its own table was refused.
        """
        slug = table.network or ""
        found = self.domains.identity.network_named(self.tx, slug)
        return await self._named("network", "network", (slug,), found)

    async def area(self, key: str, network: Network, slug: str) -> Area:
        """Give the area of a network a key names.

        Raises:
            Invalid: there is none.
            Follows: its own table was refused.
        """
        found = self.domains.catalog.area_named(self.tx, network.id, slug)
        return await self._named(key, "area", (network.slug, slug), found)

    async def pop(self, network: Network, code: str | None) -> Pop | None:
        """Give the PoP of a network that is named, if one is.

        Raises:
            Invalid: there is none.
            Follows: its own table was refused.
        """
        if code is None:
            return None
        return await self._named(
            "pop", "pop", (network.slug, code), pops.named(self.tx, network.id, code)
        )

    async def realm(self, key: str, name: str) -> Realm:
        """Give the realm a key names.

        Raises:
            Invalid: there is none.
            Follows: its own table was refused.
        """
        return await self._named(key, "realm", (name,), self._find_realm(name))

    async def realms(self) -> list[Realm]:
        """Give the realms of every organisation."""
        tenants = await self.domains.identity.tenants(self.tx)
        return [
            realm
            for tenant in tenants
            for realm in await self.domains.aaa.realms(self.tx, tenant.id)
        ]

    async def _find_realm(self, name: str) -> Realm:
        for realm in await self.realms():
            if realm.name == name.lower():
                return realm
        raise NotFound("realm", name)

    async def listed(
        self, kind: str, network_id: UUID, read: Callable[[], Awaitable[Mapping[str, Thing]]]
    ) -> Mapping[str, Thing]:
        """Give what a network had of a kind when it was first asked for."""
        known = self._lists.get((kind, network_id))
        if known is None:
            known = self._lists[kind, network_id] = await read()
        return known

    async def _named(
        self, key: str, section: str, identity: tuple[str | None, ...], found: Awaitable[Thing]
    ) -> Thing:
        try:
            return await found
        except NotFound as missing:
            if (section, identity) in self._refused:
                raise Follows from missing
            raise Invalid(key, f"names {identity[-1]}, which is no {section}") from missing


__all__ = ["Domains", "Follows", "Work"]
