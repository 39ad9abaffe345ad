"""What happened, told upwards: a domain emits, those above it that care get a job each.

The emitter does not know who listens. An event is a job of the emitting transaction, so that it
is neither lost nor told of something rolled back; handlers see it at least once, with its id.
"""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar
from uuid import UUID, uuid4

import msgspec

from demarc.platform.database import Database, Tx
from demarc.platform.jobs import EVENTS, Task, defer

Event = TypeVar("Event", bound=msgspec.Struct)
Listener = Callable[[Tx, UUID, Any], Awaitable[None]]


async def emit(tx: Tx, event: msgspec.Struct) -> None:
    """Tell whoever listens that this happened, once the transaction commits.

    Args:
        tx: the transaction in which it happened.
        event: what happened: ids and figures, no secrets. Mass work goes in one event.
    """
    await defer(
        tx,
        task="event",
        queue=EVENTS,
        args={
            "name": type(event).__name__,
            "event_id": str(uuid4()),
            "body": msgspec.to_builtins(event),
        },
    )


class Listeners:
    """Who listens to what; made once in the composition root and given to the workers."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._listeners: dict[str, tuple[type[msgspec.Struct], Listener]] = {}
        self._by_event: dict[str, list[str]] = {}

    def on(
        self, event: type[Event], name: str, listener: Callable[[Tx, UUID, Event], Awaitable[None]]
    ) -> None:
        """Call the listener for every such event, in a transaction of the system.

        Args:
            event: the type of event.
            name: the listener's own name; its jobs carry it.
            listener: called with the transaction, the event's id and the event; idempotent.
        """
        self._listeners[name] = (event, listener)
        self._by_event.setdefault(event.__name__, []).append(name)

    def tasks(self) -> list[Task]:
        """Give the tasks that carry events to their listeners."""
        return [Task("event", self._fan_out), Task("event.deliver", self._deliver, attempts=10)]

    async def _fan_out(self, *, name: str, event_id: str, body: dict[str, Any]) -> None:
        async with self._db.system() as tx:
            for listener in self._by_event.get(name, []):
                await defer(
                    tx,
                    task="event.deliver",
                    queue=EVENTS,
                    args={"listener": listener, "event_id": event_id, "body": body},
                )

    async def _deliver(self, *, listener: str, event_id: str, body: dict[str, Any]) -> None:
        kind, call = self._listeners[listener]
        async with self._db.system() as tx:
            await call(tx, UUID(event_id), msgspec.convert(body, kind))
