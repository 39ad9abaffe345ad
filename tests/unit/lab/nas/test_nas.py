from ipaddress import IPv4Address, IPv6Network
from typing import Literal

import pytest

from demarc.lab.nas import Event, Habits, Limits, Nas, Refused, Retry, Session
from demarc.lab.nas.vendors import Make
from demarc.protocols.radius.dictionary import DICTIONARY
from support.radius_isp import ANA, PASSWORD, Clock, Isp, of, online


@pytest.mark.parametrize("protocol", ["pap", "chap"])
async def test_a_subscriber_logs_in(isp: Isp, nas: Nas, protocol: Literal["pap", "chap"]) -> None:
    session = await nas.connect(ANA, PASSWORD, protocol=protocol)
    assert isinstance(session, Session)
    assert session.up
    assert list(nas.sessions.values()) == [session]
    assert nas.logins.accepted == 1


@pytest.mark.parametrize("protocol", ["pap", "chap"])
async def test_a_wrong_password_is_refused(nas: Nas, protocol: Literal["pap", "chap"]) -> None:
    assert await nas.connect(ANA, "guess", protocol=protocol) == Refused("wrong password")
    assert await nas.connect(ANA, "", protocol=protocol) == Refused("wrong password")
    assert nas.logins.refused == 2
    assert not nas.sessions


async def test_a_silent_server_is_no_refusal(isp: Isp) -> None:
    nas = isp.nas(retry=Retry(first=0.05, longest=0.1))
    isp.drop = lambda _: True
    assert await nas.connect(ANA, PASSWORD) == Refused(None, answered=False)
    assert nas.logins.unanswered == 1
    assert len({packet.raw for packet in isp.logins}) == 1
    await nas.stop()


async def test_what_the_accept_grants(isp: Isp, nas: Nas) -> None:
    isp.granted = [
        ("Framed-IP-Address", "100.64.0.9"),
        ("Framed-IPv6-Prefix", IPv6Network("2001:db8:1::/64")),
        ("Delegated-IPv6-Prefix", IPv6Network("2001:db8:2::/56")),
        ("MikroTik-Rate-Limit", "50M/100M"),
        ("Acct-Interim-Interval", 300),
        ("Session-Timeout", 86400),
        ("Class", b"one"),
        ("Class", b"two"),
        ("User-Name", "ana"),
    ]
    session = await online(nas)
    grant = session.grant
    assert session.framed_ip == IPv4Address("100.64.0.9")
    assert grant.framed_ipv6_prefix == IPv6Network("2001:db8:1::/64")
    assert grant.delegated_ipv6_prefix == IPv6Network("2001:db8:2::/56")
    assert session.limits == Limits(50_000_000, 100_000_000)
    assert (grant.interim_seconds, grant.session_timeout) == (300, 86400)
    (start,) = isp.reports
    assert of(start, "User-Name") == "ana"
    assert start.all(DICTIONARY["Class"]) == [b"one", b"two"]
    assert of(start, "Framed-IP-Address") == IPv4Address("100.64.0.9")
    assert of(start, "Framed-IPv6-Prefix") == IPv6Network("2001:db8:1::/64")
    assert of(start, "Delegated-IPv6-Prefix") == IPv6Network("2001:db8:2::/56")


async def test_an_accept_that_leaves_the_address_open(isp: Isp, nas: Nas) -> None:
    isp.granted = [("Framed-IP-Address", "255.255.255.254")]
    session = await online(nas)
    assert session.framed_ip is None
    assert of(isp.reports[0], "Framed-IP-Address") is None


async def test_an_accept_with_nonsense_in_it_is_a_refusal(isp: Isp, nas: Nas) -> None:
    isp.granted = [("MikroTik-Rate-Limit", "as fast as you can")]
    refused = await nas.connect(ANA, PASSWORD)
    assert isinstance(refused, Refused)
    assert "MikroTik-Rate-Limit" in str(refused.reply_message)


@pytest.mark.parametrize(
    ("vendor", "granted"),
    [
        ("mikrotik", [("MikroTik-Rate-Limit", "1M/2M")]),
        ("huawei", [("Huawei-Input-Average-Rate", 10**6), ("Huawei-Output-Peak-Rate", 2 * 10**6)]),
    ],
)
async def test_each_makers_rates(isp: Isp, vendor: Make, granted: list[tuple[str, object]]) -> None:
    isp.granted = granted
    nas = isp.nas(vendor=vendor)
    session = await online(nas)
    assert session.limits == Limits(10**6, 2 * 10**6)
    await nas.stop()


@pytest.mark.parametrize(
    ("vendor", "station", "kind"),
    [("mikrotik", "02:00:00:0A:0B:0C", 15), ("huawei", "0200-000a-0b0c", 33)],
)
async def test_what_it_says_of_itself_and_the_line(
    isp: Isp, vendor: Make, station: str, kind: int
) -> None:
    nas = isp.nas(vendor=vendor, identifier="edge", nas_ip="192.0.2.1")
    session = await online(nas, calling_station_id="02:00:00:0a:0b:0c")
    (login,), (start,) = isp.logins, isp.reports
    for packet in (login, start):
        assert of(packet, "NAS-Identifier") == "edge"
        assert of(packet, "NAS-IP-Address") == IPv4Address("192.0.2.1")
        assert of(packet, "Calling-Station-Id") == station
        assert of(packet, "NAS-Port-Type") == kind
        assert of(packet, "NAS-Port") == 1
        assert of(packet, "Acct-Session-Id") == session.id
        assert of(packet, "Service-Type") == 2
    await nas.stop()


async def test_logins_are_signed_but_by_old_habit(isp: Isp, nas: Nas) -> None:
    await online(nas)
    old = isp.nas(habits=Habits(message_authenticator=False))
    await online(old)
    await old.stop()
    assert [bool(packet.signature) for packet in isp.logins] == [True, False]


async def test_the_same_seed_is_the_same_sessions(isp: Isp) -> None:
    told = []
    for seed in (1, 1, 2):
        nas = isp.nas(seed=seed)
        session = await online(nas)
        told.append((session.id, of(isp.logins[-1], "Calling-Station-Id")))
        await nas.stop()
    assert told[0] == told[1] != told[2]


async def test_sessions_have_ids_of_their_own_unless_told(nas: Nas) -> None:
    first, second = await online(nas), await online(nas)
    third = await online(nas, session_id=first.id)
    assert first.id != second.id
    assert third.id == first.id
    assert len(nas.sessions) == 3


async def test_events(isp: Isp, clock: Clock) -> None:
    events: list[Event] = []
    nas = isp.nas(clock=clock, on_event=events.append)
    session = await online(nas)
    await session.disconnect()
    await nas.connect(ANA, "guess")
    assert [(each.kind, each.detail) for each in events] == [
        ("up", None),
        ("accounted", None),
        ("ended", "User-Request"),
        ("accounted", None),
        ("refused", "wrong password"),
    ]
    assert {each.username for each in events} == {ANA}
    await nas.stop()


async def test_a_patient_stop_reports_every_session(isp: Isp, nas: Nas) -> None:
    for _ in range(3):
        await online(nas)
    await nas.stop(patience=5)
    assert sorted(isp.statuses) == ["Start"] * 3 + ["Stop"] * 3
    causes = [of(each, "Acct-Terminate-Cause") for each in isp.reports]
    assert [cause for cause in causes if cause] == [7] * 3


async def test_a_loss_of_power_reports_nothing(isp: Isp, nas: Nas) -> None:
    session = await online(nas)
    await nas.stop()
    assert await session.wait_ended() == "NAS-Reboot"
    assert not nas.sessions
    assert await nas.connect(ANA, PASSWORD) == Refused(None, answered=False)
    assert isp.statuses == ["Start"]


async def test_after_a_boot_session_ids_are_others(nas: Nas) -> None:
    before = await online(nas)
    await nas.stop()
    await nas.start()
    after = await online(nas)
    assert before.id[:4] != after.id[:4]


async def test_accounting_on_and_off(isp: Isp, nas: Nas) -> None:
    await nas.announce("Accounting-On")
    await nas.announce("Accounting-Off")
    assert isp.statuses == ["Accounting-On", "Accounting-Off"]
    assert of(isp.reports[0], "NAS-Identifier") == "bng-1"
