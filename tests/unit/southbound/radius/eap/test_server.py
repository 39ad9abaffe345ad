"""EAP conversations: what is late, foreign, doubled, made up or too much."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demarc.platform.telemetry.counters import COUNTERS
from demarc.protocols.eap.packet import Code as EapCode
from demarc.protocols.eap.packet import Packet as EapPacket
from demarc.protocols.eap.packet import Type, decode
from demarc.protocols.radius.errors import Malformed
from demarc.protocols.radius.packet import Code
from demarc.southbound.radius.eap import conversations
from demarc.southbound.radius.eap.server import NO_METHOD_IN_COMMON, OVER
from support.eap_peer import identity, md5_response, nak
from support.eap_wire import EAP_MESSAGE, PASSWORD, Wire, client, said


@pytest.fixture
async def wire():
    wire = Wire()
    yield wire
    await wire.server.stop()


async def test_md5_is_proved(wire):
    request, state = said(await wire.ask(identity("ana", 41)))
    assert decode(request).identifier == 42
    reply = await wire.ask(md5_response(request, PASSWORD), state)
    assert reply.code == Code.ACCESS_ACCEPT
    assert decode(reply.get(EAP_MESSAGE)).code == EapCode.SUCCESS
    assert wire.admitted == [wire.people.login]
    assert len(wire.server) == 0


@pytest.mark.parametrize(("name", "password"), [("ana", b"guess"), ("nobody", PASSWORD)])
async def test_a_wrong_password_and_an_unknown_name_look_the_same(wire, name, password):
    request, state = said(await wire.ask(identity(name)))
    reply = await wire.ask(md5_response(request, password), state)
    assert reply.code == Code.ACCESS_REJECT
    assert decode(reply.get(EAP_MESSAGE)).code == EapCode.FAILURE
    assert wire.refused == ["unknown user or wrong password"]


async def test_an_answer_that_comes_again_in_another_packet_gets_the_same_challenge(wire):
    request, state = said(await wire.ask(identity("ana")))
    wanted = nak(request, Type.MSCHAPV2)
    challenge, _ = said(await wire.ask(wanted, state))
    assert said(await wire.ask(wanted, state)) == (challenge, state)
    assert decode(challenge).type == Type.MSCHAPV2


async def test_an_answer_that_is_being_worked_on_is_not_taken_twice(wire):
    request, state = said(await wire.ask(identity("ana")))
    answer = md5_response(request, PASSWORD)
    replies = await asyncio.gather(wire.ask(answer, state), wire.ask(answer, state))
    assert [reply and reply.code for reply in replies] == [Code.ACCESS_ACCEPT, None]
    assert len(wire.admitted) == 1


async def test_a_state_that_is_over_foreign_or_made_up_is_rejected(wire):
    request, state = said(await wire.ask(identity("ana")))
    answer = md5_response(request, PASSWORD)
    for of, host, named in (
        (client(), "192.0.2.1", state),
        (wire.client, "192.0.2.2", state),
        (wire.client, "192.0.2.1", bytes(16)),
        (wire.client, "192.0.2.1", None),
    ):
        reply = await wire.ask(answer, named, of=of, host=host)
        assert reply.code == Code.ACCESS_REJECT
    wire.now = conversations.AGE
    assert (await wire.ask(answer, state)).code == Code.ACCESS_REJECT
    assert wire.refused == [OVER] * 5
    assert wire.admitted == []


async def test_an_answer_to_another_request_meets_silence(wire):
    request, state = said(await wire.ask(identity("ana")))
    asked = decode(request)
    other = EapPacket(EapCode.RESPONSE, asked.identifier + 1 & 0xFF, Type.MD5, asked.data)
    assert await wire.ask(other.encode(), state) is None
    # and the right one is still taken
    assert (await wire.ask(md5_response(request, PASSWORD), state)).code == Code.ACCESS_ACCEPT


async def test_no_method_in_common(wire):
    request, state = said(await wire.ask(identity("ana")))
    assert (await wire.ask(nak(request, Type.PEAP, 55), state)).code == Code.ACCESS_REJECT
    assert wire.refused == [NO_METHOD_IN_COMMON]


async def test_a_method_is_offered_once(wire):
    request, state = said(await wire.ask(identity("ana")))
    for _ in range(2):
        reply = await wire.ask(nak(request, Type.MD5, Type.MSCHAPV2), state)
        if reply.code == Code.ACCESS_CHALLENGE:
            request, state = said(reply)
    assert reply.code == Code.ACCESS_REJECT


async def test_a_nas_may_leave_asking_for_the_identity_to_us(wire):
    reply = await wire.ask(b"")
    assert reply.code == Code.ACCESS_CHALLENGE
    assert decode(reply.get(EAP_MESSAGE)).type == Type.IDENTITY


async def test_more_conversations_than_may_be_meet_silence(wire, monkeypatch):
    monkeypatch.setattr(conversations, "MOST", 3)
    for _ in range(3):
        said(await wire.ask(identity("ana")))
    assert await wire.ask(identity("ana")) is None
    # those that have gone silent make room
    wire.now = conversations.AGE
    said(await wire.ask(identity("ana")))
    assert len(wire.server) == 1


async def test_while_the_database_is_away_there_is_silence_and_then_it_goes_on(wire):
    wire.people.away = 1
    assert await wire.ask(identity("ana")) is None
    request, state = said(await wire.ask(identity("ana")))
    wire.people.away = 1
    answer = md5_response(request, PASSWORD)
    assert await wire.ask(answer, state) is None
    assert (await wire.ask(answer, state)).code == Code.ACCESS_ACCEPT


@pytest.mark.parametrize("octets", [b"\x02", b"\x01\x00\x00\x05\x01", b"\x03\x00\x00\x04"])
async def test_what_is_no_response_is_dropped(wire, octets):
    with pytest.raises(Malformed):
        await wire.ask(octets)


@given(st.lists(st.tuples(st.integers(0, 255), st.binary(max_size=80)), max_size=6))
def test_any_answers_end_in_a_reply_or_in_silence(answers):
    before = COUNTERS.value("radius_dropped", reason="error")

    async def talk():
        wire = Wire()
        reply = await wire.ask(identity("ana"))
        for kind, data in answers:
            if reply is None or reply.code != Code.ACCESS_CHALLENGE:
                return
            request, state = said(reply)
            response = EapPacket(EapCode.RESPONSE, decode(request).identifier, kind, data)
            reply = await wire.ask(response.encode(), state)
        assert wire.admitted == []

    asyncio.run(talk())
    assert COUNTERS.value("radius_dropped", reason="error") == before
