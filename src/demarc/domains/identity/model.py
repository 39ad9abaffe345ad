"""Tenants, networks, people, API clients and the principal of a request."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import msgspec

from demarc.domains.identity.permissions import permits, reads
from demarc.platform.database import Actor

Api = Literal["aex", "fno", "hubsoft", "flashman", "krill", "peplink"]

READ = "read"
WRITE = "write"

INTEGRATOR = "integrator"
"""The role of an API client that was given no other."""


class Unauthenticated(Exception):
    """Who calls could not be established."""


class Tenant(msgspec.Struct, frozen=True):
    """An organisation: the owner of a network (FNO), an ISP on one, or both.

    Attributes:
        timezone: IANA name; days of usage are of this zone where a premise has none.
        login_pattern: how log-ins of new services are made; ``{number}`` is the service's
            number within the tenant.
        activate_on: what moves a service to active: ``accept``, ``onu_online``.
    """

    id: UUID
    slug: str
    name: str
    timezone: str
    locale: str
    country: str | None
    currency: str | None
    login_pattern: str
    activate_on: list[str]
    created_at: datetime


class Network(msgspec.Struct, frozen=True):
    """A physical network and who owns it."""

    id: UUID
    owner_id: UUID
    slug: str
    name: str


class Person(msgspec.Struct, frozen=True):
    """Somebody who logs in."""

    id: UUID
    email: str
    name: str
    disabled_at: datetime | None
    created_at: datetime


class Role(msgspec.Struct, frozen=True):
    """A set of permissions under a name.

    Attributes:
        tenant_id: whose own it is; None for those that every organisation has.
        permissions: as in `demarc.domains.identity.permissions`.
    """

    id: UUID
    tenant_id: UUID | None
    name: str
    title: str
    permissions: list[str]


class PersonRole(msgspec.Struct, frozen=True):
    """As what a person works for an organisation, and since when."""

    person_id: UUID
    tenant_id: UUID
    tenant_slug: str
    role: str
    since: datetime


class ApiClient(msgspec.Struct, frozen=True):
    """A program that calls an API for an organisation."""

    id: UUID
    tenant_id: UUID
    api: str
    name: str
    scopes: list[str]
    role: str
    disabled_at: datetime | None


class ApiToken(msgspec.Struct, frozen=True):
    """A client's token, of which only the digest is kept; the hint is its first characters."""

    id: UUID
    api_client_id: UUID
    tenant_id: UUID
    hint: str
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None


class AuditEntry(msgspec.Struct, frozen=True):
    """Who changed what, from what to what; secrets are masked."""

    id: int
    at: datetime
    tenant_id: UUID | None
    actor_kind: str
    actor_name: str
    action: str
    kind: str
    key: UUID
    before: dict[str, Any] | None
    after: dict[str, Any] | None


class Principal(msgspec.Struct, frozen=True):
    """Who calls, for whom, and what they may do.

    Attributes:
        api: the API their credential is bound to; a person's is bound to none.
        scopes: what their credential is for at most: read, write.
        role: the name of their role.
        permissions: what their role lets them do; nothing if the role is gone.
        owns_network: the organisation owns a network (it is an FNO).
        sells: the organisation sells on a network (it is an ISP).
    """

    tenant_id: UUID
    actor: Actor
    api: str | None
    scopes: frozenset[str]
    role: str
    permissions: frozenset[str]
    owns_network: bool
    sells: bool

    def lacks(self, permission: str) -> str | None:
        """Say what keeps the caller from something; None if nothing does."""
        scope = READ if reads(permission) else WRITE
        if scope not in self.scopes:
            return f"your credential lacks the scope {scope!r}"
        if not permits(self.permissions, permission):
            return f"your role {self.role!r} does not permit {permission}"
        return None

    @property
    def side(self) -> Literal["isp", "fno", "both"]:
        """Which side of open access the caller stands on."""
        if self.owns_network and self.sells:
            return "both"
        return "fno" if self.owns_network else "isp"
