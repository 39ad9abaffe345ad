"""Products, premises and locations: what a client looks up before it orders."""

from decimal import Decimal
from uuid import uuid4

import pytest

from demarc.domains.subscribers.model import Place

PREMISE = [
    "id",
    "full_address",
    "street",
    "number",
    "unit",
    "district",
    "city",
    "region",
    "postcode",
    "country",
    "latitude",
    "longitude",
    "area_id",
    "predefined",
    "created_at",
    "updated_at",
]
LONG_STREET = (-33.9249, 18.4241)


async def premise(office, address, *, area=True, predefined=True, **more):
    house = office.house
    position = dict(zip(("latitude", "longitude"), more.pop("position", (None, None)), strict=True))
    async with house.as_fno() as tx:
        made = await house.subscribers.create_premise(
            tx,
            network=house.network,
            place=Place(full_address=address, **position),
            area_id=house.area.id if area else None,
            predefined=predefined,
            **more,
        )
    return str(made.id)


async def test_products_lists_what_the_isp_sells_in_the_documents_pages(office):
    answer = (await office.isp.get("/products")).json()
    assert [answer[name] for name in ("page", "count", "total")] == [1, 2, 2]
    assert [item["code"] for item in answer["items"]] == ["f200", "f50"]
    slow = answer["items"][1]
    assert slow == {
        "id": str(office.house.product.id),
        "code": "f50",
        "name": "Fibre 50",
        "description": None,
        "technology": "gpon",
        "download_speed": 50.0,
        "upload_speed": 25.0,
        "monthly_price": None,
        "currency": None,
        "area_ids": [str(office.house.area.id)],
        "active": True,
    }


@pytest.mark.parametrize("name", ["area_id", "areaId"])
async def test_products_of_an_area_are_those_that_can_be_ordered_there(office, name):
    house = office.house
    async with house.db.system() as tx:
        south = await house.catalog.put_area(tx, network=house.network, slug="south", name="South")
        closed = await house.catalog.put_area(
            tx, network=house.network, slug="closed", name="Closed", available=False
        )
        for code, areas, more in (
            ("both", [house.area.id, south.id, closed.id], {}),
            ("gone", [south.id], {"active": False}),
            ("theirs", [south.id], {"isp_id": house.other_isp.id}),
        ):
            await house.catalog.put_product(
                tx,
                network=house.network,
                code=code,
                name=code,
                download_bps=10_000_000,
                upload_bps=2_500_000,
                areas=areas,
                monthly_price=Decimal("499.90"),
                currency="ZAR",
                **more,
            )

    async def codes(caller, area):
        answer = (await caller.get("/products", params={name: str(area)})).json()
        assert answer["total"] == answer["count"] == len(answer["items"])
        return [item["code"] for item in answer["items"]]

    assert await codes(office.isp, house.area.id) == ["f200", "f50", "both"]
    assert await codes(office.isp, south.id) == ["both"]
    assert await codes(office.other_isp, south.id) == ["both", "theirs"]
    assert await codes(office.isp, closed.id) == []
    assert await codes(office.isp, uuid4()) == []
    assert await codes(office.isp, "nowhere") == []


async def test_product_is_read_by_its_id(office):
    house = office.house
    found = await office.isp.get(f"/products/{house.product.id}")
    assert found.json()["name"] == "Fibre 50"
    assert (await office.isp.get(f"/products/{uuid4()}")).status_code == 404
    async with house.db.system() as tx:
        theirs = await house.catalog.put_product(
            tx,
            network=house.network,
            code="theirs",
            name="Theirs",
            download_bps=10_000_000,
            upload_bps=2_500_000,
            areas=[],
            isp_id=house.other_isp.id,
            monthly_price=Decimal("499.90"),
            currency="ZAR",
        )
    assert (await office.isp.get(f"/products/{theirs.id}")).status_code == 404
    seen = (await office.other_isp.get(f"/products/{theirs.id}")).json()
    assert (seen["monthly_price"], seen["currency"]) == ("499.9", "ZAR")
    assert (seen["download_speed"], seen["upload_speed"]) == (10.0, 2.5)


async def test_premise_is_created_and_location_leads_to_it(office):
    answer = await office.isp.post(
        "/premises",
        json={
            "number": "7",
            "street": "Seme Street",
            "district": "Mohlakeng",
            "city": "Randfontein",
            "postcode": "1759",
            "region": "Gauteng",
            "country": "za",
            "unit": "Flat 2",
            "latitude": -26.23,
            "longitude": 27.69,
            "area_id": str(office.house.area.id),
        },
    )
    assert answer.status_code == 201
    made = answer.json()
    assert list(made) == PREMISE
    assert made["full_address"] == ("7, Seme Street, Mohlakeng, Randfontein, 1759, Gauteng, Flat 2")
    assert (made["country"], made["unit"], made["predefined"]) == ("ZA", "Flat 2", False)
    assert made["area_id"] == str(office.house.area.id)
    assert answer.headers["location"] == f"http://aex.example.net/premises/{made['id']}"
    assert (await office.isp.get(answer.headers["location"])).json() == made
    assert await office.new_service(premise_id=made["id"])


async def test_a_further_unit_at_an_address_lies_in_the_same_area(office):
    made = await office.isp.post(
        "/premises", json={"full_address": "12 LONG street - cape town", "unit": "Shop 1"}
    )
    assert made.status_code == 201
    # one address, written as it was first
    assert made.json()["full_address"] == "12 Long Street, Cape Town, Shop 1"
    assert made.json()["area_id"] == str(office.house.area.id)


async def test_a_premise_that_exists_is_not_made_again(office):
    refused = await office.isp.post("/premises", json={"full_address": "12 Long Street Cape Town"})
    assert refused.status_code == 409
    assert (await office.isp.get("/premises")).json()["total"] == 1


@pytest.mark.parametrize(
    ("wanted", "status", "field"),
    [
        ({}, 400, "full_address"),
        ({"full_address": "..."}, 400, "full_address"),
        ({"full_address": "1 Main", "latitude": 91, "longitude": 0}, 400, "latitude"),
        ({"full_address": "1 Main", "latitude": 9}, 400, "longitude"),
        ({"full_address": "1 Main", "latitude": "9", "longitude": 0}, 400, "latitude"),
        ({"full_address": "1 Main", "country": "Zambia"}, 400, "country"),
        ({"full_address": "1 Main", "colour": "red"}, 400, "colour"),
        ({"full_address": "1 Main", "area_id": str(uuid4())}, 422, "area_id"),
        ({"full_address": "1 Main", "area_id": "north"}, 422, "area_id"),
    ],
)
async def test_premise_refuses_what_cannot_be_taken_by_name(office, wanted, status, field):
    refused = await office.isp.post("/premises", json=wanted)
    assert refused.status_code == status
    assert [one["field"] for one in refused.json()["errors"]] == [field]


async def test_premises_are_listed_and_searched(office):
    flat = await premise(office, "3 Rua São João, Belém", unit="Apto 12")
    await premise(office, "8 Hill Road, Durban", predefined=False)
    answer = (await office.isp.get("/premises")).json()
    assert (answer["count"], answer["total"]) == (3, 3)
    assert [list(item) for item in answer["items"]] == [PREMISE] * 3

    async def found(path, **params):
        items = (await office.isp.get(path, params=params)).json()["items"]
        return [item["full_address"] for item in items]

    assert await found("/premises", address="sao joao") == ["3 Rua São João, Belém, Apto 12"]
    assert await found("/premises", address="hil durb") == ["8 Hill Road, Durban"]
    assert await found("/premises", address="nowhere") == []
    assert await found("/premises/predefined") == [
        "12 Long Street, Cape Town",
        "3 Rua São João, Belém, Apto 12",
    ]
    assert await found("/premises/predefined", address="Hill") == []
    assert (await office.isp.get(f"/premises/{flat}")).json()["unit"] == "Apto 12"


async def test_locations_gives_up_to_ten_addresses_that_contain_the_words(office):
    for number in range(12):
        await premise(office, f"{100 + number} Mzolo Street, Mohlakeng")
    found = (await office.isp.get("/locations", params={"address": "mzolo mohla"})).json()
    assert found == [f"{100 + number} Mzolo Street, Mohlakeng" for number in range(10)]
    narrower = await office.isp.get("/locations", params={"address": "111 MZOLO"})
    assert narrower.json() == ["111 Mzolo Street, Mohlakeng"]
    assert (await office.isp.get("/locations", params={"address": "zzz"})).json() == []
    missing = await office.isp.get("/locations")
    assert missing.status_code == 400
    assert missing.json()["errors"] == [{"field": "address", "message": "is required"}]


async def test_proximity_finds_premises_within_500_metres_nearest_first(office):
    latitude, longitude = LONG_STREET
    # a degree of latitude is 111.2 km: these lie 111 m, 489 m and 511 m to the north
    near = await premise(office, "near", position=(latitude + 0.001, longitude), predefined=False)
    edge = await premise(office, "edge", position=(latitude + 0.0044, longitude))
    await premise(office, "too far", position=(latitude + 0.0046, longitude))
    await premise(office, "no position")
    answer = (
        await office.isp.post(
            "/locations/proximity-search", json={"latitude": latitude, "longitude": longitude}
        )
    ).json()
    assert [item["id"] for item in answer["items"]] == [str(office.house.premise_id), near, edge]
    assert (answer["page"], answer["count"], answer["total"]) == (1, 3, 3)
    here, first, second = answer["items"]
    assert (here["distance"], first["distance"], second["distance"]) == (0.0, 111.2, 489.3)
    assert first == {
        "id": near,
        "type": "premise",
        "full_address": "near",
        "latitude": latitude + 0.001,
        "longitude": longitude,
        "distance": 111.2,
        "area_id": str(office.house.area.id),
    }
    assert second["type"] == "predefined_premise"
    closer = await office.isp.post(
        "/locations/proximity-search",
        json={"latitude": latitude, "longitude": longitude, "radius": 200},
    )
    assert closer.json()["total"] == 2


async def test_proximity_gives_ten_a_page(office):
    latitude, longitude = 0.0, 179.9999
    for number in range(12):
        # on both sides of the line where the longitude changes its sign
        offset = 0.0001 * number
        position = (latitude, longitude + offset - (360 if longitude + offset > 180 else 0))
        await premise(office, f"Dateline {number}", position=position)
    wanted = {"latitude": latitude, "longitude": longitude}

    async def page(**params):
        answer = await office.isp.post("/locations/proximity-search", json=wanted, params=params)
        body = answer.json()
        return [item["full_address"] for item in body["items"]], body["count"], body["total"]

    names = [f"Dateline {number}" for number in range(12)]
    assert await page(page_size=50) == (names[:10], 10, 12)
    assert await page(page=2) == (names[10:], 2, 12)
    assert await page(page=3) == ([], 0, 12)


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        ({"latitude": 0}, "longitude"),
        ({"latitude": 0, "longitude": 181}, "longitude"),
        ({"latitude": 0, "longitude": 0, "radius": 501}, "radius"),
        ({"latitude": 0, "longitude": 0, "radius": 0}, "radius"),
    ],
)
async def test_proximity_refuses_what_is_no_point(office, wanted, field):
    refused = await office.isp.post("/locations/proximity-search", json=wanted)
    assert refused.status_code == 400
    assert [one["field"] for one in refused.json()["errors"]] == [field]


async def test_details_tells_whether_a_place_can_be_ordered_at(office):
    house = office.house
    at_address = (
        await office.isp.get("/details", params={"address": "12 long street cape town"})
    ).json()
    assert at_address == {
        "availability": True,
        "premiseId": str(house.premise_id),
        "predefinedPremiseId": str(house.premise_id),
        "areaId": str(house.area.id),
        "fullAddress": "12 Long Street, Cape Town",
    }
    by_id = await office.isp.get(
        "/details", params={"predefined_premise_id": str(house.premise_id)}
    )
    assert by_id.json() == at_address


async def test_details_follows_what_is_sold_there(office):
    house = office.house
    uncovered = await premise(office, "1 Far Away", area=False)

    async def details(premise_id):
        answer = await office.isp.get("/details", params={"predefined_premise_id": premise_id})
        return answer.json()["availability"], answer.json()["areaId"]

    assert await details(uncovered) == (False, None)
    assert await details(str(house.premise_id)) == (True, str(house.area.id))
    async with house.db.system() as tx:
        await house.catalog.put_area(
            tx, network=house.network, slug="north", name="North", available=False
        )
    assert await details(str(house.premise_id)) == (False, str(house.area.id))


async def test_details_of_an_address_without_a_premise_of_its_own(office):
    await premise(office, "5 Tower Road, Cape Town", unit="Flat 1")
    found = (await office.isp.get("/details", params={"address": "5 Tower Road, Cape Town"})).json()
    # the premise must be created; it will lie in the area of the others there
    assert found == {
        "availability": True,
        "premiseId": None,
        "predefinedPremiseId": None,
        "areaId": str(office.house.area.id),
        "fullAddress": "5 Tower Road, Cape Town",
    }
    flat = await office.isp.get("/details", params={"address": "5 Tower Road, Cape Town, Flat 1"})
    assert flat.json()["premiseId"] is not None


async def test_details_knows_no_other_place(office):
    unknown = await office.isp.get("/details", params={"address": "99 Nowhere"})
    assert unknown.status_code == 404
    no_premise = await office.isp.get("/details", params={"predefined_premise_id": str(uuid4())})
    assert no_premise.status_code == 404
    neither = await office.isp.get("/details")
    assert neither.status_code == 400


async def test_the_documents_way_from_an_address_to_a_service(office):
    (address,) = (await office.isp.get("/locations", params={"address": "long str"})).json()
    details = (await office.isp.get("/details", params={"address": address})).json()
    assert details["availability"] is True
    products = await office.isp.get("/products", params={"area_id": details["areaId"]})
    customer = await office.isp.post(
        "/customers",
        json={
            "first_name": "Joe",
            "last_name": "Hobbit",
            "email": "joe.hobbit@example.net",
            "mobile_number": "0612345789",
        },
    )
    ordered = await office.isp.post(
        "/services",
        json={
            "customer_id": customer.json()["id"],
            "product_id": products.json()["items"][0]["id"],
            "premise_id": details["premiseId"],
        },
    )
    assert ordered.status_code == 201
    found = (await office.isp.get(ordered.headers["location"])).json()
    assert found["status"] == "Pending installation"
