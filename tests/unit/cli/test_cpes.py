"""Devices in subscribers' homes, on the command line."""

import asyncio

import pytest

from demarc.domains.cpe.service import Cpes
from demarc.platform.clock import now
from demarc.platform.database import Database
from demarc.platform.secrets import KeyRing
from demarc.protocols.cwmp import events, messages

DEVICE = messages.DeviceId("Example", "00AABB", "HG-1", "EX00000001")


@pytest.fixture
def met(demarc, database_url, tmp_path):
    """A device that has informed and waits in quarantine; two ISPs are there."""
    demarc("tenant", "add", "veloz", "Veloz")
    demarc("tenant", "add", "calma", "Calma")

    async def meet():
        db = await Database.open(database_url, tenant_pool=1, system_pool=1)
        cpes = Cpes(KeyRing.open(tmp_path / "data" / "keys.toml", create=False))
        inform = messages.Inform(
            DEVICE,
            (messages.Event(events.BOOTSTRAP),),
            (
                messages.ParameterValue("Device.DeviceInfo.ModelName", "HG-1"),
                messages.ParameterValue("Device.WiFi.SSID.1.SSID", "Home"),
                messages.ParameterValue("Device.WiFi.AccessPoint.1.Security.KeyPassphrase", "pw"),
            ),
        )
        async with db.system() as tx:
            cpe = await cpes.meet(tx, DEVICE)
            await cpes.informed(tx, cpe, inform, address="192.0.2.7", now=now())
        await db.close()

    asyncio.run(meet())


def test_a_device_is_adopted_by_its_serial_number(demarc, met) -> None:
    waiting = demarc("cpe", "list", "--quarantined", "--json").json
    assert [(one["serial"], one["state"]) for one in waiting] == [("EX00000001", "quarantined")]

    adopted = demarc("cpe", "adopt", "EX00000001", "--tenant", "veloz", "--json").json

    assert (adopted["tenant"], adopted["state"], adopted["address"]) == (
        *("veloz", "managed", "192.0.2.7"),
    )
    assert demarc("cpe", "list", "--quarantined").out == "none\n"
    assert "EX00000001" in demarc("cpe", "list", "--tenant", "veloz").out
    assert demarc("cpe", "list", "--tenant", "calma").out == "none\n"
    again = demarc("cpe", "adopt", "EX00000001", "--tenant", "calma", code=1)
    assert "not in quarantine" in again.err


def test_parameters_are_shown_without_passwords(demarc, met) -> None:
    shown = demarc("cpe", "parameters", "EX00000001", "Device.WiFi.", "--json").json

    assert {one["path"]: one["value"] for one in shown} == {
        "Device.WiFi.AccessPoint.1.Security.KeyPassphrase": "",
        "Device.WiFi.SSID.1.SSID": "Home",
    }


def test_what_a_device_is_asked_waits_for_it(demarc, met) -> None:
    refused = demarc("cpe", "reboot", "EX00000001", code=1)
    assert "quarantined" in refused.err
    demarc("cpe", "adopt", "EX00000001", "--tenant", "veloz")

    demarc("cpe", "reboot", "EX00000001")
    demarc("cpe", "set", "EX00000001", "Device.WiFi.SSID.1.SSID=Lounge = big")

    asked = demarc("cpe", "commands", "EX00000001", "--json").json
    assert [(one["kind"], one["state"]) for one in asked] == [
        ("cpe.set", "queued"),
        ("cpe.reboot", "queued"),
    ]


def test_secrets_do_not_stand_on_a_command_line(demarc, met) -> None:
    demarc("cpe", "adopt", "EX00000001", "--tenant", "veloz")

    path = "Device.WiFi.AccessPoint.1.Security.KeyPassphrase"
    refused = demarc("cpe", "set", "EX00000001", f"{path}=hunter22", code=1)

    assert "secret" in refused.err
    assert "hunter22" not in refused.err


def test_a_word_is_read_from_input(demarc, met) -> None:
    demarc("cpe", "word", "veloz-cpe", "--tenant", "veloz", typed="from the factory\n")

    taken = demarc("cpe", "word", "veloz-cpe", "--tenant", "calma", typed="x\n", code=1)
    assert "taken" in taken.err
    empty = demarc("cpe", "word", "calma-cpe", "--tenant", "calma", typed="\n", code=1)
    assert "must not be empty" in empty.err


def test_an_unknown_device_is_told(demarc) -> None:
    assert "there is no cpe EX9" in demarc("cpe", "show", "EX9", code=1).err
