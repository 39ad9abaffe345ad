"""Access servers of another system made NASes, with the secrets they share with it."""

from collections.abc import Sequence
from ipaddress import ip_network
from typing import Any
from uuid import UUID

import msgspec

from demarc.domains.aaa.model import Nas, Vendor
from demarc.domains.errors import DomainError
from demarc.imports import ledger
from demarc.imports.entry import Bad, Refused, Source
from demarc.imports.ground import Ground, as_operator
from demarc.imports.ledger import Kept
from demarc.imports.outcome import Outcome
from demarc.imports.write import Written
from demarc.platform.database import Tx


class NasEntry(msgspec.Struct, frozen=True, gc=False):
    """A NAS.

    Attributes:
        address: an address, a prefix, or a name, which is refused.
        mac_authentication: it logs stations in by their MAC addresses.
    """

    source: Source
    address: str
    name: str
    secret: str
    vendor: Vendor = "generic"
    mac_authentication: bool = False


async def write_nases(tx: Tx, ground: Ground, entries: Sequence[NasEntry]) -> Written:
    """Bring NASes to what is said of them; they are few, and go one by one.

    Args:
        tx: of the network's owner.
        ground: what they stand on.
        entries: the NASes.
    """
    written = Written(len(entries))
    await ground.look_up(tx)
    known = await ledger.find(tx, ground.source, [("nas", one.address) for one in entries])
    for entry in entries:
        digest = ground.digest(msgspec.structs.replace(entry, source=Source("")))
        item = known.get(("nas", entry.address))
        if item is not None and item.digest == digest:
            written.outcomes.append(Outcome(entry.source, "nas", entry.address, "unchanged"))
            continue
        try:
            async with tx.conn.transaction():
                nas_id, made = await _put(
                    tx, ground, entry, None if item is None else item.entity_id
                )
        except (Refused, DomainError) as refused:
            reason = refused if isinstance(refused, Refused) else Refused(None, str(refused))
            written.bad.append(Bad(entry.source, reason))
            continue
        run_id = ground.run_id if made else None
        await ledger.keep(tx, ground.source, [Kept("nas", entry.address, nas_id, digest, run_id)])
        action = "created" if made else "changed"
        written.outcomes.append(Outcome(entry.source, "nas", entry.address, action))  # type: ignore[arg-type]
    ground.forget_nases()
    return written


async def _put(tx: Tx, ground: Ground, entry: NasEntry, known: UUID | None) -> tuple[UUID, bool]:
    network = ground.own_network()
    try:
        prefix = str(ip_network(entry.address))
    except ValueError:
        raise Refused(
            "nasname",
            f"{entry.address} is no address and no prefix",
            "write its address: names are looked up by nobody",
        ) from None
    aaa = ground.domains.aaa
    realm = ground.realm(None) if ground.realm_name(None) else None
    values: dict[str, Any] = {
        "prefix": prefix,
        "secret": entry.secret,
        "vendor": entry.vendor,
        "mac_authentication": entry.mac_authentication,
    }
    async with as_operator(tx) as system:
        there = await aaa.nases(system, network.id)
        held = _the_one(there, known, prefix)
        if held is not None:
            await aaa.change_nas(system, held, **values)
            return held.id, False
        names = {one.name for one in there}
        name = entry.name if entry.name and entry.name not in names else entry.address
        made = await aaa.create_nas(
            system,
            owner_id=network.owner_id,
            network_id=network.id,
            name=name,
            default_realm_id=None if realm is None else realm.id,
            **values,
        )
        return made.id, True


def _the_one(there: Sequence[Nas], known: UUID | None, prefix: str) -> Nas | None:
    for nas in there:
        if nas.id == known or nas.prefix == prefix:
            return nas
    return None


__all__ = ["NasEntry", "write_nases"]
