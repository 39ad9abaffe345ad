"""Two RADIUS nodes on one database, and one of them taken away."""

from types import SimpleNamespace

import pytest

from demarc.protocols.radius.dictionary import DICTIONARY
from demarc.protocols.radius.packet import Code
from support.eventually import eventually
from support.house import NAS_SECRET
from support.radius_nas import Nas
from support.relay import Relay
from support.witness import Crowd, check_book

MESSAGE = DICTIONARY["Reply-Message"]


@pytest.fixture
async def nodes(installed):
    """Two nodes: the whole of Demarc, and a machine that does RADIUS alone."""
    first = installed()
    await first.start()
    second = installed(
        database_url=first.conninfo(),
        key_file=first.data / "keys.toml",
        roles="radius",
        node="two",
        http_port=None,
    )
    await second.start()
    yield first, second
    if second.process.returncode is None:
        assert await second.end() == 0, second.log_text()
    assert await first.end() == 0, first.log_text()


@pytest.fixture
async def relays(nodes):
    _, second = nodes
    made = [Relay(second.auth), Relay(second.acct)]
    for relay in made:
        await relay.start()
    yield made
    for relay in made:
        relay.stop()


@pytest.fixture
async def asker():
    """Asks a node for a log-in; gives its answer."""
    nases = []

    async def ask(node, line, station):
        nases.append(Nas(node.auth, node.acct, NAS_SECRET))
        reply = await nases[-1].login(line.username, line.password, station=station)
        return "accepted" if reply.code == Code.ACCESS_ACCEPT else reply.text(MESSAGE)

    yield ask
    for nas in nases:
        nas.close()


async def test_one_of_two_nodes_is_killed_under_load(nodes, relays, asker):
    first, second = nodes
    auth, acct = relays
    here = Crowd(first)
    # of another name, so that its sessions have ids of their own
    there = Crowd(SimpleNamespace(auth=auth.address, acct=acct.address), name="bng-2")
    lines = first.estate.lines
    alone, other = lines[20], lines[41]
    await here.nas.start()
    await there.nas.start()
    try:
        await here.log_in(lines[:20])
        await there.log_in(lines[20:40])
        assert await first.value("SELECT count(*) FROM radius_node") == 2

        # who is logged in at one counts at the other
        await first.rows(
            "UPDATE credential SET max_sessions = 1 WHERE service_id = %s RETURNING 1",
            alone.service_id,
        )

        async def elsewhere():
            return await asker(first, alone, "ZZ-01")

        await eventually(elsewhere, lambda reply: reply == "too many sessions")

        # a suspension is heard of by both
        for node in nodes:
            assert await asker(node, other, "ZZ-02") == "accepted"
        async with first.client(first.estate.fno_token) as fno:
            answer = await fno.post(
                f"/fno/services/{other.service_id}/suspend", json={"reason": "unpaid"}
            )
        assert answer.status_code == 200, answer.text
        for node in nodes:

            async def suspended(node=node):
                return await asker(node, other, "ZZ-02")

            await eventually(suspended, lambda reply: reply == "service suspended")

        # the second is gone in the middle of it, and its NAS turns to the first
        second.kill_all()
        auth.turn_to(first.auth)
        acct.turn_to(first.acct)
        await there.acknowledged(3)
        await here.acknowledged(3)
        assert await elsewhere() == "too many sessions"
        for crowd in (here, there):
            await check_book(first.conninfo(), crowd.witness)

        # the first was told by nobody that this one ended, but it booked it
        await there.hang_up([there.sessions[alone.service_id]])
        await eventually(elsewhere, lambda reply: reply == "accepted")
        for crowd in (here, there):
            sessions = list(crowd.sessions.values())
            await crowd.hang_up(sessions)
            await check_book(first.conninfo(), crowd.witness, whole=sessions)
        assert await first.value("SELECT count(*) FROM session_live") == 0
    finally:
        await here.nas.stop()
        await there.nas.stop()
