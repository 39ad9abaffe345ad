"""Use cases of services: creating, changing, suspending, resuming, cancelling."""

from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from msgspec import UNSET, UnsetType

from demarc.domains.aaa.service import Aaa
from demarc.domains.access.service import Access
from demarc.domains.catalog.model import ProductOfferChanged
from demarc.domains.catalog.service import Catalog
from demarc.domains.errors import Conflict, Invalid, NotFound
from demarc.domains.identity import audit
from demarc.domains.identity.service import Identity
from demarc.domains.network import commands
from demarc.domains.services import queries, snapshot
from demarc.domains.services.devices import Devices
from demarc.domains.services.logins import login
from demarc.domains.services.model import Service, ServiceChange, Transition
from demarc.domains.services.states import ACCESS, Action, Refused, State, follow
from demarc.domains.services.wifi import check_passphrase, check_ssid, wifi_row
from demarc.domains.subscribers.service import Subscribers
from demarc.platform.database import Tx
from demarc.platform.jobs import UPKEEP, defer
from demarc.platform.secrets.keys import KeyRing

# The device takes a Wi-Fi change when it next reports; it may be switched off for long.
_WIFI_COMMAND_LIVES = timedelta(days=30)
WIFI_COMMAND = "cpe.wifi"

Trigger = Literal["accept", "onu_online"]


class Services(Devices):
    """What can be done with services.

    Methods work in the transaction they are given and never commit. A transition acts on the
    credentials and sessions of the service within the same transaction: what a device must be
    told is a command row and its job.
    """

    def __init__(
        self,
        *,
        identity: Identity,
        catalog: Catalog,
        subscribers: Subscribers,
        access: Access,
        aaa: Aaa,
        keys: KeyRing,
    ) -> None:
        super().__init__(access)
        self._identity = identity
        self._catalog = catalog
        self._subscribers = subscribers
        self._aaa = aaa
        self._keys = keys

    async def create(
        self,
        tx: Tx,
        *,
        customer_id: UUID,
        product_id: UUID,
        premise_id: UUID,
        sales_agent: str | None = None,
        isp_reference: str | None = None,
    ) -> Service:
        """Create a service of the transaction's tenant, with a log-in that works at once.

        Raises:
            Invalid: one of the three does not exist for this ISP, or the product is not sold
                at the premise; the field is named.
        """
        try:
            product = await self._catalog.product(tx, product_id)
        except NotFound as missing:
            raise Invalid("product_id", "is not a product that can be sold here") from missing
        try:
            premise = await self._subscribers.premise(tx, premise_id)
        except NotFound as missing:
            raise Invalid("premise_id", "is not a premise on your networks") from missing
        network = await self._identity.network_sold_on(tx, premise.network_id)
        if network is None:
            raise Invalid("premise_id", "is not a premise on your networks")
        await self._catalog.check_sellable(tx, product, premise.network_id, premise.area_id)
        try:
            customer = await self._subscribers.claim(tx, customer_id)
        except NotFound as missing:
            raise Invalid("customer_id", "is not a customer of yours") from missing
        tenant = await self._identity.tenant(tx, tx.tenant)
        number = await self._identity.next_service_number(tx)
        service = await queries.CREATE.one(
            tx,
            tenant_id=tx.tenant,
            owner_id=network.owner_id,
            network_id=network.id,
            number=number,
            customer_id=customer.id,
            product_id=product.id,
            premise_id=premise.id,
            sales_agent=sales_agent,
            isp_reference=isp_reference,
            created_by=tx.actor.id,
        )
        if service is None:
            raise RuntimeError("INSERT .. RETURNING gave no row")
        await self._record(tx, service, None)
        await self._aaa.create_credential(
            tx,
            tenant_id=service.tenant_id,
            owner_id=service.owner_id,
            network_id=service.network_id,
            service_id=service.id,
            realm=None,
            username=login(tenant.login_pattern, tenant.slug, number),
            password=None,
            download_bps=product.download_bps,
            upload_bps=product.upload_bps,
            timezone=premise.timezone,
        )
        await audit.write(
            tx, action="create", kind="service", key=service.id, after=_image(service)
        )
        return service

    async def get(self, tx: Tx, service_id: UUID) -> Service:
        """Give a service.

        Raises:
            NotFound: there is none for this tenant.
        """
        found = await queries.FIND.one(tx, id=service_id)
        if found is None:
            raise NotFound("service", service_id)
        return found

    def wifi_password(self, service: Service) -> str | None:
        """Give the Wi-Fi password wanted on the CPE, in clear."""
        if service.wifi_password is None:
            return None
        return self._keys.decrypt(service.wifi_password, row=wifi_row(service.id)).decode()

    async def update(
        self,
        tx: Tx,
        service_id: UUID,
        *,
        isp_reference: str | UnsetType | None = UNSET,
        wifi_username: str | UnsetType | None = UNSET,
        wifi_password: str | UnsetType | None = UNSET,
    ) -> Service:
        """Change what an ISP may change of a service; what is not given stays.

        A changed Wi-Fi name or password is kept as wanted, with a command for the CPE.

        Raises:
            NotFound: there is no such service.
            Conflict: it is cancelled.
            Invalid: a value no Wi-Fi can have.
        """
        before = await self._lock(tx, service_id)
        if before.state == State.CANCELLED:
            raise Conflict("a cancelled service cannot be changed")
        if isinstance(wifi_username, str):
            check_ssid(wifi_username)
        if isinstance(wifi_password, str):
            check_passphrase(wifi_password)
        password_changed = not isinstance(
            wifi_password, UnsetType
        ) and wifi_password != self.wifi_password(before)
        if (
            not password_changed
            and _either(isp_reference, before.isp_reference) == before.isp_reference
            and _either(wifi_username, before.wifi_username) == before.wifi_username
        ):
            return before
        password = before.wifi_password
        if password_changed and not isinstance(wifi_password, UnsetType):
            password = (
                None
                if wifi_password is None
                else self._keys.encrypt(wifi_password.encode(), row=wifi_row(before.id))
            )
        after = await queries.UPDATE.one(
            tx,
            id=service_id,
            isp_reference=_either(isp_reference, before.isp_reference),
            wifi_username=_either(wifi_username, before.wifi_username),
            wifi_password=password,
        )
        if after is None:
            raise NotFound("service", service_id)
        if password_changed or after.wifi_username != before.wifi_username:
            await commands.create(
                tx,
                tenant_id=after.tenant_id,
                owner_id=after.owner_id,
                service_id=after.id,
                kind=WIFI_COMMAND,
                target_kind="service",
                target_id=after.id,
                request={"ssid": after.wifi_username},
                within=_WIFI_COMMAND_LIVES,
                enqueue=False,
            )
        await audit.write(
            tx,
            action="update",
            kind="service",
            key=after.id,
            before=_image(before),
            after=_image(after),
        )
        return after

    async def suspend(self, tx: Tx, service_id: UUID, *, reason: str) -> Service:
        """Refuse further log-ins and end the sessions there are.

        Raises:
            NotFound: there is no such service.
            Conflict: its state does not allow it.
        """
        return await self._move(tx, service_id, Action.SUSPEND, reason)

    async def resume(self, tx: Tx, service_id: UUID, *, reason: str) -> Service:
        """Let a suspended service log in again, or take back a notice.

        Raises:
            NotFound: there is no such service.
            Conflict: its state does not allow it.
        """
        return await self._move(tx, service_id, Action.RESUME, reason)

    async def cancel(
        self, tx: Tx, service_id: UUID, *, reason: str, at: datetime | None = None
    ) -> Service:
        """End a service for good: now, or at a later time until which it works.

        Raises:
            NotFound: there is no such service.
            Conflict: its state does not allow it.
            Invalid: the time is not in the future.
        """
        if at is None:
            return await self._move(tx, service_id, Action.CANCEL, reason)
        if at.tzinfo is None or at <= datetime.now(UTC):
            raise Invalid("at", "is not a time in the future with its offset")
        service = await self._move(tx, service_id, Action.GIVE_NOTICE, reason, cancel_at=at)
        await defer(
            tx,
            task="services.cancel_due",
            queue=UPKEEP,
            args={"service_id": str(service_id), "at": at.isoformat(), "reason": reason},
            run_at=at,
        )
        return service

    async def cancel_due(self, tx: Tx, service_id: UUID, at: datetime, reason: str) -> None:
        """Carry out a notice whose time has come, unless it was taken back.

        Args:
            tx: of the system.
            service_id: the service.
            at: the time the notice was given for; another notice has another.
            reason: of the notice.
        """
        service = await queries.LOCK.one(tx, id=service_id)
        if service is not None and service.cancel_at == at and service.state != State.CANCELLED:
            await self._move(tx, service_id, Action.CANCEL, reason)

    async def product_changed(self, tx: Tx, event: ProductOfferChanged) -> None:
        """Give the log-ins of a product's services what it offers now, and their live sessions.

        Sessions are told in portions, however many there are.

        Args:
            tx: of the system.
            event: which product, and what it offers.
        """
        found = await queries.OF_PRODUCT.all(tx, product_id=event.product_id)
        services = [service.value for service in found]
        await self._aaa.set_offer(
            tx,
            services,
            download_bps=event.download_bps,
            upload_bps=event.upload_bps,
            profile_id=event.profile_id,
        )
        await self._aaa.renew_many(tx, services, "product changed")

    async def activate(self, tx: Tx, service_id: UUID, *, reason: str) -> Service:
        """Activate by hand a service that is installed, or that never will report itself.

        Raises:
            NotFound: there is no such service.
            Conflict: its state does not allow it.
        """
        return await self._move(tx, service_id, Action.ACTIVATE, reason)

    async def change_product(
        self, tx: Tx, service_id: UUID, product_id: UUID, *, sold: bool = False
    ) -> Service:
        """Give a service another product; its live sessions are told.

        Args:
            tx: of the ISP.
            service_id: the service.
            product_id: what it gets.
            sold: another system has sold it already; whether it is sold there is not asked.

        Raises:
            NotFound: there is no such service.
            Conflict: it is cancelled.
            Invalid: the product is not sold there.
        """
        before = await self._lock(tx, service_id)
        if before.state == State.CANCELLED:
            raise Conflict("a cancelled service cannot be changed")
        try:
            product = await self._catalog.product(tx, product_id)
        except NotFound as missing:
            raise Invalid("product_id", "is not a product that can be sold here") from missing
        premise = await self._subscribers.premise(tx, before.premise_id)
        if not sold:
            await self._catalog.check_sellable(
                tx, product, premise.network_id, premise.area_id, isp_id=before.tenant_id
            )
        if product.id == before.product_id:
            return before
        after = await queries.CHANGE_PRODUCT.one(tx, id=service_id, product_id=product.id)
        if after is None:
            raise NotFound("service", service_id)
        await self._aaa.set_offer(
            tx,
            [service_id],
            download_bps=product.download_bps,
            upload_bps=product.upload_bps,
            profile_id=product.profile_id,
        )
        await self._aaa.renew(tx, service_id, "product changed")
        await audit.write(
            tx,
            action="change_product",
            kind="service",
            key=after.id,
            before={"product_id": before.product_id},
            after={"product_id": after.product_id},
        )
        return after

    async def works(self, tx: Tx, service_id: UUID, trigger: Trigger) -> Service | None:
        """Note that a service has been seen working for the first time.

        Args:
            tx: of the system.
            service_id: the service.
            trigger: how it was seen: the first Accept, or its ONU online.

        Returns:
            The service if that moved it; None when there was nothing to do.
        """
        service = await queries.LOCK.one(tx, id=service_id)
        if service is None or service.state != State.PENDING_INSTALLATION:
            return None
        tenant = await self._identity.tenant(tx, service.tenant_id)
        wanted = trigger in tenant.activate_on
        reason = {"accept": "first log-in accepted", "onu_online": "ONU online"}[trigger]
        return await self._move(
            tx, service_id, Action.ACTIVATE if wanted else Action.INSTALL, reason
        )

    async def history(self, tx: Tx, service_id: UUID) -> list[Transition]:
        """Give the life of a service, oldest step first.

        Raises:
            NotFound: there is no such service.
        """
        await self.get(tx, service_id)
        return await queries.HISTORY.all(tx, service_id=service_id)

    async def changes(self, tx: Tx, api: str) -> list[ServiceChange]:
        """Give the services that changed since this ISP last asked; the first time, all.

        After the database was restored into another server it may be all once more.

        Raises:
            Limited: it asked less than ten minutes ago.
        """
        return await snapshot.take(tx, api)

    async def _move(
        self,
        tx: Tx,
        service_id: UUID,
        action: Action,
        reason: str,
        *,
        cancel_at: datetime | None = None,
    ) -> Service:
        before = await self._lock(tx, service_id)
        target = follow(
            State(before.state),
            action,
            provisioned=before.provisioned_at is not None,
            noticed=before.cancel_at is not None,
        )
        if isinstance(target, Refused):
            raise Conflict(target.reason)
        if target in (State.SUSPENDED, State.PENDING_CANCELLATION):
            cancel_at = cancel_at or before.cancel_at
        after = await queries.MOVE.one(
            tx,
            id=service_id,
            state=target.value,
            reason=reason,
            works=target is State.ACTIVE,
            cancel_at=cancel_at,
        )
        if after is None:
            raise NotFound("service", service_id)
        await self._record(tx, after, before.state)
        if ACCESS[target] != ACCESS[State(before.state)]:
            await self._aaa.set_access(tx, service_id, ACCESS[target])
            act = {
                "allowed": self._aaa.restore,
                "suspended": self._aaa.restrain,
                "closed": self._aaa.disconnect,
            }[ACCESS[target]]
            await act(tx, service_id, f"{action.value}: {reason}")
        if target is State.CANCELLED:
            await self._aaa.release(tx, service_id)
            await self._access.release(tx, service_id)
        await audit.write(
            tx,
            action=action.value,
            kind="service",
            key=service_id,
            tenant_id=tx.tenant_id or after.tenant_id,
            before={"state": before.state, "reason": before.reason},
            after={"state": after.state, "reason": after.reason},
        )
        return after

    async def _record(self, tx: Tx, service: Service, from_state: str | None) -> None:
        await queries.RECORD.run(
            tx,
            tenant_id=service.tenant_id,
            owner_id=service.owner_id,
            service_id=service.id,
            from_state=from_state,
            to_state=service.state,
            reason=service.reason,
            actor_kind=tx.actor.kind,
            actor_id=tx.actor.id,
            actor_name=tx.actor.name,
        )


def _either(given: str | UnsetType | None, kept: str | None) -> str | None:
    return kept if isinstance(given, UnsetType) else given


def _image(service: Service) -> dict[str, Any]:
    return {
        "customer_id": service.customer_id,
        "product_id": service.product_id,
        "premise_id": service.premise_id,
        "state": service.state,
        "reason": service.reason,
        "isp_reference": service.isp_reference,
        "wifi_username": service.wifi_username,
        "wifi_password": "set" if service.wifi_password else None,
    }
