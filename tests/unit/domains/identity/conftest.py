"""An organisation that sells, on a database, and hashing that costs little."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import msgspec
import pytest
from argon2 import PasswordHasher

from demarc.domains.identity.model import Network, Tenant
from demarc.domains.identity.service import Identity
from demarc.platform.database import Database
from demarc.platform.secrets import PasswordPool

CHEAP = {"time_cost": 1, "memory_cost": 8, "parallelism": 1}


class CountingHasher(PasswordHasher):
    """Counts what it computes: that is what takes time, and is noticed by who measures it."""

    def __init__(self, **parameters: int) -> None:
        super().__init__(**(CHEAP | parameters))
        self.computed = 0

    def hash(self, *args, **more):
        self.computed += 1
        return super().hash(*args, **more)

    def verify(self, *args, **more):
        self.computed += 1
        return super().verify(*args, **more)


class Registry(msgspec.Struct):
    """The use cases on a database with an owner and two ISPs on its network."""

    db: Database
    identity: Identity
    hasher: CountingHasher
    pool: PasswordPool
    fno: Tenant
    isp: Tenant
    other_isp: Tenant
    network: Network

    async def token(self, *, api="aex", scopes=("read", "write"), name="crm", lives=None):
        async with self.db.system() as tx:
            client = await self.identity.put_client(
                tx, tenant_id=self.isp.id, api=api, name=name, scopes=scopes
            )
            return await self.identity.issue_token(tx, client, lives=lives, now=datetime.now(UTC))

    async def person(self, email, password, *roles):
        """Create somebody with a role (slug, role) at each of these organisations."""
        async with self.db.system() as tx:
            made = await self.identity.put_person(tx, email=email, name="Ana", password=password)
            for slug, role in roles:
                tenant = await self.identity.tenant_named(tx, slug)
                await self.identity.give_role(tx, person_id=made.id, tenant_id=tenant.id, role=role)
        return made

    async def rows(self, sql):
        async with self.db.system() as tx:
            return await (await tx.conn.execute(sql)).fetchall()


@pytest.fixture
async def registry(db) -> AsyncIterator[Registry]:
    hasher = CountingHasher()
    pool = PasswordPool(hasher=hasher)
    identity = Identity(pool)
    async with db.system() as tx:
        fno = await identity.put_tenant(tx, slug="metro", name="Cableway Fibre")
        isp = await identity.put_tenant(tx, slug="acme", name="Acme")
        other = await identity.put_tenant(tx, slug="beta", name="Beta")
        network = await identity.put_network(tx, owner_id=fno.id, slug="metro", name="Metro")
        await identity.admit_isp(tx, network, isp.id)
    yield Registry(db, identity, hasher, pool, fno, isp, other, network)
    await pool.close()
