"""A router whose line is a session at a simulated NAS."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from demarc.lab.cpe import Cpe, Home, model
from demarc.lab.dialled import Dialled
from demarc.lab.nas import Nas, Patience, Subscriber
from demarc.protocols.cwmp import messages
from demarc.protocols.cwmp.messages import ParameterValue
from support.radius_isp import ANA, PASSWORD, Isp
from support.simulated_cpes import Bench

PPP = "InternetGatewayDevice.WANDevice.1.WANConnectionDevice.1.WANPPPConnection.1."


@pytest.fixture
async def isp() -> AsyncIterator[Isp]:
    isp = Isp()
    await isp.start()
    yield isp
    isp.stop()


@pytest.fixture
async def nas(isp: Isp) -> AsyncIterator[Nas]:
    nas = isp.nas()
    await nas.start()
    yield nas
    await nas.stop()


@pytest.fixture
async def subscriber(nas: Nas) -> AsyncIterator[Subscriber]:
    made = Subscriber(nas, ANA, PASSWORD, patience=Patience(first=0.01, longest=0.05))
    life = asyncio.create_task(made.run())
    yield made
    life.cancel()
    await asyncio.gather(life, return_exceptions=True)


async def router(bench: Bench, subscriber: Subscriber) -> Cpe:
    line = Dialled(subscriber)
    home = Home(model("huawei-eg8145v5"), 1, line=line, pppoe=(ANA, PASSWORD))
    device = await bench.device(home=home, rates=line.rates)
    await device.sessions_done(1)
    return device


async def test_it_shows_the_session_there_is(bench: Bench, subscriber: Subscriber) -> None:
    session = await subscriber.wait_online()
    device = await router(bench, subscriber)
    session.carry(1_000, 5_000_000)

    assert device.tree.get(f"{PPP}ExternalIPAddress") == str(session.framed_ip)
    assert device.tree.get(f"{PPP}ConnectionStatus") == "Connected"
    stats = "InternetGatewayDevice.WANDevice.1.WANCommonInterfaceConfig."
    assert int(device.tree.get(f"{stats}TotalBytesReceived")) >= 5_000_000
    limits = session.limits
    assert device.home.line.rates().down_bps == limits.down_bps


async def test_a_changed_password_ends_the_session_and_a_right_one_brings_it_back(
    bench: Bench, subscriber: Subscriber
) -> None:
    await subscriber.wait_online()
    device = await router(bench, subscriber)

    async def dial_with(password: str) -> None:
        value = ParameterValue(f"{PPP}Password", password)
        await bench.asked(device, messages.SetParameterValues((value,)))

    async with asyncio.timeout(10):
        await dial_with("wrong")
        await subscriber.wait_refused()
        assert device.tree.get(f"{PPP}ExternalIPAddress") == "0.0.0.0"  # noqa: S104
        await dial_with(PASSWORD)
        await subscriber.wait_online()
    assert device.tree.get(f"{PPP}ConnectionStatus") == "Connected"


async def test_a_router_that_starts_anew_loses_its_session_and_dials_again(
    bench: Bench, subscriber: Subscriber, isp: Isp
) -> None:
    before = await subscriber.wait_online()
    device = await router(bench, subscriber)
    await bench.asked(device, messages.Reboot("k"))
    async with asyncio.timeout(10):
        assert await before.wait_ended() == "Lost-Carrier"
        await isp.server.wait_for(lambda _: len(isp.logins) == 2)
        again = await subscriber.wait_online()

    assert device.tree.get(f"{PPP}ExternalIPAddress") == str(again.framed_ip)


async def test_without_a_session_nothing_is_measured(bench: Bench, subscriber: Subscriber) -> None:
    bench.files.content["/m"] = bytes(1000)
    await subscriber.wait_online()
    device = await router(bench, subscriber)
    subscriber.password = "wrong"
    if subscriber.session is not None:
        subscriber.session.end("User-Request")
    await subscriber.wait_refused()
    place = device.home.make.places.download
    await bench.asked(
        device,
        messages.SetParameterValues(
            (
                ParameterValue(f"{place}DownloadURL", f"{bench.files.url}/m"),
                ParameterValue(f"{place}DiagnosticsState", "Requested"),
            )
        ),
    )
    await device.sessions_done(3)

    assert device.tree.get(f"{place}DiagnosticsState") == "Error_InitConnectionFailed"
    assert device.tree.get(f"{place}TestBytesReceived") == "0"
