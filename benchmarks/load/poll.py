"""Polls an OLT so many times, in a process of its own so that its CPU can be told.

Reads its orders as JSON from standard input, gives a JSON line.
"""

import sys
import time
from uuid import UUID

import msgspec
import uvloop

from demarc.app.parts import Parts
from demarc.domains.access.ports import OltTarget
from demarc.platform.clock import now
from demarc.platform.settings import Settings
from demarc.southbound.olt.huawei import COLUMNS, HuaweiOlt
from server import parts_of


class Orders(msgspec.Struct, frozen=True):
    """What to poll.

    Attributes:
        data: the server's data folder, to store the readings there; None to read alone.
    """

    port: int
    community: str
    polls: int
    olt_id: str
    data: str | None = None


class Result(msgspec.Struct, frozen=True):
    """What it took.

    Attributes:
        variables: values read in all polls.
        cpu_seconds: of this process, without its start.
        seconds: of all polls.
    """

    onus: int
    variables: int
    cpu_seconds: float
    seconds: float


async def poll(orders: Orders) -> Result:
    """Carry out the orders; one poll before them warms up and is not counted."""
    driver = HuaweiOlt()
    target = OltTarget("127.0.0.1", orders.port, orders.community, 5.0)
    if orders.data is None:
        return await _measured(orders, driver, target, None)
    async with parts_of(Settings.load({}, data=orders.data)) as parts:
        return await _measured(orders, driver, target, parts)


async def _measured(
    orders: Orders, driver: HuaweiOlt, target: OltTarget, parts: Parts | None
) -> Result:
    onus = await _once(orders, driver, target, parts)
    cpu, begun = time.process_time(), time.perf_counter()
    for _ in range(orders.polls):
        onus = await _once(orders, driver, target, parts)
    return Result(
        onus=onus,
        variables=onus * len(COLUMNS) * orders.polls,
        cpu_seconds=time.process_time() - cpu,
        seconds=time.perf_counter() - begun,
    )


async def _once(orders: Orders, driver: HuaweiOlt, target: OltTarget, parts: Parts | None) -> int:
    onus = 0
    async for batch in driver.read_all(target):
        onus += len(batch)
        if parts is not None:
            async with parts.db.system() as tx:
                await parts.access.store(tx, UUID(orders.olt_id), batch, now())
    return onus


if __name__ == "__main__":
    given = msgspec.json.decode(sys.stdin.readline(), type=Orders)
    print(msgspec.json.encode(uvloop.run(poll(given))).decode(), flush=True)
