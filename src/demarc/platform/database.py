"""Transactions on PostgreSQL, each bound to one tenant or to the system.

A process has two pools. Connections of the tenant pool run as ``demarc_app``, for which row-level
security decides what exists: without a tenant set, nothing does. Connections of the system pool
run as ``demarc_system`` and see every tenant; RADIUS, workers and log-in use them.
"""

import asyncio
import select
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from time import monotonic
from typing import Any, Literal, Self
from uuid import UUID

import msgspec
import psycopg
from psycopg.pq import TransactionStatus
from psycopg.types.json import set_json_dumps, set_json_loads
from psycopg_pool import AsyncConnectionPool

from demarc.platform import arrays

Connection = psycopg.AsyncConnection[tuple[Any, ...]]

# A connection that cannot be made is tried for so long, seconds, and again when one is next
# wanted: the pool's own pauses would grow with the outage, and outlast it as long again.
_RECONNECT_WITHIN = 4.0
_LOOK = 0.25

set_json_dumps(msgspec.json.encode)
set_json_loads(msgspec.json.decode)
arrays.register()


class Actor(msgspec.Struct, frozen=True):
    """Who does something, as the audit log and the histories show it.

    Attributes:
        kind: a person, an API client, or the system itself.
        id: the person's or client's id; None for the system.
        name: shown to people ("person:ana@example.net", "client:crm").
    """

    kind: Literal["person", "client", "system"]
    id: UUID | None
    name: str


SYSTEM = Actor("system", None, "demarc")


class Tx(msgspec.Struct, frozen=True):
    """An open transaction: what use cases work on. They never commit.

    Attributes:
        conn: the connection the transaction is open on.
        tenant_id: the tenant it is bound to; None for the system.
        actor: who acts in it.
    """

    conn: Connection
    tenant_id: UUID | None
    actor: Actor

    @property
    def tenant(self) -> UUID:
        """The tenant, where there must be one.

        Raises:
            RuntimeError: the transaction is the system's.
        """
        if self.tenant_id is None:
            raise RuntimeError("this needs a transaction of a tenant")
        return self.tenant_id


class Database:
    """The two pools of a process."""

    def __init__(
        self,
        tenant_pool: AsyncConnectionPool[Connection],
        system_pool: AsyncConnectionPool[Connection],
        conninfo: str,
    ) -> None:
        self._tenant_pool = tenant_pool
        self._system_pool = system_pool
        self.conninfo = conninfo

    @classmethod
    async def open(
        cls,
        conninfo: str,
        *,
        tenant_pool: int = 8,
        system_pool: int = 4,
        name: str = "demarc",
        timeout: float = 10.0,  # noqa: ASYNC109 - the pool's own limit, not a cancel scope
        patience: float = 5.0,
        wait: bool = True,
    ) -> Self:
        """Open both pools.

        Args:
            conninfo: libpq connection string.
            tenant_pool: connections for API calls, at most.
            system_pool: connections for the system, at most.
            name: shown by the server as the application's name.
            timeout: seconds within which the server must be reached.
            patience: seconds a transaction waits for a free connection.
            wait: for the server to be reached; else it may be away, and come later.

        Raises:
            psycopg.OperationalError: the server cannot be reached in time.
        """
        pools = [
            AsyncConnectionPool[Connection](
                conninfo,
                kwargs={
                    "autocommit": True,
                    "application_name": f"{name}/{role}",
                    # a named statement is worth preparing at once: there are few, run often
                    "prepare_threshold": 0,
                },
                min_size=min(1, size),
                max_size=size,
                timeout=patience,
                reconnect_timeout=_RECONNECT_WITHIN,
                max_waiting=size * 32,
                configure=configure,
                open=False,
                name=f"{name}/{role}",
            )
            for role, size, configure in (
                ("app", tenant_pool, _as_app),
                ("system", system_pool, _as_system),
            )
        ]
        database = cls(pools[0], pools[1], conninfo)
        if wait:
            await _reached(conninfo, timeout)
        try:
            for pool in pools:
                await pool.open(wait=wait, timeout=timeout)
        except BaseException:
            await database.close()
            raise
        return database

    async def close(self) -> None:
        """Close both pools, waiting for what is under way."""
        await self._tenant_pool.close()
        await self._system_pool.close()

    def stats(self) -> dict[str, dict[str, int]]:
        """Tell how the pools are used, by pool, as psycopg names it."""
        return {"app": self._tenant_pool.get_stats(), "system": self._system_pool.get_stats()}

    @asynccontextmanager
    async def tenant(self, tenant_id: UUID, actor: Actor = SYSTEM) -> AsyncGenerator[Tx]:
        """Open a transaction in which only this tenant's rows exist."""
        # both in one message: a transaction costs two round trips beside its statements
        begin = f"BEGIN; SET LOCAL demarc.tenant = '{UUID(int=tenant_id.int)}'"
        async with _lent(self._tenant_pool) as conn, _transaction(conn, begin):
            yield Tx(conn, tenant_id, actor)

    @asynccontextmanager
    async def system(self, actor: Actor = SYSTEM) -> AsyncGenerator[Tx]:
        """Open a transaction that sees every tenant."""
        async with _lent(self._system_pool) as conn, _transaction(conn, "BEGIN"):
            yield Tx(conn, None, actor)

    @asynccontextmanager
    async def listen(self, *channels: str) -> AsyncGenerator[Connection]:
        """Give a connection of its own that listens on the channels.

        It is outside the pools, because a listener keeps it for good.
        """
        conn: Connection = await psycopg.AsyncConnection.connect(
            self.conninfo, autocommit=True, application_name="demarc/listen"
        )
        async with conn:
            await _as_system(conn)
            for channel in channels:
                await conn.execute(f"LISTEN {channel}".encode())
            yield conn


@asynccontextmanager
async def _transaction(conn: Connection, begin: str) -> AsyncGenerator[None]:
    """Commit what the block does, or roll it back if it raises."""
    await conn.execute(begin.encode(), prepare=False)
    try:
        yield
    except BaseException:
        # a connection that was lost has rolled back by itself; the block's error says so
        with suppress(psycopg.Error):
            await conn.execute(b"ROLLBACK", prepare=False)
        raise
    if conn.info.transaction_status is TransactionStatus.INERROR:
        await conn.execute(b"ROLLBACK", prepare=False)
        raise RuntimeError("a statement failed, its error was hidden, and nothing was committed")
    await conn.execute(b"COMMIT", prepare=False)


async def _reached(conninfo: str, seconds: float) -> None:
    """Wait until the server lets us in, which may be starting just now."""
    until = monotonic() + seconds
    while True:
        try:
            async with await psycopg.AsyncConnection.connect(conninfo):
                return
        except psycopg.OperationalError:
            if monotonic() >= until:
                raise
        await asyncio.sleep(_LOOK)


@asynccontextmanager
async def _lent(pool: AsyncConnectionPool[Connection]) -> AsyncGenerator[Connection]:
    """Lend a connection that the server has not closed meanwhile.

    Without this look every pooled connection would fail one caller after the server restarted.
    """
    conn = await pool.getconn()
    while _hung_up(conn):
        await conn.close()
        await pool.putconn(conn)
        conn = await pool.getconn()
    try:
        yield conn
    finally:
        await pool.putconn(conn)


def _hung_up(conn: Connection) -> bool:
    """Tell whether the server has closed an idle connection, by what has arrived; asks nothing."""
    look = select.poll()
    try:
        look.register(conn.pgconn.socket, select.POLLIN)
        # its last words, and then the end; anything else is but taken in
        while look.poll(0):
            conn.pgconn.consume_input()
    except psycopg.OperationalError:
        return True
    return False


async def _as_app(conn: Connection) -> None:
    await conn.execute("SET ROLE demarc_app")


async def _as_system(conn: Connection) -> None:
    await conn.execute("SET ROLE demarc_system")


__all__ = ["SYSTEM", "Actor", "Connection", "Database", "Tx"]
