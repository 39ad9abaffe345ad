"""An OLT in a house's database, and what is kept of its ONUs."""

from datetime import UTC, datetime
from typing import Self
from uuid import UUID

import msgspec

from demarc.domains.access.ports import OnuReading
from support.house import House

PON_0 = 4194312192  # 0/1/0


def reading(serial: str = "HWTC00000001", *, port: int = 0, number: int = 0, **more) -> OnuReading:
    """Give a reading of an ONU that is online and well, but for what is said."""
    online = more.get("state", "online") == "online"
    facts = {
        "state": "online",
        "description": None,
        "last_down_cause": None if online else "los",
        "distance_m": 2300 if online else None,
        "tx_dbm": 2.1 if online else None,
        "rx_dbm": -18.5 if online else None,
        "olt_rx_dbm": -20.5 if online else None,
        "temperature_c": 45.0 if online else None,
        "last_up_at": None,
        "last_down_at": None,
    }
    return OnuReading(
        if_index=PON_0 + 256 * port,
        onu_index=number,
        slot=1,
        port=port,
        serial=serial,
        **{**facts, **more},
    )


class Fibre(msgspec.Struct):
    """The OLT. The database is asked as its operator would."""

    house: House
    olt_id: UUID

    @classmethod
    async def build(cls, house: House, name: str = "olt-1") -> Self:
        async with house.db.system() as tx:
            olt = await house.access.put_olt(
                tx,
                owner_id=house.fno.id,
                network_id=house.network.id,
                name=name,
                vendor="huawei",
                address="127.0.0.1",
                community="a-community-of-tests",
            )
        return cls(house, olt.id)

    async def store(self, *readings, at=None, since=None):
        """Keep readings, as a poll does; give the serial numbers told of as doubles."""
        async with self.house.db.system() as tx:
            return await self.house.access.store(
                tx, self.olt_id, readings, at or datetime.now(UTC), since=since
            )

    async def assign(self, service, serial="HWTC00000001"):
        async with self.house.as_fno() as tx:
            return await self.house.access.assign(
                tx,
                service_id=service.id,
                tenant_id=service.tenant_id,
                owner_id=self.house.fno.id,
                network_id=self.house.network.id,
                serial=serial,
            )

    async def device(self, service):
        async with self.house.as_isp() as tx:
            return await self.house.access.device(tx, service.id)

    async def olt(self):
        async with self.house.db.system() as tx:
            return await self.house.access.olt(tx, self.olt_id)

    async def onus(self):
        async with self.house.db.system() as tx:
            rows = await self.house.access.onus(tx, self.olt_id, limit=1000)
        return [(row.serial, row.port, row.onu_index, row.state) for row in rows]

    async def rows(self, query):
        # on a connection of its own, which is nobody's role: the queue is closed to both
        async with self.house.db.listen() as conn:
            await conn.execute("RESET ROLE")
            return await (await conn.execute(query)).fetchall()

    async def came_online(self):
        """Give the services told of as online, event by event."""
        told = await self.rows(
            "SELECT args -> 'body' -> 'service_ids' FROM procrastinate_jobs"
            " WHERE task_name = 'event' AND args ->> 'name' = 'OnusOnline' ORDER BY id"
        )
        return [sorted(map(UUID, ids)) for (ids,) in told]
