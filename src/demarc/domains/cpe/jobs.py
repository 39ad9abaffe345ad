"""Work on devices that runs in a worker of their reach."""

from uuid import UUID

from demarc.domains.cpe.ports import Caller, Unreached
from demarc.domains.cpe.service import WAKE, Cpes
from demarc.domains.errors import NotFound
from demarc.platform.database import Database
from demarc.platform.jobs import Task
from demarc.platform.telemetry.counters import count


class Waker:
    """Calls devices that have something to do.

    One that cannot be reached is not called again for that: it comes by itself at its next Inform,
    and what it is to do waits for it until then.

    Args:
        db: where they are.
        cpes: what is known of them.
        caller: calls.
    """

    def __init__(self, db: Database, cpes: Cpes, caller: Caller) -> None:
        self._db = db
        self._cpes = cpes
        self._caller = caller

    def tasks(self) -> list[Task]:
        """Give the tasks to be run."""
        return [Task(WAKE, self._wake)]

    async def _wake(self, *, target_id: str) -> None:
        async with self._db.system() as tx:
            try:
                cpe = await self._cpes.find(tx, UUID(target_id))
            except NotFound:
                return
            password = self._cpes.request_password(cpe)
        if cpe.request_url is None or cpe.request_username is None or password is None:
            count("cwmp_calls", outcome="no way")
            await self._note(cpe.id, "the device has not said where it can be called")
            return
        try:
            await self._caller.call(
                url=cpe.request_url, username=cpe.request_username, password=password
            )
        except Unreached as reason:
            count("cwmp_calls", outcome="unreached")
            await self._note(cpe.id, str(reason))
        else:
            count("cwmp_calls", outcome="taken")
            await self._note(cpe.id, None)

    async def _note(self, cpe_id: UUID, reason: str | None) -> None:
        async with self._db.system() as tx:
            await self._cpes.called(tx, cpe_id, reason)


__all__ = ["Waker"]
