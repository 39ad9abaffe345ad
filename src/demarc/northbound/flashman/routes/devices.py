"""``/api/v2/device/update``: a device's whole record, read and changed."""

from litestar import Response, get, put
from litestar.params import FromPath

from demarc.domains.cpe.changes import Change, Unsupported
from demarc.domains.cpe.reading import Reading
from demarc.domains.errors import Conflict, NotFound
from demarc.northbound.flashman import validation
from demarc.northbound.flashman.api import Api, Injected, answer
from demarc.northbound.flashman.errors import Refused
from demarc.northbound.flashman.record import Record
from demarc.northbound.flashman.request import FlashmanRequest, needs
from demarc.northbound.flashman.routes.commands import link
from demarc.platform.database import Tx

_WRONG = 'Erro validando os campos, ver campo "errors"'


@get(
    "/api/v2/device/update/{device_id:str}",
    operation_id="flashman.device.get_v2",
    opt=needs("device:read"),
    summary="A device's whole record",
)
async def read_device(
    request: FlashmanRequest, api: Injected, device_id: FromPath[str]
) -> Response[bytes]:
    """Give the record of the device with this MAC address or serial number."""
    async with api.begin(request) as tx:
        reading = await api.reader.read(tx, await api.named(tx, device_id), secrets=True)
        return answer(await api.record(tx, request, reading))


@put(
    "/api/v2/device/update/{device_id:str}",
    operation_id="flashman.device.update",
    # reading, as the document does it: what changes something is refused below without the right
    opt=needs("device:read"),
    summary="Change a device",
)
async def update_device(
    request: FlashmanRequest, api: Injected, device_id: FromPath[str]
) -> Response[bytes]:
    """Change what ``content`` names, all or nothing; without a body nothing is changed.

    The record is answered as it will be. The device is asked in its next session, to which it is
    called; what it said to it is told by what ``Link`` leads to.
    """
    content = await request.content()
    if content and request.user.lacks("service:update") is not None:
        raise Refused(
            403, "Permissão insuficiente para alterar campos requisitados", {"type": "danger"}
        )
    async with api.begin(request) as tx:
        try:
            cpe = await api.named(tx, device_id)
        except NotFound:
            raise Refused(404, "CPE não encontrada", {"errors": []}) from None
        reading = await api.reader.read(tx, cpe, secrets=True)
        record = await api.record(tx, request, reading)
        if not content:
            return answer(record)
        changes = _wanted(content, await _shown(api, tx, request, reading, record))
        headers = await _carry_out(api, tx, reading, changes)
        if headers:
            reading = await api.reader.read(tx, cpe, secrets=True)
            record = await api.record(tx, request, reading)
        return answer(record, headers=headers)


async def _shown(
    api: Api, tx: Tx, request: FlashmanRequest, reading: Reading, record: Record
) -> Record:
    """Give a record with its passwords, to compare with."""
    return record if request.reveals else await api.record(tx, request, reading, reveals=True)


def _wanted(content: Record, record: Record) -> list[tuple[str, Change]]:
    """Give what is to be changed; what is so already is not."""
    wanted = validation.examine(content)
    if wanted.errors:
        raise Refused(500, _WRONG, {"errors": wanted.errors})
    values = {
        name: value
        for name, value in wanted.values.items()
        if str(content[name]).strip() != str(record.get(name)) or record.get(name) is None
    }
    return validation.changes(values)


async def _carry_out(
    api: Api, tx: Tx, reading: Reading, changes: list[tuple[str, Change]]
) -> dict[str, str]:
    """Have the device changed; give the headers that tell of it."""
    for field, change in changes:
        try:
            api.reader.planned(reading, [change])
        except Unsupported:
            raise Refused(500, _WRONG, {"errors": [{field: validation.CANNOT}]}) from None
    try:
        command = await api.reader.change(tx, reading, [change for _, change in changes])
    except Conflict:
        raise Refused(500, "CPE não está online!", {"errors": []}) from None
    return {} if command is None else link(command)


HANDLERS = [read_device, update_device]
