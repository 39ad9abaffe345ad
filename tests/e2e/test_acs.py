"""A device and a running Demarc: met, adopted, called, and doing what it is asked."""

import asyncio
from pathlib import Path

import httpx

from demarc.app.parts import keys_of
from demarc.app.serve import serving
from demarc.domains.cpe.service import Cpes
from demarc.domains.network import commands
from demarc.platform.database import Database
from demarc.platform.settings import Settings
from demarc.protocols.cwmp import events
from support.acs import PlayedCpe
from support.certificates import anybody, pair
from support.eventually import eventually
from support.house import build


class Doorbell:
    """Where the device is called; it takes any call and begins a session."""

    def __init__(self, played: PlayedCpe) -> None:
        self._played = played
        self._sessions: set[asyncio.Task[int]] = set()
        self.server: asyncio.Server | None = None

    async def open(self) -> None:
        self.server = await asyncio.start_server(self._rung, "127.0.0.1", 0)
        port = self.server.sockets[0].getsockname()[1]
        url = f"http://127.0.0.1:{port}/"
        self._played.parameters["Device.ManagementServer.ConnectionRequestURL"] = url

    async def _rung(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        writer.close()
        await writer.wait_closed()
        session = asyncio.create_task(self._played.session(events.CONNECTION_REQUEST))
        self._sessions.add(session)

    async def close(self) -> None:
        if self.server is not None:
            self.server.close()
            await self.server.wait_closed()
        await asyncio.gather(*self._sessions)


async def test_devices_come_by_http_and_by_https_where_both_are_wanted(
    database_url: str, tmp_path: Path
) -> None:
    files = pair(tmp_path)
    settings = Settings.load(
        {},
        data=tmp_path,
        database_url=database_url,
        http_port=0,
        radius_auth_port=0,
        radius_acct_port=0,
        cwmp_port=0,
        cwmp_https_port=0,
        tls_cert=files.cert,
        tls_key=files.key,
        log_level="warning",
    )
    keys_of(settings, may_create=True)
    async with serving(settings) as running:
        bound = running.settings
        async with httpx.AsyncClient(verify=anybody()) as client:
            plain = await client.get(f"http://127.0.0.1:{bound.cwmp_port}/")
            secure = await client.get(f"https://127.0.0.1:{bound.cwmp_https_port}/")
    # CWMP is spoken by POST
    assert plain.status_code == secure.status_code == 405


async def test_a_device_that_is_called_does_what_it_is_asked(
    database_url: str, tmp_path: Path
) -> None:
    settings = Settings.load(
        {},
        data=tmp_path,
        database_url=database_url,
        http_port=0,
        radius_auth_port=0,
        radius_acct_port=0,
        cwmp_port=0,
        cwmp_networks="127.0.0.0/8",
        log_level="warning",
    )
    keys = keys_of(settings, may_create=True)
    db = await Database.open(database_url, tenant_pool=2, system_pool=2)
    house = await build(db, tmp_path)
    cpes = Cpes(keys)
    async with serving(settings) as running:
        played = PlayedCpe(f"http://127.0.0.1:{running.settings.cwmp_port}/cwmp")
        doorbell = Doorbell(played)
        await doorbell.open()
        await played.session(events.BOOTSTRAP)
        assert await played.session(events.BOOTSTRAP) == 200
        async with db.system() as tx:
            cpe = await cpes.identify(tx, played.device)
            assert cpe is not None
            await cpes.adopt(tx, cpe.id, house.isp.id)
        assert await played.session() == 200

        async with house.as_isp() as tx:
            command = await cpes.ask(tx, cpe.id, "cpe.get", {"names": ["Device.WiFi.SSID.1.SSID"]})

        async def done() -> bool:
            async with house.as_isp() as tx:
                return (await commands.find(tx, command.id)).final

        await eventually(done)
        async with house.as_isp() as tx:
            told = await commands.find(tx, command.id)
            status = await cpes.status(tx, cpe.id)
        await doorbell.close()
        await played.close()
    await db.close()
    assert told.state == "done"
    assert told.answer is not None
    assert told.answer["values"] == {"Device.WiFi.SSID.1.SSID": "Home"}
    assert status.call_fault is None
    assert status.called_at is not None
