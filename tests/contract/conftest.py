import pytest_asyncio

from support.aex import open_office
from support.house import build


@pytest_asyncio.fixture
async def house(db, tmp_path):
    return await build(db, tmp_path)


@pytest_asyncio.fixture
async def office(house):
    return await open_office(house)
