from collections.abc import AsyncIterator

import pytest

from demarc.domains.cpe.service import Cpes
from demarc.platform.database import Database
from demarc.southbound.cwmp.acs import Acs
from support.acs import serve
from support.house import build
from support.scripted_acs import Files, ScriptedAcs
from support.simulated_cpes import Bench, Field


@pytest.fixture
async def field(db: Database, tmp_path) -> AsyncIterator[Field]:
    house = await build(db, tmp_path)
    cpes = Cpes(house.keys)
    acs = Acs(db=db, cpes=cpes, key=b"a key of tests", node="test")
    async with serve(acs) as url:
        made = Field(house, url, cpes)
        yield made
        for device in made.devices:
            await device.stop()


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    async with ScriptedAcs().serve() as acs, Files().serve() as files:
        made = Bench(acs, files)
        yield made
        for device in made.devices:
            await device.stop()
