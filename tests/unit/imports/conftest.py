"""Imports into a small house: an owner, two ISPs on its network."""

from uuid import uuid4

import pytest

from demarc.imports.ground import Domains, Ground
from demarc.imports.outcome import Report
from demarc.imports.running import Run
from demarc.platform.database import SYSTEM
from support.house import build


@pytest.fixture
async def house(db, tmp_path):
    return await build(db, tmp_path)


@pytest.fixture
def ground(house):
    """Makes what a run stands on, for the house's first ISP or another."""

    def make(tenant=None, **options):
        return Ground(
            Domains(
                identity=house.identity,
                catalog=house.catalog,
                subscribers=house.subscribers,
                aaa=house.aaa,
                services=house.services,
                keys=house.keys,
            ),
            tenant=tenant or house.isp,
            network=house.network,
            source=options.pop("source", "old"),
            run_id=uuid4(),
            **options,
        )

    return make


@pytest.fixture
def carry_out(house):
    """Runs an import; gives its report."""

    async def carry_out(ground, source, **options):
        run = Run(house.db, ground, SYSTEM, kind="subscribers", files=["x"], **options)
        with Report() as report:
            report.state = await run.carry_out(source, report)
        return report

    return carry_out
