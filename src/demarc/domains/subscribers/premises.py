"""Use cases of subscribers: the addresses and premises of a network."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID
from zoneinfo import ZoneInfo

import psycopg

from demarc.domains.errors import Conflict, Invalid, NotFound
from demarc.domains.identity import audit
from demarc.domains.identity.model import Network
from demarc.domains.subscribers import queries, rules
from demarc.domains.subscribers.model import Place, Premise
from demarc.platform.database import Tx
from demarc.platform.search import fold, trigrams

LONGEST_UNIT = 60


class Premises:
    """The places of a network. Methods never commit."""

    async def create_premise(
        self,
        tx: Tx,
        *,
        network: Network,
        place: Place,
        unit: str | None = None,
        area_id: UUID | None = None,
        predefined: bool = False,
        timezone: str | None = None,
    ) -> Premise:
        """Enter a premise; its address is made if it is not known on the network yet.

        Args:
            network: the network that reaches it.
            place: its address.
            unit: which flat, house or shop there; None where there is but one.
            area_id: the area it lies in, which must be of the network; that of other premises
                at the address if not given.
            predefined: surveyed by the network's owner ahead of any sale.
            timezone: IANA name, where it differs from the ISP's.

        Raises:
            Conflict: there is such a premise.
            Invalid: a value cannot be taken.
        """
        premise, made = await self._enter(
            tx,
            network=network,
            place=place,
            unit=unit,
            area_id=area_id,
            predefined=predefined,
            timezone=timezone,
        )
        if not made:
            raise Conflict(f"the premise exists already, as {premise.id}")
        return premise

    async def put_premise(
        self,
        tx: Tx,
        *,
        network: Network,
        place: Place,
        unit: str | None = None,
        area_id: UUID | None = None,
        predefined: bool = False,
        timezone: str | None = None,
    ) -> Premise:
        """Enter a premise, or bring the one of that address and unit to these values.

        Raises:
            Invalid: a value cannot be taken.
        """
        premise, made = await self._enter(
            tx,
            network=network,
            place=place,
            unit=unit,
            area_id=area_id,
            predefined=predefined,
            timezone=timezone,
        )
        wanted_area = area_id or premise.area_id
        if made:
            return premise
        moved = place.latitude is not None and bool(
            await queries.LOCATE_ADDRESS.run(
                tx, id=premise.address_id, latitude=place.latitude, longitude=place.longitude
            )
        )
        before = (premise.area_id, premise.predefined, premise.timezone)
        if before != (wanted_area, predefined, timezone):
            with _area_of_network():
                async with tx.conn.transaction():
                    await queries.UPDATE_PREMISE.run(
                        tx,
                        id=premise.id,
                        area_id=wanted_area,
                        predefined=predefined,
                        timezone=timezone,
                    )
        elif not moved:
            return premise
        await audit.write(
            tx,
            action="update",
            kind="premise",
            key=premise.id,
            tenant_id=premise.owner_id,
            after={"area_id": wanted_area, "predefined": predefined, "timezone": timezone},
        )
        return await self.premise(tx, premise.id)

    async def premise(self, tx: Tx, premise_id: UUID) -> Premise:
        """Give a premise with its address.

        Raises:
            NotFound: there is none on the tenant's networks.
        """
        found = await queries.GET_PREMISE.one(tx, id=premise_id)
        if found is None:
            raise NotFound("premise", premise_id)
        return found

    async def known_premise(
        self, tx: Tx, *, network_id: UUID, place: Place, unit: str | None = None
    ) -> Premise | None:
        """Give the premise of an address and unit of a network; None where there is none.

        Raises:
            Invalid: the place is no address.
        """
        folded = fold(rules.place(place).full_address or "")
        address = await queries.FIND_ADDRESS.one(tx, network_id=network_id, folded=folded)
        if address is None:
            return None
        unit = unit.strip() if unit else None
        return await queries.FIND_PREMISE.one(tx, address_id=address.id, unit=unit or None)

    async def _enter(
        self,
        tx: Tx,
        *,
        network: Network,
        place: Place,
        unit: str | None,
        area_id: UUID | None,
        predefined: bool,
        timezone: str | None,
    ) -> tuple[Premise, bool]:
        """Give the premise of this address and unit, and whether it was made now."""
        place = rules.place(place)
        whole = place.full_address or ""
        unit = rules.text("unit", unit, LONGEST_UNIT) if unit and unit.strip() else None
        if timezone is not None:
            check_timezone(timezone)
        folded = fold(whole)
        if not folded:
            raise Invalid("full_address", "must have letters or digits")
        await queries.LOCK_PLACE.one(tx, network_id=network.id, folded=folded)
        address = await queries.FIND_ADDRESS.one(tx, network_id=network.id, folded=folded)
        if address is not None:
            known = await queries.FIND_PREMISE.one(tx, address_id=address.id, unit=unit)
            if known is not None:
                return known, False
            address_id, area_id = address.id, area_id or address.area_id
        else:
            inserted = await queries.INSERT_ADDRESS.one(
                tx,
                owner_id=network.owner_id,
                network_id=network.id,
                full_address=whole,
                folded=folded,
                street=place.street,
                number=place.number,
                district=place.district,
                city=place.city,
                region=place.region,
                postcode=place.postcode,
                country=place.country,
                latitude=place.latitude,
                longitude=place.longitude,
                search=trigrams(whole),
            )
            if inserted is None:
                raise RuntimeError("a statement that always gives a row gave none")
            address_id = inserted.id
        with _area_of_network():
            # a savepoint: what was done before in the transaction stays, whatever comes of this
            async with tx.conn.transaction():
                key = await queries.INSERT_PREMISE.one(
                    tx,
                    owner_id=network.owner_id,
                    network_id=network.id,
                    address_id=address_id,
                    area_id=area_id,
                    unit=unit,
                    place_key=fold(f"{whole} {unit}") if unit else folded,
                    predefined=predefined,
                    timezone=timezone,
                    created_by=tx.tenant_id,
                )
        if key is None:
            raise RuntimeError("a statement that always gives a row gave none")
        made = await self.premise(tx, key.id)
        await audit.write(
            tx,
            action="create",
            kind="premise",
            key=made.id,
            after={"full_address": made.full_address, "area_id": made.area_id},
        )
        return made, True


@contextmanager
def _area_of_network() -> Iterator[None]:
    try:
        yield
    except psycopg.errors.ForeignKeyViolation as elsewhere:
        raise Invalid("area_id", "is not an area of the network") from elsewhere


def check_timezone(name: str) -> None:
    """Refuse what is no time zone.

    Raises:
        Invalid: with the reason.
    """
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as unknown:
        raise Invalid("timezone", f"{name!r} is not a time zone") from unknown
