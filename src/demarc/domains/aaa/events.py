"""What the AAA domain tells those above it."""

from uuid import UUID

import msgspec


class CredentialAccepted(msgspec.Struct, frozen=True):
    """Credentials of these services logged in for the first time.

    Attributes:
        service_ids: the services, each once.
    """

    service_ids: list[UUID]


class PoolsNearlyFull(msgspec.Struct, frozen=True):
    """Pools of addresses or prefixes of which little is left.

    Attributes:
        pool_ids: the pools, each once; told again only after they had room meanwhile.
    """

    pool_ids: list[UUID]


__all__ = ["CredentialAccepted", "PoolsNearlyFull"]
