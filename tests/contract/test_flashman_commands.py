"""Commands and changes, carried out by a device over the ACS, as the document's client does it."""

import pytest

from demarc.protocols.cwmp import events, messages
from support.flashman import MAC

RECORD = f"/api/v2/device/update/{MAC}"


@pytest.fixture
async def device(desk):
    return await desk.device()


async def shown(desk, fields=None):
    params = {} if fields is None else {"fields": fields}
    return (await desk.admin.get(f"/api/v3/device/mac/{MAC}", params=params)).json()["device"]


async def told(desk, answer):
    """Give the command that an answer's Link leads to."""
    link = answer.headers["link"]
    assert link.endswith('; rel="monitor"')
    followed = await desk.admin.get(link[1 : link.index(">")])
    assert followed.status_code == 200
    return followed.json()["command"]


async def test_upstatus_6_last_contact_is_later_once_the_device_has_come(desk, device):
    before = (await shown(desk))["last_contact"]
    answer = await desk.admin.put(f"/api/v2/device/command/{MAC}/upstatus")
    assert (answer.status_code, answer.json()["success"]) == (200, True)
    assert (await shown(desk))["last_contact"] == before
    assert (await told(desk, answer))["state"] == "queued"

    device.parameters["Device.DeviceInfo.UpTime"] = "8573400"
    device.parameters["Device.Optical.Interface.1.OpticalSignalLevel"] = "-9100"
    await device.session(events.CONNECTION_REQUEST)

    after = await shown(desk)
    assert after["last_contact"] > before
    assert (after["sys_up_time"], after["pon_rxpower"]) == (8573400, -9.1)
    command = await told(desk, answer)
    assert (command["state"], command["kind"], command["device"]) == ("done", "cpe.get", MAC)


async def test_wanbytes_4_adds_what_was_counted(desk, device):
    for count in (50528466107, 50528999999):
        assert (await desk.command("wanbytes"))["success"]
        device.parameters["Device.IP.Interface.2.Stats.BytesReceived"] = str(count)
        await device.session()
        async with desk.house.db.system() as tx:
            # a second at least lies between two readings
            await tx.conn.execute("UPDATE command SET finished_at = finished_at - interval '9 s'")
    counted = list((await desk.record())["wan_bytes"].values())
    assert counted == [[50528466107, 14623344764], [50528999999, 14623344764]]


async def test_onlinedevs_4_lists_who_has_come(desk, device):
    before = (await desk.record())["last_contact"]
    assert (await desk.command("onlinedevs"))["success"]
    device.parameters |= {
        "Device.Hosts.Host.3.PhysAddress": "02:00:5e:10:00:a3",
        "Device.Hosts.Host.3.IPAddress": "192.168.1.5",
        "Device.Hosts.Host.3.Active": "true",
    }
    await device.session()
    record = await desk.record()
    assert record["device"]["last_contact"] > before
    assert "02:00:5E:10:00:A3" in {each["mac"] for each in record["lan_devices"]}


@pytest.mark.parametrize("msg", ["waninfo", "laninfo", "pondata"])
async def test_what_is_read_is_asked_of_the_device(desk, device, msg):
    device.asked.clear()
    assert (await desk.command(msg))["success"]
    await device.session()
    assert any(isinstance(each, messages.GetParameterValues) for each in device.asked)


async def test_boot_is_done_when_the_device_has_started_anew(desk, device):
    answer = await desk.admin.put(f"/api/v2/device/command/{MAC}/boot")
    await device.session()
    assert (await told(desk, answer))["state"] == "sent"
    await device.session(events.BOOT, events.M_REBOOT)
    assert (await told(desk, answer))["state"] == "done"


async def test_a_command_is_answered_200_whatever_comes_of_it(desk, device):
    for device_id, msg, words in (
        (MAC, "fly", "Esse comando não existe"),
        ("02:00:5E:99:99:99", "upstatus", "CPE não encontrada"),
        (MAC, "speedtest", "Este serviço não foi configurado pelo administrador"),
        (MAC, "ping", "CPE não suporta este comando"),
        (MAC, "log", "Esse comando somente funciona em uma sessão!"),
    ):
        answer = await desk.admin.put(f"/api/v2/device/command/{device_id}/{msg}")
        assert answer.status_code == 200
        assert answer.json() == {"success": False, "message": words}


async def test_update_1_names_a_network_and_sets_its_password(desk, device):
    for suffix, place in (("", 1), ("_5ghz", 2)):
        answer = await desk.admin.put(
            RECORD,
            json={
                "content": {
                    f"wifi_ssid{suffix}": " New name ",
                    f"wifi_password{suffix}": "new-password",
                }
            },
        )
        assert answer.status_code == 200, answer.text
        assert answer.json()[f"wifi_ssid{suffix}"] == "New name"
        await device.session()
        assert device.parameters[f"Device.WiFi.SSID.{place}.SSID"] == "New name"
        passphrase = f"Device.WiFi.AccessPoint.{place}.Security.KeyPassphrase"
        assert device.parameters[passphrase] == "new-password"
        assert (await told(desk, answer))["state"] == "done"
        assert (await desk.record())[f"wifi_password{suffix}"] == "new-password"


async def test_update_2_takes_each_field_alone(desk, device):
    for field, value, path in (
        ("wifi_ssid", "Alone", "Device.WiFi.SSID.1.SSID"),
        ("wifi_password", "alone-1234", "Device.WiFi.AccessPoint.1.Security.KeyPassphrase"),
        ("pppoe_user", "alone@acme", "Device.PPP.Interface.1.Username"),
        ("pppoe_password", "alone", "Device.PPP.Interface.1.Password"),
    ):
        before = dict(device.parameters)
        answer = await desk.admin.put(RECORD, json={"content": {field: value}})
        assert answer.status_code == 200, answer.text
        await device.session()
        changed = {each for each, was in before.items() if device.parameters[each] != was}
        assert (changed, device.parameters[path]) == ({path}, value)


async def test_a_password_stands_in_no_command(desk, device):
    content = {"wifi_password": "whisper-it", "pppoe_password": "whisper-too"}
    answer = await desk.admin.put(RECORD, json={"content": content})
    await device.session()
    async with desk.house.db.system() as tx:
        rows = await (await tx.conn.execute("SELECT command::text FROM command")).fetchall()
    assert rows
    assert "whisper" not in str(rows) + str(await told(desk, answer))


async def test_a_refusal_by_the_device_is_visible_and_nothing_is_lost(desk, device):
    device.replies[messages.SetParameterValues] = lambda _: messages.Fault(9007, "No such name")
    answer = await desk.admin.put(RECORD, json={"content": {"wifi_ssid": "Refused"}})
    assert answer.json()["wifi_ssid"] == "Refused"
    await device.session()
    command = await told(desk, answer)
    assert command["state"] == "failed"
    assert "9007" in command["fault"]
    assert (await desk.record())["wifi_ssid"] == "Home"


@pytest.mark.parametrize("body", [b"", b"{}", b" {} ", b'{"content": {}}'])
async def test_a_put_without_anything_reads_and_changes_nothing(desk, device, body):
    before = await desk.record()
    answer = await desk.admin.put(RECORD, content=body)
    assert (answer.status_code, answer.json()) == (200, before)
    device.asked.clear()
    await device.session()
    assert device.asked == []


async def test_what_is_so_already_is_not_set(desk, device):
    answer = await desk.admin.put(RECORD, json={"content": {"wifi_ssid": "Home"}})
    assert answer.status_code == 200
    assert "link" not in answer.headers


@pytest.mark.parametrize(
    ("content", "errors"),
    [
        ({"wifi_ssid": "a" * 33}, [{"ssid": "Este campo não pode ter mais de 32 caracteres"}]),
        ({"wifi_ssid_5ghz": ""}, [{"ssid5ghz": "Este campo é obrigatório"}]),
        ({"wifi_password": "short"},
         [{"password": "Este campo deve ter no mínimo 8 caracteres"}]),
        ({"wifi_password_5ghz": "a" * 65},
         [{"password5ghz": "Este campo não pode ter mais de 64 caracteres"}]),
        ({"pppoe_user": 7}, [{"pppoe_user": "O valor passado deve ser uma string"}]),
        ({"pppoe_password": "çççç"}, [{"pppoe_password":
          "Letras com acento, cedilha, e alguns caracteres especiais não são aceitos"}]),
        ({"wifi_ssid": "Casa/2", "wifi_password": ""}, [
            {"ssid": "Somente são aceitos: caracteres alfanuméricos, espaços, ponto, - e _"},
            {"password": "Este campo é obrigatório"}]),
        ({"wifi_ssid": "Fine", "mesh_mode": 1}, [{"mesh_mode": "CPE não possui essa função!"}]),
    ],
)  # fmt: skip
async def test_a_value_that_cannot_be_is_refused_and_nothing_is_done(desk, device, content, errors):
    answer = await desk.admin.put(RECORD, json={"content": content})
    assert answer.status_code == 500
    assert answer.json() == {
        "success": False,
        "message": 'Erro validando os campos, ver campo "errors"',
        "errors": errors,
    }
    assert (await desk.record())["wifi_ssid"] == "Home"


@pytest.mark.parametrize(
    ("body", "status"),
    [(b'{"content": "x"}', 500), (b'{"wifi_ssid": "x"}', 500), (b"[]", 500), (b"{", 400)],
)
async def test_a_body_without_content_is_refused(desk, device, body, status):
    answer = await desk.admin.put(RECORD, content=body)
    assert answer.status_code == status
    assert answer.json()["errors"] == []


async def test_update_of_what_is_not_there_is_404_with_errors(desk):
    answer = await desk.admin.put("/api/v2/device/update/02:00:5E:99:99:99", json={})
    assert answer.status_code == 404
    assert answer.json() == {"success": False, "message": "CPE não encontrada", "errors": []}
