"""Writing down who changed what."""

from typing import Any
from uuid import UUID

import msgspec

from demarc.domains.identity.model import AuditEntry
from demarc.domains.identity.queries import AUDIT_OF, FORGET_AUDIT, WRITE_AUDIT
from demarc.platform.database import Tx

_SECRET = ("password", "secret", "token", "community")
_FIXED = ("id", "created_at")
MASK = "***"


def masked(image: dict[str, Any]) -> dict[str, Any]:
    """Give the image with the values of secrets masked; that one was set stays visible."""
    return {
        name: MASK if value and any(word in name for word in _SECRET) else value
        for name, value in image.items()
    }


def differences(
    before: msgspec.Struct | None, after: msgspec.Struct
) -> tuple[dict[str, Any] | None, dict[str, Any]]:
    """Give the fields in which two images of a thing differ, as they were and as they are.

    Args:
        before: the thing as it was; None for a new one, of which every field is given.
        after: the same thing as it is. Its id and the time it was made are left out.
    """
    now = {name: getattr(after, name) for name in after.__struct_fields__ if name not in _FIXED}
    if before is None:
        return None, now
    was = {name: getattr(before, name) for name in now}
    changed = [name for name in now if was[name] != now[name]]
    return {name: was[name] for name in changed}, {name: now[name] for name in changed}


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


async def put(
    tx: Tx,
    kind: str,
    key: UUID,
    *,
    before: msgspec.Struct | None,
    after: msgspec.Struct,
    tenant_id: UUID | None = None,
) -> None:
    """Write that a thing was created, or which of its fields changed; nothing if none did.

    Args:
        tx: as of ``write``, and so are the kind, the key and the tenant.
        kind: what kind of thing it is.
        key: which.
        before: the thing as it was; None for a new one.
        after: the thing as it is.
        tenant_id: whose log it is.
    """
    if before == after:
        return
    was, now = differences(before, after)
    await write(
        tx,
        action="create" if before is None else "update",
        kind=kind,
        key=key,
        before=was,
        after=now,
        tenant_id=tenant_id,
    )


def _json(image: dict[str, Any] | None) -> str | None:
    return None if image is None else msgspec.json.encode(masked(image)).decode()


async def forget(tx: Tx, keys: list[UUID]) -> int:
    """Forget what was written of things, and keep that something was done, by whom and when.

    For the erasure of personal data alone; a transaction of the system is needed.
    """
    return await FORGET_AUDIT.run(tx, keys=keys)


async def of(tx: Tx, kind: str, key: UUID, limit: int = 100) -> list[AuditEntry]:
    """Give the newest entries on one thing, newest first."""
    return await AUDIT_OF.all(tx, kind=kind, key=key, limit=limit)
