import pytest_asyncio

from support.aex import open_office
from support.flashman import open_desk
from support.house import build


@pytest_asyncio.fixture
async def house(db, tmp_path):
    return await build(db, tmp_path)


@pytest_asyncio.fixture
async def office(house):
    return await open_office(house)


@pytest_asyncio.fixture
async def desk(house):
    async with open_desk(house) as opened:
        yield opened
