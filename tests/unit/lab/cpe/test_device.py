"""A device's life: what it tells, when it comes again, and what it does when it is told to."""

import pytest

from demarc.lab.cpe import Home, Online, model
from demarc.protocols.cwmp import events, messages
from demarc.protocols.cwmp.messages import ParameterValue
from support.simulated_cpes import Bench, codes


async def test_it_bootstraps_once_and_boots_each_time(bench: Bench) -> None:
    device = await bench.device()
    await device.sessions_done(1)
    await bench.asked(device, messages.Reboot("key-1"))
    await device.sessions_done(3)

    first, called, again = bench.acs.informs
    assert codes(first) == [events.BOOTSTRAP, events.BOOT]
    assert codes(called) == [events.CONNECTION_REQUEST]
    assert again.events == (
        messages.Event(events.BOOT),
        messages.Event(events.M_REBOOT, "key-1"),
    )
    assert first.device.serial_number == "4857544300000001"
    told = {each.name: each.value for each in first.parameters}
    assert told["InternetGatewayDevice.DeviceInfo.SoftwareVersion"] == "V5R019C10S350"
    assert told["InternetGatewayDevice.ManagementServer.ConnectionRequestURL"].startswith("http://")


async def test_a_device_that_knows_no_other_event_is_periodic_only(bench: Bench) -> None:
    device = await bench.device("unknown-tr181")
    await device.sessions_done(1)

    assert codes(bench.acs.informs[0]) == [events.PERIODIC]


async def test_it_informs_periodically_as_often_as_it_is_told(bench: Bench) -> None:
    device = await bench.device()
    await device.sessions_done(1)
    interval = f"{device.management}PeriodicInformInterval"
    await bench.asked(
        device, messages.SetParameterValues((ParameterValue(interval, "1", "unsignedInt"),))
    )
    await device.sessions_done(3)

    assert codes(bench.acs.informs[-1]) == [events.PERIODIC]


async def test_it_proves_itself_by_digest_and_keeps_the_challenge(bench: Bench) -> None:
    bench.acs.digest = ("acme", "word")
    device = await bench.device(credential=("acme", "word"))
    await device.sessions_done(1)
    await bench.asked(device)

    assert bench.acs.challenges == 1
    assert "s=1" in bench.acs.cookies[1]


async def test_it_comes_again_after_a_refusal_and_when_it_is_told_to_wait(bench: Bench) -> None:
    bench.acs.busy.extend(["0", "1"])
    device = await bench.device()
    await device.sessions_done(1)

    assert device.sessions.failed == 2
    assert bench.acs.informs[0].retry_count == 2
    assert codes(bench.acs.informs[0]) == [events.BOOTSTRAP, events.BOOT]


async def test_a_change_on_the_spot_is_told_if_that_was_asked_for(bench: Bench) -> None:
    device = await bench.device("zte-f670l")
    await device.sessions_done(1)
    ssid = device.home.make.places.networks[0].ssid
    device.change(ssid, "Not told")
    change = messages.AttributeChange(ssid, notification=2)
    await bench.asked(device, messages.SetParameterAttributes((change,)))
    device.change(ssid, "Told")
    await device.sessions_done(3)

    last = bench.acs.informs[-1]
    assert codes(last) == [events.VALUE_CHANGE]
    assert ParameterValue(ssid, "Told") in last.parameters


async def test_what_the_acs_changes_itself_is_not_told(bench: Bench) -> None:
    device = await bench.device("zte-f670l")
    await device.sessions_done(1)
    ssid = device.home.make.places.networks[0].ssid
    await bench.asked(
        device,
        messages.SetParameterAttributes((messages.AttributeChange(ssid, notification=2),)),
        messages.SetParameterValues((ParameterValue(ssid, "From afar"),)),
    )
    device.look()
    await bench.asked(device)

    assert codes(bench.acs.informs[-1]) == [events.CONNECTION_REQUEST]


async def test_a_changed_name_takes_the_passphrase_along_on_one_make(bench: Bench) -> None:
    device = await bench.device("nokia-g1425g")
    network = device.home.make.places.networks[0]
    factory = device.tree.get(network.passphrase)
    await device.sessions_done(1)
    await bench.asked(
        device, messages.SetParameterValues((ParameterValue(network.passphrase, "my own word"),))
    )
    assert device.tree.get(network.passphrase) == "my own word"
    await bench.asked(
        device, messages.SetParameterValues((ParameterValue(network.ssid, "Another"),))
    )

    assert device.tree.get(network.passphrase) == factory


async def test_it_comes_back_when_it_is_told_to(bench: Bench) -> None:
    device = await bench.device()
    await device.sessions_done(1)
    [answer] = await bench.asked(device, messages.ScheduleInform(1, "later"))
    await device.sessions_done(3)

    assert answer == messages.ScheduleInformResponse()
    assert bench.acs.informs[-1].events == (
        messages.Event(events.SCHEDULED),
        messages.Event(events.M_SCHEDULE_INFORM, "later"),
    )


async def test_firmware_is_fetched_with_a_password_and_runs_after_the_restart(
    bench: Bench,
) -> None:
    image = b"model=EG8145V5 version=V5R020C00\n" + bytes(100_000)
    bench.files.content["/image.bin"] = image
    bench.files.password = "word"
    device = await bench.device()
    await device.sessions_done(1)
    request = messages.Download(
        "upgrade-1",
        "1 Firmware Upgrade Image",
        f"{bench.files.url}/image.bin",
        username="files",
        password="word",
        file_size=len(image),
    )
    [answer] = await bench.asked(device, request)
    await device.sessions_done(3)

    assert answer == messages.DownloadResponse(1)
    [told] = bench.acs.transfers
    assert (told.command_key, told.fault.code) == ("upgrade-1", 0)
    assert told.complete_time >= told.start_time
    last = bench.acs.informs[-1]
    assert {events.BOOT, events.TRANSFER_COMPLETE, events.M_DOWNLOAD} <= set(codes(last))
    version = "InternetGatewayDevice.DeviceInfo.SoftwareVersion"
    assert ParameterValue(version, "V5R020C00") in last.parameters


@pytest.mark.parametrize(
    ("target", "content", "size", "cut", "code"),
    [
        ("/missing.bin", None, 0, False, 9016),
        ("/short.bin", b"version=2", 10, False, 9018),
        ("/other.bin", b"model=F670L version=2", 0, False, 9018),
        ("/cut.bin", b"version=2" * 1000, 0, True, 9017),
    ],
)
async def test_an_image_that_cannot_be_had_is_told_of(
    bench: Bench, target: str, content: bytes | None, size: int, *, cut: bool, code: int
) -> None:
    bench.files.cut = cut
    if content is not None:
        bench.files.content[target] = content
    device = await bench.device()
    await device.sessions_done(1)
    request = messages.Download("k", "1 Firmware Upgrade Image", bench.files.url + target)
    await bench.asked(device, messages.Download(**{**_fields(request), "file_size": size}))
    await device.sessions_done(3)

    [told] = bench.acs.transfers
    assert told.fault.code == code
    assert device.home.software == "V5R019C10S350"


def _fields(request: messages.Download) -> dict:
    return {name: getattr(request, name) for name in request.__struct_fields__}


async def test_a_server_that_is_not_there_and_a_way_that_is_not_known(bench: Bench) -> None:
    device = await bench.device()
    await device.sessions_done(1)
    there = messages.Download("k", "1 Firmware Upgrade Image", "http://127.0.0.1:9/x")
    strange = messages.Download("k", "1 Firmware Upgrade Image", "tftp://127.0.0.1/x")
    begun, refused = await bench.asked(device, there, strange)
    await device.sessions_done(3)

    assert begun == messages.DownloadResponse(1)
    assert refused.code == 9013
    assert bench.acs.transfers[0].fault.code == 9015


async def test_its_configuration_is_sent_without_secrets(bench: Bench) -> None:
    device = await bench.device()
    await device.sessions_done(1)
    await bench.asked(
        device, messages.Upload("u", "1 Vendor Configuration File", f"{bench.files.url}/config")
    )
    await device.sessions_done(3)

    sent = bench.files.taken["/config"].decode()
    assert device.tree.get(device.home.make.places.networks[0].ssid) in sent
    assert device.tree.get(device.home.make.places.networks[0].passphrase) not in sent
    assert bench.acs.transfers[0].fault.code == 0


class Given:
    """A line whose session is what a test says."""

    def __init__(self) -> None:
        self.dialled: list[tuple[str, str]] = []
        self.online: Online | None = Online("100.64.9.9", 90, 5_000_000_000, 7_000)

    def dial(self, username: str, password: str) -> None:
        self.dialled.append((username, password))

    def hang_up(self) -> None:
        self.online = None

    def session(self) -> Online | None:
        return self.online


async def test_its_line_is_what_it_is_given(bench: Bench) -> None:
    line = Given()
    home = Home(model("tplink-xc220"), 7, line=line, pppoe=("ana@isp.example", "word"))
    device = await bench.device(home=home)
    await device.sessions_done(1)
    stats = "Device.IP.Interface.2.Stats."

    # this make counts from the other side
    assert device.tree.get(f"{stats}BytesSent") == "5000000000"
    assert device.tree.get("Device.IP.Interface.2.IPv4Address.1.IPAddress") == "100.64.9.9"
    line.online = None
    assert device.tree.get("Device.PPP.Interface.1.ConnectionStatus") == "Connecting"
    device.look()
    await device.sessions_done(2)
    assert codes(bench.acs.informs[-1]) == [events.VALUE_CHANGE]

    password = "Device.PPP.Interface.1.Password"
    await bench.asked(device, messages.SetParameterValues((ParameterValue(password, "new"),)))
    assert line.dialled == [("ana@isp.example", "word"), ("ana@isp.example", "new")]
    assert device.tree.values([password])[0].value == ""


async def test_a_wrong_credential_keeps_its_own_line_down(bench: Bench) -> None:
    device = await bench.device("zte-f670l")
    await device.sessions_done(1)
    ppp = device.home.make.places.pppoe
    assert device.tree.get(f"{ppp}ConnectionStatus") == "Connected"
    await bench.asked(
        device, messages.SetParameterValues((ParameterValue(f"{ppp}Password", "wrong"),))
    )

    assert device.tree.get(f"{ppp}LastConnectionError") == "ERROR_AUTHENTICATION_FAILURE"
