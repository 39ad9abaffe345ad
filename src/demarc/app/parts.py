"""Putting the domains together, once a process."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager

import msgspec
import psycopg

from demarc.domains.aaa.service import Aaa
from demarc.domains.access.service import Access
from demarc.domains.catalog.service import Catalog
from demarc.domains.cpe.service import Cpes
from demarc.domains.identity.service import Identity
from demarc.domains.services.service import Services
from demarc.domains.subscribers.service import Subscribers
from demarc.platform.database import Database
from demarc.platform.migrations import migrate
from demarc.platform.postgres import (
    AlreadyRunning,
    NotRunning,
    PrivateServer,
    conninfo_of,
    locate,
)
from demarc.platform.roles import LOGIN, ensure_login
from demarc.platform.secrets import KeyRing, PasswordPool
from demarc.platform.settings import Settings

# A private server that another process runs is waited for, while it starts.
_STARTS_WITHIN = 60.0
_LOOK = 0.1


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
    cpes: Cpes
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
        cpes=Cpes(keys),
        services=Services(
            identity=identity,
            catalog=catalog,
            subscribers=subscribers,
            access=access,
            aaa=aaa,
            keys=keys,
        ),
    )


class Hosted(msgspec.Struct, frozen=True):
    """The database to use.

    Attributes:
        conninfo: how to connect, as the role that processes log in as.
        owner: likewise, as the role that owns it: for migrations, backups and repairs.
        watching: keeps the private server, where this process runs it; ends only by failing.
    """

    conninfo: str
    owner: str
    watching: asyncio.Task[None] | None = None


@asynccontextmanager
async def hosted(settings: Settings) -> AsyncGenerator[Hosted]:
    """Give the database to use: the one of the settings, else a private one run for the block.

    Raises:
        ServerProblem: the private server cannot be started, or is run by another process.
    """
    if settings.database_url is not None:
        yield Hosted(settings.database_url, settings.database_url)
        return
    private = PrivateServer(settings.data / "postgres", locate(settings.pg_bin))
    await private.start()
    watching = asyncio.create_task(private.watch())
    try:
        owner = private.conninfo()
        async with await psycopg.AsyncConnection.connect(owner, autocommit=True) as conn:
            await ensure_login(conn)
        yield Hosted(private.conninfo(role=LOGIN), owner, watching)
    finally:
        await private.stop()
        await asyncio.gather(watching, return_exceptions=True)


@asynccontextmanager
async def server(settings: Settings) -> AsyncGenerator[str]:
    """Give the connection string of the database to use, for a command, as the role that owns it.

    As `hosted`, but a private server that runs already (``demarc serve``) is used, too.

    Raises:
        ServerProblem: the private server cannot be started.
    """
    async with AsyncExitStack() as stack:
        loop = asyncio.get_running_loop()
        until = loop.time() + _STARTS_WITHIN
        while True:
            try:
                found = (await stack.enter_async_context(hosted(settings))).owner
                break
            except AlreadyRunning:
                try:
                    found = conninfo_of(settings.data / "postgres")
                    break
                except NotRunning:  # the other is only starting it, or ending
                    if loop.time() > until:
                        raise
            await asyncio.sleep(_LOOK)
        yield found


async def migrated(settings: Settings, conninfo: str) -> list[str]:
    """Bring a database to this version's schema; the keys are made with a new one.

    They are there before it is: nothing ever waits for keys that were not made in time, and an
    upgrade never puts new ones in the place of lost ones.

    Returns:
        The names of the migrations applied now.

    Raises:
        ChangedMigration, MigrationFailed: as `migrate`.
        KeyFileError: the keys cannot be made.
    """
    return await migrate(conninfo, on_new=lambda: keys_of(settings, may_create=True))


@asynccontextmanager
async def opened(settings: Settings) -> AsyncGenerator[Parts]:
    """Give the domains on their database, for a command; the schema is brought up to date first.

    Raises:
        ServerProblem: the private server cannot be started.
        KeyFileError: the keys cannot be read.
    """
    async with server(settings) as conninfo:
        await migrated(settings, conninfo)
        db = await Database.open(
            login_of(settings, conninfo), tenant_pool=2, system_pool=2, name="demarc/command"
        )
        try:
            yield assemble(settings, db, keys_of(settings, may_create=False))
        finally:
            await db.close()


def login_of(settings: Settings, owner: str) -> str:
    """Give the connection string of the role that processes log in as.

    Args:
        settings: say whether the server is our own, which runs.
        owner: the connection string of the role that owns the database, which on a given server is
            the one and only.
    """
    if settings.database_url is not None:
        return owner
    return conninfo_of(settings.data / "postgres", role=LOGIN)


def keys_of(settings: Settings, *, may_create: bool) -> KeyRing:
    """Open the keys; they are made only with a new database, never in the place of lost ones.

    Raises:
        KeyFileError: they are not there, or cannot be used.
    """
    return KeyRing.open(settings.key_file, create=may_create)
