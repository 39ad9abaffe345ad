"""What one organisation has does not exist for another: asked of every route there is.

A route without a case here fails the first test; nothing can be served that nobody thought of.
"""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from litestar.routes import HTTPRoute

from demarc.northbound.aex.routes import HANDLERS
from support.aex import issue

JOE = {
    "first_name": "Joe",
    "last_name": "Hobbit",
    "email": "joe.hobbit@example.net",
    "mobile_number": "0612345789",
}


class Case(msgspec.Struct):
    """How a route is tried by somebody whose thing it is not.

    Attributes:
        answer: the status they get; of a list they get nothing.
        body: what they send, with the ids of what is not theirs.
    """

    answer: int
    body: dict[str, Any] | None = None
    params: dict[str, str] = {}


# Ids in braces are those of the ISP whose things are there.
CASES: dict[str, Case] = {
    "aex.services.create": Case(
        422,
        {
            "customer_id": "{customer_id}",
            "product_id": "{product_id}",
            "premise_id": "{premise_id}",
        },
    ),
    "aex.services.list": Case(200),
    "aex.services.snapshot": Case(200),
    "aex.services.get": Case(404),
    "aex.services.update": Case(404, {"isp_reference": "stolen"}),
    "aex.services.radius.status": Case(404),
    "aex.services.radius.usage": Case(404),
    "aex.services.device.status": Case(404),
    "aex.services.device.status.live": Case(404),
    "demarc.services.suspend": Case(404, {}),
    "demarc.services.resume": Case(404, {}),
    "demarc.services.cancel": Case(404, {}),
    "demarc.services.change_product": Case(404, {"product_id": "{product_id}"}),
    "demarc.services.history": Case(404),
    "aex.customers.create": Case(201, JOE),
    "aex.customers.list": Case(200, params={"email_address": "thandi@example.net"}),
    "aex.customers.get": Case(404),
    "aex.customers.update": Case(404, {"first_name": "Stolen"}),
    "aex.products.list": Case(200, params={"area_id": "{area_id}"}),
    "aex.products.get": Case(404),
    "aex.premises.create": Case(422, {"full_address": "1 Main", "area_id": "{area_id}"}),
    "aex.premises.list": Case(200),
    "aex.premises.predefined": Case(200),
    "aex.premises.get": Case(404),
    "aex.locations.search": Case(200, params={"address": "long street"}),
    "aex.locations.proximity": Case(200, {"latitude": -33.9249, "longitude": 18.4241}),
    "aex.details": Case(404, params={"predefined_premise_id": "{premise_id}"}),
    "fno.services.list": Case(200),
    "fno.services.get": Case(404),
    "fno.services.suspend": Case(404, {}),
    "fno.services.resume": Case(404, {}),
    "fno.services.cancel": Case(404, {}),
    "fno.services.change_product": Case(404, {"product_id": "{product_id}"}),
    "fno.services.history": Case(404),
    "fno.services.device.assign": Case(404, {"serial_number": "HWTC0A0B0C01"}),
    "fno.services.device.status": Case(404),
    "fno.services.device.status.live": Case(404),
}

# What another ISP of the same network may not see either; places and products are the network's.
OF_THE_ISP = [
    name for name in CASES if name.startswith(("aex.services", "demarc.", "aex.customers"))
]


def routes(app) -> dict[str, tuple[str, str]]:
    """Give method and path of every operation of an application."""
    return {
        handler.operation_id: (method, route.path_format)
        for route in app.routes
        if isinstance(route, HTTPRoute)
        for method, (handler, _) in route.route_handler_map.items()
        if handler.operation_id and method != "OPTIONS"
    }


def test_every_route_has_a_case():
    assert {handler.operation_id for handler in HANDLERS} == set(CASES)


@pytest.fixture
async def strangers(office):
    """An ISP and an owner of another network; they have nothing of this one's."""
    house = office.house
    async with house.db.system() as tx:
        owner = await house.identity.put_tenant(tx, slug="coast", name="Coast Fibre")
        isp = await house.identity.put_tenant(tx, slug="gamma", name="Gamma")
        network = await house.identity.put_network(
            tx, owner_id=owner.id, slug="coast", name="Coast"
        )
        await house.identity.admit_isp(tx, network, isp.id)
        await house.aaa.create_realm(tx, tenant_id=isp.id, name="gamma")
    tokens = {
        "isp": await issue(house, isp, "aex", ("read", "write")),
        "fno": await issue(house, owner, "fno", ("read", "write")),
    }
    return {side: office.client(Authorization=f"Bearer {token}") for side, token in tokens.items()}


@pytest.fixture
async def there(office):
    """What the ISP has: ids by name."""
    service_id = await office.new_service(isp_reference="mine")
    service = (await office.isp.get(f"/services/{service_id}")).json()
    return {
        "service_id": service_id,
        "customer_id": service["customer_id"],
        "premise_id": service["premise_id"],
        "product_id": service["product_id"],
        "area_id": str(office.house.area.id),
        "provider_id": service["provider_id"],
    }


async def attempt(app, caller, operation: str, there: dict[str, str]):
    method, path = routes(app)[operation]
    case = CASES[operation]

    def filled(value: Any) -> Any:
        return value.format(**there) if isinstance(value, str) else value

    return case, await caller.request(
        method,
        path.format(**there),
        params={name: filled(value) for name, value in case.params.items()},
        json=None
        if case.body is None
        else {name: filled(value) for name, value in case.body.items()},
    )


async def state_of(office, there) -> list[Any]:
    """Everything of the ISP's that a stranger could have changed."""
    answers = [
        await office.isp.get(f"/services/{there['service_id']}"),
        await office.isp.get(f"/services/{there['service_id']}/history"),
        await office.isp.get(f"/customers/{there['customer_id']}"),
        await office.isp.get("/premises"),
    ]
    return [answer.json() for answer in answers]


def assert_nothing_seen(case: Case, answer, there: dict[str, str], asked: Callable[[str], bool]):
    assert answer.status_code == case.answer, answer.text
    body = answer.json()
    if isinstance(body, dict) and "total" in body:
        assert (body["items"], body["total"]) == ([], 0)
    for name, value in there.items():
        # a refusal may repeat what was asked for
        assert value not in answer.text or asked(value), name


@pytest.mark.parametrize("operation", CASES)
async def test_another_network_sees_and_changes_nothing(office, strangers, there, operation):
    before = await state_of(office, there)
    caller = strangers["fno" if operation.startswith("fno.") else "isp"]
    case, answer = await attempt(office.app, caller, operation, there)
    asked = str(answer.request.url) + answer.request.content.decode()
    assert_nothing_seen(case, answer, there, lambda value: value in asked)
    assert await state_of(office, there) == before


@pytest.mark.parametrize("operation", OF_THE_ISP)
async def test_another_isp_of_the_network_sees_and_changes_nothing(office, there, operation):
    before = await state_of(office, there)
    case, answer = await attempt(office.app, office.other_isp, operation, there)
    asked = str(answer.request.url) + answer.request.content.decode()
    assert_nothing_seen(case, answer, there, lambda value: value in asked)
    assert await state_of(office, there) == before


async def test_the_other_side_and_nobody_are_refused_everywhere(office, there):
    before = await state_of(office, there)
    for operation in CASES:
        other_side = office.isp if operation.startswith("fno.") else office.fno
        _, answer = await attempt(office.app, other_side, operation, there)
        assert answer.status_code == 403, operation
        _, answer = await attempt(office.app, office.client(), operation, there)
        assert answer.status_code == 401, operation
    assert await state_of(office, there) == before


async def test_the_owner_learns_a_customers_name_only_with_their_consent(office):
    """The owner's API shows no customers; the database holds the rule for whatever will."""
    house = office.house
    await office.new_service()
    agreed = await office.new_customer(fno_opt_in="2024-12-17T09:00:00Z")
    await office.isp.post(
        "/services",
        json={
            "customer_id": agreed,
            "product_id": str(house.product.id),
            "premise_id": str(house.premise_id),
        },
    )
    async with house.as_fno() as tx:
        rows = await (await tx.conn.execute("SELECT id::text FROM customer")).fetchall()
    assert rows == [(agreed,)]


async def test_an_isp_that_owns_the_network_too_sells_only_its_own(office):
    """One organisation on both sides: its ISP's token shows no other ISP's services."""
    house = office.house
    async with house.db.system() as tx:
        await house.identity.admit_isp(tx, house.network, house.fno.id)
        await house.aaa.create_realm(tx, tenant_id=house.fno.id, name="metro")
    token = await issue(house, house.fno, "aex", ("read", "write"), name="both")
    both = office.client(Authorization=f"Bearer {token}")
    theirs = await office.new_service()
    customer_id = (await office.isp.get(f"/services/{theirs}")).json()["customer_id"]
    await office.isp.put(f"/customers/{customer_id}", json={"fno_opt_in": "2024-12-17T09:00:00Z"})
    mine = await office.new_service(both)
    listed = (await both.get("/services")).json()
    assert ([item["id"] for item in listed["items"]], listed["total"]) == ([mine], 1)
    assert (await both.get(f"/services/{theirs}")).status_code == 404
    assert (await both.post(f"/services/{theirs}/suspend")).status_code == 404
    assert (await both.get(f"/customers/{customer_id}")).status_code == 404
    assert (await both.put(f"/customers/{customer_id}", json={})).status_code == 404
    customers = (await both.get("/customers")).json()
    assert customer_id not in [item["id"] for item in customers["items"]]
    snapshot = (await both.get("/services/snapshot")).json()
    assert [one["service_id"] for one in snapshot] == [mine]
    seen = (await office.fno.get("/fno/services")).json()
    assert {item["id"] for item in seen["items"]} == {mine, theirs}
