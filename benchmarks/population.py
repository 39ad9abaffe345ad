"""A database full of subscribers, filled by COPY with what the product itself would have written.

One owner of a network, one ISP, and N subscribers: customer, address, premise, active service,
credential with its encrypted password, leased address. What few things there are of are made by
the product's own use cases.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import psycopg

from demarc.app.parts import Parts
from demarc.domains.aaa.model import Vendor
from demarc.platform.clock import now
from demarc.platform.postgres import conninfo_of
from demarc.platform.search import fold, trigrams
from demarc.platform.secrets.keys import row_binding
from load import subscriber
from load.packets import Life

_DOWN, _UP = 200_000_000, 100_000_000
_SPARE = 5_000
_MAKES: tuple[Vendor, ...] = ("mikrotik", "huawei")
# So long a session may be silent: those of a run lie in the past.
_INTERIM_INTERVAL = 86_400
# People's names are many, so that searching is not made easy.
_FIRST = ("Nomsa", "Thabo", "Ana", "João", "Sipho", "Maria", "Pieter", "Zanele", "Lucas", "Ayanda")
_LAST = ("Dlamini", "Silva", "Nkosi", "Souza", "Botha", "Mokoena", "Pereira", "Naidoo", "Lima")
_STREET = ("Long", "Loop", "Kloof", "Station", "Albert", "Main", "Church", "Market", "Harbour")


class Population(msgspec.Struct, frozen=True):
    """What was made.

    Attributes:
        token: of an AEx client of the ISP.
        seconds: how long it took.
    """

    subscribers: int
    token: str
    seconds: float


class _Frame(msgspec.Struct, frozen=True):
    owner: Any
    isp: Any
    network: Any
    realm: Any
    area: Any
    product: Any
    nases: list[Any]
    pools: list[Any]


async def populate(parts: Parts, subscribers: int) -> Population:
    """Fill an empty database.

    Args:
        parts: the domains on it, as its superuser.
        subscribers: how many.
    """
    begun = time.monotonic()
    frame = await _frame(parts, subscribers)
    async with await psycopg.AsyncConnection.connect(_owner(parts)) as conn:
        # nobody is to be told of rows one by one, and what they refer to is there
        await conn.execute("SET LOCAL session_replication_role = replica")
        await conn.execute("SET LOCAL maintenance_work_mem = '256MB'")
        for table, columns, row in _tables(parts, frame):
            await _copy(conn, table, columns, map(row, range(subscribers)))
        await _copy(
            conn,
            "ip_address",
            ("network_id", "address", "owner_id", "pool_id", "reserved_for", "free_from"),
            _spare_addresses(frame, subscribers),
        )
        await conn.execute(
            "UPDATE tenant SET last_service_number = %s WHERE id = %s", [subscribers, frame.isp.id]
        )
    async with await psycopg.AsyncConnection.connect(_owner(parts), autocommit=True) as conn:
        await conn.execute("VACUUM (ANALYZE)")
        await conn.execute("CHECKPOINT")
    token = await _token(parts, frame)
    return Population(subscribers, token, round(time.monotonic() - begun, 1))


async def live_sessions(parts: Parts, subscribers: int, began: int) -> None:
    """Forget all accounting, and let those sessions live that the load generator begins within.

    Args:
        parts: the domains.
        subscribers: how many there are.
        began: when the sessions began, seconds since 1970.
    """
    start = datetime.fromtimestamp(began, UTC)
    async with await psycopg.AsyncConnection.connect(_owner(parts)) as conn:
        await conn.execute("SET LOCAL session_replication_role = replica")
        await conn.execute("TRUNCATE session_live, session_closed, usage_daily")
        nases = {
            name: nas async for name, nas in await conn.cursor().execute("SELECT name, id FROM nas")
        }
        frame = await (
            await conn.execute("SELECT tenant_id, owner_id FROM credential LIMIT 1")
        ).fetchone()
        if frame is None:
            raise RuntimeError("there are no subscribers")

        def row(n: int) -> tuple[Any, ...]:
            nas = subscriber.nas_of_port(n % subscriber.PORTS)
            place = Life.phase(n) - 1
            received, sent = Life.octets(place)
            return (
                subscriber.entity("session", n),
                *frame,
                subscriber.entity("service", n),
                subscriber.entity("credential", n),
                nases[f"bng-{nas}"],
                subscriber.nas_address(nas),
                subscriber.session_id(n, 0).decode(),
                subscriber.login(n).decode(),
                subscriber.address(n),
                subscriber.station(n).decode(),
                subscriber.port(n).decode(),
                start,
                start + timedelta(seconds=place * subscriber.INTERIM),
                place * subscriber.INTERIM,
                received,
                sent,
            )

        await _copy(
            conn,
            "session_live",
            (
                *("id", "tenant_id", "owner_id", "service_id", "credential_id", "nas_id"),
                *("nas_address", "acct_session_id", "username", "framed_ipv4"),
                *(
                    "calling_station_id",
                    "nas_port_id",
                    "started_at",
                    "updated_at",
                    "session_seconds",
                ),
                *("input_octets", "output_octets"),
            ),
            (row(n) for n in range(subscribers) if Life.phase(n)),
        )
    async with await psycopg.AsyncConnection.connect(_owner(parts), autocommit=True) as conn:
        await conn.execute(
            "VACUUM (ANALYZE) session_live, session_closed, usage_daily, auth_attempt"
        )
        await conn.execute("CHECKPOINT")


def _owner(parts: Parts) -> str:
    """Give how the private server's owner connects, who may COPY and forget."""
    return conninfo_of(parts.settings.data / "postgres")


async def _frame(parts: Parts, subscribers: int) -> _Frame:
    identity, catalog, aaa = parts.identity, parts.catalog, parts.aaa
    async with parts.db.system() as tx:
        owner = await identity.put_tenant(
            tx, slug="owner", name="Fibre Owner", timezone="Africa/Johannesburg"
        )
        isp = await identity.put_tenant(
            tx, slug="bench", name="Bench ISP", timezone="Africa/Johannesburg"
        )
        network = await identity.put_network(tx, owner_id=owner.id, slug="bench", name="Bench")
        await identity.admit_isp(tx, network, isp.id)
        realm = await aaa.create_realm(tx, tenant_id=isp.id, name=subscriber.REALM)
        area = await catalog.put_area(tx, network=network, slug="north", name="North")
        product = await catalog.put_product(
            tx,
            network=network,
            code="home-200",
            name="Home 200/100",
            download_bps=_DOWN,
            upload_bps=_UP,
            areas=[area.id],
        )
        nases = [
            await aaa.create_nas(
                tx,
                owner_id=owner.id,
                network_id=network.id,
                name=f"bng-{nas}",
                prefix=f"{subscriber.nas_address(nas)}/32",
                secret=subscriber.NAS_SECRET.decode(),
                vendor=_MAKES[nas % len(_MAKES)],
                interim_interval=_INTERIM_INTERVAL,
            )
            for nas in range(subscriber.NASES)
        ]
    # the pools' addresses come with the rest: filling a /16 by the use case takes a while
    pools = []
    async with await psycopg.AsyncConnection.connect(_owner(parts)) as conn:
        for pool in range(-(-subscribers // subscriber.PER_POOL)):
            made = await (
                await conn.execute(
                    "INSERT INTO ip_pool (owner_id, network_id, tenant_id, name, prefix)"
                    " VALUES (%s, %s, %s, %s, %s) RETURNING id",
                    [owner.id, network.id, isp.id, f"pool-{pool}", subscriber.pool_prefix(pool)],
                )
            ).fetchone()
            pools.append(made[0] if made else None)
    return _Frame(owner, isp, network, realm, area, product, nases, pools)


async def _token(parts: Parts, frame: _Frame) -> str:
    async with parts.db.system() as tx:
        client = await parts.identity.put_client(
            tx, tenant_id=frame.isp.id, api="aex", name="bench"
        )
        token, _ = await parts.identity.issue_token(tx, client, now=now())
    return token


_Table = tuple[str, tuple[str, ...], Callable[[int], tuple[Any, ...]]]


def _tables(parts: Parts, frame: _Frame) -> list[_Table]:
    """Give the tables, their columns and the row of subscriber n in each."""
    tenant, owner, network = frame.isp.id, frame.owner.id, frame.network.id
    entity = subscriber.entity
    # one a second, so that lists have an order
    epoch = datetime(2024, 1, 1, tzinfo=UTC)

    def created(n: int) -> datetime:
        return epoch + timedelta(seconds=n)

    def customer(n: int) -> tuple[Any, ...]:
        first, last = _FIRST[n % len(_FIRST)], _LAST[n // len(_FIRST) % len(_LAST)]
        email = f"c{n:07d}@example.net"
        mobile = f"+27 82 {n // 10_000 % 1000:03d} {n % 10_000:04d}"
        name = f"{first} {last}"
        return (
            *(entity("customer", n), tenant, owner, "person", name, first, last, email, mobile),
            *(trigrams(name, email, mobile), created(n)),
        )

    def place(n: int) -> str:
        return f"{n % 997 + 1} {_STREET[n % len(_STREET)]} Street {n // 997}, Cape Town"

    def address(n: int) -> tuple[Any, ...]:
        whole = place(n)
        return (
            *(entity("address", n), owner, network, whole, fold(whole)),
            *(-33.9 - n % 1000 / 10_000, 18.4 + n // 1000 % 1000 / 10_000, trigrams(whole)),
            created(n),
        )

    def premise(n: int) -> tuple[Any, ...]:
        return (
            *(entity("premise", n), owner, network, entity("address", n), frame.area.id),
            *(fold(place(n)), tenant, created(n)),
        )

    def service(n: int) -> tuple[Any, ...]:
        return (
            *(entity("service", n), tenant, owner, network, n + 1, entity("customer", n)),
            *(frame.product.id, entity("premise", n), "active", created(n), created(n), created(n)),
        )

    def credential(n: int) -> tuple[Any, ...]:
        key = entity("credential", n)
        secret = parts.keys.encrypt(
            subscriber.password(n), row=row_binding("credential", "secret", key)
        )
        return (
            *(key, tenant, owner, network, entity("service", n), frame.realm.id),
            *(subscriber.username(n), secret, _DOWN, _UP, "Africa/Johannesburg", created(n)),
        )

    def lease(n: int) -> tuple[Any, ...]:
        return (
            *(network, subscriber.address(n), owner, frame.pools[n // subscriber.PER_POOL]),
            *(tenant, entity("credential", n), created(n), subscriber.station(n).decode()),
        )

    return [
        (
            "customer",
            (
                *("id", "tenant_id", "owner_id", "kind", "name", "first_name", "last_name"),
                *("email", "mobile_number", "search", "created_at"),
            ),
            customer,
        ),
        (
            "address",
            (
                *("id", "owner_id", "network_id", "full_address", "address_key"),
                *("latitude", "longitude", "search", "created_at"),
            ),
            address,
        ),
        (
            "premise",
            (
                *("id", "owner_id", "network_id", "address_id", "area_id", "place_key"),
                *("created_by", "created_at"),
            ),
            premise,
        ),
        (
            "service",
            (
                *("id", "tenant_id", "owner_id", "network_id", "number", "customer_id"),
                *("product_id", "premise_id", "state", "provisioned_at", "created_at"),
                "updated_at",
            ),
            service,
        ),
        (
            "credential",
            (
                *("id", "tenant_id", "owner_id", "network_id", "service_id", "realm_id"),
                *("username", "secret", "download_bps", "upload_bps", "timezone"),
                "first_accept_at",
            ),
            credential,
        ),
        (
            "ip_address",
            (
                *("network_id", "address", "owner_id", "pool_id", "reserved_for"),
                *("credential_id", "assigned_at", "station"),
            ),
            lease,
        ),
    ]


def _spare_addresses(frame: _Frame, subscribers: int) -> Iterator[tuple[Any, ...]]:
    """Give free addresses in the last pool, for further stations."""
    pool = (subscribers - 1) // subscriber.PER_POOL
    last = subscriber.address((pool + 1) * subscriber.PER_POOL - 1)
    for place in range(1, _SPARE + 1):
        yield (
            *(frame.network.id, last + place, frame.owner.id, frame.pools[pool]),
            *(frame.isp.id, datetime(2024, 1, 1, tzinfo=UTC)),
        )


async def _copy(
    conn: psycopg.AsyncConnection[Any],
    table: str,
    columns: tuple[str, ...],
    rows: Iterable[tuple[Any, ...]],
) -> None:
    statement = f"COPY {table} ({', '.join(columns)}) FROM STDIN"
    async with conn.cursor().copy(statement.encode()) as copy:
        for row in rows:
            await copy.write_row(row)
