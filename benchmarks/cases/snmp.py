"""Polling an OLT with 1,024 ONUs, beside net-snmp's snmpbulkwalk over the same columns."""

import asyncio
import os
import shutil
import subprocess
import sys
from pathlib import Path

import msgspec

import processes
from demarc.protocols.snmp.ber import format_oid
from demarc.southbound.olt.huawei import COLUMNS
from demarc.southbound.snmp.client import BINDINGS_PER_BULK
from figures import Figure
from ground import Ground
from load import olt, poll
from server import Server

_HERE = Path(__file__).parent.parent
_ONUS = 1024


class _Walk(msgspec.Struct, frozen=True):
    """CPU seconds of snmpbulkwalk over all columns, and of as many starts of it."""

    walking: float
    starting: float


def run(ground: Ground) -> list[Figure]:
    """Measure reading alone and reading with storing, and net-snmp."""
    polls = 3 if ground.options.quick else 10
    subscribers = ground.options.subscribers
    agent = subprocess.Popen(
        [sys.executable, "-m", "load.olt", str(_ONUS)],
        env=os.environ | {"PYTHONPATH": str(_HERE)},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        port = int(agent.stdout.readline()) if agent.stdout is not None else 0
        orders = poll.Orders(port=port, community=olt.COMMUNITY, polls=polls, olt_id="")
        alone = _poll(orders)
        with ground.server(subscribers) as server:
            orders = msgspec.structs.replace(
                orders,
                data=str(server.settings.data),
                olt_id=asyncio.run(_enter(server, port)),
            )
            # the answer of a second round says what the server did for it alone
            before = processes.cpu(server.pid)
            stored = _poll(orders)
            used = processes.difference(before, processes.cpu(server.pid))
        walk = _walk(port, polls) if shutil.which("snmpbulkwalk") else None
    finally:
        agent.terminate()
        agent.wait()
        if agent.stdout is not None:
            agent.stdout.close()
    return [_figure(alone, stored, used.get("postgres", 0.0), walk, polls)]


def _figure(
    alone: poll.Result, stored: poll.Result, postgres: float, walk: _Walk | None, polls: int
) -> Figure:
    ours = alone.cpu_seconds * 1e6 / alone.variables
    beside = {
        "with storing": round(stored.cpu_seconds * 1e6 / stored.variables, 2),
        # one poll more than is counted was stored
        "PostgreSQL, storing": round(postgres * 1e6 / stored.variables * polls / (polls + 1), 2),
        "seconds a poll, stored": round(stored.seconds / polls, 2),
    }
    if walk is not None:
        net_snmp = (walk.walking - walk.starting) * 1e6 / alone.variables
        beside |= {
            "snmpbulkwalk": round(net_snmp, 2),
            "snmpbulkwalk with its start": round(walk.walking * 1e6 / alone.variables, 2),
            "ratio": round(ours / net_snmp, 2),
        }
    return Figure(
        case="snmp",
        what=f"SNMP poll of {_ONUS:,} ONUs with optics, reading alone",
        value=round(ours, 2),
        unit="µs of CPU a variable",
        goal="≤ 1.5 times snmpbulkwalk",
        beside=beside,
        conditions=f"{len(COLUMNS)} columns, {BINDINGS_PER_BULK} bindings a GetBulk, an agent with "
        f"answers worked out before, loopback, {polls} polls",
        wrong=int(alone.onus != _ONUS) + int(stored.onus != _ONUS),
        detail={"alone": msgspec.to_builtins(alone), "stored": msgspec.to_builtins(stored)},
    )


def _poll(orders: poll.Orders) -> poll.Result:
    done = subprocess.run(
        [sys.executable, "-m", "load.poll"],
        env=os.environ | {"PYTHONPATH": str(_HERE)},
        input=msgspec.json.encode(orders) + b"\n",
        stdout=subprocess.PIPE,
        check=True,
    )
    return msgspec.json.decode(done.stdout, type=poll.Result)


async def _enter(server: Server, port: int) -> str:
    """Enter the OLT so that the server itself does not poll it meanwhile."""
    async with server.parts() as parts, parts.db.system() as tx:
        network = await parts.identity.network_named(tx, "bench")
        made = await parts.access.put_olt(
            tx,
            owner_id=network.owner_id,
            network_id=network.id,
            name="olt-bench",
            vendor="huawei",
            address="127.0.0.1",
            community=olt.COMMUNITY,
            snmp_port=port,
            reach="nowhere",
        )
    return str(made.id)


def _walk(port: int, polls: int) -> _Walk:
    agent = f"127.0.0.1:{port}"
    common = ["-v2c", "-c", olt.COMMUNITY, "-m", "", "-On", agent]
    walking = starting = 0.0
    for _ in range(polls):
        for column in COLUMNS:
            oid = format_oid(column)
            walking += _cpu(["snmpbulkwalk", f"-Cr{BINDINGS_PER_BULK}", *common, oid])
            starting += _cpu(["snmpgetnext", *common, oid])
    return _Walk(walking, starting)


def _cpu(words: list[str]) -> float:
    with subprocess.Popen(words, stdout=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{words[0]} ended with code {process.returncode}")
    return usage.ru_utime + usage.ru_stime
