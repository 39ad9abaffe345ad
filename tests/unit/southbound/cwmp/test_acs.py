"""Devices and the ACS over real HTTP: who is let in, what is kept, what is carried out."""

from collections.abc import AsyncIterator

import httpx
import pytest

from demarc.domains.cpe.service import Cpes
from demarc.domains.errors import Conflict, Invalid, NotFound
from demarc.domains.network import commands
from demarc.platform.database import Database
from demarc.protocols.cwmp import events, messages
from demarc.protocols.cwmp.envelope import Envelope, decode, encode
from demarc.southbound.cwmp.acs import Acs
from demarc.southbound.cwmp.limits import Limits
from support.acs import PlayedCpe, serve
from support.house import House, build


class Field:
    """A house with an ACS, and what tests do in it."""

    def __init__(self, house: House, url: str, acs: Acs, cpes: Cpes) -> None:
        self.house, self.url, self.acs, self.cpes = house, url, acs, cpes
        self.db = house.db
        self.played: list[PlayedCpe] = []

    def cpe(self, **who: str) -> PlayedCpe:
        made = PlayedCpe(self.url, **who)
        self.played.append(made)
        return made

    async def known(self, played: PlayedCpe):
        async with self.db.system() as tx:
            return await self.cpes.identify(tx, played.device)

    async def adopted(self, **who: str) -> PlayedCpe:
        """Give a device that has been adopted and has its passwords."""
        played = self.cpe(**who)
        await played.session(events.BOOTSTRAP)
        await played.session(events.BOOTSTRAP)
        cpe = await self.known(played)
        async with self.db.system() as tx:
            await self.cpes.adopt(tx, cpe.id, self.house.isp.id)
        await played.session()
        return played

    async def tree(self, played: PlayedCpe, *, secrets: bool = False):
        cpe = await self.known(played)
        async with self.db.system() as tx:
            return await self.cpes.tree(tx, cpe.id, secrets=secrets)

    async def ask(self, played: PlayedCpe, kind: str, **request: object):
        cpe = await self.known(played)
        async with self.house.as_isp() as tx:
            return await self.cpes.ask(tx, cpe.id, kind, request)

    async def command(self, command_id):
        async with self.house.as_isp() as tx:
            return await commands.find(tx, command_id)


@pytest.fixture
async def field(db: Database, tmp_path) -> AsyncIterator[Field]:
    house = await build(db, tmp_path)
    cpes = Cpes(house.keys)
    acs = Acs(db=db, cpes=cpes, key=b"a key of tests", node="test")
    async with serve(acs) as url:
        made = Field(house, url, acs, cpes)
        yield made
        for played in made.played:
            await played.close()


async def test_an_unknown_device_is_kept_apart_and_asked_nothing(field: Field) -> None:
    played = field.cpe()

    # it is asked for a word; one that has none is let in, and kept apart
    assert await played.session(events.BOOTSTRAP, events.BOOT) == 401
    assert await played.session(events.BOOTSTRAP, events.BOOT) == 200

    cpe = await field.known(played)
    assert (cpe.state, cpe.tenant_id, cpe.model) == ("quarantined", None, "HG-1")
    assert played.asked == []
    async with field.house.as_isp() as tx:
        with pytest.raises(NotFound):
            await field.cpes.find(tx, cpe.id)


async def test_an_adopted_device_gets_passwords_and_is_learned(field: Field) -> None:
    played = await field.adopted()

    assert played.username == "00AABB-HG-1-EX00000001"
    assert len(played.password) >= 12
    assert played.parameters["Device.ManagementServer.PeriodicInformInterval"] == "300"
    cpe = await field.known(played)
    assert (cpe.mac, cpe.family, cpe.model) == ("02:00:5E:00:53:01", "tr181", "HG-1")
    tree = await field.tree(played)
    assert tree["Device.WiFi.SSID.1.SSID"].value == "Home"
    assert tree["Device.WiFi.SSID.1.SSID"].writable is True
    assert tree["Device.WiFi.AccessPoint.1.Security.KeyPassphrase"].value == ""
    shown = await field.tree(played, secrets=True)
    assert shown["Device.WiFi.AccessPoint.1.Security.KeyPassphrase"].value == "correct horse"


async def test_a_device_with_passwords_must_prove_itself(field: Field) -> None:
    played = await field.adopted()

    assert await played.session() == 200
    played.password = "another"
    assert await played.session() == 401
    played.username = ""
    assert await played.session() == 401


async def test_a_nonce_is_used_once_a_count(field: Field) -> None:
    played = await field.adopted()
    await played.session()
    body = encode(Envelope(played.inform(), id="1"))
    played.client.cookies.clear()
    first = await played.post(body)
    header = first.request.headers["authorization"]
    played.client.cookies.clear()

    again = await played.client.post(field.url, content=body, headers={"authorization": header})

    assert first.status_code == 200
    assert again.status_code == 401
    assert "stale=true" in again.headers["www-authenticate"]


async def test_devices_that_know_their_tenants_word_are_adopted_at_once(field: Field) -> None:
    async with field.house.as_isp() as tx:
        await field.cpes.put_bootstrap(
            tx, tenant_id=field.house.isp.id, username="acme-cpe", password="from the factory"
        )
    played = field.cpe()
    played.username, played.password = "acme-cpe", "from the factory"
    assert await played.session(events.BOOTSTRAP) == 200

    cpe = await field.known(played)
    assert cpe.tenant_id == field.house.isp.id
    assert played.username == "00AABB-HG-1-EX00000001"


async def test_a_tenants_word_opens_nobody_elses_device(field: Field) -> None:
    played = await field.adopted()
    async with field.house.as_other_isp() as tx:
        await field.cpes.put_bootstrap(
            tx, tenant_id=field.house.other_isp.id, username="other", password="word"
        )
    played.username, played.password = "other", "word"

    assert await played.session(events.BOOTSTRAP) == 401


async def test_commands_are_carried_out_in_the_next_session(field: Field) -> None:
    played = await field.adopted()
    get = await field.ask(played, "cpe.get", names=["Device.WiFi.", "Device.DeviceInfo.UpTime"])
    change = await field.ask(
        played, "cpe.set", values=[{"name": "Device.WiFi.SSID.1.SSID", "value": "Casa & Co"}]
    )

    await played.session(events.CONNECTION_REQUEST)

    told = await field.command(get.id)
    assert told.state == "done"
    assert told.answer["values"]["Device.WiFi.SSID.1.SSID"] == "Home"
    assert told.answer["hidden"] == ["Device.WiFi.AccessPoint.1.Security.KeyPassphrase"]
    assert (await field.command(change.id)).state == "done"
    assert played.parameters["Device.WiFi.SSID.1.SSID"] == "Casa & Co"
    assert (await field.tree(played))["Device.WiFi.SSID.1.SSID"].value == "Casa & Co"


async def test_a_refusal_is_told_in_the_devices_words(field: Field) -> None:
    played = await field.adopted()
    path = "Device.WiFi.SSID.1.SSID"
    fault = messages.Fault(
        9003, "Invalid arguments", (messages.SetFault(path, 9007, "Invalid parameter value"),)
    )
    played.replies[messages.SetParameterValues] = lambda _: fault
    command = await field.ask(played, "cpe.set", values=[{"name": path, "value": "x" * 99}])

    await played.session()

    told = await field.command(command.id)
    assert told.state == "failed"
    assert told.fault == f"9003 Invalid arguments; {path}: 9007 Invalid parameter value"


async def test_a_reboot_is_done_when_the_device_is_back(field: Field) -> None:
    played = await field.adopted()
    command = await field.ask(played, "cpe.reboot")

    await played.session()
    assert (await field.command(command.id)).state == "sent"
    await played.session()
    assert [type(each) for each in played.asked] == []
    await played.session(events.BOOT, events.M_REBOOT)

    assert (await field.command(command.id)).state == "done"


async def test_a_parameter_the_device_does_not_know_fails_alone(field: Field) -> None:
    played = await field.adopted()
    command = await field.ask(
        played, "cpe.get", names=["Device.DeviceInfo.UpTime", "Device.DeviceInfo.Nothing"]
    )

    await played.session()

    told = await field.command(command.id)
    assert told.answer["values"] == {"Device.DeviceInfo.UpTime": "60"}
    assert told.answer["missing"] == ["Device.DeviceInfo.Nothing"]


async def test_a_session_goes_on_in_another_process(field: Field) -> None:
    played = await field.adopted()
    command = await field.ask(played, "cpe.get", names=["Device.DeviceInfo.UpTime"])
    other = Acs(db=field.db, cpes=field.cpes, key=b"a key of tests", node="other")
    async with serve(other) as url:
        await played.begin()
        played.url = url
        response = await played.post(b"")
        request = decode(response.content)
        reply = played.reply(request.message)
        response = await played.post(encode(Envelope(reply, id=request.id)))

    assert response.status_code == 204
    assert (await field.command(command.id)).state == "done"


async def test_an_earlier_session_of_a_device_ends_with_a_new_one(field: Field) -> None:
    first, second = field.cpe(), field.cpe()
    await first.session()
    body = encode(Envelope(first.inform(), id="1"))
    await first.post(body)
    await second.post(body)

    response = await first.post(encode(Envelope(messages.GetRPCMethods(), id="2")))

    assert decode(response.content).message == messages.Fault(
        8003, "Invalid arguments: a session begins with an Inform"
    )
    assert field.acs.sessions == 1


async def test_what_is_no_message_gets_a_soap_fault(field: Field) -> None:
    async with httpx.AsyncClient() as client:
        response = await client.post(field.url, content=b"<a>&lol;</a>")
        entity = b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hostname">]><a>&x;</a>'
        outside = await client.post(field.url, content=entity)
        got = await client.get(field.url)

    assert response.status_code == outside.status_code == 200
    assert isinstance(decode(response.content).message, messages.Fault)
    assert b"document type" in outside.content
    assert got.status_code == 405


async def test_a_full_acs_says_when_to_come_back(db: Database, tmp_path) -> None:
    house = await build(db, tmp_path)
    acs = Acs(
        db=db, cpes=Cpes(house.keys), key=b"k", node="test", limits=Limits(sessions=1, body=4000)
    )
    async with serve(acs) as url:
        first, second = PlayedCpe(url), PlayedCpe(url, serial="EX00000002")
        await first.session()
        await first.post(encode(Envelope(first.inform(), id="1")))
        response = await second.post(encode(Envelope(second.inform(), id="1")))
        large = await second.post(b" " * 4001)
        await first.close()
        await second.close()

    assert large.status_code == 413
    assert response.status_code == 503
    assert 30 <= int(response.headers["retry-after"]) <= 60


async def test_a_device_in_quarantine_takes_no_commands(field: Field) -> None:
    played = field.cpe()
    await played.session()
    await played.session()
    cpe = await field.known(played)

    async with field.db.system() as tx:
        with pytest.raises(Conflict, match="quarantined"):
            await field.cpes.ask(tx, cpe.id, "cpe.reboot")


async def test_another_tenant_does_not_see_the_device(field: Field) -> None:
    played = await field.adopted()
    cpe = await field.known(played)

    async with field.house.as_other_isp() as tx:
        with pytest.raises(NotFound):
            await field.cpes.find(tx, cpe.id)
        assert await field.cpes.tree(tx, cpe.id, secrets=True) == {}
        with pytest.raises(NotFound):
            await field.cpes.ask(tx, cpe.id, "cpe.reboot")


async def test_a_transfer_that_ends_later_ends_its_command_once(field: Field) -> None:
    played = await field.adopted()
    command = await field.ask(played, "cpe.reboot")
    await played.session()

    done = messages.TransferComplete(str(command.id), messages.FileFault(9010, "no way"))
    await played.session(events.TRANSFER_COMPLETE, first=(done,))
    await played.session(events.TRANSFER_COMPLETE, first=(done,))

    told = await field.command(command.id)
    assert (told.state, told.fault) == ("failed", "9010 no way")


async def test_secrets_are_set_and_stand_nowhere(field: Field) -> None:
    played = await field.adopted()
    cpe = await field.known(played)
    secret = "Device.WiFi.AccessPoint.1.Security.KeyPassphrase"
    async with field.house.as_isp() as tx:
        command = await field.cpes.set(
            tx,
            cpe.id,
            [
                messages.ParameterValue("Device.WiFi.SSID.1.SSID", "Lounge"),
                messages.ParameterValue(secret, "staple battery"),
            ],
        )
        with pytest.raises(Invalid, match="secrets"):
            await field.cpes.ask(
                tx, cpe.id, "cpe.set", {"values": [{"name": secret, "value": "x"}]}
            )
    # most devices do not tell them again
    shown = played._shown
    played._shown = lambda path: "" if path == secret else shown(path)

    await played.session()

    assert played.parameters[secret] == "staple battery"
    told = await field.command(command.id)
    assert told.state == "done"
    assert "staple" not in f"{told.request}{told.answer}"
    assert (await field.tree(played, secrets=True))[secret].value == "staple battery"
    async with field.db.system() as tx:
        left = await (await tx.conn.execute("SELECT count(*) FROM cpe_wanted")).fetchone()
    assert left == (0,)
