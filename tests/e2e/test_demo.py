"""The demo as a newcomer meets it: started, used with what it hands out, ended, started again."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import ssl
import sys
from pathlib import Path

import httpx
import pytest

from support import radclient
from support.eventually import eventually


def free_port(kind: socket.SocketKind) -> int:
    with socket.socket(socket.AF_INET, kind) as held:
        held.bind(("127.0.0.1", 0))
        return held.getsockname()[1]


@contextlib.asynccontextmanager
async def demo(folder: Path, ports: list[int]):
    """Run the demo until the block ends; give what it wrote, once it has, and the process."""
    file = folder / "demo.json"
    file.unlink(missing_ok=True)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "demarc", "demo", "--subscribers", "6", "--data", str(folder),
        "--http-port", str(ports[0]), "--radius-auth-port", str(ports[1]),
        "--radius-acct-port", str(ports[2]),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    printed = bytearray()

    async def listen():
        async for line in process.stdout:
            printed.extend(line)

    listening = asyncio.create_task(listen())

    async def written():
        assert process.returncode is None, printed.decode()
        return file.exists()

    try:
        await eventually(written, within=60)
        yield json.loads(file.read_text()), printed, process
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGINT)
        code = await asyncio.wait_for(process.wait(), 40)
        await listening
    assert code == 0, printed.decode()


async def test_the_demo_is_an_isp_that_lives_and_can_be_used(place):
    ports = [free_port(socket.SOCK_STREAM), *(free_port(socket.SOCK_DGRAM) for _ in range(2))]
    async with demo(place, ports) as (given, printed, _):
        assert given["http"] == f"http://127.0.0.1:{ports[0]}"
        trusted = ssl.create_default_context(cafile=place / "demo/tls.crt")
        async with httpx.AsyncClient(verify=trusted, trust_env=False) as secure:
            assert (await secure.get(f"{given['https']}/readyz")).status_code == 200
        sample = given["sample"]
        path = f"/services/{sample['service_id']}"
        async with (
            client(given, given["aex"]["token"]) as isp,
            client(given, given["aex"]["other_isp_token"]) as other_isp,
            client(given, given["aex"]["fno_token"]) as fno,
        ):
            # its subscriber is online, its light is read, what it carries is counted
            async def status():
                return (await isp.get(f"{path}/radius/status")).json()

            seen = await eventually(status, lambda now: now["accounting"])
            assert seen["username"] == sample["pppoe_username"]
            assert seen["password"] == sample["pppoe_password"]

            async def light():
                return (await isp.get(f"{path}/device/status")).json()

            cached = await eventually(light, lambda now: now.get("rx_power") is not None, within=40)
            assert -30 < cached["rx_power"] < -5
            live = (await isp.get(f"{path}/device/status/live")).json()
            assert live["serial_number"] == cached["serial_number"]
            assert live["last_updated"] > cached["last_updated"]

            # its router is managed, and known by the address that stands on it
            await eventually(lambda: said(printed, b"CPEs 6/6 managed"), within=40)
            assert given["cwmp"]["url"].startswith("https://127.0.0.1:")
            assert sample["cpe_mac"] == "02:C0:FE:00:01:00"

            async def usage():
                return (await isp.get(f"{path}/radius/usage")).json()

            days = await eventually(
                usage, lambda days: sum(day["total_bytes_downloaded"] for day in days), within=40
            )
            assert all("date" in day for day in days)

            # what the sample names takes part in the API, on its own side alone
            assert (await other_isp.get(path)).status_code == 404
            assert (await fno.get(f"/fno{path}")).status_code == 200
            further = await isp.post(
                "/services",
                json={name: sample[name] for name in ("customer_id", "product_id", "premise_id")},
            )
            assert further.status_code == 201, further.text
            admin = httpx.BasicAuth(given["admin"]["email"], given["admin"]["password"])
            async with httpx.AsyncClient(base_url=given["http"], trust_env=False) as person:
                assert (await person.get("/services", auth=admin)).status_code == 200
            if not radclient.MISSING:
                answer = await radclient.ask(
                    given["radius"]["host"],
                    given["radius"]["auth_port"],
                    "auth",
                    given["radius"]["secret"],
                    {
                        "User-Name": sample["pppoe_username"],
                        "User-Password": sample["pppoe_password"],
                    },
                )
                assert answer.code == "Access-Accept"
                # beside the session in the lab, which keeps its address
                assert answer.attributes["Framed-IP-Address"] != seen["accounting"][0]["ipaddress"]
        assert b"6/6 online" in printed or await eventually(
            lambda: said(printed, b"6/6 online"), within=20
        )
        secrets = (given["aex"]["token"], given["radius"]["secret"], sample["pppoe_password"])
        for secret in (*secrets, given["admin"]["password"]):
            assert secret.encode() not in printed
    assert (place / "demo.json").stat().st_mode & 0o077 == 0
    # again, on what is there
    async with demo(place, ports) as (again, printed, process):
        assert again["sample"] == sample
        assert again["aex"] == given["aex"]
        # without its simulated network Demarc goes on
        async with client(given, given["aex"]["token"]) as isp:
            await eventually(lambda: answered(isp, f"{path}/device/status/live", 200), within=40)
            os.kill(lab_of(process.pid), signal.SIGKILL)
            await eventually(lambda: said(printed, b"simulated network has ended"), within=20)
            assert await answered(isp, f"{path}/device/status/live", 504)
            assert await answered(isp, f"{path}/device/status", 200)


async def answered(caller: httpx.AsyncClient, path: str, status: int) -> bool:
    return (await caller.get(path)).status_code == status


def lab_of(demo_pid: int) -> int:
    """Give the process id of a demo's lab."""
    children = Path(f"/proc/{demo_pid}/task/{demo_pid}/children").read_text().split()
    [lab] = [
        child for child in children if b"demarc.lab" in Path(f"/proc/{child}/cmdline").read_bytes()
    ]
    return int(lab)


async def said(printed: bytearray, words: bytes) -> bool:
    return words in printed


def client(given: dict, token: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        base_url=given["http"],
        headers={"Authorization": f"Bearer {token}"},
        timeout=30,
        trust_env=False,
    )


@pytest.mark.parametrize("variable", ["DEMARC_HTTP_PROT", "DEMARC_SUBSCRIBER"])
async def test_an_unknown_setting_is_an_error_that_names_it(tmp_path, variable):
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "demarc", "demo", "--data", str(tmp_path),
        env={"PATH": "/usr/bin:/bin", variable: "1"},
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    _, error = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == 2
    assert variable in error.decode()
