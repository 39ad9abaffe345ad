"""The life of a command: created with its job, sent, answered, or expired."""

import asyncio
import contextlib
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
import psycopg

from demarc.domains.errors import NotFound
from demarc.domains.network import queries
from demarc.domains.network.model import Command, CommandState
from demarc.platform.database import Actor, Database, Tx
from demarc.platform.jobs import defer, reach_queue


async def create(
    tx: Tx,
    *,
    tenant_id: UUID,
    owner_id: UUID,
    kind: str,
    target_kind: str,
    target_id: UUID | None = None,
    service_id: UUID | None = None,
    reach: str = "default",
    request: dict[str, Any] | None = None,
    within: timedelta = timedelta(minutes=2),
    enqueue: bool = True,
) -> Command:
    """Write a command down and queue the job that carries it out.

    The job's task is named as the command's kind and gets ``command_id``.

    Args:
        tx: both exist if it commits.
        tenant_id: the ISP it is for.
        owner_id: the owner of the network.
        kind: what is asked.
        target_kind: what is asked.
        target_id: which one.
        service_id: the service it concerns.
        reach: whose workers reach the target.
        request: arguments, without secrets.
        within: after this it expires.
        enqueue: False when a later event carries it out (the CPE's next Inform).
    """
    made = await queries.CREATE_COMMAND.one(
        tx,
        tenant_id=tenant_id,
        owner_id=owner_id,
        service_id=service_id,
        kind=kind,
        target_kind=target_kind,
        target_id=target_id,
        reach=reach,
        request=msgspec.json.encode(request or {}).decode(),
        created_by=tx.actor.id,
        within=within,
    )
    if made is None:
        raise RuntimeError("INSERT .. RETURNING gave no row")
    if enqueue:
        await defer(tx, task=kind, queue=reach_queue(reach), args={"command_id": str(made.id)})
    return made


async def find(tx: Tx, command_id: UUID) -> Command:
    """Give a command.

    Raises:
        NotFound: there is none, or it is another tenant's.
    """
    found = await queries.FIND_COMMAND.one(tx, id=command_id)
    if found is None:
        raise NotFound("command", command_id)
    return found


async def of_service(tx: Tx, service_id: UUID, limit: int = 50) -> list[Command]:
    """Give the newest commands of a service, newest first."""
    return await queries.COMMANDS_OF_SERVICE.all(tx, service_id=service_id, limit=limit)


async def of_cpe(tx: Tx, cpe_id: UUID, limit: int = 50) -> list[Command]:
    """Give the newest commands to a CPE, newest first."""
    return await queries.COMMANDS_OF_CPE.all(tx, target_id=cpe_id, limit=limit)


async def wake(tx: Tx, *, task: str, reach: str, target_id: UUID) -> None:
    """Queue the job that calls a device which fetches its commands itself.

    Args:
        tx: the job runs if it commits.
        task: the job's task; it gets ``target_id``.
        reach: whose workers reach the device.
        target_id: which device.
    """
    await defer(tx, task=task, queue=reach_queue(reach), args={"target_id": str(target_id)})


async def open_for(tx: Tx, target_id: UUID) -> list[Command]:
    """Give what a device is still to do, at most 50, in the order it was asked for."""
    return await queries.OPEN_COMMANDS.all(tx, target_id=target_id)


async def sent(tx: Tx, command_id: UUID) -> Command | None:
    """Note that the device has been asked; None when the command is final already."""
    return await queries.MARK_SENT.one(tx, id=command_id)


async def done(tx: Tx, command_id: UUID, answer: dict[str, Any]) -> Command | None:
    """Note the device's answer; None when the command was final already."""
    return await _finish(tx, command_id, CommandState.DONE, answer, None)


async def failed(
    tx: Tx, command_id: UUID, fault: str, answer: dict[str, Any] | None = None
) -> Command | None:
    """Note why it did not work; None when the command was final already."""
    return await _finish(tx, command_id, CommandState.FAILED, answer, fault)


async def _finish(
    tx: Tx,
    command_id: UUID,
    state: CommandState,
    answer: dict[str, Any] | None,
    fault: str | None,
) -> Command | None:
    return await queries.FINISH_COMMAND.one(
        tx,
        id=command_id,
        state=state.value,
        answer=None if answer is None else msgspec.json.encode(answer).decode(),
        fault=fault,
    )


async def expire(tx: Tx, patient: list[str]) -> int:
    """Expire what nobody answered in time; give how many.

    Args:
        tx: of the system.
        patient: kinds that wait for their device however long that takes.
    """
    return await queries.EXPIRE_COMMANDS.run(tx, patient=patient)


class CommandWaiter:
    """Waits for commands to become final, for calls that must ask a device within the call.

    One listening connection serves all calls of the process.

    Args:
        db: where the commands are.
        reread: seconds after which a command is read again though no notification came.
        retry_after: seconds until a lost connection is made anew.
    """

    def __init__(self, db: Database, *, reread: float = 1.0, retry_after: float = 0.5) -> None:
        self._db = db
        self._reread = reread
        self._retry_after = retry_after
        # an event for each call, since one that was woken clears its own
        self._waiting: dict[UUID, set[asyncio.Event]] = {}

    async def run(self) -> None:
        """Listen for good; start it once a process."""
        while True:
            try:
                async with self._db.listen("demarc_command") as conn:
                    # what became final while nobody listened
                    for command_id in list(self._waiting):
                        self._wake(command_id)
                    async for note in conn.notifies():
                        self._wake(UUID(note.payload))
            except (psycopg.Error, OSError):
                await asyncio.sleep(self._retry_after)

    def _wake(self, command_id: UUID) -> None:
        for event in self._waiting.get(command_id, ()):
            event.set()

    async def wait(
        self, tenant_id: UUID, actor: Actor, command_id: UUID, seconds: float
    ) -> Command:
        """Give the command once it is final, or as it stands when the time is over.

        No transaction is held while waiting. It does not matter whether the command became final
        before or after: it is read once more after the waiting has begun.

        Raises:
            NotFound: there is none, or it is another tenant's.
        """
        event = asyncio.Event()
        self._waiting.setdefault(command_id, set()).add(event)
        try:
            loop = asyncio.get_running_loop()
            until = loop.time() + seconds
            while True:
                event.clear()
                async with self._db.tenant(tenant_id, actor) as tx:
                    command = await find(tx, command_id)
                left = until - loop.time()
                if command.final or left <= 0:
                    return command
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(event.wait(), min(left, self._reread))
        finally:
            events = self._waiting[command_id]
            events.discard(event)
            if not events:
                del self._waiting[command_id]
