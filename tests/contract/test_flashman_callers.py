"""Who calls: people by Basic, what their roles permit, and that others' devices do not exist."""

import httpx
import pytest

from demarc.domains.identity.permissions import is_pattern
from demarc.northbound.flashman.request import PERMISSION
from demarc.northbound.flashman.routes import HANDLERS
from support.aex import issue
from support.flashman import ADMIN, MAC, Desk

RECORD = f"/api/v2/device/update/{MAC}"
FOUND = f"/api/v3/device/mac/{MAC}"


@pytest.mark.parametrize("handler", HANDLERS, ids=lambda one: one.operation_id)
def test_every_route_declares_what_its_callers_must_be_permitted(handler):
    assert is_pattern(handler.opt.get(PERMISSION, "")), "say it by opt=needs(...)"


@pytest.mark.parametrize("path", [RECORD, FOUND, "/api/v3/none"])
async def test_without_a_credential_it_is_401_with_the_way_to_give_one(desk, path):
    answer = await desk.client().get(path)
    if path.endswith("none"):
        assert answer.status_code == 404
        return
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Basic ")
    assert answer.json()["success"] is False


@pytest.mark.parametrize("header", ["Basic !!!", "Basic bm9jb2xvbg==", "Bearer x", "Digest x"])
async def test_a_credential_that_is_none_is_401(desk, header):
    assert (await desk.client(Authorization=header).get(RECORD)).status_code == 401


async def test_a_wrong_password_is_401(desk):
    async with desk.client() as client:
        answer = await client.get(RECORD, auth=httpx.BasicAuth(ADMIN, "wrong"))
    assert answer.status_code == 401


async def test_a_token_of_another_api_is_401(desk):
    token = await issue(desk.house, desk.house.isp, "aex", ("read", "write"))
    answer = await desk.client(Authorization=f"Bearer {token}").get(RECORD)
    assert answer.status_code == 401


async def test_another_sites_page_does_not_use_what_a_browser_remembers(desk):
    await desk.device()
    async with desk.client(ADMIN, **{"Sec-Fetch-Site": "cross-site"}) as browser:
        assert (await browser.put(RECORD)).status_code == 403
        answer = await browser.get(FOUND)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "*"


async def test_the_role_decides(desk):
    await desk.device()
    reader = await desk.somebody("readonly", "leo@example.net")
    assert (await reader.get(FOUND)).status_code == 200
    answer = await reader.put(f"/api/v2/device/command/{MAC}/upstatus")
    assert answer.status_code == 403
    assert answer.json() == {"message": "Permissão negada", "type": "danger"}
    assert (await reader.put(RECORD)).status_code == 200
    answer = await reader.put(RECORD, json={"content": {"wifi_ssid": "Mine"}})
    assert answer.status_code == 403
    assert answer.json() == {
        "success": False, "type": "danger",
        "message": "Permissão insuficiente para alterar campos requisitados",
    }  # fmt: skip
    finance = await desk.somebody("finance", "eva@example.net")
    assert (await finance.get(FOUND)).status_code == 403


async def test_who_may_not_see_secrets_is_shown_none(desk):
    await desk.device()
    reader = await desk.somebody("readonly", "leo@example.net")
    answer = await reader.get(RECORD)
    shown = answer.json()
    assert shown["wifi_ssid"] == "Home"
    for name in ("wifi_password", "wifi_password_5ghz", "pppoe_password"):
        assert shown[name] is None
    assert "horse" not in answer.text


ROUTES = [
    ("GET", FOUND, None),
    ("GET", "/api/v3/device/serial-tr069/EX00000001/", None),
    ("GET", "/api/v3/device/pppoe-username/{login}/", None),
    ("GET", "/api/v3/device/external-reference-data/C-1001/", None),
    ("GET", RECORD, None),
    ("PUT", RECORD, {"content": {"wifi_ssid": "Stolen"}}),
    ("PUT", f"/api/v2/device/command/{MAC}/boot", None),
    ("GET", "/api/v2/device/command/{command}", None),
]


def test_every_route_is_tried_by_others():
    tried = {(method, path.count("/"), path.split("/")[4]) for method, path, _ in ROUTES}
    declared = set()
    for handler in HANDLERS:
        [path] = handler.paths
        [method] = [each for each in handler.http_methods if each != "HEAD"]
        slashes = path.count("/") + (path.split("/")[4] in SLASHED)
        declared.add((method, slashes, path.split("/")[4]))
    assert declared == tried


SLASHED = ("serial-tr069", "pppoe-username", "external-reference-data")


async def test_another_tenants_device_does_not_exist(desk: Desk):
    played = await desk.device()
    service = await desk.serving(played)
    async with desk.house.as_isp() as tx:
        [login] = await desk.house.aaa.credentials_of(tx, service.id)
        await tx.conn.execute(
            "UPDATE service SET isp_reference = 'C-1001' WHERE id = %s", [service.id]
        )
    command = (await desk.command("upstatus"))["command"]
    await played.session()
    before = await desk.record()
    for method, pattern, body in ROUTES:
        path = pattern.format(login=login.username, command=command)
        answer = await desk.rival.request(method, path, json=body)
        if "boot" in path:
            assert answer.json() == {"success": False, "message": "CPE não encontrada"}
        else:
            assert answer.status_code == 404, path
        assert "Home" not in answer.text
        mine = await desk.admin.request(method, path, json=body if method == "GET" else None)
        assert mine.status_code == 200, (path, mine.text)
    after = await desk.record()
    assert after["wifi_ssid"] == before["wifi_ssid"]
