"""Proxying by realm: what a NAS, the ISP's own AAA and the network's owner would notice."""

import contextlib
import socket

import pytest

from demarc.domains.aaa.proxying import ALLOWED, NewServer
from demarc.platform.telemetry.counters import COUNTERS
from demarc.protocols.radius.dictionary import DICTIONARY
from demarc.protocols.radius.packet import Code
from demarc.protocols.radius.password import decrypt_pap, decrypt_salted, verify_chap
from demarc.southbound.radius.limits import Limits
from support.authority import Authority
from support.house import NAS_SECRET, build
from support.radius_process import running, until
from support.radius_server import RadiusServer
from support.radsec_home import RadsecHome

SECRET = b"of-the-home-server"
LIMITS = Limits(proxy_probe=0.2)
OURS = b"Demarc"


def named(*pairs):
    return [(DICTIONARY[name], value) for name, value in pairs]


class Home:
    """An ISP's AAA: it knows Ana, and acknowledges accounting."""

    def __init__(self, extra=(), secret=SECRET):
        self.extra = list(extra)
        self.silent = False
        self.server = RadiusServer(secret, self.answer)

    def answer(self, packet):
        if self.silent:
            return None
        if packet.code == Code.STATUS_SERVER:
            return self.server.reply(packet, Code.ACCESS_ACCEPT)
        if packet.code == Code.ACCOUNTING_REQUEST:
            return self.server.reply(packet, Code.ACCOUNTING_RESPONSE)
        if packet.text(DICTIONARY["State"]) == "round 1":
            return self.server.reply(packet, Code.ACCESS_ACCEPT, *named(*self.extra))
        if packet.value(DICTIONARY["EAP-Message"]) is not None:
            return self.server.reply(
                packet,
                Code.ACCESS_CHALLENGE,
                *named(("State", b"round 1"), ("EAP-Message", b"more")),
            )
        code = Code.ACCESS_ACCEPT if self.knows(packet) else Code.ACCESS_REJECT
        return self.server.reply(packet, code, *named(*self.extra))

    def knows(self, packet):
        hidden = packet.value(DICTIONARY["User-Password"])
        if hidden is None:
            return verify_chap(packet, b"of-ana")
        return decrypt_pap(hidden, self.server.secret, packet.authenticator) == b"of-ana"

    def got(self, code):
        return [packet for packet in self.server.received if packet.code == code]


@pytest.fixture
async def house(db, tmp_path):
    return await build(db, tmp_path)


@pytest.fixture
async def homes():
    made = [Home(), Home()]
    for home in made:
        await home.server.start()
    yield made
    for home in made:
        home.server.stop()


def given(home, name="aaa-1", **more):
    host, port = home.server.address
    chosen = {"auth_port": port, "acct_port": port, "secret": SECRET.decode(), "timeout_ms": 400}
    return NewServer(name=name, address=host, **{**chosen, **more})


async def proxied(house, *servers, realm="acme", **more):
    async with house.db.system() as tx:
        (found,) = [one for one in await house.aaa.realms(tx, house.isp.id) if one.name == realm]
        await house.aaa.proxies.put(tx, found, servers, **more)


def told(session="s1", **more):
    return {
        "User-Name": "ana@acme",
        "Acct-Status-Type": "Start",
        "Acct-Session-Id": session,
        **more,
    }


def dropped(reason):
    return COUNTERS.value("radius_dropped", reason=reason)


async def test_a_login_is_the_isps_to_answer(house, homes):
    await proxied(house, given(homes[0]))
    async with running(house.db, house.keys, LIMITS) as process:
        nas = process.nas(NAS_SECRET)
        for chap in (False, True):
            reply = await nas.login("ana@acme", "of-ana", chap=chap)
            assert reply.code == Code.ACCESS_ACCEPT
            assert reply.raw[20] == 80
        assert (await nas.login("ana@acme", "guess")).code == Code.ACCESS_REJECT
        pairs = [("User-Name", "ana@acme"), ("User-Password", "of-ana"), ("Proxy-State", b"nas's")]
        reply = await nas.ask(Code.ACCESS_REQUEST, pairs)
        assert reply.values(DICTIONARY["Proxy-State"]) == [b"nas's"]
        first, second = homes[0].got(Code.ACCESS_REQUEST)[-1].values(DICTIONARY["Proxy-State"])
        assert (first, second[:6]) == (b"nas's", OURS)
        # another realm is still ours, and so is a log-in of no realm
        assert (await nas.login("ana@beta", "of-ana")).code == Code.ACCESS_REJECT
        assert len(homes[0].got(Code.ACCESS_REQUEST)) == 4
        # and so is this one, once nobody else answers for it
        await proxied(house)
        service = await house.service()
        async with house.as_isp() as tx:
            status = await house.aaa.radius_status(tx, service.id)

        async def ours():
            reply = await nas.login(status.username, status.password)
            return reply.code == Code.ACCESS_ACCEPT

        await until(ours)


async def test_an_accept_may_tell_the_nas_only_what_is_allowed(house, homes):
    homes[0].extra = [
        ("Framed-IP-Address", "198.51.100.7"),
        ("MikroTik-Rate-Limit", "1G/1G"),
        ("Filter-Id", "everything"),
        ("Service-Type", 6),
        ("Acct-Interim-Interval", 1),
        ("Class", b"isp's own"),
        ("Class", b"D\x01" + bytes(16)),
        ("MS-MPPE-Send-Key", b"k" * 32),
        ("Reply-Message", "welcome"),
    ]
    await proxied(house, given(homes[0]))
    async with running(house.db, house.keys, LIMITS) as process:
        nas = process.nas(NAS_SECRET)
        octets = nas.send(
            Code.ACCESS_REQUEST, [("User-Name", "ana@acme"), ("User-Password", "of-ana")]
        )
        reply = await nas.answer(octets)
        assert str(reply.address(DICTIONARY["Framed-IP-Address"])) == "198.51.100.7"
        assert reply.value(DICTIONARY["MikroTik-Rate-Limit"]) is None
        assert reply.value(DICTIONARY["Filter-Id"]) is None
        assert reply.values(DICTIONARY["Class"]) == [b"isp's own"]
        assert reply.number(DICTIONARY["Service-Type"]) == 2
        assert reply.number(DICTIONARY["Acct-Interim-Interval"]) == 300
        key = reply.value(DICTIONARY["MS-MPPE-Send-Key"])
        assert decrypt_salted(key, NAS_SECRET.encode(), octets[4:20]) == b"k" * 32

        await proxied(house, given(homes[0]), allowed=["MikroTik-Rate-Limit"])

        async def changed():
            reply = await nas.login("ana@acme", "of-ana")
            return reply.text(DICTIONARY["MikroTik-Rate-Limit"]) == "1G/1G" and (
                reply.value(DICTIONARY["Framed-IP-Address"]) is None
            )

        await until(changed)


async def test_the_next_home_server_answers_where_the_first_is_silent(house, homes):
    await proxied(
        house,
        given(homes[0], priority=1),
        given(homes[1], "aaa-2", priority=2),
    )
    async with running(house.db, house.keys, LIMITS) as process:
        nas = process.nas(NAS_SECRET)
        assert (await nas.login("ana@acme", "of-ana")).code == Code.ACCESS_ACCEPT
        assert homes[1].server.received == []
        homes[0].silent = True
        for _ in range(3):
            assert (await nas.login("ana@acme", "of-ana")).code == Code.ACCESS_ACCEPT
        await until(lambda: process.server.status().home_servers_dead == 1)
        # a dead one is not asked, but probed
        asked = len(homes[0].got(Code.ACCESS_REQUEST))
        assert (await nas.login("ana@acme", "of-ana")).code == Code.ACCESS_ACCEPT
        assert len(homes[0].got(Code.ACCESS_REQUEST)) == asked
        homes[0].silent = False
        await until(lambda: process.server.status().home_servers_dead == 0)
        assert homes[0].got(Code.STATUS_SERVER) != []
        assert (await nas.login("ana@acme", "of-ana")).code == Code.ACCESS_ACCEPT
        assert len(homes[0].got(Code.ACCESS_REQUEST)) == asked + 1


async def test_a_lost_packet_is_sent_again_as_it_was(house, homes):
    lost = []

    def lose_first(packet):
        if packet.code == Code.ACCESS_REQUEST and not lost:
            lost.append(packet)
            return None
        return homes[0].answer(packet)

    homes[0].server.answer = lose_first
    await proxied(house, given(homes[0]))
    async with running(house.db, house.keys, LIMITS) as process:
        reply = await process.nas(NAS_SECRET).login("ana@acme", "of-ana")
        assert reply.code == Code.ACCESS_ACCEPT
        first, second = homes[0].got(Code.ACCESS_REQUEST)
        assert first.raw == second.raw


async def test_nobody_answers_is_silence_and_the_nas_may_ask_again(house, homes):
    await proxied(house, given(homes[0], timeout_ms=100))
    homes[0].silent = True
    async with running(house.db, house.keys, LIMITS) as process:
        nas = process.nas(NAS_SECRET)
        before = dropped("no home server answers")
        octets = nas.send(
            Code.ACCESS_REQUEST, [("User-Name", "ana@acme"), ("User-Password", "of-ana")]
        )
        await until(lambda: dropped("no home server answers") == before + 1)
        homes[0].silent = False
        # the same packet is a new request
        nas.send_octets(octets)
        assert (await nas.answer(octets)).code == Code.ACCESS_ACCEPT
        assert process.server.status().proxied == 0


async def test_a_forged_reply_does_not_count(house, homes):
    wrong = RadiusServer(b"another secret", lambda _: None)

    def forge(packet):
        genuine = homes[0].answer(packet)
        homes[0].server.send(wrong.reply(packet, Code.ACCESS_ACCEPT), homes[0].server.senders[-1])
        return genuine

    homes[0].server.answer = forge
    await proxied(house, given(homes[0]))
    async with running(house.db, house.keys, LIMITS) as process:
        reply = await process.nas(NAS_SECRET).login("ana@acme", "guess")
        assert reply.code == Code.ACCESS_REJECT
        assert COUNTERS.value("radius_proxy", kind="forged") > 0


async def test_accounting_is_acknowledged_when_the_isp_has_and_not_booked_here(house, homes):
    service = await house.service()
    await proxied(house, given(homes[0], timeout_ms=100))
    async with running(house.db, house.keys, LIMITS) as process:
        nas = process.nas(NAS_SECRET)
        homes[0].silent = True
        before = dropped("no home server answers")
        octets = nas.send(Code.ACCOUNTING_REQUEST, list(told().items()))
        await until(lambda: dropped("no home server answers") == before + 1)
        assert not nas.answered(octets)
        homes[0].silent = False
        nas.send_octets(octets)
        assert (await nas.answer(octets)).code == Code.ACCOUNTING_RESPONSE
        # again: the NAS gets the same answer, the ISP is not asked twice
        asked = len(homes[0].got(Code.ACCOUNTING_REQUEST))
        nas.send_octets(octets)
        await nas.answer(octets)
        assert len(homes[0].got(Code.ACCOUNTING_REQUEST)) == asked
    async with house.as_isp() as tx:
        assert (await house.aaa.radius_status(tx, service.id)).sessions == []


async def test_accounting_can_be_booked_here_as_well_and_once(house, homes):
    service = await house.service()
    async with house.as_isp() as tx:
        username = (await house.aaa.radius_status(tx, service.id)).username
    await proxied(house, given(homes[0]), books_locally=True)
    async with running(house.db, house.keys, LIMITS) as process:
        nas = process.nas(NAS_SECRET)
        for status, octets in (("Start", 0), ("Interim-Update", 500), ("Interim-Update", 500)):
            reply = await nas.account(status, username, "s1", Acct_Output_Octets=octets)
            assert reply.code == Code.ACCOUNTING_RESPONSE
        assert len(homes[0].got(Code.ACCOUNTING_REQUEST)) == 3
    async with house.as_isp() as tx:
        (session,) = (await house.aaa.radius_status(tx, service.id)).sessions
    assert session.output_octets == 500


async def test_accounting_may_go_elsewhere_than_authentication(house, homes):
    await proxied(
        house,
        given(homes[0], acct_port=None),
        given(homes[1], "acct-1", auth_port=None),
    )
    async with running(house.db, house.keys, LIMITS) as process:
        nas = process.nas(NAS_SECRET)
        await nas.login("ana@acme", "of-ana")
        await nas.ask(Code.ACCOUNTING_REQUEST, list(told().items()))
    assert {packet.code for packet in homes[0].server.received} == {Code.ACCESS_REQUEST}
    assert {packet.code for packet in homes[1].server.received} == {Code.ACCOUNTING_REQUEST}


async def test_a_request_in_a_circle_is_dropped(house, homes):
    await proxied(house, given(homes[0]))
    async with running(house.db, house.keys, LIMITS) as process:
        nas = process.nas(NAS_SECRET)
        await nas.login("ana@acme", "of-ana")
        (seen,) = homes[0].got(Code.ACCESS_REQUEST)
        before, many = dropped("proxy loop"), dropped("too many proxies")
        base = [("User-Name", "ana@acme"), ("User-Password", "of-ana")]
        ours = seen.value(DICTIONARY["Proxy-State"])
        nas.send(Code.ACCESS_REQUEST, [*base, ("Proxy-State", ours)])
        nas.send(Code.ACCESS_REQUEST, base + [("Proxy-State", bytes([at])) for at in range(8)])
        await until(
            lambda: (dropped("proxy loop"), dropped("too many proxies")) == (before + 1, many + 1)
        )
    assert len(homes[0].server.received) == 1


async def test_a_conversation_stays_with_the_server_it_began_with(house, homes):
    await proxied(house, given(homes[0]), given(homes[1], "aaa-2"))
    async with running(house.db, house.keys, LIMITS) as process:
        nas = process.nas(NAS_SECRET)
        for _ in range(4):
            first = [("User-Name", "ana@acme"), ("EAP-Message", b"hello")]
            challenge = await nas.ask(Code.ACCESS_REQUEST, first)
            assert challenge.code == Code.ACCESS_CHALLENGE
            assert challenge.value(DICTIONARY["EAP-Message"]) == b"more"
            state = challenge.value(DICTIONARY["State"])
            began = [len(home.got(Code.ACCESS_REQUEST)) for home in homes]
            await nas.ask(Code.ACCESS_REQUEST, [*first, ("State", state)])
            went = [len(home.got(Code.ACCESS_REQUEST)) for home in homes]
            # States are the same here, so that the last challenge's server counts
            assert sum(went) == sum(began) + 1
        both = [home.got(Code.ACCESS_REQUEST) for home in homes]
        for received in both:
            rounds = [packet.value(DICTIONARY["State"]) is not None for packet in received]
            assert rounds == [False, True] * (len(rounds) // 2)


async def test_a_server_that_signs_must_go_on_signing(house, homes):
    unsigned = []

    def strip(packet):
        octets = homes[0].answer(packet)
        if not unsigned:
            return octets
        # a reply without Message-Authenticator, as an old server writes it
        from demarc.protocols.radius.authenticator import md5

        body = octets[38:]
        head = octets[:2] + (20 + len(body)).to_bytes(2, "big")
        return head + md5(head + packet.authenticator + body + SECRET) + body

    homes[0].server.answer = strip
    await proxied(house, given(homes[0], timeout_ms=100))
    async with running(house.db, house.keys, LIMITS) as process:
        nas = process.nas(NAS_SECRET)
        assert (await nas.login("ana@acme", "of-ana")).code == Code.ACCESS_ACCEPT
        unsigned.append(True)
        before = dropped("no home server answers")
        nas.send(Code.ACCESS_REQUEST, [("User-Name", "ana@acme"), ("User-Password", "of-ana")])
        await until(lambda: dropped("no home server answers") == before + 1)
        await proxied(house, given(homes[0], require_message_authenticator="no"))

        async def accepted():
            return (await nas.login("ana@acme", "of-ana")).code == Code.ACCESS_ACCEPT

        await until(accepted)


# -- over RadSec -----------------------------------------------------------------------------------


@contextlib.asynccontextmanager
async def radsec_home(authority, home, name="aaa.isp.example", port=0):
    files = authority.issue("home", names=(name,))

    def answer(packet):
        octets = home.answer(packet)
        if octets is None:
            return None
        return octets

    home.server.secret = b"radsec"
    made = RadsecHome(files, answer)
    address = await made.start(port)
    try:
        yield made, address
    finally:
        await made.stop()


def over_tls(address, name="aaa-1", certificate="AAA.isp.example", **more):
    chosen = {"auth_port": address[1], "acct_port": address[1], "timeout_ms": 400}
    return NewServer(
        name=name,
        address=address[0],
        transport="radsec",
        certificate=certificate,
        **{**chosen, **more},
    )


async def test_a_home_server_is_asked_over_tls_and_found_again(house, tmp_path):
    authority, home = Authority(tmp_path), Home()
    ours = authority.issue("demarc", names=("radius.wholesale.example",))
    async with radsec_home(authority, home) as (first, address):
        await proxied(house, over_tls(address))
        async with running(house.db, house.keys, LIMITS, tls=ours) as process:
            nas = process.nas(NAS_SECRET)
            assert (await nas.login("ana@acme", "of-ana")).code == Code.ACCESS_ACCEPT
            reply = await nas.ask(Code.ACCOUNTING_REQUEST, list(told().items()))
            assert reply.code == Code.ACCOUNTING_RESPONSE
            # one connection for both
            assert len(first.writers) == 1
            await first.stop()
            await until(lambda: process.server.status().home_servers_dead == 1)
            async with radsec_home(authority, home, port=address[1]) as (second, _):
                await until(lambda: process.server.status().home_servers_dead == 0)
                assert (await nas.login("ana@acme", "of-ana")).code == Code.ACCESS_ACCEPT
                assert second.received != []


async def test_what_was_under_way_on_a_lost_connection_is_asked_of_the_next(house, homes, tmp_path):
    authority, home = Authority(tmp_path), Home()
    home.silent = True
    ours = authority.issue("demarc")
    async with radsec_home(authority, home) as (first, address):
        await proxied(
            house,
            over_tls(address, priority=1, timeout_ms=60_000),
            given(homes[0], "aaa-2", priority=2),
        )
        async with running(house.db, house.keys, LIMITS, tls=ours) as process:
            await until(lambda: process.server.status().home_servers_dead == 0)
            nas = process.nas(NAS_SECRET)
            octets = nas.send(
                Code.ACCESS_REQUEST, [("User-Name", "ana@acme"), ("User-Password", "of-ana")]
            )
            await until(lambda: first.received)
            await first.stop()
            assert (await nas.answer(octets)).code == Code.ACCESS_ACCEPT


async def test_a_server_with_anothers_certificate_gets_no_requests(house, tmp_path):
    authority, home = Authority(tmp_path), Home()
    async with radsec_home(authority, home, name="other.example") as (server, address):
        await proxied(house, over_tls(address))
        async with running(house.db, house.keys, LIMITS, tls=authority.issue("demarc")) as process:
            nas = process.nas(NAS_SECRET)
            nas.send(Code.ACCESS_REQUEST, [("User-Name", "ana@acme"), ("User-Password", "x")])
            before = COUNTERS.value("radius_proxy", kind="wrong certificate")
            await until(
                lambda: COUNTERS.value("radius_proxy", kind="wrong certificate") > before + 1
            )
            assert process.server.status().home_servers_dead == 1
            assert server.received == []


async def test_without_a_certificate_of_ours_the_others_are_asked(house, homes):
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        await proxied(house, over_tls(nobody.getsockname()), given(homes[0], "aaa-2"))
        async with running(house.db, house.keys, LIMITS) as process:
            reply = await process.nas(NAS_SECRET).login("ana@acme", "of-ana")
            assert reply.code == Code.ACCESS_ACCEPT


def test_what_is_allowed_by_default_can_be_named():
    assert all(name in DICTIONARY for name in ALLOWED)
