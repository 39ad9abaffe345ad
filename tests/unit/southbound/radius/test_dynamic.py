"""Disconnect- and CoA-Requests, against a NAS of the tests on a real socket."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import msgspec
import pytest

from demarc.domains.aaa.authorisation import GARDEN, Terms
from demarc.domains.aaa.model import Nas
from demarc.domains.aaa.ports import NoAnswer, SessionKeys, Untellable
from demarc.domains.aaa.profiles import Extras
from demarc.protocols.radius.dictionary import DICTIONARY
from demarc.protocols.radius.packet import Code
from demarc.southbound.radius.dynamic import UdpSessionDriver
from support.radius_server import RadiusServer

SECRET = b"between-us"
KEYS = SessionKeys(
    username="ana@acme",
    acct_session_id="81d00001",
    nas_address="127.0.0.1",
    framed_ipv4="100.64.0.9",
    calling_station_id="AA-01",
    nas_port_id="eth1",
)


TERMS = Terms(20_000_000, 10_000_000)


def nas_of(vendor="generic", **more):
    return Nas(
        id=uuid4(),
        owner_id=uuid4(),
        network_id=uuid4(),
        pop_id=None,
        name="bng",
        prefix="127.0.0.1/32",
        vendor=vendor,
        secret=b"",
        reach="default",
        default_realm_id=None,
        counters_reversed=False,
        interim_interval=300,
        **{"coa_port": 3799, "require_message_authenticator": "auto", **more},
    )


@pytest.fixture
async def asked():
    """Start NASes that answer as told; give the driver's answer and what the NAS received."""
    started = []

    async def ask(answer, *, patience=(0.2, 0.2, 5.0), secret=SECRET, of=None, terms=None):
        nas = RadiusServer(SECRET, lambda request: answer(nas, request))
        started.append(nas)
        _, port = await nas.start()
        driver = UdpSessionDriver(patience)
        asked_of = msgspec.structs.replace(of or nas_of(), coa_port=port)
        if terms is None:
            found = await driver.disconnect(nas=asked_of, secret=secret, keys=KEYS)
        else:
            found = await driver.change(nas=asked_of, secret=secret, keys=KEYS, terms=terms)
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
    assert str(request.address(DICTIONARY["NAS-IP-Address"])) == "127.0.0.1"
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
    driver = UdpSessionDriver((0.01, 0.01))
    with pytest.raises(NoAnswer):
        await driver.disconnect(nas=nas_of(coa_port=unused_udp_port), secret=SECRET, keys=KEYS)


@pytest.mark.parametrize(
    ("vendor", "keys"),
    [
        ("mikrotik", {"User-Name", "Acct-Session-Id", "Framed-IP-Address"}),
        ("huawei", {"User-Name", "Acct-Session-Id"}),
        ("juniper", {"Acct-Session-Id"}),
        ("cisco", {"Acct-Session-Id"}),
        ("nokia", {"Acct-Session-Id", "NAS-Port-Id", "Framed-IP-Address"}),
        ("zte", {"User-Name", "Acct-Session-Id"}),
        ("accel-ppp", {"User-Name", "Acct-Session-Id"}),
    ],
)
async def test_a_change_names_the_session_by_what_its_make_looks_for(asked, vendor, keys):
    answer, (request,) = await asked(
        lambda nas, packet: nas.reply(packet, Code.COA_ACK), of=nas_of(vendor), terms=TERMS
    )
    assert (answer.code, answer.acknowledged) == ("CoA-ACK", True)
    assert request.code == Code.COA_REQUEST
    names = {"User-Name", "Acct-Session-Id", "Framed-IP-Address", "NAS-IP-Address"}
    names |= {"Calling-Station-Id", "NAS-Port-Id"}
    assert {name for name in names if request.value(DICTIONARY[name]) is not None} == keys
    assert request.get(DICTIONARY["Event-Timestamp"]) is not None


async def test_a_change_says_speed_and_end_as_the_make_understands_them(asked):
    _, (request,) = await asked(
        lambda nas, packet: nas.reply(packet, Code.COA_ACK),
        of=nas_of("mikrotik"),
        terms=Terms(2_000_000, 1_000_000, 600, GARDEN, "quota used up", Extras(filter="unpaid")),
    )
    assert request.text(DICTIONARY["MikroTik-Rate-Limit"]) == "1000000/2000000"
    assert request.text(DICTIONARY["MikroTik-Address-List"]) == "unpaid"
    assert request.number(DICTIONARY["Session-Timeout"]) == 600


async def test_a_make_without_words_for_a_speed_is_not_asked(asked):
    with pytest.raises(Untellable, match="generic"):
        await asked(lambda _nas, _packet: None, terms=TERMS)


async def test_a_nas_that_never_signs_is_not_sent_signatures(asked):
    _, (request,) = await asked(
        lambda nas, packet: nas.reply(packet, Code.DISCONNECT_ACK),
        of=nas_of(require_message_authenticator="no"),
    )
    assert not request.signature


async def test_a_refused_change_carries_its_cause(asked):
    answer, _ = await asked(
        lambda nas, packet: nas.reply(packet, Code.COA_NAK, (DICTIONARY["Error-Cause"], 401)),
        of=nas_of("zte"),
        terms=TERMS,
    )
    assert (answer.code, answer.error_cause_name) == ("CoA-NAK", "Unsupported-Attribute")
