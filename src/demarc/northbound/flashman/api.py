"""What the handlers work with, and what they have in common."""

import re
from contextlib import AbstractAsyncContextManager
from typing import Any
from uuid import UUID

import msgspec
from litestar import Response
from litestar.di import NamedDependency

from demarc.domains.aaa.model import Credential
from demarc.domains.aaa.service import Aaa
from demarc.domains.cpe.model import Cpe
from demarc.domains.cpe.neutral import Need
from demarc.domains.cpe.reading import Reader, Reading
from demarc.domains.cpe.service import Cpes
from demarc.domains.errors import Conflict, NotFound
from demarc.northbound.flashman import record
from demarc.northbound.flashman.request import FlashmanRequest
from demarc.platform.database import Database, Tx
from demarc.views import cpes as look_up
from demarc.views.holders import holders

MOST_TRAFFIC = 300
"""Entries of ``wan_bytes``."""

_MAC = re.compile(r"(?:[0-9A-F]{2}[:-]){5}[0-9A-F]{2}", re.IGNORECASE)


class Api(msgspec.Struct, frozen=True):
    """The domains behind the API."""

    db: Database
    cpes: Cpes
    reader: Reader
    aaa: Aaa

    def begin(self, request: FlashmanRequest) -> AbstractAsyncContextManager[Tx]:
        """Open a transaction of the caller's."""
        return self.db.tenant(request.user.tenant_id, request.user.actor)

    async def named(self, tx: Tx, name: str) -> Cpe:
        """Give the device of a MAC address, in any form, or of a serial number in any case.

        Raises:
            NotFound: there is none, or it is another tenant's.
        """
        if not name.isprintable():
            raise NotFound("cpe", "")
        wanted = mac_of(name) or name.strip()
        for each in dict.fromkeys((wanted, wanted.upper())):
            try:
                return await self.cpes.named(tx, each)
            except (NotFound, Conflict):
                continue
        raise NotFound("cpe", name)

    async def found(self, tx: Tx, cpe_id: UUID | None) -> Cpe:
        """Give the device that a look-up came to.

        Raises:
            NotFound: it came to none.
        """
        if cpe_id is None:
            raise NotFound("cpe", "")
        return await self.cpes.find(tx, cpe_id)

    async def record(
        self,
        tx: Tx,
        request: FlashmanRequest,
        reading: Reading,
        *,
        reveals: bool | None = None,
    ) -> record.Record:
        """Give a device's whole record.

        Args:
            tx: of the caller's.
            request: whose.
            reading: the device, with secrets.
            reveals: with passwords; if not said, for those who may see them.
        """
        shows = request.reveals if reveals is None else reveals
        cpe = reading.cpe
        served = reading.service_id
        holder = None if served is None else (await holders(tx, [served])).get(served)
        credentials = [] if served is None else await self.aaa.credentials_of(tx, served)
        hosts = await look_up.answers(tx, cpe.id, Need.HOSTS.value, 1)
        bytes_told = await look_up.answers(tx, cpe.id, Need.BYTES.value, MOST_TRAFFIC)
        return record.document(
            record.Known(
                reading=reading,
                traffic=record.traffic(reading, bytes_told),
                hosts_at=max(
                    (at for at in (reading.learned_at, *(each.at for each in hosts)) if at),
                    default=None,
                ),
                holder=holder,
                pppoe_password=self._password(reading, credentials) if shows else None,
                reveals=shows,
            )
        )

    def _password(self, reading: Reading, credentials: list[Credential]) -> str | None:
        """Give the password of the log-in that the device uses."""
        wan = reading.device.internet
        username = None if wan is None else wan.pppoe_username
        if username is None:
            return None
        for each in credentials:
            if each.kind == "pppoe" and each.username in (username, username.rpartition("@")[0]):
                return self.aaa.password(each)
        return None


Injected = NamedDependency[Api]


def mac_of(text: str) -> str | None:
    """Give a MAC address as "02:00:5E:00:53:01"; None if it is none."""
    text = text.strip()
    return text.upper().replace("-", ":") if _MAC.fullmatch(text) else None


def answer(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response[bytes]:
    """Give an answer in JSON."""
    return Response(
        content=msgspec.json.encode(body),
        status_code=status,
        media_type="application/json",
        headers=headers or {},
    )
