"""What changed since an ISP last asked."""

import asyncio
from datetime import timedelta

from demarc.domains.errors import Limited
from demarc.domains.services import queries
from demarc.domains.services.model import ServiceChange
from demarc.platform.database import Tx

PERIOD = timedelta(minutes=10)

# Services whose rows are made at a time
_PIECE = 1000


async def take(tx: Tx, api: str) -> list[ServiceChange]:
    """Give the services that changed since this ISP last asked; the first time, all.

    After the database was restored into another server it may be all once more.

    Raises:
        Limited: it asked less than ten minutes ago.
    """
    await queries.OPEN_CURSOR.run(tx, tenant_id=tx.tenant, api=api)
    cursor = await queries.LOCK_CURSOR.one(tx, tenant_id=tx.tenant, api=api)
    if cursor is None:
        raise RuntimeError("the cursor just made is not there")
    period = PERIOD.total_seconds()
    if cursor.seconds_ago is not None and cursor.seconds_ago < period:
        raise Limited(
            "the snapshot may be asked for once in 10 minutes",
            max(1, round(period - cursor.seconds_ago + 0.5)),
        )
    taken: list[ServiceChange] = []
    async for piece in queries.TAKE_CHANGES.in_pieces(tx, _PIECE, tenant_id=tx.tenant, api=api):
        taken += piece
        await asyncio.sleep(0)  # others' calls go on: the first time it may be 100,000
    return taken


__all__ = ["PERIOD", "take"]
