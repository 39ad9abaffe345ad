from collections.abc import AsyncIterator

import pytest

from demarc.lab.nas import Nas
from support.radius_isp import HASTY, Clock, Isp


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def isp() -> AsyncIterator[Isp]:
    isp = Isp()
    await isp.start()
    yield isp
    isp.stop()


@pytest.fixture
async def nas(isp: Isp, clock: Clock) -> AsyncIterator[Nas]:
    nas = isp.nas(clock=clock)
    await nas.start()
    yield nas
    await nas.stop()


@pytest.fixture
async def hasty(isp: Isp, clock: Clock) -> AsyncIterator[Nas]:
    nas = isp.nas(clock=clock, retry=HASTY)
    await nas.start()
    yield nas
    await nas.stop()
