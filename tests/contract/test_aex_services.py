"""Creating, reading, updating and listing services, rule by rule."""

from datetime import datetime
from uuid import UUID, uuid4

import pytest

from demarc.domains.network import commands

LISTED = [
    "id",
    "customer_id",
    "product_id",
    "provider_id",
    "premise_id",
    "provisioned_date",
    "sales_agent",
    "created_at",
    "updated_at",
    "created_by_id",
    "status",
]
DETAILS = [*LISTED, "isp_reference", "wifi_username", "wifi_password"]


async def elements(office):
    return {
        "customer_id": await office.new_customer(),
        "product_id": str(office.house.product.id),
        "premise_id": str(office.house.premise_id),
    }


@pytest.mark.parametrize("missing", ["customer_id", "product_id", "premise_id"])
async def test_create_1_needs_customer_product_and_premise(office, missing):
    wanted = await elements(office)
    del wanted[missing]
    refused = await office.isp.post("/services", json=wanted)
    assert refused.status_code == 400
    assert refused.json()["errors"] == [{"field": missing, "message": "is required"}]
    assert (await office.isp.get("/services")).json()["total"] == 0


async def test_create_2_answers_201_with_what_was_asked_for(office):
    wanted = await elements(office)
    answer = await office.isp.post("/services", json=wanted | {"sales_agent": "Thandeka"})
    assert answer.status_code == 201
    made = answer.json()
    assert list(made) == DETAILS
    assert {name: made[name] for name in wanted} == wanted
    assert made["provider_id"] == str(office.house.isp.id)
    assert made["sales_agent"] == "Thandeka"
    assert made["status"] == "Pending installation"
    assert made["provisioned_date"] is None
    UUID(made["id"])


async def test_create_3_location_leads_to_the_service(office):
    answer = await office.isp.post("/services", json=await elements(office))
    assert answer.headers["location"] == f"http://aex.example.net/services/{answer.json()['id']}"
    found = await office.isp.get(answer.headers["location"])
    assert found.status_code == 200
    assert found.json() == answer.json()


async def test_create_4_the_owner_of_the_network_sees_it_at_once(office):
    service_id = await office.new_service()
    seen = await office.fno.get(f"/fno/services/{service_id}")
    assert seen.status_code == 200
    assert seen.json()["provider_id"] == str(office.house.isp.id)
    assert [one["id"] for one in (await office.fno.get("/fno/services")).json()["items"]] == [
        service_id
    ]


async def test_a_new_service_can_log_in_at_once(office):
    service_id = await office.new_service()
    status = (await office.isp.get(f"/services/{service_id}/radius/status")).json()
    assert status["username"] == "u0001@acme"
    assert len(status["password"]) >= 8


@pytest.mark.parametrize("unknown", ["customer_id", "product_id", "premise_id"])
@pytest.mark.parametrize("shown", ["5f0d7c8e-6a55-4b0c-9d51-7a2f0c1f3b90", "no-id-at-all"])
async def test_create_refuses_what_does_not_exist(office, unknown, shown):
    wanted = await elements(office)
    refused = await office.isp.post("/services", json=wanted | {unknown: shown})
    assert refused.status_code == 422
    assert [one["field"] for one in refused.json()["errors"]] == [unknown]


async def test_create_refuses_a_product_that_is_not_sold_there(office):
    house = office.house
    async with house.db.system() as tx:
        elsewhere = await house.catalog.put_area(
            tx, network=house.network, slug="south", name="South"
        )
        product = await house.catalog.put_product(
            tx,
            network=house.network,
            code="south-only",
            name="South only",
            download_bps=1,
            upload_bps=1,
            areas=[elsewhere.id],
        )
    wanted = await elements(office) | {"product_id": str(product.id)}
    refused = await office.isp.post("/services", json=wanted)
    assert refused.status_code == 422
    assert refused.json()["detail"] == "product_id is not sold in the area of the premise"


async def test_create_refuses_another_isps_customer(office):
    theirs = await office.new_customer(office.other_isp)
    wanted = await elements(office) | {"customer_id": theirs}
    refused = await office.isp.post("/services", json=wanted)
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["field"] == "customer_id"


async def test_create_takes_a_second_service_at_the_same_premise(office):
    assert await office.new_service() != await office.new_service()


async def test_get_1_gives_the_service_created(office):
    service_id = await office.new_service(isp_reference="A-17")
    found = (await office.isp.get(f"/services/{service_id}")).json()
    assert list(found) == DETAILS
    assert found["id"] == service_id
    assert found["isp_reference"] == "A-17"
    created = datetime.fromisoformat(found["created_at"])
    assert found["created_at"].endswith("+00:00")
    assert created.tzinfo is not None


@pytest.mark.parametrize(
    "shown",
    ["5f0d7c8e-6a55-4b0c-9d51-7a2f0c1f3b90", "17", "%00", "{d6112589-8525-4bc8-e8ba-3f9953ba8748}"],
)
async def test_get_knows_no_other(office, shown):
    missing = await office.isp.get(f"/services/{shown}")
    assert missing.status_code in ({400} if shown == "%00" else {404})
    assert missing.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "key", ["status", "product_id", "customer_id", "premise_id", "sales_agent", "id", "nonsense"]
)
async def test_update_1_refuses_every_other_key_by_name(office, key):
    service_id = await office.new_service()
    before = (await office.isp.get(f"/services/{service_id}")).json()
    refused = await office.isp.put(
        f"/services/{service_id}", json={"isp_reference": "B-1", key: "Active"}
    )
    assert refused.status_code == 400
    assert refused.json()["errors"] == [
        {"field": key, "message": "is not a field that can be given here"}
    ]
    assert (await office.isp.get(f"/services/{service_id}")).json() == before


async def test_update_2_changes_reference_and_wifi(office):
    service_id = await office.new_service()
    wanted = {
        "isp_reference": "ISP-0042",
        "wifi_username": "Casa da Nomsa",
        "wifi_password": "a long one, please",
    }
    assert (await office.isp.put(f"/services/{service_id}", json=wanted)).status_code == 200
    found = (await office.isp.get(f"/services/{service_id}")).json()
    assert {name: found[name] for name in wanted} == wanted


async def test_update_2_keeps_what_is_not_given_and_clears_what_is_null(office):
    service_id = await office.new_service(isp_reference="first")
    await office.isp.put(f"/services/{service_id}", json={"wifi_username": "Nomsa"})
    found = (await office.isp.put(f"/services/{service_id}", json={"isp_reference": None})).json()
    assert (found["isp_reference"], found["wifi_username"]) == (None, "Nomsa")


async def test_update_2_queues_the_wifi_for_the_cpe_without_its_password(office):
    service_id = await office.new_service()
    await office.isp.put(
        f"/services/{service_id}",
        json={"wifi_username": "Nomsa", "wifi_password": "a long one, please"},
    )
    async with office.house.as_isp() as tx:
        queued = await commands.of_service(tx, UUID(service_id))
    assert [(one.kind, one.state, one.request) for one in queued] == [
        ("cpe.wifi", "queued", {"ssid": "Nomsa"})
    ]


async def test_update_3_answers_the_full_details_with_what_was_updated(office):
    service_id = await office.new_service()
    answer = await office.isp.put(
        f"/services/{service_id}", json={"wifi_password": "a long one, please"}
    )
    assert list(answer.json()) == DETAILS
    assert answer.json()["wifi_password"] == "a long one, please"
    assert answer.json() == (await office.isp.get(f"/services/{service_id}")).json()


async def test_update_4_the_owner_of_the_network_sees_it_at_once(office):
    service_id = await office.new_service()
    await office.isp.put(f"/services/{service_id}", json={"isp_reference": "C-3"})
    seen = (await office.fno.get(f"/fno/services/{service_id}")).json()
    assert seen["isp_reference"] == "C-3"
    assert not [name for name in seen if name.startswith("wifi")]


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        ({"wifi_username": ""}, "wifi_username"),
        ({"wifi_username": "x" * 33}, "wifi_username"),
        ({"wifi_username": "é" * 17}, "wifi_username"),
        ({"wifi_password": "short"}, "wifi_password"),
        ({"wifi_password": "não ascii nenhum"}, "wifi_password"),
        ({"isp_reference": "two\nlines"}, "isp_reference"),
        ({"isp_reference": 17}, "isp_reference"),
    ],
)
async def test_update_refuses_what_no_wifi_can_have(office, wanted, field):
    service_id = await office.new_service()
    refused = await office.isp.put(f"/services/{service_id}", json=wanted)
    assert refused.status_code == 400
    assert [one["field"] for one in refused.json()["errors"]] == [field]


async def test_a_cancelled_service_cannot_be_updated(office):
    service_id = await office.new_service()
    await office.isp.post(f"/services/{service_id}/cancel")
    refused = await office.isp.put(f"/services/{service_id}", json={"isp_reference": "late"})
    assert refused.status_code == 409


async def test_list_1_finds_services_by_customer_and_by_premise(office):
    one, other = await office.new_service(), await office.new_service()
    customer_id = (await office.isp.get(f"/services/{one}")).json()["customer_id"]
    found = (await office.isp.get("/services", params={"customer_id": customer_id})).json()
    assert ([item["id"] for item in found["items"]], found["total"]) == ([one], 1)
    at_premise = (
        await office.isp.get("/services", params={"premise_id": str(office.house.premise_id)})
    ).json()
    assert [item["id"] for item in at_premise["items"]] == [one, other]
    nowhere = (await office.isp.get("/services", params={"premise_id": str(uuid4())})).json()
    assert nowhere == {"items": [], "page": 1, "count": 0, "total": 0}


async def test_list_2_filters_by_status(office):
    pending, suspended = await office.new_service(), await office.new_service()
    await office.isp.post(f"/services/{suspended}/suspend")

    async def with_status(status):
        answer = (await office.isp.get("/services", params={"status": status})).json()
        return [item["id"] for item in answer["items"]], answer["total"]

    assert await with_status("Pending installation") == ([pending], 1)
    assert await with_status("Suspended") == ([suspended], 1)
    assert await with_status("suspended") == ([suspended], 1)
    assert await with_status("Active") == ([], 0)
    refused = await office.isp.get("/services", params={"status": "Broken"})
    assert refused.status_code == 400
    assert "Pending installation" in refused.json()["detail"]


async def test_list_3_begins_with_page_1(office):
    ids = [await office.new_service() for _ in range(3)]
    first = (await office.isp.get("/services", params={"page_size": 2})).json()
    assert (first["page"], [item["id"] for item in first["items"]]) == (1, ids[:2])
    again = (await office.isp.get("/services", params={"page_size": 2, "page": 1})).json()
    assert again == first


async def test_list_4_gives_no_more_than_page_size(office):
    ids = [await office.new_service() for _ in range(5)]
    pages = [
        (await office.isp.get("/services", params={"page_size": 2, "page": page})).json()
        for page in (1, 2, 3, 4)
    ]
    assert [[item["id"] for item in page["items"]] for page in pages] == [
        ids[:2],
        ids[2:4],
        ids[4:],
        [],
    ]
    assert {page["total"] for page in pages} == {5}
    newest_first = (await office.isp.get("/services", params={"sort": "-created_at"})).json()
    assert [item["id"] for item in newest_first["items"]] == ids[::-1]


async def test_list_5_says_page_count_and_total(office):
    for _ in range(3):
        await office.new_service()
    answer = (await office.isp.get("/services", params={"page": 2, "page_size": 2})).json()
    assert list(answer) == ["items", "page", "count", "total"]
    assert (answer["page"], answer["count"], answer["total"]) == (2, 1, 3)
    assert [list(item) for item in answer["items"]] == [LISTED]


@pytest.mark.parametrize(
    "params",
    [
        {"page": 0},
        {"page": -1},
        {"page": "two"},
        {"page_size": 0},
        {"page_size": "all"},
        {"sort": "name"},
    ],
)
async def test_list_refuses_bad_parameters_by_name(office, params):
    refused = await office.isp.get("/services", params=params)
    assert refused.status_code == 400
    assert [one["field"] for one in refused.json()["errors"]] == list(params)


async def test_list_takes_large_pages_and_unknown_parameters(office):
    await office.new_service()
    answer = await office.isp.get(
        "/services", params={"page_size": 5000, "utm_source": "x", "page": 10**30}
    )
    assert answer.status_code == 200
    assert answer.json() == {"items": [], "page": 10**30, "count": 0, "total": 1}


async def test_an_imported_service_is_known_by_its_own_id(office):
    imported = "d6112589-8525-4bc8-e8ba-3f9953ba8748"
    service_id = await office.new_service()
    async with office.house.as_isp() as tx:
        await tx.conn.execute(
            "INSERT INTO wire_id (api, tenant_id, kind, value, entity_id)"
            " VALUES ('aex', %s, 'service', %s, %s)",
            [tx.tenant, imported, service_id],
        )
    found = await office.isp.get(f"/services/{imported}")
    assert found.json()["id"] == imported
    assert (await office.isp.get(f"/services/{service_id}")).json()["id"] == imported
    listed = (await office.isp.get("/services")).json()["items"]
    assert [item["id"] for item in listed] == [imported]
    status = await office.isp.get(f"/services/{imported}/radius/status")
    assert status.status_code == 200
    changed = (await office.isp.get("/services/snapshot")).json()
    assert [one["service_id"] for one in changed] == [imported]
