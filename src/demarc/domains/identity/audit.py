"""Writing down who changed what."""

from typing import Any
from uuid import UUID

import msgspec

from demarc.domains.identity.model import AuditEntry
from demarc.domains.identity.queries import AUDIT_OF, WRITE_AUDIT
from demarc.platform.database import Tx

_SECRET = ("password", "secret", "token", "community")
MASK = "***"


def masked(image: dict[str, Any]) -> dict[str, Any]:
    """Give the image with the values of secrets masked; that one was set stays visible."""
    return {
        name: MASK if value and any(word in name for word in _SECRET) else value
        for name, value in image.items()
    }


async def write(
    tx: Tx,
    *,
    action: str,
    kind: str,
    key: UUID,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
    tenant_id: UUID | None = None,
) -> None:
    """Write an entry in the transaction of the change itself.

    Args:
        action: a verb of the use case ("create", "suspend", "update" ...).
        kind: what kind of thing changed; ``key`` which.
        before: the fields that changed, as they were; secrets are masked here.
        after: the same fields, as they are now.
        tenant_id: whose log it is; the transaction's tenant if not given.
    """
    await WRITE_AUDIT.run(
        tx,
        tenant_id=tenant_id or tx.tenant_id,
        actor_kind=tx.actor.kind,
        actor_id=tx.actor.id,
        actor_name=tx.actor.name,
        action=action,
        kind=kind,
        key=key,
        before=_json(before),
        after=_json(after),
    )


def _json(image: dict[str, Any] | None) -> str | None:
    return None if image is None else msgspec.json.encode(masked(image)).decode()


async def of(tx: Tx, kind: str, key: UUID, limit: int = 100) -> list[AuditEntry]:
    """Give the newest entries on one thing, newest first."""
    return await AUDIT_OF.all(tx, kind=kind, key=key, limit=limit)
