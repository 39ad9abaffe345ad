"""The RADIUS server over real sockets on a real database: what a NAS and an ISP would notice."""

from datetime import UTC, datetime, timedelta

import pytest

from demarc.protocols.radius.dictionary import DICTIONARY
from demarc.protocols.radius.packet import Code
from support.house import NAS_SECRET, build
from support.radius_process import running, until


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


async def test_pap_and_chap_are_accepted_with_address_speed_and_interim(house, nas):
    service = await house.service()
    status = await status_of(house, service)
    for chap in (False, True):
        reply = await nas.login(status.username, status.password, station="AA-01", chap=chap)
        assert reply.code == Code.ACCESS_ACCEPT
        assert str(reply.address(DICTIONARY["Framed-IP-Address"])) == "100.64.0.1"
        assert reply.text(DICTIONARY["MikroTik-Rate-Limit"]) == "25000000/50000000"
        assert reply.number(DICTIONARY["Acct-Interim-Interval"]) == 300
        assert reply.raw[20] == 80  # Message-Authenticator comes first


async def test_a_wrong_password_is_rejected_and_shown_with_the_attempts(house, nas):
    service = await house.service()
    status = await status_of(house, service)
    reply = await nas.login(status.username, "guess", station="AA-01")
    assert reply.code == Code.ACCESS_REJECT
    await nas.login(status.username, status.password, station="AA-01")

    async def both_shown():
        return len((await status_of(house, service)).attempts) == 2

    await until(both_shown)
    newest, oldest = (await status_of(house, service)).attempts
    assert (newest.accepted, newest.reply) == (True, "Access-Accept")
    assert oldest.reply == "Access-Reject: unknown user or wrong password"


async def test_a_session_is_shown_live_then_closed_and_its_octets_are_counted(house, nas):
    service = await house.service()
    status = await status_of(house, service)
    started = datetime.now(UTC) - timedelta(minutes=10)
    await nas.account(
        "Start",
        status.username,
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
        status.username,
        "s1",
        Event_Timestamp=started + timedelta(minutes=5),
        Calling_Station_Id="AA-01",
        **counted,
    )
    await nas.account(
        "Stop",
        status.username,
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
