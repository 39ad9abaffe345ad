"""Who may call which route: asked of the route table itself."""

import base64

import pytest

from demarc.domains.identity.permissions import is_pattern
from demarc.northbound.aex.request import PERMISSION
from demarc.northbound.aex.routes import HANDLERS
from support.aex import PASSWORD, person


def basic(email):
    return "Basic " + base64.b64encode(f"{email}:{PASSWORD}".encode()).decode()


def needed(handler):
    return handler.opt.get(PERMISSION, "")


@pytest.mark.parametrize("handler", HANDLERS, ids=lambda one: one.operation_id)
def test_every_route_declares_what_its_callers_must_be_permitted(handler):
    assert "*" not in needed(handler)
    assert is_pattern(needed(handler)), "say it by opt=needs(...)"


@pytest.mark.parametrize("handler", HANDLERS, ids=lambda one: one.operation_id)
def test_a_route_that_only_reads_is_said_to(handler):
    verb = needed(handler).partition(":")[2]
    searches = {"aex.locations.proximity"}
    if "GET" in handler.http_methods or handler.operation_id in searches:
        assert verb in ("read", "reveal")
    else:
        assert verb not in ("read", "reveal")


# What each role is refused of an ISP's calls; all else it is let in to.
ISP = {one.operation_id for one in HANDLERS if not one.operation_id.startswith("fno.")}
WRITES = {
    "aex.services.create", "aex.services.update", "demarc.services.suspend",
    "demarc.services.resume", "demarc.services.cancel", "demarc.services.change_product",
    "aex.customers.create", "aex.customers.update", "aex.premises.create",
}  # fmt: skip
SECRETS = {"aex.services.radius.status"}
REFUSED = {
    "admin": set(),
    "integrator": set(),
    "noc": {"aex.customers.create", "aex.customers.update"},
    "support": set(),
    "field": WRITES - {"aex.services.update", "demarc.services.change_product",
                       "aex.premises.create"},
    "finance": (WRITES - {"aex.customers.create", "aex.customers.update",
                          "demarc.services.suspend", "demarc.services.resume",
                          "demarc.services.cancel"}) | SECRETS | {
        "aex.services.device.status", "aex.services.device.status.live", "aex.premises.list",
        "aex.premises.predefined", "aex.premises.get", "aex.locations.search",
        "aex.locations.proximity", "aex.details"},
    "readonly": WRITES | SECRETS,
}  # fmt: skip


@pytest.mark.parametrize("role", REFUSED)
async def test_a_role_is_let_in_where_it_may_and_nowhere_else(office, role):
    await person(office.house, office.house.isp, role, "ana@example.net")
    refused = set()
    async with office.client(Authorization=basic("ana@example.net")) as ana:
        for handler in HANDLERS:
            if handler.operation_id not in ISP:
                continue
            path = min(handler.paths)
            for name in ("service_id", "customer_id", "product_id", "premise_id"):
                path = path.replace(f"{{{name}:str}}", "none")
            [method] = [one for one in handler.http_methods if one != "HEAD"]
            answer = await ana.request(method, path, json=None if method == "GET" else {})
            if answer.status_code == 403:
                refused.add(handler.operation_id)
                assert "does not permit" in answer.json()["detail"]
            assert answer.status_code != 401
    assert refused == REFUSED[role]


async def test_who_may_not_see_secrets_is_shown_services_without_them(office):
    service = await office.new_service()
    secret = {"wifi_username": "home", "wifi_password": "a wifi passphrase"}
    changed = await office.isp.put(f"/services/{service}", json=secret)
    assert changed.json()["wifi_password"] == "a wifi passphrase"
    await person(office.house, office.house.isp, "readonly", "rui@example.net")
    async with office.client(Authorization=basic("rui@example.net")) as rui:
        shown = (await rui.get(f"/services/{service}")).json()
    assert (shown["wifi_username"], shown["wifi_password"]) == ("home", None)


async def test_a_token_with_a_role_may_what_both_say(office):
    house = office.house
    token = await office.token(house.isp, scopes=("read",))
    async with house.db.system() as tx:
        client = await house.identity.client_named(
            tx, tenant_id=house.isp.id, api="aex", name="more-read"
        )
        await house.identity.change_client(tx, client.id, role="finance")
    async with office.client(Authorization=f"Bearer {token}") as finance:
        assert (await finance.get("/services")).status_code == 200
        answer = await finance.get("/premises")
        assert (answer.status_code, "finance" in answer.text) == (403, True)
        answer = await finance.post("/customers", json={})
        assert (answer.status_code, "scope" in answer.text) == (403, True)
