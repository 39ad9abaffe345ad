"""radclient, which knows nothing of this project, orders the lab's NAS about."""

import asyncio
import shutil
from collections.abc import AsyncIterator

import pytest

from demarc.lab.nas import Limits, Nas
from support.radius_isp import ANA, Isp, of, online

pytestmark = [
    pytest.mark.peer("radclient"),
    pytest.mark.skipif(not shutil.which("radclient"), reason="radclient is missing"),
]

SECRET = "between-us"


@pytest.fixture
async def isp() -> AsyncIterator[Isp]:
    isp = Isp()
    await isp.start()
    yield isp
    isp.stop()


@pytest.fixture
async def nas(isp: Isp) -> AsyncIterator[Nas]:
    nas = isp.nas()
    await nas.start()
    yield nas
    await nas.stop()


async def radclient(nas: Nas, command: str, request: str, secret: str = SECRET) -> str:
    host, port = nas.coa_address
    process = await asyncio.create_subprocess_exec(
        *("radclient", "-x", "-r", "1", "-t", "2", f"{host}:{port}", command, secret),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate(request.encode())
    return output.decode()


@pytest.mark.parametrize("signed", ["", ", Message-Authenticator = 0x00"])
async def test_disconnect(isp: Isp, nas: Nas, signed: str) -> None:
    session = await online(nas)
    output = await radclient(
        nas,
        "disconnect",
        f'Acct-Session-Id = "{session.id}", User-Name = "{ANA}",'
        f" Framed-IP-Address = 100.64.0.9, NAS-Identifier = bng-1{signed}",
    )
    assert "Received Disconnect-ACK" in output
    async with asyncio.timeout(5):
        await session.wait_closed()
    assert isp.statuses == ["Start", "Stop"]
    assert of(isp.reports[-1], "Acct-Terminate-Cause") == 6


async def test_disconnect_of_who_is_not_there(nas: Nas) -> None:
    output = await radclient(nas, "disconnect", f'User-Name = "{ANA}"')
    assert "Received Disconnect-NAK" in output
    assert "Error-Cause = Session-Context-Not-Found" in output


async def test_another_nas_is_meant(nas: Nas) -> None:
    session = await online(nas)
    output = await radclient(nas, "disconnect", f'User-Name = "{ANA}", NAS-IP-Address = 192.0.2.99')
    assert "Error-Cause = NAS-Identification-Mismatch" in output
    assert session.up


async def test_coa(nas: Nas) -> None:
    session = await online(nas)
    output = await radclient(
        nas, "coa", f'Acct-Session-Id = "{session.id}", Mikrotik-Rate-Limit = "10M/20M"'
    )
    assert "Received CoA-ACK" in output
    assert session.limits == Limits(10_000_000, 20_000_000)


async def test_another_secret_gets_no_answer(nas: Nas) -> None:
    session = await online(nas)
    output = await radclient(nas, "disconnect", f'User-Name = "{ANA}"', secret="other")
    assert "No reply" in output
    assert session.up
    assert nas.refusals.forged
