"""Which ONU serves a service."""

from uuid import UUID

from demarc.domains.access.service import Access
from demarc.domains.errors import Conflict, NotFound
from demarc.domains.identity import audit
from demarc.domains.services import queries
from demarc.domains.services.model import Service
from demarc.domains.services.states import State
from demarc.platform.database import Tx


class Devices:
    """Use cases on the ONUs of services; they are of the network's owner, and so is who acts."""

    def __init__(self, access: Access) -> None:
        self._access = access

    async def assign_device(
        self, tx: Tx, service_id: UUID, *, serial: str, model: str | None = None
    ) -> str:
        """Say which ONU serves a service; what served it before is released.

        Args:
            tx: of the network's owner, whose ONUs these are.
            service_id: the service.
            serial: as on the label.
            model: as on the label, if known.

        Returns:
            The serial number in its one form.

        Raises:
            NotFound: there is no such service.
            Invalid: that is no serial number.
            Conflict: the ONU serves another service, or the service is cancelled.
        """
        service = await self._lock(tx, service_id)
        if service.state == State.CANCELLED:
            raise Conflict("a cancelled service takes no device")
        before = await self._serial(tx, service_id)
        serial = await self._access.assign(
            tx,
            service_id=service.id,
            tenant_id=service.tenant_id,
            owner_id=service.owner_id,
            network_id=service.network_id,
            serial=serial,
            model=model,
        )
        if serial != before:
            await audit.write(
                tx,
                action="assign_device",
                kind="service",
                key=service.id,
                before=None if before is None else {"serial": before},
                after={"serial": serial},
            )
        return serial

    async def release_device(self, tx: Tx, service_id: UUID) -> str:
        """Say that no ONU serves a service any more; the ONU may then serve another.

        Args:
            tx: of the network's owner.
            service_id: the service.

        Returns:
            The serial number of the ONU that did.

        Raises:
            NotFound: there is no such service, or it has no ONU.
        """
        service = await self._lock(tx, service_id)
        serial = await self._serial(tx, service_id)
        if serial is None:
            raise NotFound("device", service_id)
        await self._access.release(tx, service_id)
        await audit.write(
            tx,
            action="release_device",
            kind="service",
            key=service.id,
            before={"serial": serial},
        )
        return serial

    async def _serial(self, tx: Tx, service_id: UUID) -> str | None:
        try:
            return (await self._access.place(tx, service_id)).serial
        except NotFound:
            return None

    async def _lock(self, tx: Tx, service_id: UUID) -> Service:
        found = await queries.LOCK.one(tx, id=service_id)
        if found is None:
            raise NotFound("service", service_id)
        return found


__all__ = ["Devices"]
