"""radclient as the NAS: it shares nothing with our codec, and verifies what it gets."""

import asyncio
import shutil

import pytest

from demarc.protocols.radius.md4 import md4
from demarc.protocols.radius.mschap import nt_hash
from support.house import NAS_SECRET, build
from support.radius_process import running, until

pytestmark = [
    pytest.mark.peer("radclient"),
    pytest.mark.skipif(not shutil.which("radclient"), reason="radclient is missing"),
]


@pytest.fixture
async def house(db, tmp_path):
    return await build(db, tmp_path)


@pytest.fixture
async def process(house):
    async with running(house.db, house.keys) as process:
        yield process


async def radclient(address, kind, attributes, secret=NAS_SECRET, *options):
    """Run it; give its exit code and what it printed."""
    child = await asyncio.create_subprocess_exec(
        "radclient",
        "-x",
        *(options or ("-r", "3", "-t", "3")),
        f"{address[0]}:{address[1]}",
        kind,
        secret,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    printed, _ = await child.communicate("\n".join(attributes).encode() + b"\n")
    return child.returncode, printed.decode()


async def login_of(house, service):
    async with house.as_isp() as tx:
        status = await house.aaa.radius_status(tx, service.id)
    return status.username, status.password


@pytest.mark.parametrize("method", ["User-Password", "CHAP-Password", "MS-CHAP-Password"])
async def test_it_logs_in(house, process, method):
    username, password = await login_of(house, await house.service())
    code, printed = await radclient(
        process.auth,
        "auth",
        [f'User-Name = "{username}"', f'{method} = "{password}"', "Message-Authenticator = 0x00"],
    )
    assert code == 0
    assert "Received Access-Accept" in printed
    assert "Framed-IP-Address = 100.64.0.1" in printed
    assert 'Mikrotik-Rate-Limit = "25000000/50000000"' in printed


async def test_it_is_refused_by_ms_chap_with_a_wrong_password(house, process):
    username, _ = await login_of(house, await house.service())
    code, printed = await radclient(
        process.auth, "auth", [f'User-Name = "{username}"', 'MS-CHAP-Password = "guess"']
    )
    assert code == 1
    assert 'MS-CHAP-Error = "\\000E=691 R=0' in printed


async def test_it_reads_the_keys_of_ms_chap(house, process):
    username, password = await login_of(house, await house.service())
    _, printed = await radclient(
        process.auth, "auth", [f'User-Name = "{username}"', f'MS-CHAP-Password = "{password}"']
    )
    # eight zeros for the LAN Manager's key
    keys = f"{bytes(8).hex()}{md4(nt_hash(password.encode())).hex()}"
    assert f"MS-CHAP-MPPE-Keys = 0x{keys}" in printed


async def test_it_logs_a_station_in_by_its_mac_address(house):
    service = await house.service()
    async with house.as_isp() as tx:
        await house.aaa.add_credential(tx, service.id, kind="mac", username="aabb.cc00.1122")
    async with house.db.system() as tx:
        await house.aaa.change_nas(tx, house.nas, mac_authentication=True)
    async with running(house.db, house.keys) as process:
        attributes = ['User-Name = "AA-BB-CC-00-11-22"', "Service-Type = Call-Check"]
        code, printed = await radclient(process.auth, "auth", attributes)
    assert code == 0, printed


async def test_it_is_refused_with_a_wrong_password(house, process):
    username, _ = await login_of(house, await house.service())
    code, printed = await radclient(
        process.auth, "auth", [f'User-Name = "{username}"', 'User-Password = "guess"']
    )
    assert code == 1
    assert "Received Access-Reject" in printed
    assert 'Reply-Message = "unknown user or wrong password"' in printed


async def test_it_gets_no_answer_with_a_wrong_secret(house, process):
    username, password = await login_of(house, await house.service())
    attributes = [
        f'User-Name = "{username}"',
        f'User-Password = "{password}"',
        "Message-Authenticator = 0x00",
    ]
    code, printed = await radclient(
        process.auth, "auth", attributes, "wrong", "-r", "1", "-t", "0.3"
    )
    assert code == 1
    assert "No reply" in printed


async def test_it_tells_of_a_session_and_each_packet_twice(house, process):
    service = await house.service()
    username, _ = await login_of(house, service)
    for status, seconds, octets in (
        ("Start", 0, 0),
        ("Interim-Update", 300, 1000),
        ("Stop", 600, 9000),
        ("Stop", 600, 9000),
        ("Interim-Update", 300, 1000),
    ):
        code, printed = await radclient(
            process.acct,
            "acct",
            [
                f'User-Name = "{username}"',
                f"Acct-Status-Type = {status}",
                'Acct-Session-Id = "s1"',
                f"Acct-Session-Time = {seconds}",
                f"Acct-Output-Octets = {octets}",
                "Acct-Output-Gigawords = 1",
                "Framed-IP-Address = 100.64.0.1",
            ],
        )
        assert code == 0, printed
        assert "Received Accounting-Response" in printed
    async with house.as_isp() as tx:
        (session,) = (await house.aaa.radius_status(tx, service.id)).sessions
    assert session.output_octets == 2**32 + 9000
    assert session.ended_at is not None


async def test_it_asks_whether_the_server_lives(process):
    code, printed = await radclient(process.auth, "status", ["Message-Authenticator = 0x00"])
    assert code == 0
    assert "Received Access-Accept" in printed


async def test_a_hundred_log_ins_at_once_are_all_answered(house, process):
    username, password = await login_of(house, await house.service())
    code, printed = await radclient(
        process.auth,
        "auth",
        [f'User-Name = "{username}"', f'User-Password = "{password}"'],
        NAS_SECRET,
        *("-c", "100", "-p", "20", "-r", "3", "-t", "3"),
    )
    assert code == 0
    assert printed.count("Received Access-Accept") == 100
    await until(lambda: not process.server.status().attempts_waiting)
    async with house.db.system() as tx:
        found = await tx.conn.execute("SELECT count(*) FROM auth_attempt WHERE accepted")
        assert (await found.fetchone())[0] == 100
