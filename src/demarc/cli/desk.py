"""What a command works on: the domains on an open database, and whom they act for."""

import getpass
import os
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from uuid import UUID

from demarc.app.parts import Parts
from demarc.app.parts import opened as parts_opened
from demarc.domains.errors import Invalid
from demarc.domains.identity.model import Network, Tenant
from demarc.platform.database import Actor, Tx
from demarc.platform.settings import Settings


class Desk:
    """The domains, as the command line uses them."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self.actor = acting()

    def system(self) -> AbstractAsyncContextManager[Tx]:
        """Open a transaction that sees every tenant."""
        return self.parts.db.system(self.actor)

    def tenant(self, tenant_id: UUID) -> AbstractAsyncContextManager[Tx]:
        """Open a transaction of one tenant."""
        return self.parts.db.tenant(tenant_id, self.actor)

    async def tenant_meant(self, tx: Tx, slug: str | None) -> Tenant:
        """Give the organisation that is named, or the only one that sells.

        Raises:
            NotFound: there is none of that name.
            Invalid: none is named, and it is not clear which is meant.
        """
        identity = self.parts.identity
        if slug is not None:
            return await identity.tenant_named(tx, slug)
        tenants = await identity.tenants(tx)
        selling = [one for one in tenants if await identity.networks_sold_on(tx, one.id)]
        if len(selling) != 1:
            known = ", ".join(one.slug for one in selling) or "there is none yet"
            raise Invalid("--tenant", f"must say which ISP is meant ({known})")
        return selling[0]

    async def network_meant(self, tx: Tx, slug: str | None) -> Network:
        """Give the network that is named, or the only one.

        Raises:
            NotFound: there is none of that name.
            Invalid: none is named, and it is not clear which is meant.
        """
        if slug is not None:
            return await self.parts.identity.network_named(tx, slug)
        networks = await self.parts.identity.networks(tx)
        if len(networks) != 1:
            known = ", ".join(one.slug for one in networks) or "there is none yet"
            raise Invalid("--network", f"must say which network is meant ({known})")
        return networks[0]

    async def networks_meant(self, tx: Tx, slug: str | None) -> list[Network]:
        """Give the network that is named, or all.

        Raises:
            NotFound: there is none of that name.
        """
        if slug is not None:
            return [await self.parts.identity.network_named(tx, slug)]
        return await self.parts.identity.networks(tx)


@asynccontextmanager
async def opened(settings: Settings) -> AsyncGenerator[Desk]:
    """Open the database and put the domains on it."""
    async with parts_opened(settings) as parts:
        yield Desk(parts)


def acting() -> Actor:
    """Give who uses the command line, as the audit log shows them."""
    return Actor("system", None, f"cli:{_who()}")


def _who() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())


__all__ = ["Desk", "acting", "opened"]
