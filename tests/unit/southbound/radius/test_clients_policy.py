"""Message-Authenticator by policy, over restarts and nodes, and replies from the address asked."""

import asyncio
import socket
import sys

import pytest

from demarc.domains.aaa import nas_clients
from demarc.platform.telemetry.counters import COUNTERS
from demarc.protocols.radius.dictionary import DICTIONARY
from demarc.protocols.radius.packet import Code
from demarc.southbound.radius.addressed import Addressed
from demarc.southbound.radius.server import RadiusServer
from support.house import NAS_SECRET, build
from support.radius_nas import Nas
from support.radius_process import running, until

MISSING = "Message-Authenticator is missing"


@pytest.fixture
async def house(db, tmp_path):
    return await build(db, tmp_path)


def dropped(reason):
    return COUNTERS.value("radius_dropped", reason=reason)


async def ask_unsigned(nas, username="nobody@acme", **more):
    pairs = [("User-Name", username), ("User-Password", "x"), *more.items()]
    return nas.send(Code.ACCESS_REQUEST, pairs, signed=False)


async def locked(house):
    async with house.db.system() as tx:
        return await nas_clients.signers(tx)


async def test_a_lock_survives_a_restart_and_is_lifted_on_every_node(house):
    async with running(house.db, house.keys) as one, running(house.db, house.keys) as two:
        first, second = one.nas(NAS_SECRET), two.nas(NAS_SECRET)
        await second.answer(await ask_unsigned(second))
        await first.login("nobody@acme", "x")
        before = dropped(MISSING)

        async def refused_by_both():
            await ask_unsigned(first)
            await ask_unsigned(second)
            return two.server.status().clients_signing == 1 and dropped(MISSING) >= before + 2

        await until(refused_by_both)
    assert [signer.address for signer in await locked(house)] == ["127.0.0.1"]

    async with running(house.db, house.keys) as again:
        nas = again.nas(NAS_SECRET)
        before = dropped(MISSING)
        await ask_unsigned(nas)
        await until(lambda: dropped(MISSING) == before + 1)
        async with house.db.system() as tx:
            await nas_clients.unlock(tx, house.nas)
        await until(lambda: again.server.status().clients_signing == 0)
        assert (await nas.answer(await ask_unsigned(nas))).code == Code.ACCESS_REJECT


async def test_limiting_proxy_state_can_be_turned_off(house):
    reason = "Proxy-State without Message-Authenticator"
    async with running(house.db, house.keys) as process:
        nas = process.nas(NAS_SECRET)
        before = dropped(reason)
        await ask_unsigned(nas, **{"Proxy-State": b"1"})
        await until(lambda: dropped(reason) == before + 1)
        async with house.db.system() as tx:
            await house.aaa.change_nas(tx, house.nas, limit_proxy_state="no")

        async def answered():
            octets = await ask_unsigned(nas, **{"Proxy-State": b"1"})
            try:
                return await nas.answer(octets, 0.2)
            except TimeoutError:
                return None

        reply = await until(answered)
        assert reply.values(DICTIONARY["Proxy-State"]) == [b"1"]


@pytest.mark.skipif(sys.platform != "linux", reason="other systems are not asked for the address")
@pytest.mark.parametrize("host", ["0.0.0.0", "::"])  # noqa: S104 - what is tested
async def test_a_reply_leaves_from_the_address_that_was_asked(house, host):
    family = socket.AF_INET6 if host == "::" else socket.AF_INET
    sockets = [socket.socket(family, socket.SOCK_DGRAM) for _ in range(2)]
    for sock in sockets:
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        sock.bind((host, 0))
    server = RadiusServer(house.db, house.keys)
    await server.serve(sockets[:1], sockets[1:])
    port = sockets[0].getsockname()[1]
    try:
        nas = Nas(("127.0.0.1", port), ("127.0.0.1", port), NAS_SECRET)
        octets = await ask_unsigned(nas)
        assert (await nas.answer(octets)).code == Code.ACCESS_REJECT
        nas.close()
        # a connected socket takes an answer from there alone, as NASes do
        loop = asyncio.get_running_loop()
        for address in ("127.0.0.5", "127.0.0.6"):
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
                peer.setblocking(False)
                peer.bind(("127.0.0.1", 0))
                peer.connect((address, port))
                peer.send(octets)
                assert (await asyncio.wait_for(loop.sock_recv(peer, 4096), 10))[0] == 3
    finally:
        await server.stop()
        for sock in sockets:
            sock.close()


def test_a_socket_on_one_address_is_left_as_it_is():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        assert Addressed.of(sock) is None
