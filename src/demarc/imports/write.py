"""A batch of lines written: what is new by one statement a table, what changed one by one."""

from collections.abc import Sequence
from uuid import UUID, uuid4

import msgspec

from demarc.domains.aaa import bulk as credentials
from demarc.domains.aaa.bulk import NewCredential
from demarc.domains.errors import Conflict, DomainError
from demarc.domains.services import bulk as services
from demarc.domains.services.bulk import NewService
from demarc.domains.services.states import ACCESS, State
from demarc.domains.services.wifi import wifi_row
from demarc.domains.subscribers import bulk as subscribers
from demarc.domains.subscribers.bulk import NewCustomer, NewPremise
from demarc.imports import ledger
from demarc.imports.change import Changes, give_prefixes
from demarc.imports.entry import Bad, Entry, Refused
from demarc.imports.ground import Ground
from demarc.imports.ledger import Kept, Wire
from demarc.imports.outcome import Outcome
from demarc.imports.plan import Line, Part, Plan
from demarc.imports.products import put_products
from demarc.platform.database import Tx
from demarc.platform.secrets.tokens import generate_password

_MOST_SESSIONS = 4
_ACTION = {"create": "created", "change": "changed", "same": "unchanged"}
# Numbers of services in a dry run: taken back with it, and taken from nobody meanwhile.
_DRY_NUMBERS = 10**15


class Exhausted(Conflict):
    """There is no address for a log-in, and will be none for those behind it."""


class Written(msgspec.Struct):
    """What a batch came to.

    Attributes:
        done: how many of its lines, from the first on; the others are to follow.
    """

    done: int
    outcomes: list[Outcome] = []
    bad: list[Bad] = []


async def write(tx: Tx, ground: Ground, entries: Sequence[Entry]) -> Written:
    """Write as many lines as can be written together.

    Args:
        tx: of the ISP; nothing remains of them if this raises.
        ground: what the lines stand on.
        entries: the lines, one at least.

    Raises:
        psycopg.IntegrityError, psycopg.DataError: the database refuses one of the rows.
        Exhausted: the pools are.
        DomainError: a rule is against it.
    """
    written = Written(0)
    written.outcomes += await put_products(tx, ground, entries)
    plan = Plan(tx, ground)
    written.done = await plan.make(entries)
    written.bad += plan.bad
    await ledger.in_bulk(tx, wanted=True)
    await _Creation(tx, ground, plan.lines).run()
    await ledger.in_bulk(tx, wanted=False)
    changes = Changes(tx, ground)
    kept: list[Kept] = []
    wires: list[Wire] = []
    for line in plan.lines:
        if any(part.action == "change" for part in line.parts()):
            try:
                async with tx.conn.transaction():
                    await changes.carry_out(line)
            except (Refused, DomainError) as refused:
                reason = refused if isinstance(refused, Refused) else Refused(None, str(refused))
                written.bad.append(Bad(line.entry.source, reason))
                kept += [_kept(ground, part) for part in line.parts() if part.action == "create"]
                continue
        written.outcomes += _outcomes(line)
        kept += [_kept(ground, part) for part in line.parts() if part.action in _KEPT]
        wires += _wires(line)
    distinct = {(one.kind, one.ref): one for one in reversed(kept)}
    await ledger.keep(tx, ground.source, list(distinct.values()))
    await ledger.put_wire_ids(tx, list(dict.fromkeys(wires)))
    return written


_KEPT = ("create", "change")


def _kept(ground: Ground, part: Part) -> Kept:
    made = part.action == "create" and not part.adopted
    return Kept(part.kind, part.ref, part.entity_id, part.digest, ground.run_id if made else None)


def _outcomes(line: Line) -> list[Outcome]:
    return [
        Outcome(line.entry.source, part.kind, part.ref, _ACTION[part.action])  # type: ignore[arg-type]
        for part in line.parts()
        if part.action in _ACTION
    ]


def _wires(line: Line) -> list[Wire]:
    entry = line.entry
    found = []
    for part, said in (
        (line.customer, entry.customer),
        (line.premise, entry.premise),
        (line.service, entry.service),
    ):
        if part is not None and said is not None and part.action != "same":
            found += [
                Wire(api, part.kind, value, part.entity_id) for api, value in said.wire.items()
            ]
    if line.product is not None and entry.product is not None:
        found += [
            Wire(api, "product", value, line.product.id)
            for api, value in entry.product.wire.items()
        ]
    return found


class _Creation:
    """What is new in a batch."""

    def __init__(self, tx: Tx, ground: Ground, lines: Sequence[Line]) -> None:
        self._tx = tx
        self._ground = ground
        self._lines = lines

    async def run(self) -> None:
        """Write it."""
        customers: dict[UUID, NewCustomer] = {}
        for line in self._lines:
            said, part = line.entry.customer, line.customer
            if said is None or said.checked is None or part is None or part.action != "create":
                continue
            customers[part.entity_id] = said.checked
        if customers:
            await subscribers.create_customers(self._tx, list(customers.values()))
        zones = await self._premises()
        made = await self._services()
        await self._credentials(zones)
        await ledger.log_changes(self._tx, "service", made)

    async def _premises(self) -> dict[UUID, str]:
        """Give the time zones of the lines' premises that have one of their own."""
        zones: dict[UUID, str] = {}
        moved: dict[UUID, UUID] = {}
        by_network: dict[UUID, list[tuple[Line, Part, NewPremise]]] = {}
        for line in self._lines:
            said = line.entry.premise
            if line.premise is None or said is None or said.checked is None:
                continue
            if line.premise.action == "same":
                continue
            checked = said.checked
            if line.area_id is not None:
                checked = msgspec.structs.replace(checked, area_id=line.area_id)
            by_network.setdefault(line.network.id, []).append((line, line.premise, checked))
        for wanted in by_network.values():
            network = wanted[0][0].network
            found = await subscribers.enter_premises(
                self._tx,
                network,
                [part.entity_id for _, part, _ in wanted],
                [checked for _, _, checked in wanted],
            )
            for (_, part, _), entered in zip(wanted, found, strict=True):
                part.was = part.entity_id
                part.adopted = not entered.made
                moved[part.entity_id] = entered.id
                if entered.timezone is not None:
                    zones[entered.id] = entered.timezone
        for line in self._lines:
            if line.premise is not None:
                here = line.premise.entity_id
                line.premise.entity_id = moved.get(here, here)
        return zones

    async def _services(self) -> list[UUID]:
        new = [
            line
            for line in self._lines
            if line.service is not None and line.service.action == "create"
        ]
        distinct = list({line.service.entity_id: line for line in new if line.service}.values())
        if not distinct:
            return []
        numbers = iter(await self._numbers(distinct))
        rows = []
        for line in distinct:
            said, part = line.entry.service, line.service
            if (
                said is None
                or part is None
                or line.customer is None
                or line.premise is None
                or line.product is None
            ):
                raise RuntimeError("a service was planned without what it needs")
            password = None
            if said.wifi_password is not None:
                password = self._ground.domains.keys.encrypt(
                    said.wifi_password.encode(), row=wifi_row(part.entity_id)
                )
            rows.append(
                NewService(
                    id=part.entity_id,
                    owner_id=line.network.owner_id,
                    network_id=line.network.id,
                    number=next(numbers) if said.number is None else said.number,
                    customer_id=line.customer.entity_id,
                    product_id=line.product.id,
                    premise_id=line.premise.entity_id,
                    state=said.state or State.ACTIVE.value,
                    reason=said.reason or services.IMPORTED,
                    created_at=said.created_at,
                    provisioned_at=said.provisioned_at,
                    cancel_at=said.cancel_at,
                    sales_agent=said.sales_agent,
                    isp_reference=said.isp_reference,
                    wifi_username=said.wifi_username,
                    wifi_password=credentials.as_base64(password),
                )
            )
        await services.create_services(self._tx, rows)
        return [row.id for row in rows]

    async def _numbers(self, lines: Sequence[Line]) -> Sequence[int]:
        given = [
            line.entry.service.number
            for line in lines
            if line.entry.service is not None and line.entry.service.number is not None
        ]
        wanted = len(lines) - len(given)
        if self._ground.dry_run:
            start = _DRY_NUMBERS + uuid4().int % _DRY_NUMBERS
            return range(start, start + wanted)
        return await self._ground.domains.identity.next_service_numbers(
            self._tx, wanted, above=max(given, default=0)
        )

    async def _credentials(self, zones: dict[UUID, str]) -> None:
        ground = self._ground
        rows: list[NewCredential] = []
        static: dict[UUID, dict[UUID, str]] = {}
        pooled: dict[UUID, list[UUID]] = {}
        owners: dict[UUID, UUID] = {}
        for line in self._lines:
            said, part, service = line.entry.credential, line.credential, line.service
            if said is None or part is None or part.action != "create" or service is None:
                continue
            if line.product is None or line.realm is None or line.entry.service is None:
                raise Refused("product", "is needed for a new log-in: it has its speed of it")
            secret = said.secret
            if secret is None and not said.secretless:
                secret = generate_password().encode()
            state = State(line.entry.service.state or State.ACTIVE.value)
            zone = None if line.premise is None else zones.get(line.premise.entity_id)
            rows.append(
                NewCredential(
                    id=part.entity_id,
                    owner_id=line.network.owner_id,
                    network_id=line.network.id,
                    service_id=service.entity_id,
                    realm_id=line.realm.id,
                    kind=said.kind,
                    username=said.username,
                    secret=credentials.as_base64(
                        credentials.encrypted(ground.domains.keys, part.entity_id, secret)
                    ),
                    secret_kind=said.secret_kind,
                    access=ACCESS[state],
                    download_bps=line.product.download_bps,
                    upload_bps=line.product.upload_bps,
                    max_sessions=said.max_sessions or _MOST_SESSIONS,
                    timezone=zone or ground.tenant.timezone,
                    expires_at=said.expires_at,
                    station=said.station,
                    station_binding="none" if said.station is None else "fixed",
                    circuit_id=said.circuit_id,
                    circuit_binding="none" if said.circuit_id is None else "fixed",
                    product_profile_id=line.product.profile_id,
                )
            )
            if state is State.CANCELLED:
                continue
            owners[line.network.id] = line.network.owner_id
            if said.static_ipv4 is not None:
                static.setdefault(line.network.id, {})[part.entity_id] = said.static_ipv4
            else:
                pooled.setdefault(line.network.id, []).append(part.entity_id)
        if not rows:
            return
        await credentials.create_credentials(self._tx, rows)
        for network_id, addresses in static.items():
            await credentials.assign_static(
                self._tx,
                network_id=network_id,
                owner_id=owners[network_id],
                addresses=addresses,
            )
        for network_id, wanted in pooled.items():
            await self._lease(network_id, wanted)
        await self._prefixes()
        await ledger.log_changes(self._tx, "credential", [row.id for row in rows])

    async def _prefixes(self) -> None:
        """Give new log-ins the IPv6 prefixes of their own; those of pools a job gives."""
        for line in self._lines:
            said, part = line.entry.credential, line.credential
            if said is None or part is None or part.action != "create":
                continue
            if line.entry.service is not None and line.entry.service.state == State.CANCELLED:
                continue
            await give_prefixes(self._tx, line, part.entity_id, said)

    async def _lease(self, network_id: UUID, wanted: list[UUID]) -> None:
        leased = await credentials.lease_many(
            self._tx,
            network_id=network_id,
            credentials=wanted,
            cursor=self._ground.cursor(network_id),
        )
        if leased < len(wanted) and await credentials.pooled(self._tx, network_id):
            raise Exhausted(
                "the network's address pools are exhausted: add [[pool]] to the network file, and"
                " run the import again; what was brought stays"
            )


__all__ = ["Exhausted", "Written", "write"]
