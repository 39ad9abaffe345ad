"""Disconnect-Requests, against a NAS of the tests on a real socket."""

from datetime import UTC, datetime, timedelta

import pytest

from demarc.domains.aaa.ports import NoAnswer, SessionKeys
from demarc.protocols.radius.dictionary import DICTIONARY
from demarc.protocols.radius.packet import Code
from demarc.southbound.radius.disconnect import UdpDisconnectDriver
from support.radius_server import RadiusServer

SECRET = b"between-us"
KEYS = SessionKeys(
    username="ana@acme",
    acct_session_id="81d00001",
    nas_address="192.0.2.1",
    framed_ipv4="100.64.0.9",
    calling_station_id="AA-01",
    nas_port_id="eth1",
)


@pytest.fixture
async def asked():
    """Start NASes that answer as told; give the driver's answer and what the NAS received."""
    started = []

    async def ask(answer, *, patience=(0.2, 0.2, 5.0), secret=SECRET):
        nas = RadiusServer(SECRET, lambda request: answer(nas, request))
        started.append(nas)
        host, port = await nas.start()
        driver = UdpDisconnectDriver(patience)
        found = await driver.disconnect(address=host, port=port, secret=secret, keys=KEYS)
        return found, nas.received

    yield ask
    for nas in started:
        nas.stop()


async def test_the_request_names_the_session_in_every_way_a_nas_may_look_for(asked):
    answer, (request,) = await asked(lambda nas, packet: nas.reply(packet, Code.DISCONNECT_ACK))
    assert answer.acknowledged
    assert answer.attempts == 1
    assert request.code == Code.DISCONNECT_REQUEST
    assert request.text(DICTIONARY["User-Name"]) == "ana@acme"
    assert request.text(DICTIONARY["Acct-Session-Id"]) == "81d00001"
    assert str(request.address(DICTIONARY["Framed-IP-Address"])) == "100.64.0.9"
    assert str(request.address(DICTIONARY["NAS-IP-Address"])) == "192.0.2.1"
    assert request.text(DICTIONARY["Calling-Station-Id"]) == "AA-01"
    stamped = request.get(DICTIONARY["Event-Timestamp"])
    assert abs(datetime.now(UTC) - stamped) < timedelta(minutes=1)
    assert request.signature  # Message-Authenticator


async def test_a_refusal_carries_its_cause(asked):
    answer, _ = await asked(
        lambda nas, packet: nas.reply(packet, Code.DISCONNECT_NAK, (DICTIONARY["Error-Cause"], 503))
    )
    assert not answer.acknowledged
    assert (answer.error_cause, answer.error_cause_name) == (503, "Session-Context-Not-Found")


async def test_a_lost_request_is_sent_again_unchanged(asked):
    seen = []

    def deaf_at_first(nas, packet):
        seen.append(packet)
        return nas.reply(packet, Code.DISCONNECT_ACK) if len(seen) > 2 else None

    answer, received = await asked(deaf_at_first)
    assert answer.attempts == 3
    assert len({packet.raw for packet in received}) == 1


async def test_an_answer_that_is_not_the_nass_does_not_count(asked):
    def forged_then_real(nas, packet):
        from demarc.protocols.radius.reply import encode_reply

        host, port = nas.senders[-1]
        nas._transport.sendto(
            encode_reply(packet, Code.DISCONNECT_ACK, [], b"of a forger"), (host, port)
        )
        nas._transport.sendto(b"noise", (host, port))
        return nas.reply(packet, Code.DISCONNECT_NAK)

    answer, _ = await asked(forged_then_real)
    assert not answer.acknowledged


async def test_silence_is_said_at_last(asked):
    with pytest.raises(NoAnswer, match="no answer from"):
        await asked(lambda _nas, _packet: None, patience=(0.01, 0.01))


async def test_a_closed_port_is_silence(unused_udp_port):
    driver = UdpDisconnectDriver((0.01, 0.01))
    with pytest.raises(NoAnswer):
        await driver.disconnect(address="127.0.0.1", port=unused_udp_port, secret=SECRET, keys=KEYS)
