"""Log-ins by MAC address and by line: only where the NAS may, and only the station itself."""

import pytest

from demarc.domains.errors import Conflict, Invalid
from demarc.protocols.eap.mschapv2 import Op, encode_response
from demarc.protocols.eap.packet import Code as EapCode
from demarc.protocols.eap.packet import Packet as EapPacket
from demarc.protocols.eap.packet import Type
from demarc.protocols.eap.packet import decode as decode_eap
from demarc.protocols.radius.dictionary import DICTIONARY
from demarc.protocols.radius.mschap import Response2, nt_hash, nt_response2
from demarc.protocols.radius.packet import Code
from demarc.protocols.radius.password import chap_response
from support.eap_peer import identity, md5_response, nak
from support.house import NAS_SECRET, build
from support.radius_process import running, until

MAC = "aa:bb:cc:00:11:22"
LINE = "olt-1 xpon 0/1/0/7:42"


@pytest.fixture
async def house(db, tmp_path):
    return await build(db, tmp_path)


@pytest.fixture
async def service(house):
    return await house.service()


@pytest.fixture
async def add(house, service):
    async def add(kind, username, password=None):
        async with house.as_isp() as tx:
            return await house.aaa.add_credential(
                tx, service.id, kind=kind, username=username, password=password
            )

    return add


@pytest.fixture
async def nas(house):
    async with house.db.system() as tx:
        await house.aaa.change_nas(
            tx, house.nas, mac_authentication=True, circuit_authentication=True
        )
    async with running(house.db, house.keys) as process:
        yield process.nas(NAS_SECRET)


async def ask(nas, username, *pairs):
    return (await nas.ask(Code.ACCESS_REQUEST, [("User-Name", username), *pairs])).code


SPELLED = ["AA:BB:CC:00:11:22", "aabbcc001122", "AA-BB-CC-00-11-22", "aabb.cc00.1122"]


@pytest.mark.parametrize("spelled", SPELLED)
async def test_a_mac_in_any_spelling_with_the_passwords_nases_send(nas, add, spelled):
    assert (await add("mac", "AABB.CC00.1122")).username == MAC
    for pairs in (
        [],
        [("Service-Type", "Call-Check")],
        [("User-Password", spelled)],
        [("User-Password", spelled.lower())],
        [("User-Password", MAC.replace(":", "-"))],
        [("User-Password", b"\0")],
        [("User-Password", NAS_SECRET)],
        [("CHAP-Password", chap_response(1, spelled.encode(), b"c" * 16)),
         ("CHAP-Challenge", b"c" * 16)],
        [("Calling-Station-Id", "aa-bb-cc-00-11-22")],
    ):  # fmt: skip
        assert await ask(nas, spelled, *pairs) == Code.ACCESS_ACCEPT, pairs
    for pairs in (
        [("User-Password", "guess")],
        [("User-Password", "aa:bb:cc:00:11:23")],
        [("CHAP-Password", chap_response(1, b"guess", b"c" * 16)), ("CHAP-Challenge", b"c" * 16)],
        # a station that says another's MAC is its name
        [("Calling-Station-Id", "aa-bb-cc-00-11-33")],
        # what is typed at a PPP dial-in is a name
        [("Framed-Protocol", "PPP"), ("User-Password", spelled)],
    ):
        assert await ask(nas, spelled, *pairs) == Code.ACCESS_REJECT, pairs


async def test_a_station_known_by_its_mac_is_not_told_to_speak_ppp(nas, add):
    await add("mac", MAC)

    reply = await nas.ask(Code.ACCESS_REQUEST, [("User-Name", MAC)])

    assert reply.code == Code.ACCESS_ACCEPT
    assert reply.get(DICTIONARY["Service-Type"]) == 2
    assert reply.get(DICTIONARY["Framed-Protocol"]) is None


async def test_a_mac_with_a_password_of_its_own_needs_it(nas, add):
    await add("mac", MAC, "of the hotspot")
    assert await ask(nas, MAC) == Code.ACCESS_REJECT
    assert await ask(nas, MAC, ("User-Password", MAC)) == Code.ACCESS_REJECT
    assert await ask(nas, MAC, ("User-Password", "of the hotspot")) == Code.ACCESS_ACCEPT


async def test_no_mac_logs_in_on_a_nas_that_may_not(house, add):
    await add("mac", MAC)
    async with running(house.db, house.keys) as process:
        nas = process.nas(NAS_SECRET)
        assert await ask(nas, MAC, ("User-Password", MAC)) == Code.ACCESS_REJECT


async def test_a_line_is_known_by_what_the_access_node_says(nas, add):
    await add("circuit_id", LINE)
    circuit = ("ADSL-Agent-Circuit-Id", LINE.encode())
    assert await ask(nas, "aa:bb:cc:99:99:99", circuit) == Code.ACCESS_ACCEPT
    assert await ask(nas, LINE, ("User-Password", LINE)) == Code.ACCESS_ACCEPT
    assert await ask(nas, LINE + "1") == Code.ACCESS_REJECT
    other = ("ADSL-Agent-Circuit-Id", b"olt-1 xpon 0/1/0/7:43")
    assert await ask(nas, "anything", other) == Code.ACCESS_REJECT


async def test_who_dials_in_from_a_known_line_still_needs_the_password(house, nas, add, service):
    await add("circuit_id", LINE)
    async with house.as_isp() as tx:
        status = await house.aaa.radius_status(tx, service.id)
    pairs = [("Framed-Protocol", "PPP"), ("ADSL-Agent-Circuit-Id", LINE.encode())]
    assert await ask(nas, status.username, *pairs, ("User-Password", "guess")) == Code.ACCESS_REJECT
    right = ("User-Password", status.password)
    assert await ask(nas, status.username, *pairs, right) == Code.ACCESS_ACCEPT


async def test_a_mac_is_one_isps_until_it_is_taken_away(house, nas, add, service):
    made = await add("mac", MAC)
    other = await house.service(of=house.other_isp)
    with pytest.raises(Conflict):
        async with house.as_other_isp() as tx:
            await house.aaa.add_credential(tx, other.id, kind="mac", username=MAC.upper())
    with pytest.raises(Conflict):
        await add("mac", MAC)
    assert await ask(nas, MAC) == Code.ACCESS_ACCEPT
    async with house.as_isp() as tx:
        await house.aaa.remove_credential(tx, made)
        await house.aaa.set_access(tx, service.id, "suspended")
        await house.aaa.set_access(tx, service.id, "allowed")

    async def refused():
        return await ask(nas, MAC) == Code.ACCESS_REJECT

    await until(refused)
    async with house.as_other_isp() as tx:
        await house.aaa.add_credential(tx, other.id, kind="mac", username=MAC)

    async def accepted():
        return await ask(nas, MAC) == Code.ACCESS_ACCEPT

    await until(accepted)


async def test_what_was_taken_away_may_come_back(nas, add, house):
    made = await add("mac", MAC)
    async with house.as_isp() as tx:
        await house.aaa.remove_credential(tx, made)
    assert (await add("mac", MAC)).id == made.id
    assert await ask(nas, MAC) == Code.ACCESS_ACCEPT


async def test_a_service_keeps_its_last_credential(house, service):
    async with house.as_isp() as tx:
        (only,) = await house.aaa.credentials_of(tx, service.id)
        with pytest.raises(Conflict):
            await house.aaa.remove_credential(tx, only)


async def test_what_is_no_mac_is_refused(add):
    with pytest.raises(Invalid):
        await add("mac", "aa:bb:cc")


async def test_a_suspended_service_lets_no_mac_in(house, nas, add, service):
    await add("mac", MAC)
    async with house.as_isp() as tx:
        await house.aaa.set_access(tx, service.id, "suspended")

    async def refused():
        reply = await nas.ask(Code.ACCESS_REQUEST, [("User-Name", MAC)])
        return reply.text(DICTIONARY["Reply-Message"]) == "service suspended"

    await until(refused)


async def test_a_switch_speaks_eap_for_a_station_that_does_not(nas, add):
    await add("mac", MAC)

    async def speak(station, kind, answer):
        pairs = [("User-Name", SPELLED[0]), *station]
        asked = await nas.ask(Code.ACCESS_REQUEST, [*pairs, ("EAP-Message", identity(SPELLED[0]))])
        if kind != Type.MD5:
            pairs.append(("State", asked.value(DICTIONARY["State"])))
            wanted = nak(asked.get(DICTIONARY["EAP-Message"]), kind)
            asked = await nas.ask(Code.ACCESS_REQUEST, [*pairs, ("EAP-Message", wanted)])
            pairs.pop()
        pairs.append(("State", asked.value(DICTIONARY["State"])))
        said = answer(asked.get(DICTIONARY["EAP-Message"]))
        return await nas.ask(Code.ACCESS_REQUEST, [*pairs, ("EAP-Message", said)])

    def by_md5(request):
        return md5_response(request, SPELLED[0].encode())

    def by_ms_chap(request):
        asked = decode_eap(request)
        challenge, peer = asked.data[5:21], bytes(16)
        name = SPELLED[0].encode()
        answer = nt_response2(peer, challenge, name, nt_hash(name))
        data = encode_response(asked.identifier, Response2(asked.identifier, peer, answer), name)
        return EapPacket(EapCode.RESPONSE, asked.identifier, Type.MSCHAPV2, data).encode()

    own = [("Calling-Station-Id", "aa-bb-cc-00-11-22")]
    other = [("Calling-Station-Id", "aa-bb-cc-00-11-33")]
    assert (await speak(own, Type.MD5, by_md5)).code == Code.ACCESS_ACCEPT
    assert (await speak(other, Type.MD5, by_md5)).code == Code.ACCESS_REJECT
    # without a Calling-Station-Id anybody could say so
    assert (await speak([], Type.MD5, by_md5)).code == Code.ACCESS_REJECT
    # there is no password to prove to the station
    failed = await speak(own, Type.MSCHAPV2, by_ms_chap)
    assert decode_eap(failed.get(DICTIONARY["EAP-Message"])).data[0] == Op.FAILURE
