"""Leasing against a model of it: no address has two owners, and what was freed comes back.

Credentials come and go, several at once and some in vain; stations are lent further places and
leave them; pools are drained and time passes. What each has is told by the database.
"""

import asyncio
from ipaddress import ip_network
from itertools import count, pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, rule

from demarc.domains.aaa import addresses
from demarc.domains.aaa.pool_jobs import PoolKeeping
from demarc.domains.errors import Conflict
from demarc.platform.database import Database
from support import postgres
from support.house import build

POOLS = {
    "ipv4": ("198.51.100.0/28", "198.51.100.16/28"),
    "framed_ipv6": ("2001:db8:1::/61", "2001:db8:2::/61"),
    "delegated_ipv6": ("3fff:1::/53", "3fff:2::/53"),
}
SIZE = {"ipv4": 14, "framed_ipv6": 8, "delegated_ipv6": 8}
HELD = """
    SELECT 'ipv4', address::inet, credential_id, slot::int, free_from > now() FROM ip_address
    UNION ALL
    SELECT kind, prefix::inet, credential_id, slot::int, free_from > now() FROM ip_prefix
"""


class Failed(Exception):
    """A log-in, or what surrounds it, that came to nothing."""


class Leasing(RuleBasedStateMachine):
    """Leases of one network's pools, by two ISPs."""

    made = Bundle("made")

    def __init__(self):
        super().__init__()
        self.runner = asyncio.Runner()
        self.folder = TemporaryDirectory()
        self.context = postgres.server().database()
        self.numbers = count(1)
        # what each credential was last seen with, by place: its first place is never changed
        self.first: dict[UUID, dict[str, str]] = {}
        self.resting: set[str] = set()
        self.drained: str | None = None

    def run(self, coroutine):
        return self.runner.run(coroutine)

    @initialize()
    def begin(self):
        self.run(self._begin(self.context.__enter__()))

    async def _begin(self, url):
        self.db = await Database.open(url, tenant_pool=8, system_pool=8)
        self.house = await build(self.db, Path(self.folder.name))
        self.services = [
            await self.house.service(of=isp) for isp in (self.house.isp, self.house.other_isp)
        ]
        async with self.db.system() as tx:
            await tx.conn.execute("DELETE FROM ip_address")
            await tx.conn.execute("DELETE FROM ip_pool")
            for kind, prefixes in POOLS.items():
                for number, prefix in enumerate(prefixes):
                    await self.house.aaa.create_pool(
                        tx,
                        owner_id=self.house.fno.id,
                        network_id=self.house.network.id,
                        name=f"{kind}-{number}",
                        kind=kind,
                        prefix=prefix,
                        # the second of each is one ISP's alone
                        tenant_id=self.house.isp.id if number else None,
                    )

    def teardown(self):
        async def end():
            await self.db.close()

        if hasattr(self, "db"):
            self.run(end())
            self.context.__exit__(None, None, None)
        self.runner.close()
        self.folder.cleanup()

    async def _create(self, isp, *, fails):
        service = self.services[isp]
        async with self.db.tenant(service.tenant_id) as tx:
            credential = await self.house.aaa.create_credential(
                tx,
                tenant_id=service.tenant_id,
                owner_id=self.house.fno.id,
                network_id=self.house.network.id,
                service_id=service.id,
                realm=None,
                username=f"n{next(self.numbers)}",
                password=None,
                download_bps=1,
                upload_bps=1,
                max_sessions=3,
            )
            if fails:
                raise Failed
        return credential

    @rule(target=made, wanted=st.lists(st.tuples(st.integers(0, 1), st.booleans()), max_size=6))
    def come(self, wanted):
        """Several credentials are made at once; some of them in vain."""

        async def all_at_once():
            return await asyncio.gather(
                *(self._create(isp, fails=fails) for isp, fails in wanted), return_exceptions=True
            )

        done = self.run(all_at_once())
        for outcome in done:
            if isinstance(outcome, BaseException) and not isinstance(outcome, (Failed, Conflict)):
                raise outcome
        return [one for one in done if not isinstance(one, BaseException)]

    @rule(group=made, stations=st.integers(1, 4))
    def further(self, group, stations):
        """Further stations log in with a credential, at the same moment."""

        async def lend(credential, station):
            async with self.db.system() as tx:
                await addresses.lease_further(
                    tx,
                    network_id=credential.network_id,
                    tenant_id=credential.tenant_id,
                    credential_id=credential.id,
                    station=f"S{station}",
                )

        async def all_at_once():
            await asyncio.gather(
                *(lend(credential, at) for credential in group for at in range(stations))
            )

        self.run(all_at_once())

    @rule()
    def idle(self):
        """Nobody has used what was lent beside the first place, for days."""

        async def reclaim():
            async with self.db.system() as tx:
                for table in ("ip_address", "ip_prefix"):
                    await tx.conn.execute(
                        f"UPDATE {table} SET assigned_at = assigned_at - interval '2 days'"
                        " WHERE credential_id IS NOT NULL"
                    )
                await addresses.reclaim(tx)

        self.run(reclaim())

    @rule(group=consumes(made))
    def go(self, group):
        """Credentials are taken away."""

        async def release():
            async with self.db.system() as tx:
                for credential in group:
                    await addresses.release_one(tx, credential.id)
                    await tx.conn.execute(
                        "UPDATE credential SET access = 'closed' WHERE id = %s", [credential.id]
                    )

        self.run(release())
        for credential in group:
            self.first.pop(credential.id, None)

    @rule()
    def rest(self):
        """The rest of what was freed is over."""

        async def pass_time():
            async with self.db.system() as tx:
                for table in ("ip_address", "ip_prefix"):
                    await tx.conn.execute(
                        f"UPDATE {table} SET free_from = free_from - interval '1 hour'"
                    )

        self.run(pass_time())
        self.resting.clear()

    @rule(kind=st.sampled_from(list(POOLS)))
    def drain(self, kind):
        """A pool is drained, and leased from again."""

        async def drain():
            async with self.db.system() as tx:
                pool = await self.house.aaa.pool_named(tx, self.house.network.id, f"{kind}-0")
                pool = await self.house.aaa.drain_pool(tx, pool)
            await PoolKeeping(self.db).move_drained()
            async with self.db.system() as tx:
                await self.house.aaa.drain_pool(tx, pool, draining=False)

        self.run(drain())
        self.first.clear()

    async def _held(self):
        async with self.db.system() as tx:
            return await (await tx.conn.execute(HELD)).fetchall()

    @invariant()
    def nothing_has_two_owners(self):
        if not hasattr(self, "services"):
            return
        rows = self.run(self._held())
        by_family = {4: [], 6: []}
        places = set()
        for kind, what, owner, slot, _ in rows:
            network = ip_network(str(what))
            by_family[network.version].append(network)
            if owner is None:
                continue
            # one thing of a kind in each place
            assert (owner, slot, kind) not in places
            places.add((owner, slot, kind))
            # what was freed is not leased again before it has rested
            assert str(network) not in self.resting
            if slot == 0:
                # and the first place keeps what it has
                assert self.first.setdefault(owner, {}).setdefault(kind, str(network)) == str(
                    network
                )
        for networks in by_family.values():
            networks.sort()
            for one, other in pairwise(networks):
                assert not one.overlaps(other)
        self.resting = {
            str(ip_network(str(what)))
            for _, what, owner, _, resting in rows
            if owner is None and resting
        }
        for kind, size in SIZE.items():
            assert sum(1 for row in rows if row[0] == kind) <= 2 * size

    @rule()
    def all_of_it_can_be_had(self):
        """Once nobody has anything and all has rested, every address can be leased again."""

        async def everything():
            async with self.db.system() as tx:
                await tx.conn.execute(
                    "UPDATE ip_address SET credential_id = NULL, slot = 0, free_from = '-infinity'"
                )
                await tx.conn.execute(
                    "UPDATE ip_prefix SET credential_id = NULL, slot = 0, free_from = '-infinity'"
                )
            # eight of each IPv6 pool, one at a time: the ISP with its own has both pools
            made = [await self._create(0, fails=False) for _ in range(16)]
            with pytest.raises(Conflict):
                await self._create(0, fails=False)
            async with self.db.system() as tx:
                for credential in made:
                    await addresses.release_one(tx, credential.id)

        self.run(everything())
        self.first.clear()
        self.resting.clear()


Leasing.TestCase.settings = settings(
    max_examples=12,
    stateful_step_count=15,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.usefixtures("template")
class TestLeasing(Leasing.TestCase):
    """Runs the machine on the run's server."""
