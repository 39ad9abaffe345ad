"""Putting the domains together, once a process."""


import msgspec

from demarc.domains.aaa.service import Aaa
from demarc.domains.access.service import Access
from demarc.domains.catalog.service import Catalog
from demarc.domains.identity.service import Identity
from demarc.domains.services.service import Services
from demarc.domains.subscribers.service import Subscribers
from demarc.platform.database import Database
from demarc.platform.secrets import KeyRing, PasswordPool
from demarc.platform.settings import Settings


class Parts(msgspec.Struct, frozen=True):
    """The domains of a process, and what they stand on."""

    settings: Settings
    db: Database
    keys: KeyRing
    passwords: PasswordPool
    identity: Identity
    catalog: Catalog
    subscribers: Subscribers
    access: Access
    aaa: Aaa
    services: Services


def assemble(settings: Settings, db: Database, keys: KeyRing) -> Parts:
    """Build the domains on a database and keys."""
    passwords = PasswordPool()
    identity = Identity(passwords)
    catalog = Catalog()
    subscribers = Subscribers()
    access = Access(keys)
    aaa = Aaa(keys)
    return Parts(
        settings=settings,
        db=db,
        keys=keys,
        passwords=passwords,
        identity=identity,
        catalog=catalog,
        subscribers=subscribers,
        access=access,
        aaa=aaa,
        services=Services(
            identity=identity,
            catalog=catalog,
            subscribers=subscribers,
            access=access,
            aaa=aaa,
            keys=keys,
        ),
    )
