"""Devices found and read by v3, and read by v2."""

import re

import pytest

from support.flashman import MAC, Desk

LAST_CONTACT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


@pytest.fixture
async def device(desk: Desk):
    return await desk.device()


@pytest.mark.parametrize("slash", ["", "/"])
async def test_by_pppoe_username_4_gives_the_mac_address_as_id(desk, device, slash):
    service = await desk.serving(device)
    async with desk.house.as_isp() as tx:
        [login] = await desk.house.aaa.credentials_of(tx, service.id)
    for name in (login.username, f"{login.username}@{desk.house.isp.slug}"):
        answer = await desk.admin.get(f"/api/v3/device/pppoe-username/{name}{slash}")
        assert answer.status_code == 200, answer.text
        body = answer.json()
        assert (body["success"], body["message"]) == (True, "OK")
        assert body["device"]["_id"] == MAC


async def test_by_pppoe_username_2_is_the_service_and_not_another(desk, device):
    await desk.serving(device)
    for name in ("u9999", "u0001@beta", "", "%00"):
        answer = await desk.admin.get(f"/api/v3/device/pppoe-username/{name}/")
        assert answer.status_code == 404
        assert answer.json()["device"] == {}


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize(
    "shown", [MAC, MAC.lower(), MAC.replace(":", "-"), MAC.replace(":", "%3A")]
)
async def test_get_v3_takes_the_address_in_any_form(desk, device, shown, slash):
    answer = await desk.admin.get(f"/api/v3/device/mac/{shown}{slash}")
    assert answer.status_code == 200, answer.text
    assert answer.json()["device"]["_id"] == MAC


async def test_get_v3_4_shows_uptime_light_and_wans(desk, device):
    shown = (await desk.admin.get(f"/api/v3/device/mac/{MAC}")).json()["device"]
    assert LAST_CONTACT.fullmatch(shown["last_contact"])
    assert (shown["pon_rxpower"], shown["pon_txpower"]) == (-7.4, 2.42)
    assert shown["sys_up_time"] == 8573328
    [wan] = shown["wans"]
    assert wan["uptime"] == 4710663
    assert wan["enable"] is True
    assert wan["service_types"] == {
        "internet": True, "tr069": False, "voip": False, "iptv": False, "data": False,
        "other": False,
    }  # fmt: skip


async def test_v3_leaves_out_what_has_to_be_asked_for(desk, device):
    shown = (await desk.admin.get(f"/api/v3/device/mac/{MAC}")).json()["device"]
    assert shown["wifi_password"] == "correct horse"
    for name in ("pppoe_password", "lan_devices", "wan_bytes", "speedtest_results", "device"):
        assert name not in shown
    answer = await desk.admin.get(
        f"/api/v3/device/mac/{MAC}", params={"fields": "lan_devices.mac;wan_bytes;wans.ipv4.ip;no"}
    )
    shown = answer.json()["device"]
    assert set(shown) == {"_id", "lan_devices", "wan_bytes", "wans"}
    assert {"mac": "02:00:5E:10:00:A1"} in shown["lan_devices"]
    assert shown["wans"] == [{"ipv4": {"ip": "100.64.0.7"}}]


async def test_a_serial_number_finds_the_device(desk, device):
    for name in ("EX00000001", "ex00000001"):
        answer = await desk.admin.get(f"/api/v3/device/serial-tr069/{name}/")
        assert answer.json()["device"]["_id"] == MAC


async def test_a_reference_finds_the_device(desk, device):
    service = await desk.serving(device)
    async with desk.house.as_isp() as tx:
        await tx.conn.execute(
            "UPDATE service SET isp_reference = 'C-1001' WHERE id = %s", [service.id]
        )
    answer = await desk.admin.get("/api/v3/device/external-reference-data/C-1001/")
    shown = answer.json()["device"]
    assert shown["_id"] == MAC
    assert shown["external_reference"] == {"kind": "Contrato", "data": "C-1001"}
    answer = await desk.admin.get("/api/v3/device/external-reference-data/C-1002/")
    assert answer.status_code == 404


async def test_what_is_not_there_is_refused_in_the_form_of_its_version(desk, device):
    answer = await desk.admin.get("/api/v3/device/mac/02:00:5E:99:99:99")
    assert answer.status_code == 404
    assert answer.json() == {
        "success": False, "message": "Nenhum dispositivo encontrado", "device": {},
    }  # fmt: skip
    answer = await desk.admin.get("/api/v3/device/mac/nonsense")
    assert answer.status_code == 400
    assert answer.json()["message"] == "Endereço MAC inválido"
    answer = await desk.admin.get("/api/v2/device/update/02:00:5E:99:99:99")
    assert answer.status_code == 404
    assert answer.json() == {"success": False, "message": "CPE não encontrada"}


@pytest.mark.parametrize(
    "path", ["/api/v3", "/api/v3/none", "/api/v2/device/none", "/api/v2/user/get/all",
             "/api/v2/role/get/all", "/api/v2/certification/x", "/api/v2/health"]
)  # fmt: skip
async def test_unknown_paths_speak_this_apis_form(desk, path):
    answer = await desk.admin.get(path)
    assert answer.status_code == 404
    body = answer.json()
    assert body["success"] is False
    assert ("device" in body) is path.startswith("/api/v3")
    answer = await desk.admin.delete(f"/api/v3/device/mac/{MAC}")
    assert (answer.status_code, answer.json()["device"]) == (405, {})


async def test_get_v2_1_is_the_bare_record(desk, device):
    shown = await desk.record()
    assert shown["_id"] == MAC
    assert "success" not in shown
    assert (shown["serial_tr069"], shown["model"], shown["version"]) == (
        "EX00000001", "HG-1", "1.0",
    )  # fmt: skip
    for name in ("mqtt_secret", "firstboot_log", "lastboot_log"):
        assert shown[name] is None
    assert (shown["status_color"], shown["online_status"]) == ("green", True)
    assert await desk.record("EX00000001") == shown


async def test_get_v2_12_last_contact_is_at_the_top_and_below_device(desk, device):
    shown = await desk.record()
    assert LAST_CONTACT.fullmatch(shown["last_contact"])
    assert shown["device"]["last_contact"] == shown["last_contact"]


async def test_get_v2_14_lists_what_is_connected(desk, device):
    shown = {each["mac"]: each for each in (await desk.record())["lan_devices"]}
    wireless, wired = shown["02:00:5E:10:00:A1"], shown["02:00:5E:10:00:A2"]
    assert (wireless["conn_type"], wired["conn_type"]) == (1, 0)
    assert (wireless["wifi_signal"], wireless["conn_speed"]) == (-41, 58.5)
    assert wireless["wifi_freq"] == 2.4
    assert (wireless["dhcp_name"], wireless["ip"]) == ("android-device", "192.168.1.3")
    for each in (wireless, wired):
        assert LAST_CONTACT.fullmatch(each["last_seen"])
        assert LAST_CONTACT.fullmatch(each["first_seen"])
        assert re.fullmatch("[0-9a-f]{24}", each["_id"])


async def test_a_device_that_has_gone_was_seen_last_when_that_was_noticed(desk, device):
    device.parameters["Device.Hosts.Host.2.Active"] = "false"
    assert (await desk.command("onlinedevs"))["success"]
    await device.session()
    cpe_id = await desk.id_of(device)
    async with desk.house.db.system() as tx:
        await tx.conn.execute(
            "UPDATE command SET finished_at = finished_at + interval '1 hour' WHERE target_id = %s",
            [cpe_id],
        )
    shown = {each["mac"]: each for each in (await desk.record())["lan_devices"]}
    assert shown["02:00:5E:10:00:A2"]["last_seen"] < shown["02:00:5E:10:00:A1"]["last_seen"]


async def test_get_v2_8_bytes_are_by_the_second_they_were_read_in(desk, device):
    [(at, octets)] = (await desk.record())["wan_bytes"].items()
    assert at.isdecimal()
    assert octets == [50528273959, 14623344764]


async def test_get_v2_18_network_names_are_at_the_top(desk, device):
    shown = await desk.record()
    assert (shown["wifi_ssid"], shown["wifi_ssid_5ghz"]) == ("Home", "Home 5G")
    assert (shown["wifi_channel"], shown["wifi_channel_5ghz"]) == ("6", "36")
    assert (shown["wifi_password"], shown["wifi_password_5ghz"]) == (
        "correct horse", "another horse",
    )  # fmt: skip


async def test_the_log_ins_password_is_shown_where_the_device_uses_it(desk, device):
    service = await desk.serving(device)
    await desk.command("waninfo")
    await device.session()
    async with desk.house.as_isp() as tx:
        [login] = await desk.house.aaa.credentials_of(tx, service.id)
        password = desk.house.aaa.password(login)
    shown = await desk.record()
    assert (shown["pppoe_user"], shown["pppoe_password"]) == (login.username, password)
