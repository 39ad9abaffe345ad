"""Demarc makes nothing up: what it shows of sessions, usage and light came over the wire."""

import asyncio
import contextlib
import socket

from demarc.lab.nas import Nas, Subscriber
from demarc.lab.olt import Olt
from support.eventually import eventually
from support.house import NAS_SECRET

COMMUNITY = "a-community-of-tests"
SERIAL = "HWTC0A0B0C01"
FROM_THE_NETWORK = (
    "session_live",
    "session_closed",
    "usage_daily",
    "onu_reading",
    "onu_metric",
)


async def counts(house):
    """Give how many rows there are of what only the network can tell."""
    async with house.db.system() as tx:
        return {
            table: (await (await tx.conn.execute(f"SELECT count(*) FROM {table}")).fetchone())[0]
            for table in FROM_THE_NETWORK
        }


async def test_there_is_no_session_usage_or_light_before_the_network_tells_of_any(served):
    house, settings = served.house, served.settings
    with contextlib.closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    service = await house.service()
    path = f"/services/{service.id}"
    assigned = await served.fno.put(f"/fno{path}/device", json={"serial_number": SERIAL})
    assert assigned.status_code == 200
    async with house.db.system() as tx:
        olt_id = (
            await house.access.put_olt(
                tx,
                owner_id=house.fno.id,
                network_id=house.network.id,
                name="olt-1",
                vendor="huawei",
                address="127.0.0.1",
                snmp_port=port,
                community=COMMUNITY,
                poll_interval=5,
            )
        ).id

    async def olt():
        async with house.db.system() as tx:
            return await house.access.olt(tx, olt_id)

    async def radius():
        return (await served.isp.get(f"{path}/radius/status")).json()

    # the schedule has asked an OLT that is not there, and nothing came of it
    await eventually(olt, lambda known: known.last_fault is not None)
    assert (await olt()).last_polled_at is None
    assert (await served.isp.get(f"{path}/device/status")).json()["rx_power"] is None
    before = await radius()
    assert before["accounting"] == []
    assert before["authentication_attempts"] == []
    assert await counts(house) == dict.fromkeys(FROM_THE_NETWORK, 0)

    # now the network is there
    async with contextlib.AsyncExitStack() as network:
        lab = Olt("olt-1", COMMUNITY, slots=(1,), ports=4, seed=7, drift_every=3600)
        lab.add_onu(1, 3, SERIAL, "EG8145V5", 2300)
        await lab.start("127.0.0.1", port)
        network.push_async_callback(lab.stop)
        nas = Nas(
            "bng",
            NAS_SECRET.encode(),
            (settings.radius_host, settings.radius_auth_port),
            (settings.radius_host, settings.radius_acct_port),
            interim_seconds=1,
        )
        await nas.start()
        network.push_async_callback(nas.stop, patience=10)
        router = Subscriber(nas, before["username"], before["password"])
        living = asyncio.create_task(router.run())
        network.callback(living.cancel)

        told = await eventually(
            lambda: counts(house),
            lambda rows: all(rows[each] for each in rows if "closed" not in each),
        )
        assert (told["session_live"], told["session_closed"]) == (1, 0)
        [session] = (await radius())["accounting"]
        assert session["ipaddress"] == str(router.session.framed_ip)
        light = (await served.isp.get(f"{path}/device/status")).json()
        assert light["rx_power"] == round(lab.onu(SERIAL).light.onu_rx_dbm, 2)
        assert (await olt()).last_fault is None

    # and the NAS, on its way down, has ended what it had begun
    ended = await eventually(lambda: counts(house), lambda rows: rows["session_closed"])
    assert ended["session_live"] == 0
