"""``/api/v2/device/command``: a device is asked to do something, and how that went.

A command is answered 200 whatever comes of it: ``success`` says whether it was accepted. That is
not the device's answer, which comes when the device does.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any
from uuid import UUID

from litestar import Response, get, put
from litestar.params import FromPath

from demarc.domains.cpe.neutral import Need
from demarc.domains.cpe.reading import NothingToAsk
from demarc.domains.errors import Conflict, NotFound
from demarc.domains.network import commands
from demarc.domains.network.model import Command
from demarc.northbound.flashman.api import Injected, answer
from demarc.northbound.flashman.errors import COMMANDS, Refused
from demarc.northbound.flashman.record import iso
from demarc.northbound.flashman.request import FlashmanRequest, needs

_CPE = "cpe"

READS: Mapping[str, tuple[Need, ...]] = MappingProxyType(
    {
        "upstatus": (Need.UPTIME, Need.PON),
        "wanbytes": (Need.BYTES,),
        "onlinedevs": (Need.HOSTS,),
        "waninfo": (Need.WAN,),
        "laninfo": (Need.LAN,),
        "pondata": (Need.PON,),
    }
)
"""What each command asks the device for."""

REFUSED: Mapping[str, str] = MappingProxyType(
    {
        "speedtest": "Este serviço não foi configurado pelo administrador",
        "ping": "CPE não suporta este comando",
        "traceroute": "CPE não suporta este comando",
        "sitesurvey": "CPE não suporta este comando",
        "wps": "CPE não suporta este comando",
        "updateupnp": "CPE não suporta este comando",
        "rstapp": "CPE não suporta este comando",
        "rstdevices": "CPE não suporta este comando",
        "rstmqtt": "CPE não suporta este comando",
        "log": "Esse comando somente funciona em uma sessão!",
    }
)
"""Commands there are that are not carried out, and what is answered."""


def link(command: Command) -> dict[str, str]:
    """Give the header that leads to a command."""
    return {"Link": f'<{COMMANDS}{command.id}>; rel="monitor"'}


@put(
    "/api/v2/device/command/{device_id:str}/{msg:str}",
    operation_id="flashman.device.command",
    opt=needs("device:operate"),
    summary="Ask a device to do something",
)
async def send_command(
    request: FlashmanRequest, api: Injected, device_id: FromPath[str], msg: FromPath[str]
) -> Response[bytes]:
    """Ask the device; ``success`` says that it will be, and ``Link`` leads to how it goes.

    ``msg``: upstatus, wanbytes, onlinedevs, waninfo, laninfo, pondata, boot.
    """
    if msg not in READS and msg not in REFUSED and msg != "boot":
        return _no("Esse comando não existe")
    async with api.begin(request) as tx:
        try:
            cpe = await api.named(tx, device_id)
        except NotFound:
            return _no("CPE não encontrada")
        if msg in REFUSED:
            return _no(REFUSED[msg])
        reading = await api.reader.read(tx, cpe)
        try:
            if msg == "boot":
                command = await api.reader.reboot(tx, reading)
            else:
                command = await api.reader.refresh(tx, reading, READS[msg])
        except NothingToAsk:
            return _no("CPE não possui essa função!")
        except Conflict:
            return _no("CPE não está online!")
    return answer({"success": True, "command": str(command.id)}, headers=link(command))


@get(
    "/api/v2/device/command/{command_id:uuid}",
    operation_id="demarc.device.command.get",
    opt=needs("device:read"),
    summary="How a command went",
)
async def read_command(
    request: FlashmanRequest, api: Injected, command_id: FromPath[UUID]
) -> Response[bytes]:
    """Give how far a command has come, and the device's own answer."""
    async with api.begin(request) as tx:
        try:
            found = await commands.find(tx, command_id)
        except NotFound:
            raise Refused(404, "Comando não encontrado") from None
        if found.target_kind != _CPE or found.target_id is None:
            raise Refused(404, "Comando não encontrado")
        cpe = await api.cpes.find(tx, found.target_id)
        status = await api.cpes.status(tx, cpe.id)
    body: dict[str, Any] = {
        "_id": str(found.id),
        "device": cpe.mac or cpe.serial_number,
        "kind": found.kind,
        "state": found.state,
        "answer": found.answer,
        "fault": found.fault,
        "created_at": iso(found.created_at),
        "sent_at": iso(found.sent_at),
        "finished_at": iso(found.finished_at),
        "deadline": iso(found.deadline),
        # why the device was not reached when it was called: it is served when it comes by itself
        "call_fault": status.call_fault,
    }
    return answer({"success": True, "command": body})


def _no(message: str) -> Response[bytes]:
    return answer({"success": False, "message": message})


HANDLERS = [send_command, read_command]
