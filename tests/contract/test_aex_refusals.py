"""How the API says no, and what holds for every request: who calls, how often, in which form."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import psycopg
import pytest

from demarc.platform.secrets import FailureLimiter
from support.aex import PASSWORD, issue, open_office, person

JOE = {
    "first_name": "Joe",
    "last_name": "Hobbit",
    "email": "joe.hobbit@example.net",
    "mobile_number": "0612345789",
}


def assert_problem(answer, status):
    """Assert RFC 9457's form, without anything of the inside."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert (body["type"], body["status"]) == ("about:blank", status)
    assert body["title"]
    for word in ("Traceback", "psycopg", "litestar", "SELECT"):
        assert word not in answer.text
    return body


# who calls


async def test_without_a_credential_it_is_401_with_the_ways_to_give_one(office):
    answer = await office.client().get("/services")
    assert_problem(answer, 401)
    assert "Bearer" in answer.headers["www-authenticate"]
    assert "Basic" in answer.headers["www-authenticate"]


@pytest.mark.parametrize(
    "header",
    ["Bearer nonsense", "Bearer", "Basic !!!", "Basic bm9jb2xvbg==", "Digest x", "nonsense"],
)
async def test_a_credential_that_is_none_is_401(office, header):
    assert_problem(await office.client(Authorization=header).get("/services"), 401)


async def test_a_revoked_or_expired_token_is_401(office):
    house = office.house
    async with house.db.system() as tx:
        client = await house.identity.put_client(
            tx, tenant_id=house.isp.id, api="aex", name="old", scopes=("read",)
        )
        expired, _ = await house.identity.issue_token(
            tx, client, lives=timedelta(hours=1), now=datetime.now(UTC) - timedelta(hours=2)
        )
        revoked, row = await house.identity.issue_token(tx, client, now=datetime.now(UTC))
        await house.identity.revoke_token(tx, row.id)
    for token in (expired, revoked):
        answer = await office.client(Authorization=f"Bearer {token}").get("/services")
        assert_problem(answer, 401)


async def test_a_token_of_another_api_is_401(office):
    token = await issue(office.house, office.house.isp, "krill", ("read", "write"))
    answer = await office.client(Authorization=f"Bearer {token}").get("/services")
    assert_problem(answer, 401)


async def test_each_side_has_its_own_tokens(office):
    assert_problem(await office.fno.get("/services"), 403)
    assert_problem(await office.isp.get("/fno/services"), 403)
    assert_problem(await office.isp.get("/fno/services/"), 403)


async def test_a_token_that_may_only_read_changes_nothing(office):
    token = await office.token(office.house.isp, scopes=("read",))
    reader = office.client(Authorization=f"Bearer {token}")
    assert (await reader.get("/services")).status_code == 200
    point = {"latitude": -33.93, "longitude": 18.42}
    assert (await reader.post("/locations/proximity-search", json=point)).status_code == 200
    assert_problem(await reader.post("/customers", json=JOE), 403)
    assert (await office.isp.get("/customers")).json()["total"] == 0


async def test_a_person_calls_with_email_and_password(office):
    house = office.house
    await person(house, house.isp, "support", "ana@example.net")
    await person(house, house.isp, "readonly", "rui@example.net")
    await person(house, house.fno, "noc", "ivo@example.net")
    service_id = await office.new_service()

    def caller(email, password=PASSWORD):
        client = office.client()
        client.auth = (email, password)
        return client

    answer = await caller("ana@example.net").put(
        f"/services/{service_id}", json={"isp_reference": "by Ana"}
    )
    assert answer.status_code == 200
    assert (await caller("rui@example.net").get("/services")).status_code == 200
    assert_problem(await caller("rui@example.net").put(f"/services/{service_id}", json={}), 403)
    assert_problem(await caller("ana@example.net", "wrong").get("/services"), 401)
    assert_problem(await caller("nobody@example.net").get("/services"), 401)
    assert (await caller("ivo@example.net").get("/fno/services")).status_code == 200
    assert_problem(await caller("ivo@example.net").get("/services"), 403)
    assert_problem(await caller("ana@example.net").get("/fno/services"), 403)


async def test_a_person_with_roles_at_two_isps_says_which(office):
    house = office.house
    await person(house, house.isp, "admin", "ana@example.net")
    await person(house, house.other_isp, "admin", "ana@example.net")
    mine, theirs = await office.new_service(), await office.new_service(office.other_isp)
    for slug, expected in (("acme", mine), ("beta", theirs)):
        client = office.client(**{"X-Demarc-Tenant": slug})
        client.auth = ("ana@example.net", PASSWORD)
        listed = (await client.get("/services")).json()["items"]
        assert [item["id"] for item in listed] == [expected]
    client = office.client(**{"X-Demarc-Tenant": "metro"})
    client.auth = ("ana@example.net", PASSWORD)
    assert_problem(await client.get("/services"), 401)


async def test_a_browser_on_another_site_is_not_let_in_with_a_password(office):
    await person(office.house, office.house.isp, "admin", "ana@example.net")
    client = office.client(**{"Sec-Fetch-Site": "cross-site"})
    client.auth = ("ana@example.net", PASSWORD)
    assert_problem(await client.get("/services"), 403)


async def test_a_stale_token_locks_nobody_else_out(house):
    office = await open_office(house, failures=FailureLimiter())
    stale = office.client(Authorization="Bearer dmk_stale")
    answers = [await stale.get("/services") for _ in range(60)]
    assert {answer.status_code for answer in answers[:10]} == {401}
    limited = answers[-1]
    assert_problem(limited, 429)
    assert int(limited.headers["retry-after"]) > 0
    assert (await office.isp.get("/services")).status_code == 200


# in which form


async def test_unknown_paths_and_methods(office):
    assert_problem(await office.isp.get("/nothing/here"), 404)
    refused = await office.isp.delete("/services")
    assert_problem(refused, 405)
    assert {"GET", "POST"} <= set(refused.headers["allow"].split(", "))
    options = await office.isp.options(f"/customers/{uuid4()}")
    assert (options.status_code, options.headers["allow"]) == (204, "GET, HEAD, OPTIONS, PUT")
    options = await office.isp.options("/services/snapshot")
    assert options.headers["allow"] == "GET, OPTIONS"


@pytest.mark.parametrize(
    ("content", "field"),
    [
        (b"", "body"),
        (b"[]", "body"),
        (b'"text"', "body"),
        (b"{", None),
        (b'{"a": }', None),
        (b"\xff\xfe", None),
        (b'{"first_name": "\\ud800"}', None),
        (b'{"first_name": "Jo\xff"}', None),
    ],
)
async def test_a_body_that_is_not_the_json_asked_for_is_400(office, content, field):
    answer = await office.isp.post(
        "/customers", content=content, headers={"Content-Type": "application/json"}
    )
    body = assert_problem(answer, 400)
    if field is not None:
        assert [one["field"] for one in body["errors"]] == [field]


async def test_another_media_type_is_415(office):
    form = await office.isp.post("/customers", data=JOE)
    assert_problem(form, 415)
    assert form.headers["accept"] == "application/json"
    for kind in ("application/json; charset=utf-8", "application/vnd.acme+json"):
        answer = await office.isp.post(
            "/customers", content=json.dumps(JOE), headers={"Content-Type": kind}
        )
        assert answer.status_code == 201


async def test_a_body_over_a_megabyte_is_413(office):
    huge = json.dumps(JOE | {"first_name": "x" * 1_000_001})
    answer = await office.isp.post(
        "/customers", content=huge, headers={"Content-Type": "application/json"}
    )
    assert_problem(answer, 413)


async def test_answers_are_json_whatever_accept_says(office):
    for accept in ("text/html", "application/xml", "image/*;q=0.1"):
        answer = await office.isp.get("/services", headers={"Accept": accept})
        assert answer.headers["content-type"] == "application/json"


async def test_both_forms_of_a_path_are_answered_without_redirect(office):
    service_id = await office.new_service()
    for path in ("/services", f"/services/{service_id}", "/services/snapshot", "/customers"):
        answers = [await office.isp.get(form) for form in (f"{path}/", path)]
        assert answers[0].status_code == 200
        if path != "/services/snapshot":
            assert answers[0].json() == answers[1].json()


async def test_head_answers_as_get_without_the_body(office):
    service_id = await office.new_service()
    for path in ("/services", f"/services/{service_id}", "/customers", "/nothing"):
        get, head = await office.isp.get(path), await office.isp.head(path)
        assert head.status_code == get.status_code
        assert head.headers["content-length"] == get.headers["content-length"]
        assert head.content == b""


async def test_a_zero_octet_is_400_wherever_it_comes(office):
    for path in ("/customers?email_address=a%00b", "/services/%00", "/locations?address=%00"):
        assert_problem(await office.isp.get(path), 400)
    answer = await office.isp.post("/customers", json=JOE | {"first_name": "a\0b"})
    assert assert_problem(answer, 400)["errors"][0]["field"] == "first_name"


async def test_a_line_has_no_end_of_line(office):
    for ending in ("\n", "\r\n", "\x7f"):
        answer = await office.isp.post("/customers", json=JOE | {"first_name": f"Joe{ending}"})
        assert assert_problem(answer, 400)["errors"][0]["field"] == "first_name"


async def test_absolute_urls_come_from_the_public_url(house):
    office = await open_office(house, public_url="https://isp.example.net/api/")
    answer = await office.isp.post("/customers", json=JOE)
    assert answer.headers["location"] == (
        f"https://isp.example.net/api/customers/{answer.json()['id']}"
    )


# when something is wrong here


async def test_what_breaks_inside_is_500_and_says_nothing_of_it(office, monkeypatch):
    async def broken(*_, **__):
        raise RuntimeError("the secret is 42")

    monkeypatch.setattr(office.house.services.__class__, "changes", broken)
    answer = await office.isp.get("/services/snapshot")
    assert_problem(answer, 500)
    assert "42" not in answer.text


async def test_a_database_that_is_away_is_503_with_retry_after(office, monkeypatch):
    async def away(*_, **__):
        raise psycopg.OperationalError("connection refused at 10.0.0.7")

    monkeypatch.setattr(office.house.services.__class__, "changes", away)
    answer = await office.isp.get("/services/snapshot")
    assert_problem(answer, 503)
    assert int(answer.headers["retry-after"]) > 0
    assert "10.0.0.7" not in answer.text


# sent again


async def test_a_request_with_a_key_is_carried_out_once(office):
    key = {"Idempotency-Key": "order-17"}
    first = await office.isp.post("/customers", json=JOE, headers=key)
    again = await office.isp.post("/customers", json=JOE, headers=key)
    assert (again.status_code, again.content) == (201, first.content)
    assert again.headers["location"] == first.headers["location"]
    assert (await office.isp.get("/customers")).json()["total"] == 1


async def test_simultaneous_requests_with_one_key_are_carried_out_once(office):
    key = {"Idempotency-Key": "order-18"}
    answers = await asyncio.gather(
        *(office.isp.post("/customers", json=JOE, headers=key) for _ in range(5))
    )
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert (await office.isp.get("/customers")).json()["total"] == 1


async def test_a_key_of_another_request_is_422(office):
    key = {"Idempotency-Key": "order-19"}
    await office.isp.post("/customers", json=JOE, headers=key)
    other = await office.isp.post("/customers", json=JOE | {"last_name": "B"}, headers=key)
    assert assert_problem(other, 422)["errors"][0]["field"] == "Idempotency-Key"
    other_path = await office.isp.post("/premises", json={"full_address": "1 Main"}, headers=key)
    assert_problem(other_path, 422)
    assert (await office.isp.get("/customers")).json()["total"] == 1


async def test_a_key_is_its_clients_own(office):
    key = {"Idempotency-Key": "order-20"}
    mine = await office.isp.post("/customers", json=JOE, headers=key)
    theirs = await office.other_isp.post("/customers", json=JOE, headers=key)
    assert mine.json()["id"] != theirs.json()["id"]


async def test_a_refused_request_leaves_its_key_free(office):
    key = {"Idempotency-Key": "order-21"}
    wanted = {
        "customer_id": await office.new_customer(),
        "product_id": str(uuid4()),
        "premise_id": str(office.house.premise_id),
    }
    assert_problem(await office.isp.post("/services", json=wanted, headers=key), 422)
    wanted["product_id"] = str(office.house.product.id)
    assert (await office.isp.post("/services", json=wanted, headers=key)).status_code == 201


async def test_a_key_must_be_one(office):
    for key in ("", "k" * 201):
        answer = await office.isp.post("/customers", json=JOE, headers={"Idempotency-Key": key})
        assert assert_problem(answer, 400)["errors"][0]["field"] == "Idempotency-Key"


# the description


async def test_the_docs_need_no_credential_and_nothing_from_elsewhere(office):
    document = await office.client().get("/docs/aex/openapi.json")
    assert document.status_code == 200
    assert document.json()["openapi"].startswith("3.1")
    assert "/services/{service_id}/radius/usage" in document.json()["paths"]
    page = await office.client().get("/docs/aex")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "http://" not in page.text
    assert "https://" not in page.text
    for path in document.json()["paths"]:
        assert path in page.text
