"""FreeRADIUS as a proxy before Demarc, and as an ISP's own AAA behind it: over UDP and TLS."""

import contextlib
import socket

import pytest

from demarc.domains.aaa.proxying import NewServer
from demarc.protocols.radius.packet import Code
from demarc.southbound.radius.limits import Limits
from demarc.southbound.radius.server import RadiusServer
from support import freeradius, radclient
from support.authority import Authority
from support.eventually import eventually
from support.house import NAS_SECRET, build
from support.radius_nas import Nas

pytestmark = [
    pytest.mark.peer("freeradius"),
    pytest.mark.skipif(freeradius.MISSING, reason=freeradius.WHY),
    pytest.mark.skipif(radclient.MISSING, reason=radclient.WHY),
]

USERS = """
ana@acme Cleartext-Password := "of-ana"
    Framed-IP-Address = 198.51.100.7,
    Filter-Id = "everything",
    Mikrotik-Rate-Limit = "1G/1G",
    MS-MPPE-Send-Key = 0x000102030405060708090a0b0c0d0e0f,
    Class = 0x616e61,
    Reply-Message = "welcome"
"""


@pytest.fixture
async def house(db, tmp_path):
    return await build(db, tmp_path)


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path)


@contextlib.asynccontextmanager
async def demarc(house, tls=None):
    """Demarc's RADIUS; gives where it is asked to authenticate, to account, and over TLS."""
    sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2)]
    sockets.append(socket.socket(socket.AF_INET, socket.SOCK_STREAM))
    for sock in sockets:
        sock.bind(("127.0.0.1", 0))
    sockets[2].listen()
    server = RadiusServer(house.db, house.keys, Limits(proxy_probe=0.2), tls=tls)
    await server.serve(sockets[:1], sockets[1:2], sockets[2:] if tls else ())
    try:
        yield server, *(sock.getsockname() for sock in sockets)
    finally:
        await server.stop()
        for sock in sockets:
            sock.close()


async def login_of(house, service):
    async with house.as_isp() as tx:
        status = await house.aaa.radius_status(tx, service.id)
    return status.username, status.password


async def ask(address, kind, secret, **attributes):
    named = {name.replace("_", "-"): value for name, value in attributes.items()}
    return await radclient.ask(*address, kind, secret, named)


async def asked_as_a_nas(house, proxy, service):
    """Log in, fail to, and account through a proxy before Demarc."""
    username, password = await login_of(house, service)
    for method in ("User-Password", "CHAP-Password"):
        answer = await ask(
            proxy.auth, "auth", "of-the-proxy", User_Name=username, **{method: password}
        )
        assert answer.code == "Access-Accept"
        assert answer.attributes["Framed-IP-Address"] == "100.64.0.1"
    answer = await ask(
        proxy.auth, "auth", "of-the-proxy", User_Name=username, User_Password="guess"
    )
    assert answer.code == "Access-Reject"
    for status, octets in (("Start", 0), ("Interim-Update", 700), ("Stop", 900)):
        answer = await ask(
            proxy.acct,
            "acct",
            "of-the-proxy",
            User_Name=username,
            Acct_Status_Type=status,
            Acct_Session_Id="s1",
            Acct_Output_Octets=octets,
        )
        assert answer.code == "Accounting-Response", status
    async with house.as_isp() as tx:
        (session,) = (await house.aaa.radius_status(tx, service.id)).sessions
    assert session.output_octets == 900
    assert session.ended_at is not None


async def test_it_is_a_proxy_before_demarc(house, tmp_path):
    service = await house.service()
    async with demarc(house) as (_, auth, acct, _):
        onwards = freeradius.proxy_to(auth, acct, NAS_SECRET)
        async with freeradius.running(tmp_path / "fr", "of-the-proxy", proxying=onwards) as proxy:
            await asked_as_a_nas(house, proxy, service)


async def test_it_is_a_proxy_before_demarc_over_tls(house, tmp_path, authority):
    service = await house.service()
    async with house.db.system() as tx:
        await house.aaa.change_nas(tx, house.nas, certificate="proxy.example")
    theirs = authority.issue("proxy", names=("proxy.example",))
    ours = authority.issue("demarc", names=("radius.example",))
    async with demarc(house, ours) as (server, _, _, tls):
        onwards = freeradius.proxy_to(tls, tls, "radsec", theirs)
        async with freeradius.running(tmp_path / "fr", "of-the-proxy", proxying=onwards) as proxy:
            await asked_as_a_nas(house, proxy, service)
            assert server.status().radsec_connections >= 1


async def asked_of_an_isp(house, home, auth, acct):
    """Log in, fail to, and account for a subscriber of an ISP behind Demarc."""
    for method in ("User-Password", "CHAP-Password"):
        answer = await ask(auth, "auth", NAS_SECRET, User_Name="ana@acme", **{method: "of-ana"})
        assert answer.code == "Access-Accept", method
        assert answer.attributes["Framed-IP-Address"] == "198.51.100.7"
        assert answer.attributes["Reply-Message"] == "welcome"
        # radclient shows it as it reads it with the secret of the NAS
        assert answer.attributes["MS-MPPE-Send-Key"] == "0x000102030405060708090a0b0c0d0e0f"
        assert answer.attributes["Class"] == "0x616e61"
        assert "Filter-Id" not in answer.attributes
        assert "Mikrotik-Rate-Limit" not in answer.attributes
    answer = await ask(auth, "auth", NAS_SECRET, User_Name="ana@acme", User_Password="guess")
    assert answer.code == "Access-Reject"
    for status in ("Start", "Stop"):
        answer = await ask(
            acct,
            "acct",
            NAS_SECRET,
            User_Name="ana@acme",
            Acct_Status_Type=status,
            Acct_Session_Id="s1",
        )
        assert answer.code == "Accounting-Response"
    await eventually(
        home.accounted, lambda lines: lines == ["Start ana@acme s1", "Stop ana@acme s1"]
    )


async def proxied(house, server):
    async with house.db.system() as tx:
        (realm,) = await house.aaa.realms(tx, house.isp.id)
        await house.aaa.proxies.put(tx, realm, [server])


async def test_it_is_an_isps_aaa_behind_demarc(house, tmp_path):
    async with freeradius.running(tmp_path / "fr", "of-the-isp", users=USERS) as home:
        server = NewServer(
            name="aaa",
            address="127.0.0.1",
            auth_port=home.auth[1],
            acct_port=home.acct[1],
            secret="of-the-isp",
        )
        await proxied(house, server)
        async with demarc(house) as (_, auth, acct, _):
            await asked_of_an_isp(house, home, auth, acct)


async def test_it_is_an_isps_aaa_behind_demarc_over_tls(house, tmp_path, authority):
    theirs = authority.issue("aaa", names=("aaa.isp.example",))
    ours = authority.issue("demarc", names=("radius.example",))
    async with freeradius.running(tmp_path / "fr", "x", users=USERS, tls=theirs) as home:
        server = NewServer(
            name="aaa",
            address="127.0.0.1",
            transport="radsec",
            auth_port=home.tls[1],
            acct_port=home.tls[1],
            certificate="aaa.isp.example",
        )
        await proxied(house, server)
        async with demarc(house, ours) as (status, auth, acct, _):
            await eventually(lambda: status.status().home_servers_dead == 0)
            await asked_of_an_isp(house, home, auth, acct)


async def test_one_that_is_started_late_is_found(house, tmp_path):
    async with freeradius.running(tmp_path / "fr", "of-the-isp", users=USERS) as home:
        server = NewServer(
            name="aaa",
            address="127.0.0.1",
            auth_port=home.auth[1],
            acct_port=None,
            secret="of-the-isp",
            timeout_ms=200,
        )
        await proxied(house, server)
    async with demarc(house) as (status, auth, _, _):
        nas = Nas(auth, auth, NAS_SECRET)
        for _ in range(3):
            nas.send(Code.ACCESS_REQUEST, [("User-Name", "ana@acme"), ("User-Password", "x")])
        await eventually(lambda: status.status().home_servers_dead == 1)
        again = tmp_path / "again"
        async with freeradius.running(again, "of-the-isp", users=USERS, auth=home.auth[1]):
            await eventually(lambda: status.status().home_servers_dead == 0)
            answer = await nas.login("ana@acme", "of-ana")
            assert answer.code == Code.ACCESS_ACCEPT
        nas.close()
