"""Use cases of the catalog: areas, products, and what may be sold where."""

import re
from collections.abc import Collection
from decimal import Decimal
from typing import Any
from uuid import UUID

from demarc.domains.catalog import queries
from demarc.domains.catalog.model import Area, Availability, Product, ProductOfferChanged
from demarc.domains.errors import Invalid, NotFound
from demarc.domains.identity import audit
from demarc.domains.identity.model import Network
from demarc.platform.database import Tx
from demarc.platform.events import emit

_SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_CURRENCY = re.compile(r"[A-Z]{3}")


class Catalog:
    """What can be sold, and where. Methods never commit."""

    async def put_area(
        self, tx: Tx, *, network: Network, slug: str, name: str, available: bool = True
    ) -> Area:
        """Create an area, or bring the one of that slug to these values.

        Raises:
            Invalid: the slug is no slug, or the name is empty.
        """
        if not _SLUG.fullmatch(slug):
            raise Invalid("slug", "must be of a-z, 0-9 and -, at most 63 characters")
        if not name.strip():
            raise Invalid("name", "must not be empty")
        before = await queries.FIND_AREA.one(tx, network_id=network.id, slug=slug)
        if before is not None and (before.name, before.available) == (name.strip(), available):
            return before
        after = await queries.PUT_AREA.one(
            tx,
            owner_id=network.owner_id,
            network_id=network.id,
            slug=slug,
            name=name.strip(),
            available=available,
        )
        if after is None:
            raise RuntimeError("a statement that always gives a row gave none")
        await audit.write(
            tx,
            action="create" if before is None else "update",
            kind="area",
            key=after.id,
            tenant_id=after.owner_id,
            before=None if before is None else {"name": before.name, "available": before.available},
            after={"name": after.name, "available": after.available},
        )
        return after

    async def areas(self, tx: Tx, network_id: UUID) -> list[Area]:
        """Give the areas of a network."""
        return await queries.AREAS.all(tx, network_id=network_id)

    async def area(self, tx: Tx, area_id: UUID) -> Area:
        """Give an area.

        Raises:
            NotFound: there is none for this tenant.
        """
        found = await queries.GET_AREA.one(tx, id=area_id)
        if found is None:
            raise NotFound("area", area_id)
        return found

    async def area_named(self, tx: Tx, network_id: UUID, slug: str) -> Area:
        """Give an area of a network by its slug.

        Raises:
            NotFound: there is none.
        """
        found = await queries.FIND_AREA.one(tx, network_id=network_id, slug=slug)
        if found is None:
            raise NotFound("area", slug)
        return found

    async def put_product(
        self,
        tx: Tx,
        *,
        network: Network,
        code: str,
        name: str,
        download_bps: int,
        upload_bps: int,
        areas: Collection[UUID],
        isp_id: UUID | None = None,
        description: str | None = None,
        technology: str = "gpon",
        monthly_price: Decimal | None = None,
        currency: str | None = None,
        active: bool = True,
        profile_id: UUID | None = None,
    ) -> Product:
        """Create a product, or bring the one of that code to these values.

        Args:
            network: the network it runs on.
            areas: ids of the areas it is sold in; areas not named no longer sell it.
            download_bps: bit/s towards the subscriber.
            upload_bps: bit/s from the subscriber.
            isp_id: the only ISP that sells it, if not all do.
            profile_id: the RADIUS profile of its log-ins.

        Raises:
            Invalid: a value cannot be taken, or an area is of another network.
        """
        if not code.strip():
            raise Invalid("code", "must not be empty")
        if not name.strip():
            raise Invalid("name", "must not be empty")
        _check_speeds_and_price(download_bps, upload_bps, monthly_price, currency)
        known = {area.id for area in await queries.AREAS.all(tx, network_id=network.id)}
        if set(areas) - known:
            raise Invalid("areas", "names an area that is not of this network")
        wanted: dict[str, Any] = {
            "isp_id": isp_id,
            "name": name.strip(),
            "description": description,
            "technology": technology,
            "download_bps": download_bps,
            "upload_bps": upload_bps,
            "monthly_price": monthly_price,
            "currency": currency,
            "active": active,
            "profile_id": profile_id,
        }
        before = await queries.FIND_PRODUCT.one(tx, network_id=network.id, code=code)
        after = before
        if before is None or _image(before) != wanted:
            after = await queries.PUT_PRODUCT.one(
                tx, owner_id=network.owner_id, network_id=network.id, code=code, **wanted
            )
        if after is None:
            raise RuntimeError("a statement that always gives a row gave none")
        ids = list(areas)
        dropped = await queries.DROP_PRODUCT_AREAS.run(tx, product_id=after.id, area_ids=ids)
        added = await queries.ADD_PRODUCT_AREAS.run(
            tx, network_id=network.id, product_id=after.id, area_ids=ids
        )
        offer = (after.download_bps, after.upload_bps, after.profile_id)
        if before is not None and offer != (
            before.download_bps,
            before.upload_bps,
            before.profile_id,
        ):
            await emit(tx, ProductOfferChanged(after.id, *offer))
        if before != after or dropped or added:
            await audit.write(
                tx,
                action="create" if before is None else "update",
                kind="product",
                key=after.id,
                tenant_id=after.owner_id,
                before=None if before is None else _image(before),
                after=_image(after),
            )
        return after

    async def products(self, tx: Tx, network_id: UUID) -> list[Product]:
        """Give the products of a network, those no longer sold included."""
        return await queries.PRODUCTS.all(tx, network_id=network_id)

    async def product(self, tx: Tx, product_id: UUID) -> Product:
        """Give a product.

        Raises:
            NotFound: there is none for this tenant.
        """
        found = await queries.GET_PRODUCT.one(tx, id=product_id)
        if found is None:
            raise NotFound("product", product_id)
        return found

    async def product_named(self, tx: Tx, network_id: UUID, code: str) -> Product:
        """Give a product of a network by its code.

        Raises:
            NotFound: there is none.
        """
        found = await queries.FIND_PRODUCT.one(tx, network_id=network_id, code=code)
        if found is None:
            raise NotFound("product", code)
        return found

    async def areas_of(self, tx: Tx, product_id: UUID) -> list[UUID]:
        """Give the ids of the areas a product is sold in."""
        rows = await queries.AREAS_OF_PRODUCT.all(tx, product_id=product_id)
        return [row.value for row in rows]

    async def check_sellable(
        self,
        tx: Tx,
        product: Product,
        network_id: UUID,
        area_id: UUID | None,
        *,
        isp_id: UUID | None = None,
    ) -> None:
        """Refuse what an ISP may not sell at a place.

        Args:
            product: what is to be sold.
            network_id: the network of the place.
            area_id: the area it lies in, if any.
            isp_id: the ISP that sells; the transaction's tenant if not given.

        Raises:
            Invalid: with the field in the way (``product_id`` or ``premise_id``) and the reason.
        """
        seller = isp_id or tx.tenant
        if product.network_id != network_id:
            raise Invalid("product_id", "is sold on another network than that of the premise")
        if product.isp_id is not None and product.isp_id != seller:
            raise Invalid("product_id", "is not a product that can be sold here")
        if not product.active:
            raise Invalid("product_id", "is no longer sold")
        if area_id is None:
            raise Invalid("premise_id", "lies in no area that is served")
        found = await queries.AREA_SELLS.one(tx, area_id=area_id, product_id=product.id)
        if found is None or not found.available:
            raise Invalid("premise_id", "lies in an area that takes no new services")
        if not found.sells:
            raise Invalid("product_id", "is not sold in the area of the premise")

    async def availability(
        self, tx: Tx, area_id: UUID | None, *, isp_id: UUID | None = None
    ) -> Availability:
        """Tell whether an ISP can order anything in an area now.

        Args:
            area_id: the area of the place; None where none covers it.
            isp_id: the ISP that asks; the transaction's tenant if not given.
        """
        if area_id is None:
            return Availability(None, orderable=False)
        found = await queries.AREA_ORDERABLE.one(tx, area_id=area_id, isp_id=isp_id or tx.tenant)
        return Availability(area_id, orderable=found is not None and bool(found.value))


def _check_speeds_and_price(
    download_bps: int, upload_bps: int, monthly_price: Decimal | None, currency: str | None
) -> None:
    for field, speed in (("download_bps", download_bps), ("upload_bps", upload_bps)):
        if speed <= 0:
            raise Invalid(field, "must be above 0")
    if (monthly_price is None) != (currency is None):
        raise Invalid("currency", "and the monthly price belong together")
    if monthly_price is not None and monthly_price < 0:
        raise Invalid("monthly_price", "must not be below 0")
    if currency is not None and not _CURRENCY.fullmatch(currency):
        raise Invalid("currency", "must be a code of ISO 4217, as EUR")


def _image(product: Product) -> dict[str, Any]:
    return {
        "isp_id": product.isp_id,
        "name": product.name,
        "description": product.description,
        "technology": product.technology,
        "download_bps": product.download_bps,
        "upload_bps": product.upload_bps,
        "monthly_price": product.monthly_price,
        "currency": product.currency,
        "active": product.active,
        "profile_id": product.profile_id,
    }
