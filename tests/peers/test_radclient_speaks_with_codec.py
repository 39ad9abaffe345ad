"""radclient, which shares nothing with this codec, is understood and verifies what it gets."""

import asyncio
import shutil
from collections.abc import AsyncIterator

import pytest

from demarc.protocols.radius.dictionary import DICTIONARY
from demarc.protocols.radius.packet import Code, Packet
from demarc.protocols.radius.password import decrypt_pap, verify_chap
from support.radius_server import RadiusServer

pytestmark = [
    pytest.mark.peer("radclient"),
    pytest.mark.skipif(not shutil.which("radclient"), reason="radclient is missing"),
]

SECRET = "between-us"
USER_PASSWORD = DICTIONARY["User-Password"]


def policy(request: Packet) -> tuple[Code, list[tuple[str, object]]]:
    match request.code:
        case Code.ACCOUNTING_REQUEST:
            return Code.ACCOUNTING_RESPONSE, []
        case Code.DISCONNECT_REQUEST:
            return Code.DISCONNECT_NAK, [("Error-Cause", "Session-Context-Not-Found")]
        case Code.COA_REQUEST:
            return Code.COA_ACK, []
    hidden = request.value(USER_PASSWORD)
    if hidden is not None:
        password = decrypt_pap(hidden, SECRET.encode(), request.authenticator)
        right = password == b"a password of more than one block"
    else:
        right = verify_chap(request, b"pass")
    if not right:
        return Code.ACCESS_REJECT, [("Reply-Message", "wrong password")]
    return Code.ACCESS_ACCEPT, [
        ("Framed-IP-Address", "100.64.0.9"),
        ("MikroTik-Rate-Limit", "50M/100M"),
        ("Huawei-Output-Average-Rate", 100_000_000),
        ("Delegated-IPv6-Prefix", None),
        ("Tunnel-Password", "deep"),
        ("Class", b"\x01\x02"),
    ]


@pytest.fixture
async def server() -> AsyncIterator[tuple[RadiusServer, str]]:
    from ipaddress import IPv6Network

    def answer(request: Packet) -> bytes:
        code, named = policy(request)
        attributes = [
            (DICTIONARY[name], IPv6Network("2001:db8:1::/48") if value is None else value)
            for name, value in named
        ]
        return radius.reply(request, code, *attributes)

    radius = RadiusServer(SECRET.encode(), answer)
    host, port = await radius.start()
    yield radius, f"{host}:{port}"
    radius.stop()


async def radclient(address: str, command: str, request: str, secret: str = SECRET) -> str:
    process = await asyncio.create_subprocess_exec(
        *("radclient", "-x", "-r", "1", "-t", "1", address, command, secret),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate(request.encode())
    return output.decode()


async def test_pap(server: tuple[RadiusServer, str]) -> None:
    radius, address = server
    output = await radclient(
        address,
        "auth",
        'User-Name = "joão", User-Password = "a password of more than one block",'
        " NAS-IP-Address = 192.0.2.1, Message-Authenticator = 0x00",
    )
    assert "Received Access-Accept" in output
    assert "Framed-IP-Address = 100.64.0.9" in output
    assert 'Mikrotik-Rate-Limit = "50M/100M"' in output
    assert "Huawei-Output-Average-Rate = 100000000" in output
    assert "Delegated-IPv6-Prefix = 2001:db8:1::/48" in output
    assert 'Tunnel-Password:0 = "deep"' in output
    assert "Class = 0x0102" in output
    (request,) = radius.received
    assert request.signature
    assert request.text(DICTIONARY["User-Name"]) == "joão"
    assert str(request.address(DICTIONARY["NAS-IP-Address"])) == "192.0.2.1"


async def test_pap_refused(server: tuple[RadiusServer, str]) -> None:
    output = await radclient(server[1], "auth", 'User-Name = "bob", User-Password = "no"')
    assert "Received Access-Reject" in output
    assert 'Reply-Message = "wrong password"' in output


@pytest.mark.parametrize(("password", "code"), [("pass", "Accept"), ("word", "Reject")])
async def test_chap(server: tuple[RadiusServer, str], password: str, code: str) -> None:
    output = await radclient(server[1], "auth", f'User-Name = "bob", CHAP-Password = "{password}"')
    assert f"Received Access-{code}" in output


async def test_accounting(server: tuple[RadiusServer, str]) -> None:
    radius, address = server
    output = await radclient(
        address,
        "acct",
        'User-Name = "bob", Acct-Status-Type = Interim-Update, Acct-Session-Id = "1",'
        " Acct-Output-Octets = 4294967295, Acct-Output-Gigawords = 2,"
        ' Event-Timestamp = "Nov 14 2023 22:13:20 UTC", ADSL-Agent-Circuit-Id = 0x6574682031',
    )
    assert "Received Accounting-Response" in output
    (request,) = radius.received
    assert request.number(DICTIONARY["Acct-Status-Type"]) == 3
    assert request.number(DICTIONARY["Acct-Output-Octets"]) == 2**32 - 1
    assert request.number(DICTIONARY["Acct-Output-Gigawords"]) == 2
    assert request.text(DICTIONARY["ADSL-Agent-Circuit-Id"]) == "eth 1"


async def test_disconnect_nak(server: tuple[RadiusServer, str]) -> None:
    output = await radclient(server[1], "disconnect", 'User-Name = "bob"')
    assert "Received Disconnect-NAK" in output
    assert "Error-Cause = Session-Context-Not-Found" in output


async def test_coa_ack(server: tuple[RadiusServer, str]) -> None:
    assert "Received CoA-ACK" in await radclient(server[1], "coa", 'User-Name = "bob"')


async def test_another_secret_gets_no_answer(server: tuple[RadiusServer, str]) -> None:
    radius, address = server
    output = await radclient(
        address, "acct", 'User-Name = "bob", Acct-Status-Type = Start', secret="other"
    )
    assert "No reply" in output
    assert radius.received == []
    assert [str(fault) for fault in radius.faults] == ["Request Authenticator is wrong"]
