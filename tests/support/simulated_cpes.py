"""An ACS and simulated devices that inform it."""

from demarc.domains.cpe.service import Cpes
from demarc.domains.network import commands
from demarc.lab.cpe import Cpe, Distances, Home, Patience, model
from demarc.protocols.cwmp.messages import DeviceId, Inform
from demarc.southbound.cwmp.calling import HttpCaller
from support.eventually import eventually
from support.house import House
from support.scripted_acs import Files, ScriptedAcs

PATIENCE = Patience(first=0.02, longest=0.1, boot=0.01)


class Field:
    """A house with an ACS, and devices that inform it."""

    def __init__(self, house: House, url: str, cpes: Cpes) -> None:
        self.house, self.url, self.cpes, self.db = house, url, cpes, house.db
        self.devices: list[Cpe] = []
        self.caller = HttpCaller(["127.0.0.0/8"])

    def device(self, make: str, number: int = 1, **how) -> Cpe:
        how = {"patience": PATIENCE, "echo": Distances(scale=0), **how}
        made = Cpe(Home(model(make), number), self.url, **how)
        self.devices.append(made)
        return made

    async def known(self, device: Cpe):
        make = device.home.make
        who = DeviceId(make.manufacturer, make.oui, make.product_class, device.home.serial)
        async with self.db.system() as tx:
            return await self.cpes.identify(tx, who)

    async def adopted(self, make: str, **how) -> Cpe:
        """Give a device that is switched on, adopted, and has been learned."""
        device = self.device(make, **how)
        await device.start()
        await device.sessions_done(1)
        cpe = await self.known(device)
        async with self.db.system() as tx:
            await self.cpes.adopt(tx, cpe.id, self.house.isp.id)
        before = device.sessions.done
        assert device.ring() == "come"
        await device.sessions_done(before + 1)
        return device

    async def tree(self, device: Cpe, *, secrets: bool = False):
        cpe = await self.known(device)
        async with self.db.system() as tx:
            return await self.cpes.tree(tx, cpe.id, secrets=secrets)

    async def call(self, device: Cpe) -> None:
        """Call a device as Demarc does."""
        cpe = await self.known(device)
        await self.caller.call(
            url=device.tree.get(f"{device.management}ConnectionRequestURL"),
            username=cpe.request_username or "",
            password=self.cpes.request_password(cpe) or "",
        )

    async def carried_out(self, device: Cpe, kind: str, **request: object):
        """Ask a device for something, call it, and give the command when it has ended."""
        cpe = await self.known(device)
        async with self.house.as_isp() as tx:
            command = await self.cpes.ask(tx, cpe.id, kind, request)
        await self.call(device)

        async def ended():
            async with self.house.as_isp() as tx:
                found = await commands.find(tx, command.id)
            return found if found.final else None

        return await eventually(ended)


class Bench:
    """An ACS, a server of files, and devices."""

    def __init__(self, acs: ScriptedAcs, files: Files) -> None:
        self.acs, self.files = acs, files
        self.devices: list[Cpe] = []

    async def device(self, make: str = "huawei-eg8145v5", *, home: Home | None = None, **how):
        how = {"patience": PATIENCE, "echo": Distances("192.0.2.9", scale=0), **how}
        made = Cpe(home or Home(model(make), 1), self.acs.url, **how)
        self.devices.append(made)
        await made.start()
        return made

    async def asked(self, device: Cpe, *requests):
        """Have a device asked in a session of its own; give its answers."""
        before = len(self.acs.answers)
        self.acs.ask.extend(requests)
        done = device.sessions.done
        assert device.ring() == "come"
        await device.sessions_done(done + 1)
        return self.acs.answers[before:]


def codes(inform: Inform) -> list[str]:
    return [each.code for each in inform.events]
