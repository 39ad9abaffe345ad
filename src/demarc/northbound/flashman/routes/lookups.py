"""``/api/v3/device``: devices found by what is known of them, and read."""

from typing import Annotated, Any

from litestar import Response, get
from litestar.params import FromPath, QueryParameter

from demarc.domains.cpe.model import Cpe
from demarc.northbound.flashman.api import Api, Injected, answer, mac_of
from demarc.northbound.flashman.errors import Refused
from demarc.northbound.flashman.record import chosen
from demarc.northbound.flashman.request import FlashmanRequest, needs
from demarc.platform.database import Tx
from demarc.views import cpes as look_up

Fields = Annotated[
    str | None,
    QueryParameter(description="Members to give, parted by `;`, with `.` for those within."),
]


@get(
    "/api/v3/device/pppoe-username/{username:str}",
    operation_id="flashman.device.by_pppoe_username",
    opt=needs("device:read"),
    summary="The device of a PPPoE user name",
)
async def by_pppoe_username(
    request: FlashmanRequest, api: Injected, username: FromPath[str], fields: Fields = None
) -> Response[bytes]:
    """Give the device that serves the service which logs in by this name, with or without realm."""
    async with api.begin(request) as tx:
        found = await look_up.by_login(tx, _known(username))
        return await _shown(api, tx, request, await api.found(tx, found), fields)


@get(
    "/api/v3/device/mac/{mac:str}",
    operation_id="flashman.device.get_v3",
    opt=needs("device:read"),
    summary="The device of a MAC address",
)
async def by_mac(
    request: FlashmanRequest, api: Injected, mac: FromPath[str], fields: Fields = None
) -> Response[bytes]:
    """Give the device; the address may be in any case, with ``:`` or ``-``."""
    wanted = mac_of(mac)
    if wanted is None:
        raise Refused(400, "Endereço MAC inválido")
    async with api.begin(request) as tx:
        return await _shown(api, tx, request, await api.named(tx, wanted), fields)


@get(
    "/api/v3/device/serial-tr069/{serial:str}",
    operation_id="flashman.device.by_serial",
    opt=needs("device:read"),
    summary="The device of a serial number",
)
async def by_serial(
    request: FlashmanRequest, api: Injected, serial: FromPath[str], fields: Fields = None
) -> Response[bytes]:
    """Give the device that calls itself by this serial number."""
    async with api.begin(request) as tx:
        return await _shown(api, tx, request, await api.named(tx, serial), fields)


@get(
    "/api/v3/device/external-reference-data/{reference:str}",
    operation_id="flashman.device.by_external_reference",
    opt=needs("device:read"),
    summary="The device of a reference",
)
async def by_external_reference(
    request: FlashmanRequest, api: Injected, reference: FromPath[str], fields: Fields = None
) -> Response[bytes]:
    """Give the device that serves the service with this reference, or this customer's tax id."""
    async with api.begin(request) as tx:
        found = await look_up.by_reference(tx, _known(reference))
        return await _shown(api, tx, request, await api.found(tx, found), fields)


def _known(text: str) -> str:
    """Give what is looked for, without what nobody's name has."""
    return text.replace("\0", "").strip()


async def _shown(
    api: Api, tx: Tx, request: FlashmanRequest, cpe: Cpe, fields: str | None
) -> Response[bytes]:
    reading = await api.reader.read(tx, cpe, secrets=True)
    device: dict[str, Any] = chosen(await api.record(tx, request, reading), fields)
    return answer({"success": True, "message": "OK", "device": device})


HANDLERS = [by_pppoe_username, by_mac, by_serial, by_external_reference]
