"""The products that lines describe, made or changed before the lines are planned."""

from collections.abc import Sequence

from demarc.domains.catalog.model import Product
from demarc.domains.identity.model import Network
from demarc.imports import ledger
from demarc.imports.entry import Entry, ProductEntry, Refused, Source
from demarc.imports.ground import Ground, as_operator
from demarc.imports.ledger import Kept
from demarc.imports.outcome import Outcome
from demarc.platform.database import Tx


async def put_products(tx: Tx, ground: Ground, entries: Sequence[Entry]) -> list[Outcome]:
    """Make the products that lines describe; one that is there is changed if it is the ISP's alone.

    Args:
        tx: of the ISP.
        ground: what the lines stand on.
        entries: the lines.

    Raises:
        Invalid: a product cannot be as it is described.
    """
    await ground.look_up(tx)
    said: dict[str, tuple[Entry, ProductEntry]] = {}
    for entry in entries:
        if entry.product is not None and entry.product.values is not None:
            ref = f"{ground.network_slug(entry.network)}:{entry.product.code}"
            said.setdefault(ref, (entry, entry.product))
    if not said:
        return []
    known = await ledger.find(tx, ground.source, [("product", ref) for ref in said])
    outcomes: list[Outcome] = []
    for ref, (entry, product) in said.items():
        try:
            network = ground.network(entry.network)
        except Refused:
            continue  # told of the line itself
        digest = ground.digest(product.values, product.wire, product.profile)
        item = known.get(("product", ref))
        if item is not None and item.digest == digest:
            outcomes.append(Outcome(entry.source, "product", ref, "unchanged"))
            continue
        before = await ground.product(tx, network, product.code)
        if before is not None and before.isp_id != ground.tenant.id:
            outcomes += _differing(entry.source, ref, before, product)
            continue
        after = await _put(tx, ground, network, product, before)
        made = before is None
        run_id = ground.run_id if made else None
        await ledger.keep(tx, ground.source, [Kept("product", ref, after.id, digest, run_id)])
        action = "created" if made else "changed"
        outcomes.append(Outcome(entry.source, "product", ref, action))  # type: ignore[arg-type]
    return outcomes


async def _put(
    tx: Tx, ground: Ground, network: Network, product: ProductEntry, before: Product | None
) -> Product:
    domains = ground.domains
    profile_id = None if before is None else before.profile_id
    if product.profile is not None:
        name, settings = product.profile
        profile = await domains.aaa.put_profile(
            tx, tenant_id=ground.tenant.id, name=name, settings=settings
        )
        profile_id = profile.id
    async with as_operator(tx) as system:
        areas = [] if before is None else await domains.catalog.areas_of(system, before.id)
        after = await domains.catalog.put_product(
            system,
            network=network,
            code=product.code,
            areas=areas,
            isp_id=ground.tenant.id,
            profile_id=profile_id,
            **(product.values or {}),
        )
    ground.remember_product(after)
    return after


def _differing(source: Source, ref: str, there: Product, said: ProductEntry) -> list[Outcome]:
    values = said.values or {}
    if (there.download_bps, there.upload_bps) == (values["download_bps"], values["upload_bps"]):
        return []
    return [
        Outcome(
            source,
            "product",
            ref,
            "note",
            None,
            "the product is there with other speeds, and not this ISP's alone: it stays as it is",
            "change it in the network file, or give the product another code",
        )
    ]


__all__ = ["put_products"]
