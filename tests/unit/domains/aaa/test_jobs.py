"""Upkeep of sessions."""

from datetime import UTC, datetime, timedelta

import pytest

from demarc.domains.aaa.jobs import Housekeeping
from support.house import build
from support.live import begin


@pytest.fixture
async def house(db, tmp_path):
    return await build(db, tmp_path)


async def test_upkeep_closes_what_nobody_tells_of(house):
    service = await house.service()
    await begin(house, service, at=datetime.now(UTC) - timedelta(hours=2))
    for task in Housekeeping(house.db).tasks():
        assert task.cron is not None
        await task.run()
    async with house.as_isp() as tx:
        (session,) = (await house.aaa.radius_status(tx, service.id)).sessions
    assert session.terminate_cause == "Stale"
