"""net-snmp's tools, which know nothing of this project, read and write the lab's OLT."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from demarc.lab.olt import Olt

pytestmark = [
    pytest.mark.peer("snmpbulkwalk"),
    pytest.mark.skipif(not shutil.which("snmpbulkwalk"), reason="net-snmp's tools are missing"),
]

XPON = ".1.3.6.1.4.1.2011.6.128.1.1.2"
PON = 4194312192


class Tools:
    def __init__(self, olt: Olt, port: int, folder: Path) -> None:
        self.olt = olt
        self.port = port
        self.folder = str(folder)

    async def run(
        self,
        tool: str,
        *arguments: str,
        options: tuple[str, ...] = ("-v2c",),
        community: str = "public",
        patience: float = 5,
    ) -> list[str]:
        process = await asyncio.create_subprocess_exec(
            tool,
            *("-m", "", "-On", "-t", str(patience), "-r", "0", "-c", community),
            *options,
            f"127.0.0.1:{self.port}",
            *arguments,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env={
                "PATH": os.environ["PATH"],
                "SNMPCONFPATH": self.folder,
                "SNMP_PERSISTENT_DIR": self.folder,
            },
        )
        output, _ = await process.communicate()
        return output.decode().splitlines()


@pytest.fixture
async def tools(tmp_path: Path) -> AsyncIterator[Tools]:
    (tmp_path / "cert_indexes").mkdir()  # the tools would say that they made it
    olt = Olt("olt-1", "public", seed=1, write_community="private", ports=4)
    for number in range(100):
        olt.add_onu(1, number % 4, f"HWTC{number:08X}", "EG8145V5", 100 + number)
    _, port = await olt.start("127.0.0.1", 0)
    yield Tools(olt, port, tmp_path)
    await olt.stop()


async def test_get(tools: Tools) -> None:
    assert await tools.run("snmpget", f"{XPON}.43.1.3.{PON}.0", f"{XPON}.46.1.20.{PON}.1") == [
        f"{XPON}.43.1.3.{PON}.0 = Hex-STRING: 48 57 54 43 00 00 00 00 ",
        f"{XPON}.46.1.20.{PON}.1 = INTEGER: 104",
    ]


async def test_get_of_what_is_not_there(tools: Tools) -> None:
    (instance, thing) = await tools.run("snmpget", f"{XPON}.43.1.3.{PON}.99", ".1.3.6.1.9.0")
    assert "No Such Instance" in instance
    assert "No Such Object" in thing


async def test_v1_get_of_what_is_not_there(tools: Tools) -> None:
    lines = await tools.run("snmpget", f"{XPON}.43.1.3.{PON}.99", options=("-v1",))
    assert any("noSuchName" in line for line in lines)


@pytest.mark.parametrize(
    ("tool", "options"),
    [
        ("snmpwalk", ("-v2c",)),
        ("snmpbulkwalk", ("-v2c",)),
        ("snmpbulkwalk", ("-v2c", "-Cr100")),
    ],
)
async def test_walks_meet_every_variable_once_in_order(
    tools: Tools, tool: str, options: tuple[str, ...]
) -> None:
    lines = await tools.run(tool, ".1.3", options=options)
    assert "No more variables left" in lines[-1]
    names = [line.split(" = ")[0] for line in lines[:-1]]
    oids = [tuple(int(arc) for arc in name[1:].split(".")) for name in names]
    assert oids == sorted(set(oids))
    # 7 system + ifNumber, 7 columns of 4 PONs, 16 columns of 100 ONUs
    assert len(oids) == 7 + 7 * 4 + 16 * 100


async def test_a_column_is_walked_whole(tools: Tools) -> None:
    lines = await tools.run("snmpbulkwalk", f"{XPON}.51.1.4")
    assert len(lines) == 100
    assert all(-4000 < int(line.rsplit(" ", 1)[1]) < -800 for line in lines)


async def test_set_resets_an_onu(tools: Tools) -> None:
    reset = f"{XPON}.46.1.2.{PON}.0"
    refused = await tools.run("snmpset", reset, "i", "1")
    assert "Reason: noAccess" in refused
    assert await tools.run("snmpset", reset, "i", "1", community="private") == [
        f"{reset} = INTEGER: 1"
    ]
    assert await tools.run("snmpget", f"{XPON}.46.1.15.{PON}.0") == [
        f"{XPON}.46.1.15.{PON}.0 = INTEGER: 2"
    ]
    assert tools.olt.onu("HWTC00000000").running is False


async def test_a_wrong_community_gets_no_answer(tools: Tools) -> None:
    (line,) = await tools.run("snmpget", ".1.3.6.1.2.1.1.5.0", community="wrong", patience=0.2)
    assert "No Response" in line
    assert tools.olt.agent.counters.wrong_community == 1
