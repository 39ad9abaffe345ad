"""What is to be done for a batch of lines: which things are known, which new, which changed.

All that can be found wrong is found here, before anything is written for a line.
"""

from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID, uuid4

import msgspec

from demarc.domains.aaa import bulk as credentials
from demarc.domains.aaa.bulk import Taken
from demarc.domains.aaa.model import Realm
from demarc.domains.catalog.model import Product
from demarc.domains.identity.model import Network
from demarc.domains.subscribers import bulk
from demarc.imports import ledger
from demarc.imports.entry import (
    Bad,
    CredentialEntry,
    CustomerEntry,
    Entry,
    PremiseEntry,
    Refused,
)
from demarc.imports.ground import Ground
from demarc.imports.ledger import Item
from demarc.platform.database import Tx

Key = tuple[str, str]


class Part(msgspec.Struct, gc=False):
    """One thing of a line.

    Attributes:
        action: "same" was said last time, too; "change" what is there; "create" it; "refer" to it.
        entity_id: ours; that of a premise is known only once it was looked for.
        adopted: it was there, though not from this source.
        was: of a premise that changes, the one it was before.
    """

    kind: str
    ref: str
    action: str
    entity_id: UUID
    digest: str = ""
    adopted: bool = False
    was: UUID | None = None


class Line(msgspec.Struct, gc=False):
    """What is to be done for an entry."""

    entry: Entry
    network: Network
    customer: Part | None = None
    premise: Part | None = None
    product: Product | None = None
    service: Part | None = None
    credential: Part | None = None
    realm: Realm | None = None
    area_id: UUID | None = None

    def parts(self) -> list[Part]:
        """Give the things of the line that are kept in the ledger."""
        found = (self.customer, self.premise, self.service, self.credential)
        return [part for part in found if part is not None]


class Plan:
    """The plan of a batch.

    Args:
        tx: of the ISP.
        ground: what the lines stand on.
    """

    def __init__(self, tx: Tx, ground: Ground) -> None:
        self._tx = tx
        self._ground = ground
        self._items: dict[Key, Item] = {}
        self._new: dict[Key, Part] = {}
        self._of_tax_id: dict[tuple[str, str], UUID] = {}
        self._logins: dict[tuple[UUID, str, str], Taken] = {}
        self._addresses: dict[UUID, set[str]] = {}
        self._wires: dict[tuple[str, str, str], UUID] = {}
        self.lines: list[Line] = []
        self.bad: list[Bad] = []

    async def make(self, entries: Sequence[Entry]) -> int:
        """Plan as many of the lines as can be done together.

        A thing that two lines describe differently is brought to the first one's first: there
        the batch ends.

        Returns:
            How many were planned or refused, from the first on.
        """
        await self._ground.look_up(self._tx)
        entries = entries[: self._together(entries)]
        await self._look_up(entries)
        for entry in entries:
            try:
                line = await self._line(entry)
            except Refused as refused:
                self.bad.append(Bad(entry.source, refused))
                continue
            self.lines.append(line)
            for part in line.parts():
                if part.action != "refer":
                    self._new.setdefault((part.kind, part.ref), part)
            self._claim(line)
        return len(entries)

    def _together(self, entries: Sequence[Entry]) -> int:
        said: dict[Key, Any] = {}
        for at, entry in enumerate(entries):
            for key, what in _said(entry, self._ground):
                if said.setdefault(key, what) != what:
                    return at
        return len(entries)

    async def _look_up(self, entries: Sequence[Entry]) -> None:
        tx, ground = self._tx, self._ground
        keys = dict.fromkeys(key for entry in entries for key in _keys(entry, ground))
        self._items = await ledger.find(tx, ground.source, keys)
        numbers = {
            (one.tax_id_kind, one.tax_id)
            for entry in entries
            if entry.customer is not None and (one := entry.customer.checked) is not None
            if one.tax_id is not None and one.tax_id_kind is not None
        }
        if numbers:
            self._of_tax_id = await bulk.customers_of_tax_ids(tx, numbers)
        await self._look_up_logins(entries)
        wires = list(dict.fromkeys(wire for entry in entries for wire in _wires(entry)))
        if wires:
            self._wires = await ledger.wire_ids_taken(tx, wires)

    async def _look_up_logins(self, entries: Sequence[Entry]) -> None:
        names = []
        addresses: dict[UUID, set[str]] = {}
        for entry in entries:
            if entry.credential is None:
                continue
            try:
                realm = self._ground.realm(entry.credential.realm)
                network = self._ground.network(entry.network)
            except Refused:
                continue  # told of the line itself
            names.append((realm.id, entry.credential.kind, entry.credential.username))
            if entry.credential.static_ipv4 is not None:
                addresses.setdefault(network.id, set()).add(entry.credential.static_ipv4)
        if names:
            self._logins = await credentials.logins_taken(self._tx, names)
        for network_id, wanted in addresses.items():
            self._addresses[network_id] = await credentials.addresses_taken(
                self._tx, network_id, wanted
            )

    async def _line(self, entry: Entry) -> Line:
        line = Line(entry, self._ground.network(entry.network))
        if entry.customer is not None:
            line.customer = self._customer(entry.customer)
            self._check_wires("customer", entry.customer.wire, line.customer.entity_id)
        if entry.premise is not None:
            line.premise = await self._premise(line, entry.premise)
        if entry.product is not None:
            line.product = await self._product(line, entry.product.code)
            self._check_wires("product", entry.product.wire, line.product.id)
        if entry.service is not None:
            self._service(line)
        return line

    def _known(self, kind: str, ref: str) -> tuple[UUID, str] | None:
        """Give what a thing has become, and the digest of what was said of it."""
        new = self._new.get((kind, ref))
        if new is not None:
            return new.entity_id, new.digest
        item = self._items.get((kind, ref))
        return None if item is None else (item.entity_id, item.digest)

    def _part(self, kind: str, ref: str, digest: str) -> Part | None:
        known = self._known(kind, ref)
        if known is None:
            return None
        return Part(kind, ref, "same" if known[1] == digest else "change", known[0], digest)

    def _customer(self, customer: CustomerEntry) -> Part:
        ref = customer.ref or ""
        checked = customer.checked
        if checked is None:
            known = self._known("customer", ref)
            if known is None:
                raise Refused(
                    "customer_ref", f"{ref} is not known", "bring the customers first, or with it"
                )
            return Part("customer", ref, "refer", known[0])
        digest = self._ground.digest(
            customer.fields,
            customer.wire,
            checked.fno_consent_at,
            checked.isp_consent_at,
        )
        part = self._part("customer", ref, digest)
        if part is not None:
            return part
        held = self._of_tax_id.get((checked.tax_id_kind or "", checked.tax_id or ""))
        if held is not None:
            return Part("customer", ref, "change", held, digest, adopted=True)
        return Part("customer", ref, "create", checked.id, digest)

    async def _premise(self, line: Line, premise: PremiseEntry) -> Part:
        checked = premise.checked
        if checked is None:
            known = self._known("premise", premise.ref or "")
            if known is None:
                raise Refused(
                    "premise_ref", f"{premise.ref} is not known", "bring its address, too"
                )
            return Part("premise", premise.ref or "", "refer", known[0])
        if premise.area is not None:
            line.area_id = (await self._ground.area(self._tx, line.network, premise.area)).id
        ref = _premise_ref(line.network.slug, premise)
        digest = self._ground.digest(checked, premise.area, premise.wire)
        return self._part("premise", ref, digest) or Part("premise", ref, "create", uuid4(), digest)

    async def _product(self, line: Line, code: str) -> Product:
        found = await self._ground.product(self._tx, line.network, code)
        if found is None:
            raise Refused(
                "product",
                f"{code} is no product of {line.network.slug}",
                "give its download and upload, or add [[product]] to the network file",
            )
        if found.isp_id not in (None, self._ground.tenant.id):
            raise Refused("product", f"{code} is not sold by {self._ground.tenant.slug}")
        return found

    def _service(self, line: Line) -> None:
        entry = line.entry
        service = entry.service
        if service is None:
            return
        digest = self._ground.digest(
            service,
            entry.product and entry.product.code,
            line.customer and line.customer.ref,
            line.premise and line.premise.ref,
        )
        part = self._part("service", service.ref, digest)
        taken = None
        if entry.credential is not None:
            line.realm = self._ground.realm(entry.credential.realm)
            taken = self._logins.get(
                (line.realm.id, entry.credential.kind, entry.credential.username)
            )
        if part is None and taken is not None:
            part = Part("service", service.ref, "change", taken.service_id, digest, adopted=True)
        if part is None:
            for what, field in (
                (line.customer, "customer_ref"),
                (line.product, "product"),
                (line.premise, "full_address"),
            ):
                if what is None:
                    raise Refused(field, "is needed for a service that is not there yet")
            part = Part("service", service.ref, "create", uuid4(), digest)
        line.service = part
        self._check_wires("service", service.wire, part.entity_id)
        if entry.credential is not None:
            line.credential = self._credential(line, entry.credential, taken, part)

    def _credential(
        self, line: Line, credential: CredentialEntry, taken: Taken | None, service: Part
    ) -> Part:
        ref = _credential_ref("" if line.realm is None else line.realm.name, credential)
        digest = self._ground.digest(credential, service.ref)
        part = self._part("credential", ref, digest)
        if taken is not None and taken.service_id != service.entity_id:
            raise Refused("username", f"{credential.login} is the log-in of another service")
        if part is None and taken is not None:
            part = Part("credential", ref, "change", taken.id, digest, adopted=True)
        if part is None:
            part = Part("credential", ref, "create", uuid4(), digest)
            held = self._addresses.get(line.network.id, set())
            if credential.static_ipv4 is not None and credential.static_ipv4 in held:
                raise Refused("static_ip", f"{credential.static_ipv4} is taken")
            if ("credential", ref) in self._new:
                raise Refused("username", f"{credential.login} is there twice")
        return part

    def _check_wires(self, kind: str, wire: dict[str, str], entity_id: UUID) -> None:
        for api, value in wire.items():
            holder = self._wires.get((api, kind, value))
            if holder is not None and holder != entity_id:
                raise Refused(f"{api}_{kind}_id", f"{value} is that of another {kind}")

    def _claim(self, line: Line) -> None:
        """Hold what the line takes against those behind it."""
        entry, credential = line.entry, line.entry.credential
        if credential is not None and credential.static_ipv4 is not None:
            self._addresses.setdefault(line.network.id, set()).add(credential.static_ipv4)
        for part, wire in (
            (line.customer, entry.customer and entry.customer.wire),
            (line.service, entry.service and entry.service.wire),
        ):
            if part is not None and wire:
                for api, value in wire.items():
                    self._wires[api, part.kind, value] = part.entity_id


def _wires(entry: Entry) -> Iterator[tuple[str, str, str]]:
    """Give the ids that a line says things are known by: API, kind and value."""
    for kind, part in (
        ("customer", entry.customer),
        ("premise", entry.premise),
        ("product", entry.product),
        ("service", entry.service),
    ):
        if part is not None:
            for api, value in part.wire.items():
                yield api, kind, value


def _premise_ref(network: str, premise: PremiseEntry) -> str:
    """Give what a premise is known by in the ledger: its reference, or else its place."""
    if premise.ref is not None or premise.checked is None:
        return premise.ref or ""
    return f"at:{network}:{premise.checked.folded}|{premise.checked.unit or ''}"


def _credential_ref(realm: str, credential: CredentialEntry) -> str:
    """Give what a log-in is known by in the ledger."""
    return f"{credential.kind}:{credential.username}@{realm}"


def _keys(entry: Entry, ground: Ground) -> list[Key]:
    return [key for key, _ in _said(entry, ground, referred=True)]


def _said(entry: Entry, ground: Ground, *, referred: bool = False) -> list[tuple[Key, Any]]:
    """Give what a line says of things, by what they are known by in the ledger.

    Args:
        entry: the line.
        ground: what it stands on.
        referred: give those, too, that it only refers to.
    """
    found: list[tuple[Key, Any]] = []
    customer, premise, service = entry.customer, entry.premise, entry.service
    if customer is not None and (referred or customer.checked is not None):
        found.append((("customer", customer.ref or ""), (customer.fields, customer.wire)))
    if premise is not None and (referred or premise.checked is not None):
        ref = _premise_ref(ground.network_slug(entry.network), premise)
        found.append((("premise", ref), (premise.checked, premise.area, premise.wire)))
    if service is not None:
        code = entry.product.code if entry.product is not None else None
        found.append((("service", service.ref), (service, code)))
    if entry.credential is not None:
        ref = _credential_ref(ground.realm_name(entry.credential.realm), entry.credential)
        found.append((("credential", ref), entry.credential))
    return found


__all__ = ["Line", "Part", "Plan"]
