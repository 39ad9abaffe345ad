import pytest

from support.fibre import Fibre
from support.house import build


@pytest.fixture
async def house(db, tmp_path):
    return await build(db, tmp_path)


@pytest.fixture
async def fibre(house):
    """An OLT without ONUs, and what stands in the database of it."""
    return await Fibre.build(house)
