"""Accounting that cannot be stored comes among accounting that can."""

import asyncio

import pytest

from demarc.protocols.radius.packet import Code
from support.house import NAS_SECRET
from support.radius_nas import Nas

MOST = 2**32 - 1


@pytest.fixture
async def nas(running):
    made = Nas(running.auth, running.acct, NAS_SECRET)
    yield made
    made.close()


async def test_a_poisoned_packet_is_put_aside_and_the_rest_of_its_batch_counts(running, nas):
    first, *others = running.estate.lines

    def tell(line, session, **more):
        facts = {"Acct-Session-Time": 60, "Acct-Output-Octets": 1000, "Acct-Input-Octets": 10}
        facts |= {name.replace("_", "-"): value for name, value in more.items()}
        return nas.send(
            Code.ACCOUNTING_REQUEST,
            [
                ("Acct-Status-Type", "Interim-Update"),
                ("User-Name", line.username),
                ("Acct-Session-Id", session),
                *facts.items(),
            ],
        )

    # what comes while the first is being written down makes one batch
    async with running.holding("session_live"):
        sent = [tell(first, "the first")]
        await running.waits_for_lock("radius")
        good = [tell(line, f"good {at}") for at, line in enumerate(others[:20])]
        poisoned = tell(others[20], "full", Acct_Output_Gigawords=MOST, Acct_Output_Octets=MOST)
        odd = [
            tell(others[21], "a\0b", Calling_Station_Id=b"\0\xff\xfe", NAS_Port_Id="\0"),
            tell(others[22], "the year 1970", Event_Timestamp=0),
            tell(others[23], "the year 2106", Event_Timestamp=MOST, Acct_Delay_Time=MOST),
            tell(others[24], "as old as can be", Acct_Session_Time=MOST),
        ]
        unknown = nas.send(
            Code.ACCOUNTING_REQUEST,
            [
                ("Acct-Status-Type", "Start"),
                ("User-Name", b"nobody\0\xff"),
                ("Acct-Session-Id", "of nobody"),
            ],
        )
        sent += [*good, poisoned, *odd, unknown, *(tell(line, "last") for line in others[25:40])]

    replies = await asyncio.gather(*(nas.answer(octets, 20) for octets in sent))
    assert {reply.code for reply in replies} == {Code.ACCOUNTING_RESPONSE}
    aside = await running.rows("SELECT packet, reason FROM accounting_quarantine ORDER BY id")
    assert {packet for packet, _ in aside} == {poisoned, unknown}
    assert len(aside) == 2
    assert any("out of range" in reason for _, reason in aside)
    # 41 packets of 1000 octets each
    counted = "SELECT count(*), sum(input_octets)::bigint, sum(output_octets)::bigint FROM"
    assert await running.rows(f"{counted} session_live") == [(40, 400, 40_000)]
    assert await running.value("SELECT sum(down_octets)::bigint FROM usage_daily") == 40_000


async def test_a_poisoned_login_does_not_hold_the_others(running, nas):
    lines = running.estate.lines[:10]
    async with asyncio.timeout(20):
        logins = [
            nas.send(
                Code.ACCESS_REQUEST,
                [
                    ("User-Name", line.username),
                    ("User-Password", line.password),
                    ("Calling-Station-Id", b"\0\xff"),
                ],
            )
            for line in lines
        ]
        poisoned = [
            nas.send(Code.ACCESS_REQUEST, [("User-Name", name), ("User-Password", "x")])
            for name in (b"\0@acme", b"\xff\xfe@acme", b"a" * 253, b"@acme", b"u0001\0@acme")
        ]
        replies = await asyncio.gather(*(nas.answer(octets) for octets in logins))
        assert {reply.code for reply in replies} == {Code.ACCESS_ACCEPT}
        replies = await asyncio.gather(*(nas.answer(octets) for octets in poisoned))
        assert {reply.code for reply in replies} == {Code.ACCESS_REJECT}
