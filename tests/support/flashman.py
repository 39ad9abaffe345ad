"""The Flashman API over a real ACS, with a device that a test plays by hand."""

import contextlib
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import httpx

from demarc.domains.cpe.family import Families
from demarc.domains.cpe.service import Cpes
from demarc.domains.identity.authentication import Authenticator
from demarc.domains.identity.model import Tenant
from demarc.domains.services.model import Service
from demarc.northbound.flashman.app import FlashmanApp, flashman_app
from demarc.platform.secrets import FailureLimiter, PasswordPool, VerifiedMemory
from demarc.protocols.cwmp import events
from demarc.southbound.cwmp.acs import Acs
from support.acs import PlayedCpe, serve
from support.aex import PASSWORD, person
from support.house import House

BASE_URL = "http://flashman.example.net"
MAC = "02:00:5E:10:00:01"
ADMIN = "ana@example.net"

# An ONT by TR-181: one connection by PPPoE, two radios, somebody by cable and somebody by Wi-Fi.
HOME = {
    "Device.DeviceInfo.UpTime": "8573328",
    "Device.Ethernet.Interface.1.MACAddress": MAC.lower(),
    "Device.PPP.Interface.1.Enable": "true",
    "Device.PPP.Interface.1.Status": "Up",
    "Device.PPP.Interface.1.ConnectionStatus": "Connected",
    "Device.PPP.Interface.1.LastChange": "4710663",
    "Device.PPP.Interface.1.Username": "u0001",
    "Device.PPP.Interface.1.Password": "an old password",
    "Device.PPP.Interface.1.LowerLayers": "Device.Ethernet.Link.1.",
    "Device.Ethernet.Link.1.MACAddress": "02:00:5e:10:00:02",
    "Device.IP.Interface.2.Enable": "true",
    "Device.IP.Interface.2.Status": "Up",
    "Device.IP.Interface.2.LowerLayers": "Device.PPP.Interface.1.",
    "Device.IP.Interface.2.IPv4Address.1.IPAddress": "100.64.0.7",
    "Device.IP.Interface.2.Stats.BytesReceived": "50528273959",
    "Device.IP.Interface.2.Stats.BytesSent": "14623344764",
    "Device.Optical.Interface.1.OpticalSignalLevel": "-7400",
    "Device.Optical.Interface.1.TransmitOpticalLevel": "2420",
    "Device.WiFi.Radio.1.Enable": "true",
    "Device.WiFi.Radio.1.OperatingFrequencyBand": "2.4GHz",
    "Device.WiFi.Radio.1.Channel": "6",
    "Device.WiFi.Radio.2.Enable": "true",
    "Device.WiFi.Radio.2.OperatingFrequencyBand": "5GHz",
    "Device.WiFi.Radio.2.Channel": "36",
    "Device.WiFi.SSID.1.Enable": "true",
    "Device.WiFi.SSID.1.LowerLayers": "Device.WiFi.Radio.1.",
    "Device.WiFi.SSID.2.Enable": "true",
    "Device.WiFi.SSID.2.SSID": "Home 5G",
    "Device.WiFi.SSID.2.LowerLayers": "Device.WiFi.Radio.2.",
    "Device.WiFi.AccessPoint.1.SSIDReference": "Device.WiFi.SSID.1.",
    "Device.WiFi.AccessPoint.1.AssociatedDevice.1.MACAddress": "02:00:5e:10:00:a1",
    "Device.WiFi.AccessPoint.1.AssociatedDevice.1.SignalStrength": "-41",
    "Device.WiFi.AccessPoint.1.AssociatedDevice.1.LastDataDownlinkRate": "58500",
    "Device.WiFi.AccessPoint.2.SSIDReference": "Device.WiFi.SSID.2.",
    "Device.WiFi.AccessPoint.2.Security.KeyPassphrase": "another horse",
    "Device.Hosts.Host.1.PhysAddress": "02:00:5e:10:00:a1",
    "Device.Hosts.Host.1.HostName": "android-device",
    "Device.Hosts.Host.1.IPAddress": "192.168.1.3",
    "Device.Hosts.Host.1.Active": "true",
    "Device.Hosts.Host.1.Layer1Interface": "Device.WiFi.SSID.1.",
    "Device.Hosts.Host.2.PhysAddress": "02:00:5e:10:00:a2",
    "Device.Hosts.Host.2.HostName": "printer",
    "Device.Hosts.Host.2.IPAddress": "192.168.1.4",
    "Device.Hosts.Host.2.Active": "true",
    "Device.Hosts.Host.2.Layer1Interface": "Device.Ethernet.Interface.2.",
}


class Desk:
    """The API, the ACS and what tests do with them.

    Attributes:
        admin: a client of somebody of the ISP who may do everything.
        rival: likewise of the other ISP.
    """

    def __init__(self, house: House, app: FlashmanApp, cpes: Cpes, url: str) -> None:
        self.house, self.app, self.cpes, self.url = house, app, cpes, url
        self.played: list[PlayedCpe] = []
        self.admin = self.client()
        self.rival = self.client()

    def client(self, email: str | None = None, **headers: str) -> httpx.AsyncClient:
        """Give a client of somebody, or of nobody."""
        transport = httpx.ASGITransport(
            app=self.app,  # type: ignore[arg-type]
            raise_app_exceptions=False,
            client=("127.0.0.1", 1),
        )
        auth = None if email is None else httpx.BasicAuth(email, PASSWORD)
        return httpx.AsyncClient(transport=transport, base_url=BASE_URL, headers=headers, auth=auth)

    async def somebody(
        self, role: str, email: str, tenant: Tenant | None = None
    ) -> httpx.AsyncClient:
        """Give a client of somebody with a role."""
        await person(self.house, tenant or self.house.isp, role, email)
        return self.client(email)

    async def device(
        self, *, mac: str = MAC, serial: str = "EX00000001", tenant: Tenant | None = None
    ) -> PlayedCpe:
        """Give a device that has been adopted and read whole."""
        played = PlayedCpe(self.url, serial=serial)
        played.parameters |= HOME | {"Device.Ethernet.Interface.1.MACAddress": mac.lower()}
        self.played.append(played)
        await played.session(events.BOOTSTRAP)
        await played.session(events.BOOTSTRAP)
        async with self.house.db.system() as tx:
            met = await self.cpes.identify(tx, played.device)
            await self.cpes.adopt(tx, met.id, (tenant or self.house.isp).id)
        await played.session()
        return played

    async def serving(self, played: PlayedCpe) -> Service:
        """Give a new service that a device serves; its log-in is the device's."""
        service = await self.house.service()
        async with self.house.as_isp() as tx:
            [login] = await self.house.aaa.credentials_of(tx, service.id)
        played.parameters["Device.PPP.Interface.1.Username"] = login.username
        async with self.house.db.system() as tx:
            await self.cpes.assign(tx, await self.id_of(played), service.id)
        return service

    async def id_of(self, played: PlayedCpe) -> UUID:
        async with self.house.db.system() as tx:
            found = await self.cpes.identify(tx, played.device)
        return found.id

    async def record(self, device: str = MAC) -> dict[str, Any]:
        """Give a device's record by v2."""
        answer = await self.admin.get(f"/api/v2/device/update/{device}")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def command(self, msg: str, device: str = MAC) -> dict[str, Any]:
        answer = await self.admin.put(f"/api/v2/device/command/{device}/{msg}")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found


@contextlib.asynccontextmanager
async def open_desk(house: House) -> AsyncIterator[Desk]:
    """Open the API on a house, with an ACS, until the block ends."""
    cpes = Cpes(house.keys)
    acs = Acs(db=house.db, cpes=cpes, key=b"a key of tests", node="test")
    app = flashman_app(
        db=house.db,
        authenticator=Authenticator(house.db, PasswordPool(), VerifiedMemory(), FailureLimiter()),
        cpes=cpes,
        families=Families.load(),
        aaa=house.aaa,
    )
    async with serve(acs) as url:
        desk = Desk(house, app, cpes, url)
        desk.admin = await desk.somebody("admin", ADMIN)
        desk.rival = await desk.somebody("admin", "rui@example.net", house.other_isp)
        try:
            yield desk
        finally:
            for played in desk.played:
                await played.close()
