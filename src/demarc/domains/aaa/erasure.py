"""Log-ins of services that ended for good, without their secrets."""

from uuid import UUID

from demarc.platform.database import Tx
from demarc.platform.statements import Statement

FORGET_SECRETS = Statement(
    "aaa.forget_secrets",
    """
    UPDATE credential SET secret = NULL, updated_at = now()
    WHERE service_id = ANY(%(services)s::uuid[]) AND access = 'closed' AND secret IS NOT NULL
    """,
)


async def forget_secrets(tx: Tx, services: list[UUID]) -> int:
    """Forget the passwords of the closed log-ins of these services; give how many."""
    return await FORGET_SECRETS.run(tx, services=services)


__all__ = ["forget_secrets"]
