"""Use cases on points of presence."""

from uuid import UUID

from demarc.domains.errors import Invalid, NotFound
from demarc.domains.identity import audit
from demarc.domains.identity.model import Network
from demarc.domains.network import queries
from demarc.domains.network.model import Pop
from demarc.platform.database import Tx


async def put(
    tx: Tx,
    *,
    network: Network,
    code: str,
    name: str,
    latitude: float | None = None,
    longitude: float | None = None,
) -> Pop:
    """Create a PoP, or bring the network's one of that code to these values.

    Args:
        tx: of the network's owner, or of the system.
        network: where it stands.
        code: the owner's own short name for it, unique on the network.
        name: shown to people.
        latitude: degrees, WGS 84; with ``longitude`` or not at all.
        longitude: likewise.

    Raises:
        Invalid: the code or name is empty, or half a position is given.
    """
    for field, value in (("code", code), ("name", name)):
        if not value.strip():
            raise Invalid(field, "must not be empty")
    if (latitude is None) != (longitude is None):
        raise Invalid("latitude", "and longitude belong together")
    before = await queries.FIND_POP.one(tx, network_id=network.id, code=code)
    after = await queries.PUT_POP.one(
        tx,
        owner_id=network.owner_id,
        network_id=network.id,
        code=code,
        name=name,
        latitude=latitude,
        longitude=longitude,
    )
    if after is None:
        raise RuntimeError("a statement that always gives a row gave none")
    if before != after:
        await audit.write(
            tx,
            action="create" if before is None else "update",
            kind="pop",
            key=after.id,
            tenant_id=after.owner_id,
            before=None if before is None else _image(before),
            after=_image(after),
        )
    return after


async def of_network(tx: Tx, network_id: UUID) -> list[Pop]:
    """Give the PoPs of a network, by code."""
    return await queries.POPS.all(tx, network_id=network_id)


async def named(tx: Tx, network_id: UUID, code: str) -> Pop:
    """Give a PoP of a network by its code.

    Raises:
        NotFound: there is none.
    """
    found = await queries.FIND_POP.one(tx, network_id=network_id, code=code)
    if found is None:
        raise NotFound("pop", code)
    return found


def _image(pop: Pop) -> dict[str, object]:
    return {
        "code": pop.code,
        "name": pop.name,
        "latitude": pop.latitude,
        "longitude": pop.longitude,
    }


__all__ = ["named", "of_network", "put"]
