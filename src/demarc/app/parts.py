"""Putting the domains together, once a process."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import msgspec

from demarc.domains.aaa.service import Aaa
from demarc.domains.access.service import Access
from demarc.domains.catalog.service import Catalog
from demarc.domains.identity.service import Identity
from demarc.domains.services.service import Services
from demarc.domains.subscribers.service import Subscribers
from demarc.platform.database import Database
from demarc.platform.migrations import FIRST, migrate
from demarc.platform.postgres import AlreadyRunning, PrivateServer, conninfo_of, locate
from demarc.platform.secrets import KeyRing, PasswordPool
from demarc.platform.settings import Settings


class Parts(msgspec.Struct, frozen=True):
    """The domains of a process, and what they stand on."""

    settings: Settings
    db: Database
    keys: KeyRing
    passwords: PasswordPool
    identity: Identity
    catalog: Catalog
    subscribers: Subscribers
    access: Access
    aaa: Aaa
    services: Services


def assemble(settings: Settings, db: Database, keys: KeyRing) -> Parts:
    """Build the domains on a database and keys."""
    passwords = PasswordPool()
    identity = Identity(passwords)
    catalog = Catalog()
    subscribers = Subscribers()
    access = Access(keys)
    aaa = Aaa(keys)
    return Parts(
        settings=settings,
        db=db,
        keys=keys,
        passwords=passwords,
        identity=identity,
        catalog=catalog,
        subscribers=subscribers,
        access=access,
        aaa=aaa,
        services=Services(
            identity=identity,
            catalog=catalog,
            subscribers=subscribers,
            access=access,
            aaa=aaa,
            keys=keys,
        ),
    )


@asynccontextmanager
async def server(settings: Settings) -> AsyncGenerator[str]:
    """Give the connection string of the database to use.

    That is the one given by the settings, else that of the private server in the data folder:
    the one running there already (``demarc serve``), or one started for the block.

    Raises:
        ServerProblem: the private server cannot be started.
    """
    if settings.database_url is not None:
        yield settings.database_url
        return
    folder = settings.data / "postgres"
    private = PrivateServer(folder, locate(settings.pg_bin))
    try:
        await private.start()
    except AlreadyRunning:
        yield conninfo_of(folder)
        return
    watching = asyncio.create_task(private.watch())
    try:
        yield private.conninfo()
    finally:
        await private.stop()
        await asyncio.gather(watching, return_exceptions=True)


@asynccontextmanager
async def opened(settings: Settings) -> AsyncGenerator[Parts]:
    """Give the domains on their database, for a command; the schema is brought up to date first.

    Raises:
        ServerProblem: the private server cannot be started.
        KeyFileError: the keys cannot be read.
    """
    async with server(settings) as conninfo:
        new = await migrate(conninfo)
        db = await Database.open(conninfo, tenant_pool=2, system_pool=2, name="demarc/command")
        try:
            yield assemble(settings, db, keys_of(settings, may_create=FIRST in new))
        finally:
            await db.close()


def keys_of(settings: Settings, *, may_create: bool) -> KeyRing:
    """Open the keys; they are made only with a new database, never in the place of lost ones.

    Raises:
        KeyFileError: they are not there, or cannot be used.
    """
    return KeyRing.open(settings.key_file, create=may_create)
