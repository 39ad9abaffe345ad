"""What the owner of a network does with the services on it, and what an ISP does with its own."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest


@pytest.fixture(params=["isp", "fno"])
def side(request, office):
    """Who acts, and under which path."""
    return {"isp": (office.isp, "/services"), "fno": (office.fno, "/fno/services")}[request.param]


async def test_the_owner_lists_the_services_of_every_isp(office):
    mine, theirs = await office.new_service(), await office.new_service(office.other_isp)
    answer = (await office.fno.get("/fno/services")).json()
    assert ([item["id"] for item in answer["items"]], answer["total"]) == ([mine, theirs], 2)
    assert {item["provider_id"] for item in answer["items"]} == {
        str(office.house.isp.id),
        str(office.house.other_isp.id),
    }
    await office.fno.post(f"/fno/services/{theirs}/suspend")
    suspended = (await office.fno.get("/fno/services", params={"status": "Suspended"})).json()
    assert [item["id"] for item in suspended["items"]] == [theirs]


async def test_the_owner_reads_a_service_without_its_wifi(office):
    service_id = await office.new_service(isp_reference="A-1")
    seen = (await office.fno.get(f"/fno/services/{service_id}")).json()
    assert (seen["status"], seen["status_reason"]) == ("Pending installation", "new")
    assert seen["isp_reference"] == "A-1"
    assert not [name for name in seen if "wifi" in name or "password" in name]


async def test_suspend_and_resume_are_seen_on_both_sides_with_the_reason(office, side):
    caller, path = side
    service_id = await office.new_service()
    answer = await caller.post(f"{path}/{service_id}/suspend", json={"reason": "unpaid"})
    assert (answer.status_code, answer.json()["status"]) == (200, "Suspended")
    assert (await office.isp.get(f"/services/{service_id}")).json()["status"] == "Suspended"
    seen = (await office.fno.get(f"/fno/services/{service_id}")).json()
    assert (seen["status"], seen["status_reason"]) == ("Suspended", "unpaid")
    again = await caller.post(f"{path}/{service_id}/suspend")
    assert again.status_code == 409
    assert again.json()["detail"] == "a service that is suspended cannot be suspended"
    resumed = await caller.post(f"{path}/{service_id}/resume")
    assert resumed.json()["status"] == "Pending installation"


async def test_a_suspended_service_cannot_log_in(office, side):
    caller, path = side
    service_id = await office.new_service()
    await caller.post(f"{path}/{service_id}/suspend")
    async with office.house.db.system() as tx:
        (row,) = await (await tx.conn.execute("SELECT access FROM credential")).fetchall()
    assert row == ("suspended",)


async def test_cancel_ends_a_service_for_good(office, side):
    caller, path = side
    service_id = await office.new_service()
    answer = await caller.post(f"{path}/{service_id}/cancel", json={"reason": "moved"})
    assert (answer.status_code, answer.json()["status"]) == (200, "Cancelled")
    for action in ("resume", "suspend", "cancel"):
        assert (await caller.post(f"{path}/{service_id}/{action}")).status_code == 409


async def test_cancel_at_a_later_time_gives_notice(office, side):
    caller, path = side
    service_id = await office.new_service()
    at = (datetime.now(UTC) + timedelta(days=30)).isoformat()
    answer = await caller.post(f"{path}/{service_id}/cancel", json={"at": at})
    assert answer.json()["status"] == "Pending cancellation"
    taken_back = await caller.post(f"{path}/{service_id}/resume")
    assert taken_back.json()["status"] == "Pending installation"
    past = await caller.post(f"{path}/{service_id}/cancel", json={"at": "2020-01-01T00:00:00Z"})
    assert (past.status_code, past.json()["errors"][0]["field"]) == (400, "at")


async def test_change_product_changes_the_speed(office, side):
    caller, path = side
    service_id = await office.new_service()
    wanted = {"product_id": str(office.house.fast_product.id)}
    answer = await caller.post(f"{path}/{service_id}/change-product", json=wanted)
    assert (answer.status_code, answer.json()["product_id"]) == (200, wanted["product_id"])
    async with office.house.db.system() as tx:
        rows = await (
            await tx.conn.execute("SELECT download_bps, upload_bps FROM credential")
        ).fetchall()
    assert rows == [(200_000_000, 100_000_000)]
    for unknown in (str(uuid4()), "fast"):
        refused = await caller.post(
            f"{path}/{service_id}/change-product", json={"product_id": unknown}
        )
        assert refused.status_code == 422
        assert refused.json()["errors"][0]["field"] == "product_id"


async def test_history_tells_who_did_what_and_why(office, side):
    caller, path = side
    service_id = await office.new_service()
    await office.fno.post(f"/fno/services/{service_id}/suspend", json={"reason": "fibre works"})
    await office.isp.post(f"/services/{service_id}/cancel")
    steps = (await caller.get(f"{path}/{service_id}/history")).json()
    assert [
        (step["from_status"], step["to_status"], step["reason"], step["actor"]) for step in steps
    ] == [
        (None, "Pending installation", "new", "client:tests"),
        ("Pending installation", "Suspended", "fibre works", "client:tests"),
        ("Suspended", "Cancelled", "asked by the ISP", "client:tests"),
    ]


async def test_actions_refuse_other_keys_by_name(office, side):
    caller, path = side
    service_id = await office.new_service()
    refused = await caller.post(f"{path}/{service_id}/suspend", json={"because": "x"})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (400, "because")
    assert (await office.isp.get(f"/services/{service_id}")).json()["status"] != "Suspended"


async def test_a_device_is_assigned_and_written_down_unless_the_service_is_cancelled(office):
    service_id = await office.new_service()
    path = f"/fno/services/{service_id}/device"
    given = await office.fno.put(path, json={"serial_number": "hwtc-0000a1b2"})
    assert (given.status_code, given.json()["serial_number"]) == (200, "HWTC0000A1B2")
    async with office.house.as_fno() as tx:
        entries = await (
            await tx.conn.execute("SELECT after FROM audit WHERE action = 'assign_device'")
        ).fetchall()
    assert entries == [({"serial": "HWTC0000A1B2"},)]
    await office.isp.post(f"/services/{service_id}/cancel")
    refused = await office.fno.put(path, json={"serial_number": "HWTC0000A1B3"})
    assert refused.status_code == 409
    assert "cancelled" in refused.json()["detail"]
