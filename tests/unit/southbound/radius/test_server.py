"""The RADIUS server over real sockets on a real database: what a NAS and an ISP would notice."""

import asyncio
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from demarc.domains.aaa.events import CredentialAccepted
from demarc.platform.telemetry.counters import COUNTERS
from demarc.protocols.radius.dictionary import DICTIONARY
from demarc.protocols.radius.packet import Code, decode
from demarc.protocols.radius.request import encode_request
from demarc.southbound.radius.limits import Limits
from support.house import NAS_SECRET, build
from support.radius_process import running, until

ADDRESS = DICTIONARY["Framed-IP-Address"]
MESSAGE = DICTIONARY["Reply-Message"]


@pytest.fixture
async def house(db, tmp_path):
    return await build(db, tmp_path)


@pytest.fixture
async def process(house):
    async with running(house.db, house.keys) as process:
        yield process


@pytest.fixture
async def nas(process):
    return process.nas(NAS_SECRET)


async def status_of(house, service):
    async with house.as_isp() as tx:
        return await house.aaa.radius_status(tx, service.id)


async def login_of(house, service):
    status = await status_of(house, service)
    return status.username, status.password


def dropped(reason):
    return COUNTERS.value("radius_dropped", reason=reason)


async def test_pap_and_chap_are_accepted_with_address_speed_and_interim(house, nas):
    username, password = await login_of(house, await house.service())
    for chap in (False, True):
        reply = await nas.login(username, password, station="AA-01", chap=chap)
        assert reply.code == Code.ACCESS_ACCEPT
        assert str(reply.address(ADDRESS)) == "100.64.0.1"
        assert reply.text(DICTIONARY["MikroTik-Rate-Limit"]) == "25000000/50000000"
        assert reply.number(DICTIONARY["Acct-Interim-Interval"]) == 300
        assert reply.raw[20] == 80  # Message-Authenticator comes first


async def test_a_huawei_nas_is_told_the_speed_in_its_own_way(house, process):
    async with house.db.system() as tx:
        await house.aaa.create_nas(
            tx,
            owner_id=house.fno.id,
            network_id=house.network.id,
            name="me60",
            prefix="127.0.0.0/8",
            secret="of-the-prefix",
            vendor="huawei",
            interim_interval=600,
        )
    username, password = await login_of(house, await house.service())
    # the new prefix is known as soon as its change is noticed; the longer one still wins
    other = process.nas("of-the-prefix", "127.0.0.2")
    reply = await other.login(username, password)
    assert reply.number(DICTIONARY["Huawei-Input-Average-Rate"]) == 25_000_000
    assert reply.number(DICTIONARY["Huawei-Output-Average-Rate"]) == 50_000_000
    assert reply.number(DICTIONARY["Acct-Interim-Interval"]) == 600
    assert (await process.nas(NAS_SECRET).login(username, password)).code == Code.ACCESS_ACCEPT


async def test_two_isps_with_one_login_are_told_apart_by_realm(house, nas):
    one, two = await house.service(), await house.service(of=house.other_isp)
    _, first = await login_of(house, one)
    async with house.as_other_isp() as tx:
        second = (await house.aaa.radius_status(tx, two.id)).password
    assert (await nas.login("u0001@acme", first)).code == Code.ACCESS_ACCEPT
    assert (await nas.login("u0001@beta", second)).code == Code.ACCESS_ACCEPT
    assert (await nas.login("u0001@BETA", second)).code == Code.ACCESS_ACCEPT
    assert (await nas.login("u0001@beta", first)).code == Code.ACCESS_REJECT
    assert (await nas.login("u0001", first)).code == Code.ACCESS_REJECT


async def test_a_login_without_realm_is_of_the_nass_own(house, process):
    service = await house.service()
    _, password = await login_of(house, service)
    async with house.as_fno() as tx:
        (bng,) = await house.aaa.nases(tx, house.network.id)
        async with house.as_isp() as isp:
            (realm,) = await house.aaa.realms(isp, house.isp.id)
        await house.aaa.change_nas(tx, bng, default_realm_id=realm.id)
    nas = process.nas(NAS_SECRET)

    async def accepted():
        return (await nas.login("u0001", password)).code == Code.ACCESS_ACCEPT

    await until(accepted)


async def test_a_wrong_password_is_rejected_and_shown_with_the_attempts(house, nas):
    service = await house.service()
    username, password = await login_of(house, service)
    assert (await nas.login(username, "guess", station="AA-01")).code == Code.ACCESS_REJECT
    assert (await nas.login(username, "guess", chap=True)).code == Code.ACCESS_REJECT
    await nas.login(username, password, station="AA-01")

    async def all_shown():
        return len((await status_of(house, service)).attempts) == 3

    await until(all_shown)
    newest, *_, oldest = (await status_of(house, service)).attempts
    assert (newest.accepted, newest.reply) == (True, "Access-Accept")
    assert oldest.reply == "Access-Reject: unknown user or wrong password"


async def test_only_the_last_twenty_attempts_are_shown(house, process, nas):
    service = await house.service()
    username, password = await login_of(house, service)
    for _ in range(23):
        await nas.login(username, "guess")
    await nas.login(username, password)
    await until(lambda: not process.server.status().attempts_waiting)
    attempts = (await status_of(house, service)).attempts
    assert len(attempts) == 20
    assert attempts[0].accepted


async def test_the_first_accept_is_told_upwards_once(house, process, nas):
    service = await house.service()
    username, password = await login_of(house, service)
    await nas.login(username, "guess")
    for _ in range(3):
        await nas.login(username, password)
    await until(lambda: not process.server.status().attempts_waiting)
    async with await psycopg.AsyncConnection.connect(house.db.conninfo) as conn:
        found = await conn.execute(
            "SELECT args -> 'body' FROM procrastinate_jobs"
            " WHERE task_name = 'event' AND args ->> 'name' = %s",
            [CredentialAccepted.__name__],
        )
        events = await found.fetchall()
    assert events == [({"service_ids": [str(service.id)]},)]


async def test_a_suspension_is_obeyed_as_soon_as_it_is_noticed(house, nas):
    service = await house.service()
    username, password = await login_of(house, service)
    assert (await nas.login(username, password)).code == Code.ACCESS_ACCEPT
    async with house.as_isp() as tx:
        await house.services.suspend(tx, service.id, reason="unpaid")

    async def refused():
        reply = await nas.login(username, password)
        return reply.code == Code.ACCESS_REJECT and reply

    assert (await until(refused)).text(MESSAGE) == "service suspended"
    async with house.as_isp() as tx:
        await house.services.resume(tx, service.id, reason="paid")

    async def accepted():
        return (await nas.login(username, password)).code == Code.ACCESS_ACCEPT

    await until(accepted)


async def test_a_service_created_after_its_login_was_asked_for_may_log_in(house, nas):
    assert (await nas.login("u0001@acme", "guess")).code == Code.ACCESS_REJECT
    username, password = await login_of(house, await house.service())

    async def accepted():
        return (await nas.login(username, password)).code == Code.ACCESS_ACCEPT

    await until(accepted)


async def test_a_second_station_gets_another_address_and_keeps_it(house, nas):
    username, password = await login_of(house, await house.service())
    first = await nas.login(username, password, station="AA-01")
    await nas.account(
        "Start",
        username,
        "s1",
        Calling_Station_Id="AA-01",
        Framed_IP_Address=first.address(ADDRESS),
    )
    second = await nas.login(username, password, station="AA-02")
    assert second.code == Code.ACCESS_ACCEPT
    assert second.address(ADDRESS) != first.address(ADDRESS)
    for station, expected in (("AA-01", first), ("AA-02", second)):
        again = await nas.login(username, password, station=station)
        assert again.address(ADDRESS) == expected.address(ADDRESS)


async def test_many_stations_at_once_never_share_an_address(house, process):
    username, password = await login_of(house, await house.service())
    nases = [process.nas(NAS_SECRET) for _ in range(8)]
    replies = await asyncio.gather(
        *[nas.login(username, password, station=f"AA-{number}") for number, nas in enumerate(nases)]
    )
    accepted = [reply for reply in replies if reply.code == Code.ACCESS_ACCEPT]
    assert len(accepted) == 4
    assert len({reply.address(ADDRESS) for reply in accepted}) == 4
    refused = next(reply for reply in replies if reply.code == Code.ACCESS_REJECT)
    assert refused.text(MESSAGE) == "too many sessions"


async def test_addresses_in_use_are_known_to_a_process_that_starts(house):
    username, password = await login_of(house, await house.service())
    async with running(house.db, house.keys) as before:
        nas = before.nas(NAS_SECRET)
        given = (await nas.login(username, password, station="AA-01")).address(ADDRESS)
        await nas.account(
            "Start", username, "s1", Calling_Station_Id="AA-01", Framed_IP_Address=given
        )
    async with running(house.db, house.keys) as after:
        nas = after.nas(NAS_SECRET)
        assert (await nas.login(username, password, station="AA-02")).address(ADDRESS) != given
        assert (await nas.login(username, password, station="AA-01")).address(ADDRESS) == given


async def test_addresses_in_use_behind_a_nas_that_cannot_be_read_are_not_given_away(house):
    username, password = await login_of(house, await house.service())
    async with running(house.db, house.keys) as before:
        nas = before.nas(NAS_SECRET)
        given = (await nas.login(username, password, station="AA-01")).address(ADDRESS)
        await nas.account(
            "Start", username, "s1", Calling_Station_Id="AA-01", Framed_IP_Address=given
        )
    async with house.db.system() as tx:
        # the NAS of that session loses its readable secret; another stands at the same place
        await tx.conn.execute("UPDATE nas SET prefix = '192.0.2.1/32', secret = 'x'")
        await house.aaa.create_nas(
            tx,
            owner_id=house.fno.id,
            network_id=house.network.id,
            name="bng-new",
            prefix="127.0.0.1/32",
            secret=NAS_SECRET,
        )
    async with running(house.db, house.keys) as after:
        nas = after.nas(NAS_SECRET)
        assert (await nas.login(username, password, station="AA-02")).address(ADDRESS) != given


async def test_a_part_that_fails_is_told_so_that_the_process_is_started_anew(house, monkeypatch):
    async with running(house.db, house.keys) as process:
        failed = asyncio.create_task(process.server.broken())

        async def fail():
            raise RuntimeError("on purpose")

        process.server._task(fail())
        await asyncio.wait_for(failed, 10)


async def test_a_session_is_shown_live_then_closed_and_its_octets_are_counted(house, nas):
    service = await house.service()
    username, _ = await login_of(house, service)
    started = datetime.now(UTC) - timedelta(minutes=10)
    await nas.account(
        "Start",
        username,
        "s1",
        Event_Timestamp=started,
        Framed_IP_Address="100.64.0.1",
        Calling_Station_Id="AA-01",
    )
    live = (await status_of(house, service)).sessions
    assert [(one.acct_session_id, one.ended_at, one.framed_ipv4) for one in live] == [
        ("s1", None, "100.64.0.1")
    ]
    counted = {"Acct_Session_Time": 300, "Acct_Input_Octets": 1000, "Acct_Output_Octets": 9000}
    await nas.account(
        "Interim-Update",
        username,
        "s1",
        Event_Timestamp=started + timedelta(minutes=5),
        Calling_Station_Id="AA-01",
        **counted,
    )
    await nas.account(
        "Stop",
        username,
        "s1",
        Event_Timestamp=started + timedelta(minutes=6),
        Calling_Station_Id="AA-01",
        Acct_Terminate_Cause="User-Request",
        **{**counted, "Acct_Session_Time": 360, "Acct_Output_Octets": 5},
        Acct_Output_Gigawords=1,
    )
    (closed,) = (await status_of(house, service)).sessions
    assert closed.ended_at is not None
    assert closed.terminate_cause == "User-Request"
    assert closed.output_octets == 2**32 + 5
    assert closed.session_seconds == 360
    async with house.as_isp() as tx:
        today = datetime.now(UTC).date()
        days = await house.aaa.usage(tx, service.id, today - timedelta(2), today + timedelta(1))
    assert sum(day.down_octets for day in days) == 2**32 + 5
    assert sum(day.up_octets for day in days) == 1000


async def test_accounting_finds_its_credential_by_class_whatever_the_nas_calls_the_user(house, nas):
    service = await house.service()
    username, password = await login_of(house, service)
    reply = await nas.login(username, password)
    await nas.account("Start", "rewritten", "s1", Class=reply.value(DICTIONARY["Class"]))
    (live,) = (await status_of(house, service)).sessions
    assert live.username == "rewritten"


async def quarantined(house):
    async with house.db.system() as tx:
        found = await tx.conn.execute("SELECT reason, packet FROM accounting_quarantine")
        return await found.fetchall()


async def test_accounting_of_nobody_known_is_kept_and_acknowledged(house, nas):
    reply = await nas.account("Start", "stranger@nowhere", "s1")
    assert reply.code == Code.ACCOUNTING_RESPONSE
    ((reason, packet),) = await quarantined(house)
    assert reason == "unknown user"
    assert b"stranger@nowhere" in packet


async def test_a_nas_that_tells_of_strangers_without_end_does_not_fill_the_disk(house):
    limits = Limits(quarantine_hourly=3)
    async with running(house.db, house.keys, limits) as process:
        nas = process.nas(NAS_SECRET)
        for number in range(3):
            await nas.account("Start", "stranger@nowhere", f"s{number}")
        before = dropped("quarantine full")
        pairs = [("Acct-Status-Type", "Start"), ("User-Name", "stranger@nowhere")]
        octets = nas.send(Code.ACCOUNTING_REQUEST, pairs)
        await until(lambda: dropped("quarantine full") == before + 1)
        # whom we know goes on
        username, _ = await login_of(house, await house.service())
        await nas.account("Start", username, "s1")
        assert not nas._asked[octets[1]][1].done()
    assert len(await quarantined(house)) == 3


async def test_a_nas_of_another_network_tells_nothing_of_this_one(house, process):
    service = await house.service()
    username, password = await login_of(house, service)
    async with house.db.system() as tx:
        elsewhere = await house.identity.put_network(
            tx, owner_id=house.other_isp.id, slug="elsewhere", name="Elsewhere"
        )
        await house.aaa.create_nas(
            tx,
            owner_id=house.other_isp.id,
            network_id=elsewhere.id,
            name="theirs",
            prefix="127.0.0.3/32",
            secret="theirs",
        )
    nas = process.nas("theirs", "127.0.0.3")
    assert (await nas.login(username, password)).code == Code.ACCESS_REJECT
    await nas.account("Start", username, "s1")
    assert (await status_of(house, service)).sessions == []
    assert [reason for reason, _ in await quarantined(house)] == ["unknown user"]


async def test_accounting_on_closes_what_the_nas_had_before(house, nas):
    service = await house.service()
    username, _ = await login_of(house, service)
    started = datetime.now(UTC) - timedelta(minutes=10)
    await nas.account("Start", username, "s1", Event_Timestamp=started)
    await nas.ask(
        Code.ACCOUNTING_REQUEST,
        [("Acct-Status-Type", "Accounting-On"), ("Event-Timestamp", datetime.now(UTC))],
    )
    (closed,) = (await status_of(house, service)).sessions
    assert closed.terminate_cause == "NAS-Reboot"


async def test_a_repeated_request_gets_the_first_reply_again(house, nas):
    service = await house.service()
    username, password = await login_of(house, service)
    octets = nas.send(Code.ACCESS_REQUEST, [("User-Name", username), ("User-Password", password)])
    first = await nas.answer(octets)
    before = COUNTERS.value("radius_duplicates")
    nas.send_octets(octets)
    assert (await nas.answer(octets)).raw == first.raw
    assert COUNTERS.value("radius_duplicates") == before + 1


async def test_what_cannot_be_answered_is_counted_by_its_reason(process, nas):
    stranger = process.nas(NAS_SECRET, "127.0.0.9")
    cases = {
        "unknown client": lambda: stranger.send(Code.ACCESS_REQUEST, [("User-Name", "u")]),
        "shorter than a header": lambda: nas.sock.sendto(b"\1\1", process.auth),
        "unexpected code": lambda: nas.send(Code.COA_REQUEST, []),
        "Message-Authenticator is wrong": lambda: nas.sock.sendto(
            encode_request(1, 9, [(DICTIONARY["User-Name"], "u")], b"wrong"), process.auth
        ),
        "Request Authenticator is wrong": lambda: nas.sock.sendto(
            encode_request(4, 9, [(DICTIONARY["User-Name"], "u")], b"wrong"), process.acct
        ),
    }
    for reason, cause in cases.items():
        before = dropped(reason)
        cause()
        await until(lambda reason=reason, before=before: dropped(reason) == before + 1)


async def test_a_client_that_signed_once_must_sign_from_then_on(house, process):
    username, password = await login_of(house, await house.service())
    pairs = [("User-Name", username), ("User-Password", password)]
    nas = process.nas(NAS_SECRET)
    legacy = nas.send(Code.ACCESS_REQUEST, pairs, signed=False)
    assert (await nas.answer(legacy)).code == Code.ACCESS_ACCEPT
    assert process.server.status().clients_signing == 0
    await nas.ask(Code.ACCESS_REQUEST, pairs)
    assert process.server.status().clients_signing == 1
    before = dropped("Message-Authenticator is missing")
    nas.send(Code.ACCESS_REQUEST, pairs, signed=False)
    await until(lambda: dropped("Message-Authenticator is missing") == before + 1)


async def test_a_forged_request_does_not_disturb_the_reply_to_the_real_one(house, process, nas):
    username, password = await login_of(house, await house.service())
    octets = nas.send(Code.ACCESS_REQUEST, [("User-Name", username), ("User-Password", password)])
    first = await nas.answer(octets)
    forged = encode_request(1, octets[1], [(DICTIONARY["User-Name"], username)], b"wrong")
    before = dropped("Message-Authenticator is wrong")
    nas.sock.sendto(forged, process.auth)
    await until(lambda: dropped("Message-Authenticator is wrong") == before + 1)
    nas.send_octets(octets)
    assert (await nas.answer(octets)).raw == first.raw


async def test_a_repetition_that_is_forged_gets_no_reply(house, process, nas):
    username, password = await login_of(house, await house.service())
    octets = nas.send(Code.ACCESS_REQUEST, [("User-Name", username), ("User-Password", password)])
    await nas.answer(octets)
    signature = decode(octets).signature
    forged = bytearray(octets)
    forged[signature + 2] ^= 1
    before = dropped("Message-Authenticator is wrong")
    duplicates = COUNTERS.value("radius_duplicates")
    nas.sock.sendto(bytes(forged), process.auth)
    await until(lambda: dropped("Message-Authenticator is wrong") == before + 1)
    assert COUNTERS.value("radius_duplicates") == duplicates


async def test_status_server_says_that_it_lives(process, nas):
    reply = await nas.ask(Code.STATUS_SERVER, [])
    assert reply.code == Code.ACCESS_ACCEPT


async def test_a_changed_secret_holds_from_when_it_is_noticed(house, process):
    username, password = await login_of(house, await house.service())
    async with house.as_fno() as tx:
        (bng,) = await house.aaa.nases(tx, house.network.id)
        await house.aaa.change_nas(tx, bng, secret="changed")
    reply = await process.nas("changed").login(username, password)
    assert reply.code == Code.ACCESS_ACCEPT


async def test_what_was_taken_is_recorded_before_the_end(house):
    service = await house.service()
    username, password = await login_of(house, service)
    async with running(house.db, house.keys) as process:
        nas = process.nas(NAS_SECRET)
        await nas.login(username, password)
        sent = [
            nas.send(
                Code.ACCOUNTING_REQUEST,
                [
                    ("Acct-Status-Type", "Start"),
                    ("User-Name", username),
                    ("Acct-Session-Id", f"s{number}"),
                    ("Calling-Station-Id", f"AA-{number}"),
                ],
            )
            for number in range(20)
        ]
        await nas.answer(sent[0])
        await process.server.stop()
        answered = [octets for octets in sent if nas._asked[octets[1]][1].done()]
    status = await status_of(house, service)
    assert len(status.attempts) == 1
    assert len(status.sessions) >= len(answered) > 0


async def test_overload_is_met_with_silence(house):
    limits = Limits(accounting_waiting=0)
    async with running(house.db, house.keys, limits) as process:
        nas = process.nas(NAS_SECRET)
        before = dropped("overload")
        nas.send(Code.ACCOUNTING_REQUEST, [("Acct-Status-Type", "Start"), ("User-Name", "u")])
        await until(lambda: dropped("overload") == before + 1)
