"""A small house for tests: an owner with a network, two ISPs that sell on it, things to sell."""

from pathlib import Path
from uuid import UUID

import msgspec

from demarc.domains.aaa.model import Nas
from demarc.domains.aaa.service import Aaa
from demarc.domains.access.service import Access
from demarc.domains.catalog.model import Area, Product
from demarc.domains.catalog.service import Catalog
from demarc.domains.identity.model import Network, Tenant
from demarc.domains.identity.service import Identity
from demarc.domains.services.model import Service
from demarc.domains.services.service import Services
from demarc.domains.subscribers.model import Place
from demarc.domains.subscribers.service import Subscribers
from demarc.platform.database import SYSTEM, Actor, Database
from demarc.platform.secrets import KeyRing, PasswordPool

NAS_SECRET = "a-secret-of-tests"


class House(msgspec.Struct):
    """Everything a test needs to begin with. The network's owner is ``fno``."""

    db: Database
    keys: KeyRing
    identity: Identity
    catalog: Catalog
    subscribers: Subscribers
    access: Access
    aaa: Aaa
    services: Services
    fno: Tenant
    isp: Tenant
    other_isp: Tenant
    network: Network
    area: Area
    product: Product
    fast_product: Product
    premise_id: UUID
    nas: Nas

    def as_isp(self, actor: Actor = SYSTEM):
        return self.db.tenant(self.isp.id, actor)

    def as_other_isp(self, actor: Actor = SYSTEM):
        return self.db.tenant(self.other_isp.id, actor)

    def as_fno(self, actor: Actor = SYSTEM):
        return self.db.tenant(self.fno.id, actor)

    async def service(self, *, of: Tenant | None = None, first_name: str = "Nomsa") -> Service:
        """Create a customer and a service of an ISP."""
        async with self.db.tenant((of or self.isp).id) as tx:
            customer = await self.subscribers.create_customer(
                tx,
                first_name=first_name,
                last_name="Dlamini",
                email=f"{first_name.lower()}@example.net",
                mobile_number="+27 82 555 0101",
            )
            return await self.services.create(
                tx,
                customer_id=customer.id,
                product_id=self.product.id,
                premise_id=self.premise_id,
            )


async def build(db: Database, folder: Path) -> House:
    """Build the house in an empty database."""
    keys = KeyRing.open(folder / "keys.toml")
    identity = Identity(PasswordPool())
    catalog, subscribers, access, aaa = Catalog(), Subscribers(), Access(keys), Aaa(keys)
    services = Services(
        identity=identity,
        catalog=catalog,
        subscribers=subscribers,
        access=access,
        aaa=aaa,
        keys=keys,
    )
    async with db.system() as tx:
        fno = await identity.put_tenant(
            tx, slug="metro", name="Cableway Fibre", timezone="Africa/Johannesburg"
        )
        isp = await identity.put_tenant(
            tx,
            slug="acme",
            name="Acme",
            timezone="Africa/Johannesburg",
            login_pattern="u{number:04d}",
        )
        other = await identity.put_tenant(
            tx,
            slug="beta",
            name="Beta",
            timezone="America/Sao_Paulo",
            login_pattern="u{number:04d}",
        )
        network = await identity.put_network(tx, owner_id=fno.id, slug="metro", name="Metro")
        for tenant in (isp, other):
            await identity.admit_isp(tx, network, tenant.id)
            await aaa.create_realm(tx, tenant_id=tenant.id, name=tenant.slug)
        area = await catalog.put_area(tx, network=network, slug="north", name="North")
        product, fast = [
            await catalog.put_product(
                tx,
                network=network,
                code=code,
                name=name,
                download_bps=speed * 1_000_000,
                upload_bps=speed * 500_000,
                areas=[area.id],
            )
            for code, name, speed in (("f50", "Fibre 50", 50), ("f200", "Fibre 200", 200))
        ]
        await aaa.create_pool(
            tx, owner_id=fno.id, network_id=network.id, name="main", prefix="100.64.0.0/24"
        )
        nas = await aaa.create_nas(
            tx,
            owner_id=fno.id,
            network_id=network.id,
            name="bng",
            prefix="127.0.0.1/32",
            secret=NAS_SECRET,
            vendor="mikrotik",
        )
    async with db.tenant(fno.id) as tx:
        premise = await subscribers.create_premise(
            tx,
            network=network,
            place=Place(
                full_address="12 Long Street, Cape Town", latitude=-33.9249, longitude=18.4241
            ),
            area_id=area.id,
            predefined=True,
        )
    return House(
        db=db,
        keys=keys,
        identity=identity,
        catalog=catalog,
        subscribers=subscribers,
        access=access,
        aaa=aaa,
        services=services,
        fno=fno,
        isp=isp,
        other_isp=other,
        network=network,
        area=area,
        product=product,
        fast_product=fast,
        premise_id=premise.id,
        nas=nas,
    )
