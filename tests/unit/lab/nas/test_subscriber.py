import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from demarc.lab.nas import Nas, Patience, Refused, Subscriber
from support.radius_isp import ANA, PASSWORD, Isp, of

QUICK = Patience(first=0.01, longest=0.05)
FOR_EVER = Patience(first=3600, longest=3600)


@pytest.fixture
async def living(nas: Nas) -> AsyncIterator[Callable[..., Subscriber]]:
    lives: list[asyncio.Task[None]] = []

    def live(**options: object) -> Subscriber:
        settings = {"patience": QUICK, "password": PASSWORD, **options}
        subscriber = Subscriber(nas, ANA, **settings)  # type: ignore[arg-type]
        lives.append(asyncio.create_task(subscriber.run()))
        return subscriber

    yield live
    for life in lives:
        life.cancel()
    await asyncio.gather(*lives, return_exceptions=True)


async def test_it_comes_back_after_a_disconnect(
    isp: Isp, living: Callable[..., Subscriber]
) -> None:
    subscriber = living(calling_station_id="02:00:00:00:00:01")
    async with asyncio.timeout(5):
        first = await subscriber.wait_online()
        first.end("Admin-Reset")
        await first.wait_closed()
        await isp.server.wait_for(lambda _: len(isp.logins) == 2)
        second = await subscriber.wait_online()
    assert second is not first
    assert {of(each, "Calling-Station-Id") for each in isp.logins} == {"02:00:00:00:00:01"}


async def test_it_goes_on_trying_while_it_is_refused(
    isp: Isp, living: Callable[..., Subscriber]
) -> None:
    isp.refusal = "suspended"
    subscriber = living(protocol="chap")
    async with asyncio.timeout(5):
        assert await subscriber.wait_refused() == Refused("suspended")
        await isp.server.wait_for(lambda _: len(isp.logins) >= 4)
        isp.refusal = None
        session = await subscriber.wait_online()
    assert session.up
    assert subscriber.refused is None
    assert subscriber.logins == len(isp.logins)


async def test_it_waits_longer_after_each_refusal(isp: Isp, nas: Nas) -> None:
    isp.refusal = "suspended"
    waits: list[float] = []
    done = asyncio.Event()

    class Watched(Subscriber):
        async def _pause(self, seconds: float) -> None:
            waits.append(seconds)
            if len(waits) == 6:
                done.set()
                await asyncio.Event().wait()

    subscriber = Watched(nas, ANA, PASSWORD, patience=Patience(first=2, factor=2, longest=20))
    life = asyncio.create_task(subscriber.run())
    async with asyncio.timeout(5):
        await done.wait()
    life.cancel()
    assert waits == [2, 4, 8, 16, 20, 20]


async def test_it_can_be_told_to_dial(isp: Isp, living: Callable[..., Subscriber]) -> None:
    isp.refusal = "suspended"
    subscriber = living(patience=FOR_EVER)
    async with asyncio.timeout(5):
        await subscriber.wait_refused()
        isp.refusal = None
        subscriber.dial_now()
        await subscriber.wait_online()


async def test_it_leaves_by_itself_when_it_has_stayed(
    isp: Isp, living: Callable[..., Subscriber]
) -> None:
    living(stay=0.01)
    async with asyncio.timeout(5):
        await isp.server.wait_for(lambda _: isp.statuses.count("Stop") >= 2)
    stop = isp.reports[isp.statuses.index("Stop")]
    assert of(stop, "Acct-Terminate-Cause") == 1
