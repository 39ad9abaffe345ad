"""An OLT of the lab on a house's network, polled and asked as workers do it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import msgspec

from demarc.domains.access.jobs import Poller
from demarc.lab.olt import Olt
from demarc.platform.jobs import Worker, poll_queue, reach_queue
from demarc.southbound.olt.drivers import DRIVERS
from support.house import House

COMMUNITY = "a-community-of-tests"
SERIAL = "HWTC0A0B0C01"


class Plant(msgspec.Struct):
    """The OLT, and what asks it."""

    lab: Olt
    olt_id: UUID
    poller: Poller

    async def poll(self) -> None:
        """Poll the OLT now, as the schedule would have it done."""
        await self.poller.poll(olt_id=str(self.olt_id))


@asynccontextmanager
async def running_plant(house: House) -> AsyncIterator[Plant]:
    """Run an OLT with one ONU, and a worker that carries out commands to it."""
    lab = Olt("olt-1", COMMUNITY, slots=(1,), ports=4, seed=7, drift_every=3600)
    lab.add_onu(1, 3, SERIAL, "EG8145V5", 2300)
    address, port = await lab.start("127.0.0.1", 0)
    async with house.db.system() as tx:
        olt = await house.access.put_olt(
            tx,
            owner_id=house.fno.id,
            network_id=house.network.id,
            name="olt-1",
            vendor="huawei",
            address=address,
            snmp_port=port,
            community=COMMUNITY,
        )
    poller = Poller(house.db, house.access, DRIVERS, 60)
    stop = asyncio.Event()
    worker = Worker(
        house.db.conninfo, poller.tasks(), [reach_queue("default"), poll_queue("default")]
    )
    working = asyncio.create_task(worker.run(stop))
    try:
        yield Plant(lab, olt.id, poller)
    finally:
        stop.set()
        await working
        await lab.stop()
