"""Customers: created, changed, found; those of no ISP, and how one takes them on."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

KEYS = ["id", "first_name", "last_name", "email", "mobile_number", "fno_opt_in", "isp_opt_in"]
JOE = {
    "first_name": "Joe",
    "last_name": "Hobbit",
    "email": "joe.hobbit@example.net",
    "mobile_number": "061 234 5789",
}


async def of_no_isp(office, **more):
    """Somebody the network's owner knows, and no ISP yet."""
    async with office.house.as_fno() as tx:
        made = await office.house.subscribers.create_customer(tx, of_no_isp=True, **(JOE | more))
    return str(made.id)


async def listed(caller, **params):
    answer = await caller.get("/customers", params=params)
    assert answer.status_code == 200
    return [item["id"] for item in answer.json()["items"]], answer.json()["total"]


async def test_create_answers_201_and_location_leads_to_the_customer(office):
    answer = await office.isp.post("/customers", json=JOE)
    assert answer.status_code == 201
    made = answer.json()
    assert list(made) == KEYS
    assert made == {"id": made["id"], **JOE, "fno_opt_in": None, "isp_opt_in": None}
    assert answer.headers["location"] == f"http://aex.example.net/customers/{made['id']}"
    assert (await office.isp.get(answer.headers["location"])).json() == made


async def test_create_keeps_consents_with_their_dates(office):
    answer = await office.isp.post(
        "/customers",
        json=JOE
        | {"fno_opt_in": "2024-12-17T11:06:42.779+02:00", "isp_opt_in": "2024-01-01T00:00:00Z"},
    )
    assert answer.json()["fno_opt_in"] == "2024-12-17T09:06:42.779Z"
    assert answer.json()["isp_opt_in"] == "2024-01-01T00:00:00.000Z"


@pytest.mark.parametrize("missing", list(JOE))
async def test_create_needs_name_email_and_mobile_number(office, missing):
    refused = await office.isp.post(
        "/customers", json={name: value for name, value in JOE.items() if name != missing}
    )
    assert refused.status_code == 400
    assert refused.json()["errors"] == [{"field": missing, "message": "is required"}]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("email", "joe"),
        ("email", "joe@"),
        ("email", "joe hobbit@example.net"),
        ("email", "joe@example..net"),
        ("mobile_number", "12"),
        ("mobile_number", "call me"),
        ("mobile_number", "+27 82 555 0101 0101 0101"),
        ("first_name", "  "),
        ("first_name", None),
        ("last_name", 17),
        ("fno_opt_in", "yes"),
        ("fno_opt_in", "2024-12-17T11:06:42"),
        pytest.param(
            "isp_opt_in", (datetime.now(UTC) + timedelta(days=400)).isoformat(), id="far ahead"
        ),
        ("password", "secret"),
    ],
)
async def test_create_refuses_what_cannot_be_taken_by_name(office, field, value):
    refused = await office.isp.post("/customers", json=JOE | {field: value})
    assert refused.status_code == 400
    assert [one["field"] for one in refused.json()["errors"]] == [field]
    assert await listed(office.isp) == ([], 0)


async def test_update_changes_what_is_given_and_answers_the_whole_record(office):
    customer_id = await office.new_customer(fno_opt_in="2024-12-17T09:00:00Z")
    answer = await office.isp.put(
        f"/customers/{customer_id}", json={"first_name": "Bongani", "last_name": "Madolo"}
    )
    assert answer.status_code == 200
    assert answer.json() == {
        "id": customer_id,
        "first_name": "Bongani",
        "last_name": "Madolo",
        "email": "thandi@example.net",
        "mobile_number": "082 555 0144",
        "fno_opt_in": "2024-12-17T09:00:00.000Z",
        "isp_opt_in": None,
    }
    assert (await office.isp.get(f"/customers/{customer_id}")).json() == answer.json()
    # the whole name, as other views show it, is made anew
    service_id = (
        await office.isp.post(
            "/services",
            json={
                "customer_id": customer_id,
                "product_id": str(office.house.product.id),
                "premise_id": str(office.house.premise_id),
            },
        )
    ).json()["id"]
    (change,) = (await office.isp.get("/services/snapshot")).json()
    assert (change["service_id"], change["customer_name"]) == (service_id, "Bongani Madolo")


async def test_update_withdraws_a_consent_and_keeps_its_history(office):
    customer_id = await office.new_customer(fno_opt_in="2024-12-17T09:00:00Z")
    answer = await office.isp.put(f"/customers/{customer_id}", json={"fno_opt_in": None})
    assert answer.json()["fno_opt_in"] is None
    again = await office.isp.put(
        f"/customers/{customer_id}", json={"fno_opt_in": "2025-01-02T00:00:00Z"}
    )
    assert again.json()["fno_opt_in"] == "2025-01-02T00:00:00.000Z"
    async with office.house.as_isp() as tx:
        history = await office.house.subscribers.consents(tx, UUID(customer_id))
    assert [(one.given_at.year, one.withdrawn_at is None) for one in history] == [
        (2024, False),
        (2025, True),
    ]


async def test_consents_given_at_the_same_time_follow_each_other(office):
    customer_id = await office.new_customer()
    days = [f"2024-12-{day}T09:06:42.000Z" for day in (11, 12, 13, 14)]
    answers = await asyncio.gather(
        *(office.isp.put(f"/customers/{customer_id}", json={"fno_opt_in": day}) for day in days)
    )
    assert [answer.status_code for answer in answers] == [200] * 4
    assert [answer.json()["fno_opt_in"] for answer in answers] == days
    async with office.house.as_isp() as tx:
        consents = await office.house.subscribers.consents(tx, UUID(customer_id))
    assert len(consents) == 4
    assert len([one for one in consents if one.withdrawn_at is None]) == 1


async def test_update_refuses_null_where_a_value_is_needed(office):
    customer_id = await office.new_customer()
    refused = await office.isp.put(f"/customers/{customer_id}", json={"email": None})
    assert refused.status_code == 400
    assert [one["field"] for one in refused.json()["errors"]] == ["email"]


async def test_list_shows_the_isps_own_and_those_of_no_isp(office):
    mine = await office.new_customer()
    await office.new_customer(office.other_isp)
    free = await of_no_isp(office)
    assert await listed(office.isp) == ([mine, free], 2)
    assert await listed(office.isp, page=2, page_size=1) == ([free], 2)
    assert await listed(office.isp, page=3, page_size=1) == ([], 2)


@pytest.mark.parametrize("name", ["email_address", "emailAddress"])
async def test_list_filters_by_email_under_both_names(office, name):
    await office.new_customer()
    joe = await office.new_customer(email="joe.hobbit@example.net")
    free = await of_no_isp(office)
    await office.new_customer(office.other_isp, email="joe.hobbit@example.net")
    assert await listed(office.isp, **{name: "Joe.Hobbit@Example.NET"}) == ([joe, free], 2)
    assert await listed(office.isp, **{name: "nobody@example.net"}) == ([], 0)


async def test_ordering_for_a_customer_of_no_isp_takes_them_on(office):
    free = await of_no_isp(office)
    ordered = await office.isp.post(
        "/services",
        json={
            "customer_id": free,
            "product_id": str(office.house.product.id),
            "premise_id": str(office.house.premise_id),
        },
    )
    assert ordered.status_code == 201
    assert (await office.isp.get(f"/customers/{free}")).status_code == 200
    assert (await office.other_isp.get(f"/customers/{free}")).status_code == 404
    assert await listed(office.other_isp) == ([], 0)


async def test_two_isps_that_order_for_one_customer_at_once_do_not_share_them(office):
    free = await of_no_isp(office)
    wanted = {
        "customer_id": free,
        "product_id": str(office.house.product.id),
        "premise_id": str(office.house.premise_id),
    }
    answers = await asyncio.gather(
        office.isp.post("/services", json=wanted), office.other_isp.post("/services", json=wanted)
    )
    assert sorted(answer.status_code for answer in answers) == [201, 422]


async def test_an_isp_that_orders_twice_at_once_for_one_customer_takes_them_on(office):
    free = await of_no_isp(office)
    wanted = {
        "customer_id": free,
        "product_id": str(office.house.product.id),
        "premise_id": str(office.house.premise_id),
    }
    answers = await asyncio.gather(*(office.isp.post("/services", json=wanted) for _ in range(4)))
    assert [answer.status_code for answer in answers] == [201] * 4


async def test_a_customer_of_no_isp_cannot_be_changed_by_one(office):
    free = await of_no_isp(office)
    refused = await office.isp.put(f"/customers/{free}", json={"first_name": "Mine"})
    assert refused.status_code == 403
    assert (await office.isp.get(f"/customers/{free}")).json()["first_name"] == "Joe"


async def test_a_company_shows_its_whole_name(office):
    async with office.house.as_isp() as tx:
        made = await office.house.subscribers.create_customer(
            tx, kind="company", name="Padaria do Bairro Ltda", email="contas@example.net"
        )
    shown = (await office.isp.get(f"/customers/{made.id}")).json()
    assert (shown["first_name"], shown["last_name"]) == ("Padaria do Bairro Ltda", "")
    assert shown["mobile_number"] is None


@pytest.mark.parametrize("shown", ["5f0d7c8e-6a55-4b0c-9d51-7a2f0c1f3b90", "17"])
async def test_there_is_no_other_customer(office, shown):
    assert (await office.isp.get(f"/customers/{shown}")).status_code == 404
    assert (await office.isp.put(f"/customers/{shown}", json={})).status_code == 404
