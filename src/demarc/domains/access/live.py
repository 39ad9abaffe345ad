"""The status of a service's ONU, asked of the OLT within the call."""

from datetime import datetime
from uuid import UUID

from demarc.domains.access.jobs import LIVE_WITHIN, READ_ONU, reading_of
from demarc.domains.access.model import DeviceStatus
from demarc.domains.access.service import Access
from demarc.domains.errors import DomainError
from demarc.domains.network import commands
from demarc.platform.database import Actor, Database


class DeviceSilent(DomainError):
    """The device, or what leads to it, did not answer in time.

    Attributes:
        tells_where: whether the text may name addresses of the network, which its owner alone
            is to know.
    """

    def __init__(self, reason: str, *, tells_where: bool = False) -> None:
        super().__init__(reason)
        self.tells_where = tells_where


class LiveStatus:
    """Asks through a command: its row is committed first, and nothing is held while waiting."""

    def __init__(self, db: Database, access: Access, waiter: commands.CommandWaiter) -> None:
        self._db = db
        self._access = access
        self._waiter = waiter

    async def read(self, tenant_id: UUID, actor: Actor, service_id: UUID) -> DeviceStatus:
        """Give the status as the OLT says it now.

        Raises:
            NotFound: the service has no ONU.
            DeviceSilent: the OLT did not answer, or does not know the ONU.
            Conflict: the service was given another ONU meanwhile.
        """
        async with self._db.tenant(tenant_id, actor) as tx:
            place = await self._access.place(tx, service_id)
            if place.olt_id is None:
                raise DeviceSilent(f"no OLT has reported ONU {place.serial} yet")
            command = await commands.create(
                tx,
                tenant_id=place.tenant_id,
                owner_id=place.owner_id,
                service_id=service_id,
                kind=READ_ONU,
                target_kind="olt",
                target_id=place.olt_id,
                reach=place.reach or "default",
                request={
                    "serial": place.serial,
                    "if_index": place.if_index,
                    "onu_index": place.onu_index,
                },
                within=LIVE_WITHIN,
            )
        command = await self._waiter.wait(tenant_id, actor, command.id, LIVE_WITHIN.total_seconds())
        if command.state != "done" or command.answer is None:
            raise DeviceSilent(
                command.fault or "the OLT did not answer in time",
                tells_where=bool(command.answer and command.answer.get("unreachable")),
            )
        async with self._db.tenant(tenant_id, actor) as tx:
            return await self._access.device_as_read(
                tx,
                service_id,
                reading_of(command.answer),
                datetime.fromisoformat(command.answer["read_at"]),
            )
