"""Lists take the same few statements however long they are, and count long ones rarely."""

from collections.abc import Iterator

import pytest

from demarc.platform.statements import Statement


@pytest.fixture
def asked(monkeypatch) -> Iterator[list[str]]:
    """The names of the statements run, in order."""
    names: list[str] = []
    execute = Statement._execute

    async def noted(self, tx, values):
        names.append(self.name)
        return await execute(self, tx, values)

    run = Statement.run

    async def noted_run(self, tx, **values):
        names.append(self.name)
        return await run(self, tx, **values)

    monkeypatch.setattr(Statement, "_execute", noted)
    monkeypatch.setattr(Statement, "run", noted_run)
    return names


# Page 1 with more to come: the page and its total. Authentication is remembered from before.
LISTS = {
    "/services": ["views.services.isp.all.created_at", "views.services.isp.all.count"],
    "/services?status=Pending%20installation&sort=-created_at": [
        "views.services.isp.state.-created_at",
        "views.services.isp.state.count",
    ],
    "/customers": ["views.customers.page", "views.customers.count"],
    "/customers?email_address=thandi@example.net": [
        "views.customers.page_by_email",
        "views.customers.count_by_email",
    ],
    "/products": ["views.products.page", "views.products.count"],
    "/premises": ["views.premises.all", "views.premises.all.count"],
    "/premises?address=street": ["views.premises.all.by_text", "views.premises.all.by_text.count"],
    "/premises/predefined": ["views.premises.predefined", "views.premises.predefined.count"],
    "/fno/services": ["views.services.fno.all.created_at", "views.services.fno.all.count"],
}


@pytest.fixture
async def full(office):
    """More of everything than a page of two holds."""
    for number in range(3):
        await office.new_service()
        await office.isp.post("/premises", json={"full_address": f"{number} High Street"})
    return office


@pytest.mark.parametrize("path", LISTS)
async def test_a_list_is_two_statements(full, asked, path):
    caller = full.fno if path.startswith("/fno") else full.isp
    await caller.get(path)
    asked.clear()
    size = "&page_size=1" if "?" in path else "?page_size=1"
    answer = (await caller.get(path + size)).json()
    assert answer["total"] >= answer["count"] == 1
    assert asked == LISTS[path]


async def test_a_page_that_tells_its_total_is_one_statement(full, asked):
    answer = (await full.isp.get("/services")).json()
    assert answer["total"] == answer["count"] == 3
    assert asked == ["views.services.isp.all.created_at"]


@pytest.mark.parametrize(
    ("path", "statements"),
    [
        ("/locations?address=street", ["views.premises.addresses"]),
        ("/services/{id}", ["views.services.isp.one"]),
        ("/services/{id}/radius/usage", ["views.services.isp.one", "aaa.usage"]),
        ("/services/{id}/history", ["views.services.isp.one", "services.find", "services.history"]),
    ],
)
async def test_reads_are_few_statements(full, asked, path, statements):
    service_id = (await full.isp.get("/services")).json()["items"][0]["id"]
    asked.clear()
    assert (await full.isp.get(path.format(id=service_id))).status_code == 200
    assert asked == statements


async def test_proximity_is_two_statements(full, asked):
    answer = await full.isp.post(
        "/locations/proximity-search", json={"latitude": -33.9249, "longitude": 18.4241}
    )
    assert answer.json()["total"] == 1
    assert asked == ["views.premises.count_near", "views.premises.near"]


async def test_a_snapshot_is_four_statements(full, asked):
    assert len((await full.isp.get("/services/snapshot")).json()) == 3
    assert asked == [
        "services.open_snapshot_cursor",
        "services.lock_snapshot_cursor",
        "services.take_changes",
        "wire_ids.of_many",
    ]


async def test_radius_status_does_not_grow(full, asked):
    service_id = (await full.isp.get("/services")).json()["items"][0]["id"]
    asked.clear()
    await full.isp.get(f"/services/{service_id}/radius/status")
    assert len(asked) <= 6
    assert asked[0] == "views.services.isp.one"
