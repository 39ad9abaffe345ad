import asyncio

import pytest

from demarc.lab.nas import Carried, Habits, Limits, Nas, Session
from demarc.protocols.radius.packet import Code, Packet
from support.radius_isp import ANA, PASSWORD, Clock, Isp, of, online


def _nothing(_: Packet) -> bool:
    return False


class Steady:
    """Carries exactly what the limits let through."""

    def carry(self, seconds: float, limits: Limits) -> Carried:
        up, down = (int((rate or 0) * seconds / 8) for rate in (limits.up_bps, limits.down_bps))
        return Carried(up, down, up // 100, down // 1000)


async def test_start_interim_stop(isp: Isp, nas: Nas, clock: Clock) -> None:
    isp.granted.append(("MikroTik-Rate-Limit", "8M/16M"))
    session = await online(nas, demand=Steady())
    clock.pass_(60)
    session.interim()
    await session.accounted(2)
    clock.pass_(30)
    await session.disconnect()
    start, interim, stop = isp.reports
    assert isp.statuses == ["Start", "Interim-Update", "Stop"]
    assert of(start, "Acct-Output-Octets") is None
    assert (of(interim, "Acct-Input-Octets"), of(interim, "Acct-Output-Octets")) == (60e6, 120e6)
    assert (of(stop, "Acct-Input-Octets"), of(stop, "Acct-Output-Octets")) == (90e6, 180e6)
    assert [of(each, "Acct-Session-Time") for each in isp.reports] == [None, 60, 90]
    assert [of(each, "Acct-Output-Packets") for each in isp.reports] == [None, 120_000, 180_000]
    assert of(stop, "Acct-Terminate-Cause") == 1
    assert {of(each, "Acct-Session-Id") for each in isp.reports} == {session.id}
    assert [of(each, "Event-Timestamp").second for each in isp.reports] == [0, 0, 30]
    assert {of(each, "Acct-Delay-Time") for each in isp.reports} == {0}
    assert (await session.wait_ended(), session.closed) == ("User-Request", True)
    assert not nas.sessions


async def test_counters_of_64_bits(isp: Isp, nas: Nas) -> None:
    session = await online(nas)
    session.carry(up_octets=2**32 + 5, down_octets=3 * 2**32 - 1)
    session.interim()
    await session.accounted(2)
    report = isp.reports[1]
    assert (of(report, "Acct-Input-Gigawords"), of(report, "Acct-Input-Octets")) == (1, 5)
    assert of(report, "Acct-Output-Gigawords") == 2
    assert of(report, "Acct-Output-Octets") == 2**32 - 1


async def test_careless_counters(isp: Isp, clock: Clock) -> None:
    nas = isp.nas(clock=clock, habits=Habits(gigawords=False, reversed_counters=True))
    session = await online(nas)
    session.carry(up_octets=2**32 + 5, down_octets=7)
    await session.disconnect()
    report = isp.reports[1]
    assert (of(report, "Acct-Input-Octets"), of(report, "Acct-Output-Octets")) == (7, 5)
    assert of(report, "Acct-Output-Gigawords") is None
    await nas.stop()


async def test_a_changed_rate_counts_from_the_change_on(isp: Isp, nas: Nas, clock: Clock) -> None:
    isp.granted.append(("MikroTik-Rate-Limit", "8M/8M"))
    session = await online(nas, demand=Steady())
    clock.pass_(10)
    session.change(Limits(8_000, 8_000))
    clock.pass_(10)
    await session.disconnect()
    assert of(isp.reports[-1], "Acct-Output-Octets") == 10_000_000 + 10_000


async def test_it_reports_as_often_as_the_server_asks(isp: Isp) -> None:
    isp.granted.append(("Acct-Interim-Interval", 1))
    nas = isp.nas(interim_seconds=None)
    session = await online(nas)
    async with asyncio.timeout(5):
        await session.accounted(2)
    assert isp.statuses == ["Start", "Interim-Update"]
    await nas.stop()


async def test_it_reports_as_often_as_the_lab_asks(isp: Isp) -> None:
    isp.granted.append(("Acct-Interim-Interval", 3600))
    nas = isp.nas(interim_seconds=0.01)
    session = await online(nas)
    async with asyncio.timeout(5):
        await session.accounted(5)
    octets = [of(each, "Acct-Output-Octets") for each in isp.reports[1:]]
    assert octets == sorted(octets)
    assert octets[-1] > octets[0]
    await nas.stop()


async def test_it_ends_when_its_time_is_over(isp: Isp, nas: Nas) -> None:
    isp.granted.append(("Session-Timeout", 0))
    session = await online(nas)
    async with asyncio.timeout(5):
        assert await session.wait_ended() == "Session-Timeout"
        await session.wait_closed()
    assert of(isp.reports[-1], "Acct-Terminate-Cause") == 5


async def test_it_ends_once(isp: Isp, nas: Nas) -> None:
    session = await online(nas)
    session.end("Lost-Carrier")
    session.end("User-Request")
    session.interim()
    await session.wait_closed()
    assert isp.statuses == ["Start", "Stop"]
    assert of(isp.reports[-1], "Acct-Terminate-Cause") == 2


async def test_a_cause_there_is_none_of(nas: Nas) -> None:
    session = await online(nas)
    with pytest.raises(ValueError, match="Boredom"):
        session.end("Boredom")
    assert session.up


async def test_reports_wait_for_the_server_in_order(isp: Isp, hasty: Nas, clock: Clock) -> None:
    isp.drop = lambda request: request.code == Code.ACCOUNTING_REQUEST
    session = await hasty.connect(ANA, PASSWORD)
    assert isinstance(session, Session)
    await isp.server.wait_for(lambda received: received[-1].code == Code.ACCOUNTING_REQUEST)
    for octets in (1, 10, 100):
        session.carry(octets, octets)
        session.interim()
    clock.pass_(70)
    session.end("User-Request")
    isp.drop = _nothing
    await session.wait_closed()
    # While the Start was unheard the later reports waited; the Stop says what they would have.
    assert set(isp.statuses) == {"Start", "Stop"}
    assert isp.statuses[-1] == "Stop"
    assert session.acknowledged == 2
    stop = isp.reports[-1]
    assert of(stop, "Acct-Input-Octets") >= 111
    assert of(stop, "Acct-Session-Time") == 70
    assert of(stop, "Acct-Delay-Time") == 0


async def test_a_late_report_says_how_late(isp: Isp, hasty: Nas, clock: Clock) -> None:
    unheard: list[Packet] = []

    def drop(request: Packet) -> bool:
        if request.code == Code.ACCOUNTING_REQUEST and len(unheard) < 3:
            unheard.append(request)
            clock.pass_(20)
            return True
        return False

    isp.drop = drop
    session = await online(hasty)
    assert len({each.raw for each in unheard}) == 1
    heard = isp.reports[-1]
    assert of(heard, "Acct-Delay-Time") == 60
    assert of(heard, "Event-Timestamp") == of(unheard[0], "Event-Timestamp")
    assert heard.identifier != unheard[0].identifier
    assert session.acknowledged == 1
