"""Things that are there, brought to what the source says now; by the use cases of single ones."""

from typing import Any
from uuid import UUID

from demarc.domains.aaa import bulk as credentials
from demarc.domains.aaa.model import PoolKind
from demarc.domains.services import bulk as services
from demarc.domains.services.model import Service
from demarc.domains.services.states import State
from demarc.domains.subscribers.model import Place
from demarc.imports.entry import CredentialEntry, Refused, ServiceEntry
from demarc.imports.ground import Ground
from demarc.imports.plan import Line, Part
from demarc.platform.database import Tx

_MOST_SESSIONS = 4


class Changes:
    """Changes of single things.

    Args:
        tx: of the ISP.
        ground: what the lines stand on.
    """

    def __init__(self, tx: Tx, ground: Ground) -> None:
        self._tx = tx
        self._ground = ground

    async def carry_out(self, line: Line) -> None:
        """Bring what is there to what the line says.

        Raises:
            Refused: it cannot be brought there.
            DomainError: a rule is against it.
        """
        if line.customer is not None and line.customer.action == "change":
            await self._customer(line)
        if line.premise is not None and line.premise.action == "change":
            await self._premise(line, line.premise)
        service = None
        if line.service is not None and line.service.action == "change":
            service = await self._service(line, line.service)
        if line.credential is not None and line.credential.action == "change":
            await self._credential(line, line.credential, service)

    async def _customer(self, line: Line) -> None:
        said = line.entry.customer
        if said is None or said.checked is None or said.fields is None or line.customer is None:
            return
        given: dict[str, Any] = dict(said.fields)
        for name in ("fno_consent_at", "isp_consent_at"):
            if getattr(said.checked, name) is not None:
                given[name] = getattr(said.checked, name)
        await self._ground.domains.subscribers.update_customer(
            self._tx, line.customer.entity_id, **given
        )

    async def _premise(self, line: Line, part: Part) -> None:
        said = line.entry.premise
        if said is None or said.checked is None:
            return
        if part.was is not None and part.was != part.entity_id:
            await services.move_premise(self._tx, part.was, part.entity_id)
        subscribers = self._ground.domains.subscribers
        there = await subscribers.premise(self._tx, part.entity_id)
        # what others have entered on the network is theirs to correct
        if there.created_by != self._tx.tenant:
            return
        checked = said.checked
        await subscribers.put_premise(
            self._tx,
            network=line.network,
            place=Place(
                full_address=checked.full_address,
                latitude=checked.latitude,
                longitude=checked.longitude,
            ),
            unit=checked.unit,
            area_id=line.area_id,
            predefined=there.predefined,
            timezone=checked.timezone or there.timezone,
        )

    async def _service(self, line: Line, part: Part) -> Service:
        said = line.entry.service
        found = await services.services_of(self._tx, [part.entity_id])
        before = found.get(part.entity_id)
        if before is None or said is None:
            raise Refused("service_ref", "is of a service that is no longer there")
        await services.replace_parties(
            self._tx,
            before,
            customer_id=line.customer.entity_id if line.customer else before.customer_id,
            premise_id=line.premise.entity_id if line.premise else before.premise_id,
            sales_agent=said.sales_agent or before.sales_agent,
        )
        use = self._ground.domains.services
        closed = State(before.state) is State.CANCELLED
        if not closed:
            given = {
                name: value
                for name in ("isp_reference", "wifi_username", "wifi_password")
                if (value := getattr(said, name)) is not None
            }
            if given:
                await use.update(self._tx, before.id, **given)
            if line.product is not None and line.product.id != before.product_id:
                await use.change_product(self._tx, before.id, line.product.id, sold=True)
        if said.state is not None and said.state != before.state:
            await self._move(before, State(said.state), said)
        return before

    async def _move(self, service: Service, wanted: State, said: ServiceEntry) -> None:
        """Take a service to a state by the steps there are.

        Raises:
            Refused: no step leads there.
        """
        use = self._ground.domains.services
        reason = said.reason or services.IMPORTED
        here = State(service.state)
        match wanted:
            case State.SUSPENDED:
                await use.suspend(self._tx, service.id, reason=reason)
            case State.ACTIVE if here in (State.PENDING_INSTALLATION, State.PENDING_ACTIVATION):
                await use.activate(self._tx, service.id, reason=reason)
            case State.ACTIVE | State.PENDING_CANCELLATION if here is State.SUSPENDED:
                await use.resume(self._tx, service.id, reason=reason)
            case State.ACTIVE if here is State.PENDING_CANCELLATION:
                await use.resume(self._tx, service.id, reason=reason)
            case State.PENDING_CANCELLATION if said.cancel_at is not None:
                await use.cancel(self._tx, service.id, reason=reason, at=said.cancel_at)
            case State.CANCELLED:
                await use.cancel(self._tx, service.id, reason=reason)
            case _:
                raise Refused(
                    "state",
                    f"is {wanted.value} in the source and {here.value} here: no step leads there",
                    "bring it there by hand: demarc service --help",
                )

    async def _credential(self, line: Line, part: Part, service: Service | None) -> None:
        said = line.entry.credential
        if said is None:
            return
        await credentials.change_credential(
            self._tx,
            part.entity_id,
            secret=credentials.encrypted(self._ground.domains.keys, part.entity_id, said.secret),
            secret_kind=said.secret_kind,
            sessions=said.max_sessions or _MOST_SESSIONS,
            expires_at=said.expires_at,
            station=said.station,
            station_binding="none" if said.station is None else "fixed",
            circuit_id=said.circuit_id,
            circuit_binding="none" if said.circuit_id is None else "fixed",
        )
        closed = service is not None and State(service.state) is State.CANCELLED
        if said.static_ipv4 is not None and not closed:
            await self._address(line, part.entity_id, said)
        if not closed:
            await give_prefixes(self._tx, line, part.entity_id, said)

    async def _address(self, line: Line, credential_id: UUID, said: CredentialEntry) -> None:
        await credentials.change_static(
            self._tx,
            network_id=line.network.id,
            owner_id=line.network.owner_id,
            credential_id=credential_id,
            address=said.static_ipv4 or "",
        )


async def give_prefixes(tx: Tx, line: Line, credential_id: UUID, said: CredentialEntry) -> None:
    """Give a log-in the IPv6 prefixes of its own that its line says.

    Raises:
        Conflict: one is taken.
        Invalid: one is none.
    """
    wanted: tuple[tuple[PoolKind, str | None], ...] = (
        ("framed_ipv6", said.framed_prefix),
        ("delegated_ipv6", said.delegated_prefix),
    )
    for kind, prefix in wanted:
        if prefix is not None:
            await credentials.give_prefix(
                tx,
                network_id=line.network.id,
                owner_id=line.network.owner_id,
                credential_id=credential_id,
                kind=kind,
                prefix=prefix,
            )


__all__ = ["Changes", "give_prefixes"]
