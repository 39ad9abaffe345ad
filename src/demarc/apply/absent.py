"""What the database has and a file does not describe. It stays; this only tells of it."""

from collections.abc import Iterable

from demarc.apply.document import Document
from demarc.apply.plan import Absent
from demarc.apply.work import Work
from demarc.domains.network import pops


async def absent(work: Work, document: Document) -> list[Absent]:
    """Name what is in the database alone, by kind; premises, which are many, are left out."""
    tx, domains = work.tx, work.domains
    left: list[Absent] = []

    def tell(kind: str, names: Iterable[str], described: Iterable[str]) -> None:
        known = {name.lower() for name in described}
        left.extend(Absent(kind, name) for name in names if name.lower() not in known)

    tenants = await domains.identity.tenants(tx)
    networks = await domains.identity.networks(tx)
    people = await domains.identity.people(tx)
    tell("tenant", [one.slug for one in tenants], [one.slug for one in document.tenant])
    tell("network", [one.slug for one in networks], [one.slug for one in document.network])
    tell("realm", [one.name for one in await work.realms()], [one.name for one in document.realm])
    for network in networks:
        lists = {
            "area": [one.slug for one in await domains.catalog.areas(tx, network.id)],
            "product": [one.code for one in await domains.catalog.products(tx, network.id)],
            "pop": [one.code for one in await pops.of_network(tx, network.id)],
            "nas": [one.name for one in await domains.aaa.nases(tx, network.id)],
            "pool": [one.name for one in await domains.aaa.pools(tx, network.id)],
            "nat_pool": [one.name for one in await domains.aaa.nat_pools(tx, network.id)],
            "olt": [one.name for one in await domains.access.olts(tx, network.id)],
        }
        for kind, names in lists.items():
            tables = getattr(document, kind)
            tell(
                kind,
                [f"{network.slug}/{name}" for name in names],
                [f"{table.network}/{table.label}" for table in tables],
            )
    tell("user", [one.email for one in people], [one.email for one in document.user])
    for tenant in tenants:
        tell(
            "profile",
            [f"{tenant.slug}/{one.name}" for one in await domains.aaa.profiles(tx, tenant.id)],
            [f"{one.tenant}/{one.name}" for one in document.profile],
        )
        tell(
            "client",
            [
                f"{tenant.slug}/{one.api}/{one.name}"
                for one in await domains.identity.clients(tx, tenant.id)
            ],
            [f"{one.tenant}/{one.api}/{one.name}" for one in document.client],
        )
    return left


__all__ = ["absent"]
