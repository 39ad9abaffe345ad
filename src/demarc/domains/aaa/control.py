"""Live sessions of a service: ended, or given what they should have now."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from demarc.domains.aaa import policy_queries as queries
from demarc.domains.aaa import terms_queries
from demarc.domains.aaa.authorisation import GARDEN
from demarc.domains.aaa.commanding import CHANGE, DISCONNECT, command
from demarc.domains.aaa.enforcement import again
from demarc.domains.identity import audit
from demarc.domains.network.model import Command
from demarc.platform.database import Tx


class Control:
    """Use cases on the live sessions of services.

    What is commanded here is commanded at once; whatever comes to nothing is tried again by
    ``Enforcer``.
    """

    async def disconnect(self, tx: Tx, service_id: UUID, reason: str) -> list[Command]:
        """Have the NASes end a service's live sessions.

        Args:
            tx: the commands exist, and their jobs run, if it commits.
            service_id: the service.
            reason: why, kept with each command.

        Returns:
            A command for each session; its answer is the NAS's own.
        """
        targets = await terms_queries.TARGETS_OF_SERVICE.all(tx, service_id=service_id)
        return await command(tx, DISCONNECT, targets, reason)

    async def renew(self, tx: Tx, service_id: UUID, reason: str) -> list[Command]:
        """Have a service's live sessions given what they should have now.

        Args:
            tx: as of ``disconnect``.
            service_id: the service.
            reason: why, kept with each command.
        """
        targets = await terms_queries.TARGETS_OF_SERVICE.all(tx, service_id=service_id)
        return await command(tx, CHANGE, targets, reason)

    async def restrain(self, tx: Tx, service_id: UUID, reason: str) -> list[Command]:
        """Have the live sessions of a suspended service ended, or led into its garden.

        Args:
            tx: as of ``disconnect``.
            service_id: the service.
            reason: why, kept with each command.
        """
        found = await queries.SUSPENDED_GOES.one(tx, service_id=service_id)
        garden = found is not None and found.value == GARDEN
        return await (self.renew if garden else self.disconnect)(tx, service_id, reason)

    async def restore(self, tx: Tx, service_id: UUID, reason: str) -> list[Command]:
        """Have the live sessions of a service that is resumed led out of its garden.

        Args:
            tx: as of ``disconnect``.
            service_id: the service.
            reason: why, kept with each command.
        """
        targets = await terms_queries.TARGETS_OF_SERVICE.all(tx, service_id=service_id)
        inside = [each for each in targets if each.terms is not None and GARDEN in each.terms]
        return await command(tx, CHANGE, inside, reason)

    async def set_offer(
        self,
        tx: Tx,
        service_ids: Sequence[UUID],
        *,
        download_bps: int,
        upload_bps: int,
        profile_id: UUID | None,
    ) -> None:
        """Give services what their product is now; next log-ins get it.

        Args:
            tx: the transaction.
            service_ids: services of the product.
            download_bps: bit/s towards the subscriber.
            upload_bps: bit/s from the subscriber.
            profile_id: of the product, if it has one.
        """
        await queries.SET_OFFER.run(
            tx,
            services=list(service_ids),
            download_bps=download_bps,
            upload_bps=upload_bps,
            profile_id=profile_id,
        )

    async def renew_many(self, tx: Tx, service_ids: Sequence[UUID], reason: str) -> None:
        """Have the live sessions of many services given what they should have, in portions.

        Args:
            tx: of the system.
            service_ids: the services.
            reason: why, kept with each command.
        """
        await terms_queries.DUE_OF_SERVICES.run(tx, services=list(service_ids), reason=reason)
        await again(tx)

    async def waiting(self, tx: Tx) -> int:
        """Tell how many log-ins with live sessions wait to be told what they should have.

        Args:
            tx: of the system.
        """
        found = await terms_queries.WAITING.one(tx)
        return 0 if found is None else int(found.value)

    async def set_expiry(
        self, tx: Tx, service_id: UUID, expires_at: datetime | None
    ) -> list[Command]:
        """Say from when on a service's log-ins may not be used any more; None for never.

        Returns:
            The commands that tell its live sessions.
        """
        changed = await queries.SET_EXPIRY.all(tx, service_id=service_id, expires_at=expires_at)
        if not changed:
            return []
        await audit.write(
            tx,
            action="set_expiry",
            kind="service",
            key=service_id,
            tenant_id=changed[0].tenant_id,
            after={"expires_at": expires_at},
        )
        return await self.renew(tx, service_id, "expiry changed")


__all__ = ["Control"]
