"""Our SNMP manager asks net-snmp's agent, which knows nothing of this project."""

import asyncio
import os
import shutil
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from demarc.protocols.snmp.ber import Oid, format_oid
from demarc.protocols.snmp.mibs import standard
from demarc.protocols.snmp.values import (
    Integer,
    IpAddress,
    Missing,
    ObjectIdentifier,
    OctetString,
    TimeTicks,
    Value,
)
from demarc.southbound.snmp.client import SnmpClient
from demarc.southbound.snmp.errors import NoAnswer

SNMPD = shutil.which("snmpd", path=f"{os.environ['PATH']}:/usr/sbin")

pytestmark = [
    pytest.mark.peer("snmpd"),
    pytest.mark.skipif(SNMPD is None, reason="net-snmp's agent, snmpd, is missing"),
]

SYSTEM: Oid = (1, 3, 6, 1, 2, 1, 1)
OR_ID: Oid = (*SYSTEM, 9, 1, 2)
OR_DESCR: Oid = (*SYSTEM, 9, 1, 3)

CONFIG = """\
agentaddress udp:127.0.0.1:{port}
rocommunity s3cret 127.0.0.1
sysname rack-7
syslocation Rua das Flores 12
syscontact noc@example.net
dontLogTCPWrappersConnects yes
"""


@pytest.fixture
async def port(tmp_path: Path) -> AsyncIterator[int]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    config = tmp_path / "snmpd.conf"
    config.write_text(CONFIG.format(port=port))
    log = tmp_path / "snmpd.log"
    process = await asyncio.create_subprocess_exec(
        str(SNMPD),
        *("-f", "-Lf", str(log), "-C", "-c", str(config), "-p", str(tmp_path / "snmpd.pid")),
        env={
            "PATH": os.environ["PATH"],
            "MIBS": "",
            "SNMPCONFPATH": str(tmp_path),
            "SNMP_PERSISTENT_DIR": str(tmp_path),
        },
    )
    try:
        async with asyncio.timeout(30):
            while not log.exists() or "NET-SNMP version" not in log.read_text():
                assert process.returncode is None, log.read_text()
                await asyncio.sleep(0.01)
        yield port
    finally:
        process.kill()
        await process.wait()


def asking(port: int, community: str = "s3cret", timeout_s: float = 10) -> SnmpClient:
    return SnmpClient("127.0.0.1", port, community, timeout_s=timeout_s)


async def walked_by_next(agent: SnmpClient, root: Oid) -> dict[Oid, Value]:
    found: dict[Oid, Value] = {}
    oid = root
    while (binding := await agent.next(oid)) is not None and binding.oid[: len(root)] == root:
        oid = binding.oid
        found[oid] = binding.value
    return found


async def test_get(port: int) -> None:
    async with asking(port) as agent:
        values = await agent.get(
            [standard.SYS_NAME, standard.SYS_LOCATION, standard.SYS_UP_TIME, (1, 3, 6, 1, 9, 0)]
        )
    assert values[standard.SYS_NAME] == OctetString(b"rack-7")
    assert values[standard.SYS_LOCATION] == OctetString(b"Rua das Flores 12")
    assert isinstance(values[standard.SYS_UP_TIME], TimeTicks)
    assert values[1, 3, 6, 1, 9, 0] is Missing.NO_SUCH_OBJECT


async def test_an_instance_that_is_not_there(port: int) -> None:
    async with asking(port) as agent:
        values = await agent.get([(*standard.SYS_NAME[:-1], 9)])
    assert list(values.values()) == [Missing.NO_SUCH_INSTANCE]


async def test_a_table_is_what_getnext_walks(port: int) -> None:
    async with asking(port) as agent:
        table = await agent.table([OR_ID, OR_DESCR])
        ids = await walked_by_next(agent, OR_ID)
        texts = await walked_by_next(agent, OR_DESCR)
    assert len(table) > 3
    assert {(*OR_ID, *index): cells[0] for index, cells in table.items()} == ids
    assert {(*OR_DESCR, *index): cells[1] for index, cells in table.items()} == texts
    assert all(isinstance(cells[0], ObjectIdentifier) for cells in table.values())


async def test_the_rows_below_part_of_an_index(port: int) -> None:
    # ipAddressIfIndex and ipAddressType: the rows of IPv4 addresses that begin with 127
    columns = [(1, 3, 6, 1, 2, 1, 4, 34, 1, 3), (1, 3, 6, 1, 2, 1, 4, 34, 1, 4)]
    async with asking(port) as agent:
        table = await agent.table(columns, (1, 4, 127))
    assert table[1, 4, 127, 0, 0, 1][1] == Integer(1)
    assert all(index[:3] == (1, 4, 127) for index in table)
    assert all(None not in cells for cells in table.values())


async def test_the_interfaces_of_this_machine(port: int) -> None:
    async with asking(port) as agent:
        table = await agent.table([standard.IF_DESCR, standard.IF_TYPE, standard.IF_SPEED])
        addresses = await walked_by_next(agent, (1, 3, 6, 1, 2, 1, 4, 20, 1, 1))
    kinds = {name: kind for name, kind, _ in table.values()}
    assert kinds[OctetString(b"lo")] == Integer(24)
    assert any(isinstance(a, IpAddress) and str(a.value) == "127.0.0.1" for a in addresses.values())


async def test_everything_the_agent_has_can_be_decoded(port: int) -> None:
    async with asking(port) as agent:
        found = await walked_by_next(agent, (1, 3))
    assert len(found) > 200
    kinds = {type(value).__name__ for value in found.values()}
    assert {"Counter32", "Counter64", "Gauge32", "IpAddress", "TimeTicks", "Integer"} <= kinds
    assert [format_oid(oid) for oid, value in found.items() if isinstance(value, Missing)] == []


async def test_a_wrong_community_gets_no_answer(port: int) -> None:
    async with asking(port, "wrong", 0.4) as agent:
        with pytest.raises(NoAnswer, match="did not answer"):
            await agent.get([standard.SYS_NAME])
