"""RADIUS over TLS: what a NAS that comes to us would notice."""

import asyncio
import contextlib
import os
import socket
import ssl

import pytest

from demarc.domains.aaa import nas_clients
from demarc.platform.telemetry.counters import COUNTERS
from demarc.protocols.radius.dictionary import DICTIONARY
from demarc.protocols.radius.packet import Code
from demarc.southbound.radius.limits import Limits
from demarc.southbound.radius.server import RadiusServer
from demarc.southbound.radius.tls import names_of
from support.authority import Authority, client_context, fingerprint
from support.house import build
from support.radius_process import until
from support.radsec_nas import RadsecNas


@pytest.fixture
async def house(db, tmp_path):
    return await build(db, tmp_path)


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path)


class Listening:
    """A server with a RadSec socket, and the NASes that came to it."""

    def __init__(self, server, address):
        self.server = server
        self.address = address
        self.nases = []

    async def connect(self, context):
        nas = await RadsecNas.connect(self.address, context)
        self.nases.append(nas)
        return nas


@contextlib.asynccontextmanager
async def listening(house, files, limits=None):
    udp = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2)]
    tcp = socket.socket()
    for sock in (*udp, tcp):
        sock.bind(("127.0.0.1", 0))
    tcp.listen()
    server = RadiusServer(house.db, house.keys, limits, tls=files)
    await server.serve(udp[:1], udp[1:], [tcp])
    made = Listening(server, tcp.getsockname())
    try:
        yield made
    finally:
        await server.stop()
        for nas in made.nases:
            await nas.close()
        for sock in (*udp, tcp):
            sock.close()


async def known_as(house, certificate):
    async with house.db.system() as tx:
        await house.aaa.change_nas(tx, house.nas, certificate=certificate)


async def login_of(house):
    service = await house.service()
    async with house.as_isp() as tx:
        status = await house.aaa.radius_status(tx, service.id)
    return service, status.username, status.password


def refused(reason):
    return COUNTERS.value("radsec_refused", reason=reason)


@pytest.mark.parametrize("known", ["alternative", "common", "address", "fingerprint"])
async def test_a_nas_is_known_by_its_certificate_and_served(house, authority, known):
    names = {"alternative": ("other.example", "BNG.example"), "address": ("192.0.2.7",)}
    theirs = authority.issue("bng", names=names.get(known, ()), common="bng-common.example")
    await known_as(
        house,
        {
            "alternative": "bng.example",
            "common": "bng-common.example",
            "address": "192.0.2.7",
            "fingerprint": fingerprint(theirs),
        }[known],
    )
    service, username, password = await login_of(house)
    async with listening(house, authority.issue("demarc")) as server:
        nas = await server.connect(client_context(theirs, authority.file))
        assert nas.writer.get_extra_info("ssl_object").version() in ("TLSv1.2", "TLSv1.3")
        reply = await nas.login(username, password)
        assert reply.code == Code.ACCESS_ACCEPT
        assert str(reply.address(DICTIONARY["Framed-IP-Address"])) == "100.64.0.1"
        told = [
            ("Acct-Status-Type", "Start"),
            ("User-Name", username),
            ("Acct-Session-Id", "s1"),
        ]
        assert (await nas.ask(Code.ACCOUNTING_REQUEST, told)).code == Code.ACCOUNTING_RESPONSE
        async with house.as_isp() as tx:
            (session,) = (await house.aaa.radius_status(tx, service.id)).sessions
        # the NAS's own address: there its sessions are asked to end
        assert session.nas_address == "127.0.0.1"
        assert (await nas.ask(Code.STATUS_SERVER, [])).code == Code.ACCESS_ACCEPT
        assert server.server.status().radsec_connections == 1


async def test_requests_in_one_stream_are_all_answered_however_it_is_cut(house, authority):
    await known_as(house, "bng.example")
    theirs = authority.issue("bng", names=("bng.example",))
    _, username, password = await login_of(house)
    async with listening(house, authority.issue("demarc")) as server:
        nas = await server.connect(client_context(theirs, authority.file))
        asked = [
            nas.request(Code.ACCESS_REQUEST, [("User-Name", username), ("User-Password", password)])
            for _ in range(200)
        ]
        stream = b"".join(asked)
        for start in range(0, len(stream), 997):
            nas.writer.write(stream[start : start + 997])
            await nas.writer.drain()
        replies = [await nas.answer(octets) for octets in asked]
        assert {reply.code for reply in replies} == {Code.ACCESS_ACCEPT}


async def test_nobody_is_served_whose_certificate_is_missing_strange_or_no_nass(
    house, authority, tmp_path
):
    await known_as(house, "bng.example")
    (tmp_path / "elsewhere").mkdir()
    elsewhere = Authority(tmp_path / "elsewhere", "other")
    before = refused("handshake")
    async with listening(house, authority.issue("demarc")) as server:
        for files in (None, elsewhere.issue("bng", names=("bng.example",))):
            with contextlib.suppress(ssl.SSLError, ConnectionError):
                nas = await server.connect(client_context(files, authority.file))
                await nas.closed()
        await until(lambda: refused("handshake") == before + 2)
        before = refused("unknown certificate")
        nas = await server.connect(
            client_context(authority.issue("x", names=("x.example",)), authority.file)
        )
        await nas.closed()
        assert refused("unknown certificate") == before + 1
        await until(lambda: server.server.status().radsec_connections == 0)


async def test_a_nas_that_is_no_longer_known_by_it_is_sent_away(house, authority):
    await known_as(house, "bng.example")
    theirs = authority.issue("bng", names=("bng.example",))
    async with listening(house, authority.issue("demarc")) as server:
        nas = await server.connect(client_context(theirs, authority.file))
        await nas.ask(Code.STATUS_SERVER, [])
        await known_as(house, "another.example")

        async def sent_away():
            nas.writer.write(nas.request(Code.STATUS_SERVER, []))
            return nas.reader.at_eof()

        await until(sent_away)


async def test_what_is_no_packet_ends_the_connection_and_a_request_to_us_is_refused(
    house, authority
):
    await known_as(house, "bng.example")
    context = client_context(authority.issue("bng", names=("bng.example",)), authority.file)
    async with listening(house, authority.issue("demarc")) as server:
        nas = await server.connect(context)
        reply = await nas.ask(Code.DISCONNECT_REQUEST, [("User-Name", "ana")])
        assert reply.code == Code.DISCONNECT_NAK
        assert reply.number(DICTIONARY["Error-Cause"]) == 406
        nas.writer.write(b"GET / HTTP/1.1\r\n\r\n")
        await nas.closed()


async def test_connections_are_limited_and_idle_ones_closed(house, authority):
    await known_as(house, "bng.example")
    context = client_context(authority.issue("bng", names=("bng.example",)), authority.file)
    limits = Limits(radsec_connections=1, radsec_idle=0.5)
    async with listening(house, authority.issue("demarc"), limits) as server:
        nas = await server.connect(context)
        before = refused("too many connections")
        with pytest.raises((ssl.SSLError, ConnectionError)):
            await server.connect(context)
        assert refused("too many connections") == before + 1
        await nas.closed()
        await until(lambda: server.server.status().radsec_connections == 0)


async def test_one_client_cannot_take_all_connections(house, authority):
    await known_as(house, "bng.example")
    context = client_context(authority.issue("bng", names=("bng.example",)), authority.file)
    limits = Limits(radsec_connections_of_one=2)
    async with listening(house, authority.issue("demarc"), limits) as server:
        kept = [await server.connect(context) for _ in range(2)]
        for nas in kept:
            await nas.ask(Code.STATUS_SERVER, [])
        before = refused("too many of one client")
        third = await server.connect(context)
        await third.closed()
        assert refused("too many of one client") == before + 1
        await kept[0].close()
        await until(lambda: server.server.status().radsec_connections == 1)
        fourth = await server.connect(context)
        assert (await fourth.ask(Code.STATUS_SERVER, [])).code == Code.ACCESS_ACCEPT


async def test_who_shows_no_certificate_keeps_nobody_out(house, authority):
    await known_as(house, "bng.example")
    context = client_context(authority.issue("bng", names=("bng.example",)), authority.file)
    limits = Limits(radsec_connections=40)
    async with listening(house, authority.issue("demarc"), limits) as server:
        # at most 32 handshakes wait for one address; the others are closed at once
        silent = [await asyncio.open_connection(*server.address) for _ in range(32)]
        before = refused("too many connections")
        reader, writer = await asyncio.open_connection(*server.address)
        silent.append((reader, writer))
        assert await reader.read() == b""
        assert refused("too many connections") == before + 1
        for _, writer in silent:
            writer.close()

        async def served():
            try:
                nas = await server.connect(context)
                return (await nas.ask(Code.STATUS_SERVER, [])).code == Code.ACCESS_ACCEPT
            except (ssl.SSLError, ConnectionError):
                return False

        await until(served)


async def test_a_new_certificate_is_shown_to_the_next_connection(house, authority):
    await known_as(house, "bng.example")
    context = client_context(authority.issue("bng", names=("bng.example",)), authority.file)
    ours = authority.issue("demarc", common="first")
    async with listening(house, ours) as server:

        async def shown():
            nas = await server.connect(context)
            await nas.ask(Code.STATUS_SERVER, [])
            tls = nas.writer.get_extra_info("ssl_object")
            return names_of(tls.getpeercert(), b"")[-1]

        assert await shown() == "first"
        ours.cert.write_text("half a certif", encoding="ascii")
        assert await shown() == "first"
        authority.issue("demarc", common="second")
        os.utime(ours.cert)
        assert await shown() == "second"


async def test_a_radsec_client_is_seen_but_not_locked(house, authority):
    await known_as(house, "bng.example")
    context = client_context(authority.issue("bng", names=("bng.example",)), authority.file)
    async with listening(house, authority.issue("demarc")) as server:
        nas = await server.connect(context)
        await nas.ask(Code.STATUS_SERVER, [])
    async with house.db.system() as tx:
        (client,) = await nas_clients.of_nas(tx, house.nas.id)
    assert client.signs_since is None
    assert client.last_answered_at is not None


async def test_a_client_that_says_nothing_holds_up_nobody(house, authority):
    await known_as(house, "bng.example")
    context = client_context(authority.issue("bng", names=("bng.example",)), authority.file)
    async with listening(house, authority.issue("demarc")) as server:
        _, silent = await asyncio.open_connection(*server.address)
        nas = await server.connect(context)
        assert (await nas.ask(Code.STATUS_SERVER, [])).code == Code.ACCESS_ACCEPT
        silent.close()
