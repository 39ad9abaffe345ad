import asyncio
import hashlib
from collections.abc import AsyncIterator
from functools import partial

import pytest

from demarc.lab.nas.client import Client, NoAnswer, Retry
from demarc.protocols.radius.attributes import encode_attributes
from demarc.protocols.radius.dictionary import DICTIONARY
from demarc.protocols.radius.packet import Code, Packet
from demarc.protocols.radius.request import encode_request
from support.radius_isp import HASTY, PATIENT, SECRET
from support.radius_server import RadiusServer

SHORT = Retry(first=0.02, longest=0.05, tries=3)
DELAY = DICTIONARY["Acct-Delay-Time"]


def access_request(identifier: int, name: str = "ana") -> bytes:
    return encode_request(
        Code.ACCESS_REQUEST, identifier, [(DICTIONARY["User-Name"], name)], SECRET
    )


class Server(RadiusServer):
    """Says yes, once it has heard a request often enough."""

    def __init__(self) -> None:
        super().__init__(SECRET, self.say_yes)
        self.deaf_for = 0

    def say_yes(self, request: Packet) -> bytes | None:
        if len(self.received) <= self.deaf_for:
            return None
        accounting = request.code == Code.ACCOUNTING_REQUEST
        return self.reply(request, Code.ACCOUNTING_RESPONSE if accounting else Code.ACCESS_ACCEPT)


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    server = Server()
    await server.start()
    yield server
    server.stop()


@pytest.fixture
async def client(server: Server) -> AsyncIterator[Client]:
    client = Client(server.address, SECRET, retry=PATIENT)
    yield client
    client.close()


@pytest.fixture
async def hasty(server: Server) -> AsyncIterator[Client]:
    client = Client(server.address, SECRET, retry=HASTY)
    yield client
    client.close()


@pytest.fixture
async def brief(server: Server) -> AsyncIterator[Client]:
    client = Client(server.address, SECRET, retry=SHORT)
    yield client
    client.close()


async def test_a_request_is_repeated_as_it_was_until_it_is_answered(
    server: Server, hasty: Client
) -> None:
    server.deaf_for = 2
    answer = await hasty.ask(access_request)
    assert answer.code == Code.ACCESS_ACCEPT
    assert len({packet.raw for packet in server.received}) == 1
    assert len(set(server.senders)) == 1
    assert len(server.received) == 3
    assert (hasty.traffic.sent, hasty.traffic.retransmitted) == (3, 2)


async def test_after_all_tries_there_is_no_answer(server: Server) -> None:
    server.deaf_for = 99
    client = Client(server.address, SECRET, retry=SHORT)
    with pytest.raises(NoAnswer):
        await client.ask(access_request)
    assert len(server.received) == SHORT.tries
    client.close()


async def test_nobody_there_is_no_answer_either(server: Server) -> None:
    server.stop()
    client = Client(server.address, SECRET, retry=SHORT)
    with pytest.raises(NoAnswer):
        await client.ask(access_request)
    assert client.traffic.unreachable
    client.close()


async def test_waits_grow_to_the_longest(server: Server) -> None:
    waits: list[float] = []

    class Watched(Client):
        async def _transmit(self, slot: object, wait: float, *, again: bool) -> None:
            waits.append(wait)

    client = Watched(
        server.address,
        SECRET,
        retry=Retry(first=1, factor=3, longest=10, tries=5),
    )
    with pytest.raises(NoAnswer):
        await client.ask(access_request)
    assert waits == [1, 3, 9, 10, 10]
    client.close()


async def test_256_requests_at_a_time_need_one_socket_more_another(server: Server) -> None:
    server.deaf_for = 300
    client = Client(server.address, SECRET, retry=Retry(first=0.2, tries=10))
    asking = [
        asyncio.create_task(client.ask(partial(access_request, name=f"user {number}")))
        for number in range(300)
    ]
    await asyncio.gather(*asking)
    by_socket: dict[tuple[str, int], set[bytes]] = {}
    for sender, packet in zip(server.senders, server.received, strict=True):
        by_socket.setdefault(sender, set()).add(packet.raw)
    # every one of them had an Identifier of its own on its socket
    assert sorted(len(requests) for requests in by_socket.values()) == [44, 256]
    await client.ask(access_request)
    assert len(client.ports) == 2
    client.close()


async def test_beyond_the_sockets_allowed_requests_wait_their_turn(server: Server) -> None:
    client = Client(server.address, SECRET, retry=PATIENT, max_sockets=1)
    answers = await asyncio.gather(*(client.ask(access_request) for _ in range(600)))
    assert len(answers) == 600
    assert len(client.ports) == 1
    client.close()


async def test_identifiers_are_used_in_turn(server: Server, client: Client) -> None:
    for _ in range(260):
        await client.ask(access_request)
    assert [packet.identifier for packet in server.received] == [n % 256 for n in range(260)]


async def test_accounting_unchanged_is_the_same_packet(server: Server, brief: Client) -> None:
    server.deaf_for = 5
    body = encode_attributes([(DELAY, 0)])
    await brief.deliver(Code.ACCOUNTING_REQUEST, lambda: body)
    assert len({packet.raw for packet in server.received}) == 1


async def test_a_changed_delay_time_is_another_packet(server: Server, brief: Client) -> None:
    server.deaf_for = 7

    def body() -> bytes:
        return encode_attributes([(DELAY, len(server.received))])

    await brief.deliver(Code.ACCOUNTING_REQUEST, body)
    received = [
        (packet.identifier, packet.number(DELAY), packet.authenticator)
        for packet in server.received[:8]
    ]
    assert [(identifier, delay) for identifier, delay, _ in received] == [
        *[(0, 0)] * 3,
        *[(1, 3)] * 3,
        *[(2, 6)] * 2,
    ]
    assert len({authenticator for *_, authenticator in received}) == 3


async def test_an_answer_made_with_another_secret_is_not_taken(
    server: Server, hasty: Client
) -> None:
    honest = server.say_yes

    def answer(request: Packet) -> bytes | None:
        if len(server.received) == 1:
            server.secret, secret = b"other", server.secret
            forged = honest(request)
            server.secret = secret
            return forged
        if len(server.received) == 2:
            return b"no RADIUS at all"
        return honest(request)

    server.answer = answer
    assert (await hasty.ask(access_request)).code == Code.ACCESS_ACCEPT
    assert len(server.received) == 3
    assert (hasty.traffic.forged, hasty.traffic.malformed) == (1, 1)


async def test_an_unsigned_accept_is_not_taken(server: Server) -> None:
    def unsigned(request: Packet) -> bytes:
        head = bytes((Code.ACCESS_ACCEPT, request.identifier, 0, 20))
        digest = hashlib.md5(head + request.authenticator + SECRET, usedforsecurity=False)
        return head + digest.digest()

    server.answer = unsigned
    client = Client(server.address, SECRET, retry=SHORT)
    with pytest.raises(NoAnswer):
        await client.ask(access_request)
    assert client.traffic.forged
    assert client.traffic.answered == 0
    client.close()


async def test_a_second_answer_is_dropped(server: Server, client: Client) -> None:
    honest = server.say_yes

    def twice(request: Packet) -> bytes | None:
        octets = honest(request)
        assert octets is not None
        server.send(octets, server.senders[-1])
        return octets

    server.answer = twice
    await client.ask(access_request)
    await client.ask(access_request)
    # the second answer to the first request came before any to the second
    assert client.traffic.answered == 2
    assert client.traffic.unasked in {1, 2}


async def test_closing_ends_the_waiting(server: Server, client: Client) -> None:
    server.deaf_for = 10**6
    asking = asyncio.create_task(
        client.deliver(Code.ACCOUNTING_REQUEST, lambda: encode_attributes([(DELAY, 0)]))
    )
    await server.wait_for(lambda received: len(received) >= 1)
    client.close()
    with pytest.raises(NoAnswer):
        await asking
    with pytest.raises(NoAnswer):
        await client.ask(access_request)
    server.deaf_for = 0
    client.open()
    assert (await client.ask(access_request)).code == Code.ACCESS_ACCEPT
