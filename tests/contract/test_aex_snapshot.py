"""The snapshot: what changed since the ISP last asked, once in ten minutes."""

import asyncio
from datetime import UTC, datetime, timedelta

KEYS = ["service_id", "customer_name", "full_address", "status", "product", "last_updated_date"]


async def ten_minutes_pass(house):
    async with house.db.system() as tx:
        await tx.conn.execute(
            "UPDATE snapshot_cursor SET called_at = called_at - interval '10 minutes'"
        )


async def test_snapshot_1_gives_what_changed_since_the_last_call(office):
    first, second = await office.new_service(), await office.new_service()
    begin = (await office.isp.get("/services/snapshot")).json()
    assert {one["service_id"] for one in begin} == {first, second}
    await ten_minutes_pass(office.house)
    assert (await office.isp.get("/services/snapshot")).json() == []
    await ten_minutes_pass(office.house)
    await office.fno.post(f"/fno/services/{second}/suspend", json={"reason": "fault"})
    (change,) = (await office.isp.get("/services/snapshot")).json()
    assert list(change) == KEYS
    changed_at = change.pop("last_updated_date")
    assert change == {
        "service_id": second,
        "customer_name": "Thandi Nkosi",
        "full_address": "12 Long Street, Cape Town",
        "status": "Suspended",
        "product": "Fibre 50",
    }
    assert changed_at.endswith("Z")
    assert len(changed_at) == len("2024-12-17T09:06:42.779Z")
    assert datetime.now(UTC) - datetime.fromisoformat(changed_at) < timedelta(minutes=2)


async def test_snapshot_2_allows_one_call_in_ten_minutes(office):
    await office.new_service()
    assert (await office.isp.get("/services/snapshot")).status_code == 200
    refused = await office.isp.get("/services/snapshot")
    assert refused.status_code == 429
    assert refused.headers["content-type"] == "application/problem+json"
    assert 590 <= int(refused.headers["retry-after"]) <= 601
    await ten_minutes_pass(office.house)
    assert (await office.isp.get("/services/snapshot")).status_code == 200


async def test_snapshot_2_lets_one_of_two_simultaneous_calls_through(office):
    answers = await asyncio.gather(*(office.isp.get("/services/snapshot") for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 429, 429, 429]


async def test_snapshot_3_limits_each_isp_apart(office):
    mine, theirs = await office.new_service(), await office.new_service(office.other_isp)
    seen = [
        {one["service_id"] for one in (await caller.get("/services/snapshot")).json()}
        for caller in (office.isp, office.other_isp)
    ]
    assert seen == [{mine}, {theirs}]
    # another token of the same ISP is the same ISP
    another = office.client(Authorization=f"Bearer {await office.token(office.house.isp)}")
    assert (await another.get("/services/snapshot")).status_code == 429


async def test_snapshot_4_is_an_array(office):
    answer = await office.isp.get("/services/snapshot")
    assert answer.json() == []


async def test_head_does_not_use_the_snapshot_up(office):
    service_id = await office.new_service()
    for path in ("/services/snapshot", "/services/snapshot/", "/services//snapshot"):
        head = await office.isp.head(path)
        assert head.status_code == 405
        assert "GET" in head.headers["allow"]
    changed = (await office.isp.get("/services/snapshot")).json()
    assert [one["service_id"] for one in changed] == [service_id]
