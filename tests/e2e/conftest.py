"""Demarc as it runs: its own processes on sockets of their own, on a database of the test's."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import msgspec
import pytest

from demarc.app.parts import keys_of
from demarc.app.serve import Serving, serving
from demarc.platform.clock import now
from demarc.platform.database import Database
from demarc.platform.settings import Settings
from support.house import House, build


class Served(msgspec.Struct):
    """A running Demarc with the small house of tests in it."""

    running: Serving
    house: House
    isp: httpx.AsyncClient
    other_isp: httpx.AsyncClient
    fno: httpx.AsyncClient

    @property
    def settings(self) -> Settings:
        return self.running.settings


@pytest.fixture
async def served(database_url: str, tmp_path: Path) -> AsyncIterator[Served]:
    settings = Settings.load(
        {},
        data=tmp_path,
        database_url=database_url,
        http_port=0,
        radius_auth_port=0,
        radius_acct_port=0,
        credential_cache_max_age=2,
        olt_poll_interval=5,
        log_level="warning",
    )
    keys_of(settings, may_create=True)
    db = await Database.open(database_url, tenant_pool=2, system_pool=2)
    house = await build(db, tmp_path)
    async with serving(settings) as running:
        clients = []
        for slug, api in (("acme", "aex"), ("beta", "aex"), ("metro", "fno")):
            async with db.system() as tx:
                tenant = await house.identity.tenant_named(tx, slug)
                client = await house.identity.put_client(
                    tx, tenant_id=tenant.id, api=api, name="test"
                )
                token, _ = await house.identity.issue_token(tx, client, now=now())
            clients.append(
                httpx.AsyncClient(
                    base_url=running.settings.public_url,
                    headers={"Authorization": f"Bearer {token}"},
                    timeout=30,
                    trust_env=False,
                )
            )
        yield Served(running, house, *clients)
        for each in clients:
            await each.aclose()
    await db.close()
