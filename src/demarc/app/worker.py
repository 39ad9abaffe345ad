"""The worker process: jobs, polls, upkeep, and what happened told upwards."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from demarc.app.gauges import Gauges
from demarc.app.parts import Parts
from demarc.app.upkeep import Upkeep
from demarc.domains.aaa.enforcement import Enforcer
from demarc.domains.aaa.events import CredentialAccepted
from demarc.domains.aaa.jobs import Housekeeping
from demarc.domains.aaa.live import LiveSessions
from demarc.domains.aaa.pool_jobs import PoolKeeping
from demarc.domains.aaa.quotas import QuotaCounter
from demarc.domains.access.jobs import Poller
from demarc.domains.access.model import OnusOnline
from demarc.domains.catalog.model import ProductOfferChanged
from demarc.domains.cpe.jobs import Waker
from demarc.platform.database import Tx
from demarc.platform.events import Listeners
from demarc.platform.jobs import EVENTS, UPKEEP, Task, Worker, poll_queue, reach_queue
from demarc.southbound.cwmp.calling import HttpCaller
from demarc.southbound.olt.drivers import DRIVERS
from demarc.southbound.radius.dynamic import UdpSessionDriver


def listeners(parts: Parts) -> Listeners:
    """Say who listens to what."""
    wired = Listeners(parts.db)

    async def accepted(tx: Tx, _event_id: UUID, event: CredentialAccepted) -> None:
        for service_id in event.service_ids:
            await parts.services.works(tx, service_id, "accept")

    async def online(tx: Tx, _event_id: UUID, event: OnusOnline) -> None:
        for service_id in event.service_ids:
            await parts.services.works(tx, service_id, "onu_online")

    async def offer(tx: Tx, _event_id: UUID, event: ProductOfferChanged) -> None:
        await parts.services.product_changed(tx, event)

    wired.on(ProductOfferChanged, "services.offer", offer)
    wired.on(CredentialAccepted, "services.accepted", accepted)
    wired.on(OnusOnline, "services.online", online)
    return wired


def tasks(parts: Parts, poller: Poller) -> list[Task]:
    """Give everything a worker can do."""

    async def cancel_due(*, service_id: str, at: str, reason: str) -> None:
        async with parts.db.system() as tx:
            await parts.services.cancel_due(
                tx, UUID(service_id), datetime.fromisoformat(at), reason
            )

    return [
        *poller.tasks(),
        *LiveSessions(parts.db, parts.aaa, UdpSessionDriver()).tasks(),
        *Enforcer(parts.db).tasks(),
        *QuotaCounter(parts.db).tasks(),
        *Waker(parts.db, parts.cpes, HttpCaller(parts.settings.cwmp_networks)).tasks(),
        *Housekeeping(parts.db).tasks(),
        *PoolKeeping(parts.db).tasks(),
        *listeners(parts).tasks(),
        *Upkeep(parts.db).tasks(),
        Task("services.cancel_due", cancel_due),
    ]


async def worker(parts: Parts, stop: asyncio.Event, ready: Callable[[], None]) -> None:
    """Run jobs of this node's reaches until told to stop; jobs under way are finished.

    Args:
        parts: the domains.
        stop: set to end.
        ready: called once jobs are taken.
    """
    poller = Poller(parts.db, parts.access, DRIVERS, parts.settings.olt_poll_interval)
    reach = parts.settings.reach
    queues, polls = [UPKEEP, EVENTS, *map(reach_queue, reach)], [*map(poll_queue, reach)]
    workers = [
        Worker(parts.db.conninfo, tasks(parts, poller), queues),
        Worker(parts.db.conninfo, poller.tasks(), polls),
    ]
    gauges = Gauges(parts.db, queues + polls)
    gauges.tell()
    beside = [asyncio.create_task(poller.schedule()), asyncio.create_task(gauges.watch())]
    ready()
    try:
        await asyncio.gather(*(each.run(stop) for each in workers))
    finally:
        for task in beside:
            task.cancel()
        await asyncio.gather(*beside, return_exceptions=True)
