from functools import partial
from typing import Any

import pytest

from demarc.lab.nas import Habits, Limits, Nas, Walls
from demarc.lab.nas.client import Client
from demarc.protocols.radius.dictionary import DICTIONARY
from demarc.protocols.radius.packet import Code, Packet
from demarc.protocols.radius.request import encode_request
from support.radius_isp import ANA, PATIENT, SECRET, Clock, Isp, of, online


def request(code: Code, *named: tuple[str, Any], identifier: int = 0) -> bytes:
    return encode_request(
        code, identifier, [(DICTIONARY[name], value) for name, value in named], SECRET
    )


async def send(nas: Nas, octets: bytes) -> Packet:
    client = Client(nas.coa_address, SECRET, retry=PATIENT)
    try:
        return await client.ask(lambda _: octets)
    finally:
        client.close()


async def disconnect(nas: Nas, *named: tuple[str, Any]) -> Packet:
    return await send(nas, request(Code.DISCONNECT_REQUEST, *named))


async def get_no_answer(nas: Nas, octets: bytes) -> None:
    """Send octets, then what is answered: what came before it must have been dropped."""
    client = Client(nas.coa_address, SECRET, retry=PATIENT)
    probe = partial(request, Code.DISCONNECT_REQUEST, ("User-Name", "nobody"))
    first = await client.ask(lambda identifier: probe(identifier=identifier))
    client._sockets[0].transport.sendto(octets)
    answer = await client.ask(lambda identifier: probe(identifier=identifier))
    assert of(first, "Error-Cause") == of(answer, "Error-Cause") == 503
    assert (client.traffic.answered, client.traffic.unasked) == (2, 0)
    assert (client.traffic.forged, client.traffic.malformed) == (0, 0)
    client.close()


@pytest.mark.parametrize(
    "keys",
    [
        ["Acct-Session-Id"],
        ["User-Name"],
        ["Framed-IP-Address"],
        ["Calling-Station-Id"],
        ["NAS-Port", "NAS-Port-Id"],
        ["Acct-Session-Id", "User-Name", "Framed-IP-Address", "NAS-IP-Address", "NAS-Identifier"],
    ],
)
async def test_disconnect(isp: Isp, nas: Nas, keys: list[str]) -> None:
    session = await online(nas)
    (start,) = isp.reports
    answer = await disconnect(nas, *((key, of(start, key)) for key in keys))
    assert answer.code == Code.DISCONNECT_ACK
    assert await session.wait_ended() == "Admin-Reset"
    await session.wait_closed()
    assert isp.statuses == ["Start", "Stop"]
    assert of(isp.reports[-1], "Acct-Terminate-Cause") == 6


@pytest.mark.parametrize(
    ("other", "value"),
    [
        ("Acct-Session-Id", "00000000"),
        ("User-Name", "bob@isp.example"),
        ("Framed-IP-Address", "100.64.0.10"),
        ("Calling-Station-Id", "02:00:00:00:00:00"),
    ],
)
async def test_every_key_must_match(isp: Isp, nas: Nas, other: str, value: str) -> None:
    session = await online(nas)
    keys: dict[str, Any] = {"Acct-Session-Id": session.id, "User-Name": ANA, other: value}
    answer = await disconnect(nas, *keys.items())
    assert answer.code == Code.DISCONNECT_NAK
    assert of(answer, "Error-Cause") == 503
    assert session.up


@pytest.mark.parametrize(
    ("named", "cause"),
    [
        ([("User-Name", ANA), ("NAS-IP-Address", "192.0.2.99")], 403),
        ([("User-Name", ANA), ("NAS-Identifier", "bng-2")], 403),
        ([("NAS-Identifier", "bng-1")], 402),
        ([("User-Name", ANA), ("Session-Timeout", 5)], 401),
        ([("User-Name", "bob")], 503),
    ],
)
async def test_what_is_refused(nas: Nas, named: list[tuple[str, Any]], cause: int) -> None:
    session = await online(nas)
    answer = await disconnect(nas, *named)
    assert (answer.code, of(answer, "Error-Cause")) == (Code.DISCONNECT_NAK, cause)
    assert session.up


async def test_a_key_that_cannot_be_read(nas: Nas) -> None:
    session = await online(nas)
    user_name = b"\x01" + bytes((len(ANA) + 2,)) + ANA.encode()
    octets = encode_request(Code.DISCONNECT_REQUEST, 0, user_name + b"\x08\x03\x64", SECRET)
    answer = await send(nas, octets)
    assert (answer.code, of(answer, "Error-Cause")) == (Code.DISCONNECT_NAK, 404)
    assert session.up


async def test_proxy_state_comes_back(nas: Nas) -> None:
    answer = await disconnect(nas, ("User-Name", "bob"), ("Proxy-State", b"via"))
    assert of(answer, "Proxy-State") == b"via"


async def test_one_name_many_sessions(nas: Nas) -> None:
    sessions = [await online(nas) for _ in range(3)]
    answer = await disconnect(nas, ("User-Name", ANA))
    assert answer.code == Code.DISCONNECT_ACK
    assert [session.cause for session in sessions] == ["Admin-Reset"] * 3


async def test_a_repeated_request_gets_the_same_answer(nas: Nas) -> None:
    session = await online(nas)
    octets = request(Code.DISCONNECT_REQUEST, ("User-Name", ANA))
    client = Client(nas.coa_address, SECRET, retry=PATIENT)
    first = await client.ask(lambda _: octets)
    client._sockets[0]._next = 0  # the same Identifier from the same port
    again = await client.ask(lambda _: octets)
    client.close()
    assert first.raw == again.raw
    assert first.code == Code.DISCONNECT_ACK
    assert nas.refusals.repeated == 1
    assert session.cause == "Admin-Reset"


async def test_another_secret_is_not_answered(nas: Nas) -> None:
    session = await online(nas)
    forged = encode_request(Code.DISCONNECT_REQUEST, 0, [(DICTIONARY["User-Name"], ANA)], b"other")
    await get_no_answer(nas, forged)
    assert nas.refusals.forged == 1
    assert session.up


async def test_no_radius_is_not_answered(nas: Nas) -> None:
    await get_no_answer(nas, b"GET / HTTP/1.0\r\n\r\n")
    assert nas.refusals.malformed == 1


@pytest.mark.parametrize(
    ("away", "heard"), [(299, True), (-299, True), (301, False), (-301, False)]
)
async def test_an_old_or_future_request_is_not_answered(
    nas: Nas, clock: Clock, away: float, heard: bool
) -> None:
    session = await online(nas)
    moment = ("Event-Timestamp", clock())
    clock.pass_(away)
    octets = request(Code.DISCONNECT_REQUEST, ("User-Name", ANA), moment)
    if heard:
        assert (await send(nas, octets)).code == Code.DISCONNECT_ACK
    else:
        await get_no_answer(nas, octets)
        assert nas.refusals.outdated == 1
    assert session.up is not heard


async def test_coa_changes_the_rates(nas: Nas) -> None:
    session = await online(nas)
    keys = ("Acct-Session-Id", session.id), ("MikroTik-Rate-Limit", "10M/20M")
    answer = await send(nas, request(Code.COA_REQUEST, *keys))
    assert answer.code == Code.COA_ACK
    assert session.up
    assert session.limits == Limits(10_000_000, 20_000_000)


@pytest.mark.parametrize(
    ("named", "cause"),
    [
        ([("User-Name", "bob"), ("MikroTik-Rate-Limit", "1M/1M")], 503),
        ([("User-Name", ANA), ("MikroTik-Rate-Limit", "fast")], 407),
        ([("User-Name", ANA), ("Huawei-Output-Average-Rate", 1000)], 401),
        ([("MikroTik-Rate-Limit", "1M/1M")], 402),
    ],
)
async def test_coa_that_is_refused(nas: Nas, named: list[tuple[str, Any]], cause: int) -> None:
    session = await online(nas)
    limits = session.limits
    answer = await send(nas, request(Code.COA_REQUEST, *named))
    assert (answer.code, of(answer, "Error-Cause")) == (Code.COA_NAK, cause)
    assert session.limits == limits


async def test_what_is_neither_disconnect_nor_coa(isp: Isp, nas: Nas) -> None:
    await get_no_answer(nas, request(Code.ACCESS_REQUEST, ("User-Name", ANA)))
    assert nas.refusals.unexpected == 1


async def test_a_port_already_taken(isp: Isp, nas: Nas) -> None:
    other = isp.nas(coa_port=nas.coa_address[1])
    with pytest.raises(OSError, match=r"in use"):
        await other.start()
    await other.stop()


async def test_before_it_is_started_there_is_no_port(isp: Isp) -> None:
    with pytest.raises(RuntimeError):
        _ = isp.nas().coa_address


async def coa(nas: Nas, *named: tuple[str, Any]) -> Packet:
    return await send(nas, request(Code.COA_REQUEST, *named))


@pytest.mark.parametrize(
    ("make", "given", "walls"),
    [
        ("mikrotik", ("MikroTik-Address-List", "unpaid"), Walls(filter="unpaid")),
        ("mikrotik", ("WISPr-Redirection-URL", "http://a/"), Walls(redirect="http://a/")),
        ("huawei", ("Huawei-HTTP-Redirect-URL", "http://a/"), Walls(redirect="http://a/")),
        ("juniper", ("Filter-Id", "unpaid"), Walls(filter="unpaid")),
        ("cisco", ("Cisco-AVPair", "url-redirect=http://a/"), Walls(redirect="http://a/")),
        ("nokia", ("Alc-SLA-Prof-Str", "unpaid"), Walls(filter="unpaid")),
    ],
)
async def test_a_change_walls_a_session_in(
    isp: Isp, make: Any, given: tuple[str, str], walls: Walls
) -> None:
    nas = isp.nas(vendor=make)
    await nas.start()
    session = await online(nas)
    answer = await coa(nas, ("Acct-Session-Id", session.id), given)
    assert answer.code == Code.COA_ACK
    assert session.walls == walls
    await nas.stop()


async def test_an_accept_walls_a_session_in(isp: Isp, nas: Nas) -> None:
    isp.granted.append(("MikroTik-Address-List", "unpaid"))
    assert (await online(nas)).walls == Walls(filter="unpaid")


@pytest.mark.parametrize("make", ["huawei", "juniper", "cisco", "nokia", "zte"])
async def test_makes_that_find_sessions_by_their_id_take_nothing_else(isp: Isp, make: Any) -> None:
    nas = isp.nas(vendor=make)
    await nas.start()
    session = await online(nas)
    answer = await coa(nas, ("User-Name", ANA), ("Session-Timeout", 60))
    assert (answer.code, of(answer, "Error-Cause")) == (Code.COA_NAK, 402)
    assert (await coa(nas, ("Acct-Session-Id", session.id), ("Session-Timeout", 60))).code == (
        Code.COA_ACK
    )
    await nas.stop()


async def test_a_filter_it_does_not_have_is_refused(isp: Isp) -> None:
    nas = isp.nas(habits=Habits(filters=frozenset({"unpaid"})))
    await nas.start()
    session = await online(nas)
    answer = await coa(nas, ("User-Name", ANA), ("MikroTik-Address-List", "other"))
    assert of(answer, "Error-Cause") == 407
    assert session.walls == Walls()
    await nas.stop()


async def test_one_that_takes_no_changes_still_ends_sessions(isp: Isp) -> None:
    nas = isp.nas(habits=Habits(changes=False))
    await nas.start()
    session = await online(nas)
    answer = await coa(nas, ("User-Name", ANA), ("MikroTik-Rate-Limit", "1M/2M"))
    assert of(answer, "Error-Cause") == 406
    assert (await disconnect(nas, ("User-Name", ANA))).code == Code.DISCONNECT_ACK
    assert await session.wait_ended() == "Admin-Reset"
    await nas.stop()


async def test_a_change_may_set_when_a_session_ends(isp: Isp, nas: Nas) -> None:
    session = await online(nas)
    assert (await coa(nas, ("User-Name", ANA), ("Session-Timeout", 0))).code == Code.COA_ACK
    assert await session.wait_ended() == "Session-Timeout"
