"""Files that a device fetches and sends when it is told to (TR-069 Amendment 6, A.3.2.8, A.4.1.5)."""

import asyncio
import re
import ssl
from collections.abc import Coroutine
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from demarc.lab.cpe.http import Broken, Connection, Head, Login, place_of, whole
from demarc.lab.cpe.tree import Refusal
from demarc.protocols.cwmp import errors, events
from demarc.protocols.cwmp.messages import Download, FileFault, TransferComplete, Upload

if TYPE_CHECKING:
    from demarc.lab.cpe.device import Cpe

UNSUPPORTED_PROTOCOL: Final = 9013
NOT_AUTHENTICATED: Final = 9012
NO_CONTACT: Final = 9015
NO_ACCESS: Final = 9016
INCOMPLETE: Final = 9017
CORRUPTED: Final = 9018

FIRMWARE: Final = "1 "
"""What the file type of firmware begins with."""

_BEGINNING: Final = 512
_VERSION: Final = re.compile(rb"version=([!-~]{1,64})")
_MODEL: Final = re.compile(rb"model=([!-~]{1,64})")
_ANSWER: Final = 65_536
_WITHIN: Final = 600.0
_TRIES: Final = 3
_UNAUTHORISED: Final = 401
_OK: Final = 200
_MULTIPLE: Final = 300
_CODES: Final = {401: NOT_AUTHENTICATED, 403: NOT_AUTHENTICATED, 404: NO_ACCESS, 410: NO_ACCESS}


class Failed(Exception):
    """A transfer did not succeed; carries the fault that says why."""

    def __init__(self, code: int) -> None:
        super().__init__(errors.CPE_FAULTS[code])
        self.fault = FileFault(code, errors.CPE_FAULTS[code])


class Transfers:
    """A device's transfers.

    An image says which version it is by ``version=`` among its first octets, and by ``model=``
    whom it is for; one that does not is called as its file is.

    Args:
        cpe: the device.
        trust: for TLS.
    """

    def __init__(self, cpe: "Cpe", trust: ssl.SSLContext | None = None) -> None:
        self._cpe = cpe
        self._trust = trust
        self.untold: list[TransferComplete] = []

    def check(self, url: str) -> None:
        """Look at where a file is.

        Raises:
            Refusal: that is none that a device could fetch from.
        """
        if urlsplit(url).scheme not in {"http", "https"}:
            raise Refusal(UNSUPPORTED_PROTOCOL)

    async def download(self, request: Download) -> None:
        """Fetch a file, and take what is in it."""
        await asyncio.sleep(request.delay_seconds)
        began, fault, version = await self._timed(self._fetch(request))
        self._over(request.command_key, began, fault)
        if not fault.code and version is not None:
            self._cpe.home.software = version
            self._cpe.happen(events.M_DOWNLOAD, request.command_key)
            await self._cpe.restart(None)
            return
        self._cpe.happen(events.M_DOWNLOAD, request.command_key)

    async def upload(self, request: Upload) -> None:
        """Send a file."""
        await asyncio.sleep(request.delay_seconds)
        began, fault, _ = await self._timed(self._send(request))
        self._over(request.command_key, began, fault)
        self._cpe.happen(events.M_UPLOAD, request.command_key)

    async def _timed(
        self, work: Coroutine[Any, Any, str | None]
    ) -> tuple[datetime, FileFault, str | None]:
        began = self._cpe.home.now()
        try:
            async with asyncio.timeout(_WITHIN):
                version = await work
        except Failed as failed:
            return began, failed.fault, None
        except TimeoutError:
            return began, Failed(INCOMPLETE).fault, None
        return began, FileFault(), version

    def _over(self, key: str, began: datetime, fault: FileFault) -> None:
        ended = None if fault.code else self._cpe.home.now()
        told_began = None if fault.code else began
        self.untold.append(TransferComplete(key, fault, told_began, ended))
        self._cpe.happen(events.TRANSFER_COMPLETE)

    async def _fetch(self, request: Download) -> str | None:
        """Fetch a file; give the version that is in it, if it is an image."""
        connection = self._connection(request.url)
        try:
            head = await self._reach(connection, "GET", Login(request.username, request.password))
            beginning, size = b"", 0
            async for piece in connection.body(head):
                size += len(piece)
                if len(beginning) < _BEGINNING:
                    beginning += piece[:_BEGINNING]
        except (Broken, OSError) as error:
            raise Failed(INCOMPLETE) from error
        finally:
            await connection.close()
        if request.file_size and size != request.file_size:
            raise Failed(CORRUPTED)
        if not request.file_type.startswith(FIRMWARE):
            return None
        meant = _MODEL.search(beginning)
        if not size or (meant is not None and meant[1].decode() != self._cpe.home.make.model):
            raise Failed(CORRUPTED)
        named = _VERSION.search(beginning)
        if named is not None:
            return named[1].decode()
        name = request.target_file_name or urlsplit(request.url).path.rpartition("/")[2]
        return name.rpartition(".")[0] or name or "1"

    async def _send(self, request: Upload) -> None:
        """Send what the file type asks for: the configuration, or the log."""
        connection = self._connection(request.url)
        content = self._cpe.told().encode()
        login = Login(request.username, request.password)
        try:
            await self._reach(connection, "PUT", login, content)
        finally:
            await connection.close()

    def _connection(self, url: str) -> Connection:
        try:
            return Connection(place_of(url), trust=self._trust)
        except Broken as error:
            raise Failed(NO_CONTACT) from error

    async def _reach(
        self, connection: Connection, method: str, login: Login, content: bytes = b""
    ) -> Head:
        target = connection.place.target
        for _ in range(_TRIES):
            if not connection.is_open:
                try:
                    await connection.open()
                except OSError as error:
                    raise Failed(NO_CONTACT) from error
            headers = login.headers(method, target)
            if method != "GET":
                headers["Content-Length"] = str(len(content))
            try:
                await connection.send_head(method, target, headers)
                if content:
                    await connection.send(content)
                head = await connection.read_head()
            except (Broken, OSError) as error:
                raise Failed(NO_CONTACT) from error
            if head.status == _UNAUTHORISED and login.challenged(head):
                await whole(connection, head, most=_ANSWER)
                continue
            if _OK <= head.status < _MULTIPLE:
                return head
            raise Failed(_CODES.get(head.status, errors.DOWNLOAD_FAILURE))
        raise Failed(NOT_AUTHENTICATED)


__all__ = ["FIRMWARE", "Transfers"]
