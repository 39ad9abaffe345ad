"""``/metrics`` of a running Demarc: everything described is told, and nothing dead keeps it waiting."""

import asyncio
import os
import re
import shutil
import signal
import subprocess
from pathlib import Path

import httpx
import psycopg
import pytest

import demarc
from demarc.app.parts import keys_of
from demarc.platform.database import Database
from demarc.platform.settings import Settings
from demarc.platform.telemetry.catalogue import CATALOGUE
from demarc.platform.telemetry.exposition import CONTENT_TYPE
from demarc.protocols.radius.packet import Code
from support.certificates import pair
from support.eventually import eventually
from support.house import NAS_SECRET, build
from support.prometheus import parse
from support.radius_nas import Nas
from support.running import Running

PROMTOOL = shutil.which("promtool")

# What there is only once the thing it counts has happened.
ON_OCCASION = {
    "demarc_log_lines_lost_total",
    "demarc_metrics_failed_total",
    "demarc_radius_accounting_total",
    "demarc_radius_attempts_lost_total",
    "demarc_radius_clients_signing_total",
    "demarc_radius_further_leases_total",
    "demarc_radius_proxy_total",
    "demarc_radius_stale_answers_total",
    "demarc_radsec_connections_total",
    "demarc_radsec_refused_total",
}


@pytest.fixture
async def running(tmp_path, database_url):
    data = tmp_path / "data"
    files = pair(tmp_path)
    keys_of(Settings.load({}, data=data), may_create=True)
    running = Running(
        data,
        None,
        database_url=database_url,
        metrics_port=0,
        https_port=0,
        tls_cert=files.cert,
        tls_key=files.key,
        web_processes=2,
    )
    try:
        await running.start()
        yield running
        assert await running.end() == 0, running.log_text()
    finally:
        running.kill_all()


async def told(running):
    async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
        answer = await client.get(f"http://127.0.0.1:{running.metrics_port}/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == CONTENT_TYPE
    return parse(answer.content)


async def test_what_happens_is_told(running, database_url, tmp_path):
    db = await Database.open(database_url, tenant_pool=2, system_pool=2)
    house = await build(db, running.data)
    service = await house.service()
    async with house.as_isp() as tx:
        status = await house.aaa.radius_status(tx, service.id)
    nas = Nas(running.auth, running.acct, NAS_SECRET)
    impostor = Nas(running.auth, running.acct, "another-secret")

    async def accepted():
        answer = await nas.login(status.username, status.password)
        return answer.code == Code.ACCESS_ACCEPT

    try:
        # the NAS is heard of
        await eventually(lambda: quietly_timed(accepted))
        before = await told(running)
        impostor.send(Code.ACCESS_REQUEST, [("User-Name", "a"), ("User-Password", "b")])
        assert (await nas.login(status.username, "wrong")).code == Code.ACCESS_REJECT
        await nas.account("Start", status.username, "s-1", NAS_IP_Address="127.0.0.1")
        nas.send(Code.ACCESS_REQUEST, [("User-Name", "a"), ("User-Password", "b")])
        # twice the same is one
        octets = nas.send(Code.ACCESS_REQUEST, [("User-Name", "c"), ("User-Password", "d")])
        await nas.answer(octets)
        nas.send_octets(octets)
        await nas.answer(octets)
        async with running.client("none") as client:
            assert (await client.get("/services")).status_code == 401
            assert (await client.get("/healthz")).status_code == 200

        async def settled():
            now = await told(running)
            jobs = now.get("demarc_jobs_total")
            seen = jobs is not None and now["demarc_database_up"].value() == 1
            return now if seen and "demarc_olts" in now and "demarc_sessions_live" in now else None

        # each minute's and each quarter of a minute's work has been done once
        now = await eventually(settled, within=100)
    finally:
        nas.close()
        impostor.close()
        await db.close()

    def more(name, **labels):
        return now[name].value(**labels) - (before[name].value(**labels) if name in before else 0)

    assert more("demarc_radius_replies_total", kind="reject", process="radius") == 3
    assert more("demarc_radius_duplicates_total", process="radius") == 1
    assert more("demarc_radius_answer_seconds", kind="auth") == 3
    assert more("demarc_radius_answer_seconds", kind="acct") == 1
    assert more("demarc_radius_dropped_total") == 1
    assert now["demarc_radius_clients"].value() == 1
    assert more("demarc_http_requests_total", api="aex", status="4xx") == 1
    assert more("demarc_http_requests_total", api="health", status="2xx") >= 1
    assert now["demarc_process_up"].samples
    assert {sample.labels["process"] for sample in now["demarc_process_up"].samples} == {
        *("radius", "worker", "web", "web-1")
    }
    assert all(sample.value == 1 for sample in now["demarc_process_up"].samples)
    memory = now["demarc_process_resident_memory_bytes"]
    assert {sample.labels["process"] for sample in memory.samples} >= {"parent", "radius", "web-1"}
    assert all(10e6 < sample.value < 1e9 for sample in memory.samples)
    assert now["demarc_partitions_ahead_seconds"].value(table="auth_attempt") >= 60 * 86_400
    assert abs(now["demarc_database_clock_offset_seconds"].value()) < 5

    described = {metric.name: metric for metric in CATALOGUE}
    assert set(now) <= set(described), "told, but not described"
    never = {name for name in set(described) - set(now) if not name.startswith("demarc_cwmp_")}
    assert never <= ON_OCCASION, "described, but never told"
    for name, family in now.items():
        assert family.kind == described[name].kind
        assert family.help == described[name].help
        allowed = {*described[name].labels, "process", "le"}
        for sample in family.samples:
            assert set(sample.labels) <= allowed, sample


async def quietly_timed(ask):
    try:
        return await asyncio.wait_for(ask(), 2)
    except TimeoutError:
        return False


@pytest.mark.peer("promtool")
@pytest.mark.skipif(PROMTOOL is None, reason="promtool is not installed (Debian: prometheus)")
async def test_prometheus_itself_finds_nothing_wrong(running):
    async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
        answer = await client.get(f"http://127.0.0.1:{running.metrics_port}/metrics")
    checked = await asyncio.to_thread(
        subprocess.run,
        [PROMTOOL, "check", "metrics"],
        input=answer.content,
        capture_output=True,
        check=False,
    )
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, b"")


async def test_who_is_dead_or_hangs_keeps_nobody_waiting(running):
    worker, radius = running.pid("worker"), running.pid("radius")
    os.kill(worker, signal.SIGSTOP)
    try:
        now = await told(running)
        up = {sample.labels["process"]: sample.value for sample in now["demarc_process_up"].samples}
        assert up == {"radius": 1, "worker": 0, "web": 1, "web-1": 1}
    finally:
        os.kill(worker, signal.SIGCONT)
    os.kill(radius, signal.SIGKILL)
    await running.successor("radius", radius)

    async def back():
        now = await told(running)
        return (
            now["demarc_process_up"].value(process="radius"),
            now["demarc_process_up"].value(process="worker"),
            now["demarc_process_restarts_total"].value(process="radius"),
        )

    await eventually(back, lambda seen: seen == (1, 1, 1))


async def test_metrics_are_on_their_own_port_alone(running):
    async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
        for port in (running.ports[0], running.metrics_port):
            path = "/metrics" if port == running.ports[0] else "/services"
            answer = await client.get(f"http://127.0.0.1:{port}{path}")
            assert answer.status_code in (401, 404)
            assert b"demarc_" not in answer.content
        refused = await client.post(f"http://127.0.0.1:{running.metrics_port}/metrics")
        assert refused.status_code == 405


async def test_a_database_that_is_away_is_told_of(running, database_url):
    async def up():
        return (await told(running))["demarc_database_up"].value()

    await eventually(up, lambda value: value == 1)
    base = psycopg.conninfo.conninfo_to_dict(database_url)
    name = base.pop("dbname")
    admin = psycopg.conninfo.make_conninfo("", **{**base, "dbname": "postgres"})
    async with await psycopg.AsyncConnection.connect(admin, autocommit=True) as conn:
        await conn.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false'.encode())
        await conn.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name]
        )
        try:
            await eventually(up, lambda value: value == 0, within=60)
        finally:
            await conn.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true'.encode())
    await eventually(up, lambda value: value == 1, within=60)


def test_everything_that_is_counted_is_described():
    """By the source: what happens seldom is described, too."""
    described = {metric.name for metric in CATALOGUE}
    counted = set()
    found = re.compile(r'(?<![.\w])count\(\s*"(\w+)"')
    ours = re.compile(
        r"^from demarc\.platform\.telemetry(\.counters)? import .*\bcount\b", re.MULTILINE
    )
    for file in Path(demarc.__file__).parent.rglob("*.py"):
        text = file.read_text(encoding="utf-8")
        if ours.search(text) or file.name == "metrics.py":
            counted |= {f"demarc_{name}_total" for name in found.findall(text)}
    assert "demarc_radius_dropped_total" in counted
    assert counted - described == set()
