"""One device's session: what it says goes to the domain, what is due goes to it."""

import asyncio
from collections import deque
from time import monotonic
from typing import Final

import structlog

from demarc.domains.cpe.model import Cpe
from demarc.domains.cpe.procedures import Outcome, Refused
from demarc.domains.cpe.service import Cpes, Due, Informed
from demarc.platform.clock import Clock
from demarc.platform.database import Database
from demarc.platform.telemetry.counters import count
from demarc.protocols.cwmp import messages
from demarc.protocols.cwmp.errors import ACS_FAULTS, ACS_METHOD_NOT_SUPPORTED
from demarc.protocols.cwmp.messages import AcsRequest, CpeRequest, Fault, Response
from demarc.protocols.cwmp.session import Answered, Asked, Ready, Session
from demarc.southbound.cwmp.limits import Limits

_log = structlog.get_logger(__name__)

METHODS: Final = ("Inform", "TransferComplete", "AutonomousTransferComplete", "GetRPCMethods")
"""What this ACS can be asked (TR-069 Amendment 6, A.3.1.1)."""


class Conversation:
    """A session with a device that has proved who it is.

    Args:
        db: transactions of the system are opened on it.
        cpes: what is known of devices.
        informed: as the session began.
        session: its course so far, the Inform taken and answered.
        token: digest of what the device carries from post to post.
        limits: how long it may last.
        clock: the time.
    """

    def __init__(
        self,
        *,
        db: Database,
        cpes: Cpes,
        informed: Informed,
        session: Session,
        token: bytes,
        limits: Limits,
        clock: Clock,
    ) -> None:
        self._db = db
        self._cpes = cpes
        self._informed = informed
        self._session = session
        self._limits = limits
        self._clock = clock
        self._due: deque[Due] | None = None
        self._current: Due | None = None
        self._requests = 0
        self.token = token
        self.received = 0
        self.began = self.heard = monotonic()
        # a device that posts anew before it was answered waits its turn
        self.turn = asyncio.Lock()

    @property
    def cpe(self) -> Cpe:
        """Whose session it is."""
        return self._informed.cpe

    @property
    def over(self) -> bool:
        """Whether nothing more is to be said."""
        return self._session.state.stage == "over"

    def expired(self, now: float) -> bool:
        """Tell whether it has lasted, or been silent, for too long; monotonic seconds."""
        return now - self.began > self._limits.session or now - self.heard > self._limits.idle

    async def take(self, body: bytes) -> bytes:
        """Take a post and give the answer; an empty one ends the session.

        Raises:
            Malformed: the post is no message; the session goes on.
            OutOfTurn: it does not come now; the session is over.
        """
        self.heard = monotonic()
        self.received += len(body)
        received = self._session.receive(body)
        if isinstance(received, Asked):
            return self._session.answer(await self._asked(received.message))
        if isinstance(received, Ready):
            if isinstance(received.answered, messages.GetParameterValuesResponse):
                await self._keep(received.answered)
            return await self._next(None)
        await self._keep(received.response)
        return await self._next(received)

    async def _asked(self, message: CpeRequest) -> Response | Fault:
        if isinstance(message, messages.TransferComplete):
            async with self._db.system() as tx:
                await self._cpes.transferred(tx, self.cpe, message)
            return messages.TransferCompleteResponse()
        if isinstance(message, messages.AutonomousTransferComplete):
            count("cwmp_autonomous_transfers")
            return messages.AutonomousTransferCompleteResponse()
        if isinstance(message, messages.GetRPCMethods):
            return messages.GetRPCMethodsResponse(METHODS)
        code = ACS_METHOD_NOT_SUPPORTED
        return Fault(code, ACS_FAULTS[code])

    async def _keep(self, response: Response | Fault) -> None:
        """Keep what a device told, whoever wanted to know it."""
        if isinstance(response, messages.GetParameterValuesResponse):
            async with self._db.system() as tx:
                await self._cpes.told(tx, self.cpe, list(response.parameters), self._clock())
        elif isinstance(response, messages.GetParameterNamesResponse):
            async with self._db.system() as tx:
                await self._cpes.listed(tx, self.cpe, list(response.parameters))

    async def _next(self, answered: Answered | None) -> bytes:
        """Give the next request, or nothing when nothing more is due."""
        if self._due is None:
            async with self._db.system() as tx:
                self._due = deque(await self._cpes.due(tx, self._informed, self._clock()))
        response = None if answered is None else answered.response
        while True:
            if self._current is None:
                if not self._due or self._requests >= self._limits.requests:
                    return self._session.end()
                self._current, response = self._due.popleft(), None
            request = await self._advance(self._current, response)
            if request is not None:
                self._requests += 1
                count("cwmp_requests", kind=type(request).__name__)
                return self._session.ask(request)
            self._current = None

    async def _advance(self, due: Due, response: Response | Fault | None) -> AcsRequest | None:
        """Give a procedure the answer to its request and get its next; None when it has ended."""
        outcome: Outcome
        try:
            if response is None:
                return next(due.procedure)
            return due.procedure.send(response)
        except StopIteration as end:
            outcome = end.value
        except Exception:  # noqa: BLE001 - logged
            # a fault of ours in one procedure is not to take the others
            _log.exception("a procedure failed", procedure=due.name)
            outcome = Refused("it could not be carried out")
        count("cwmp_procedures", kind=due.name, outcome=type(outcome).__name__)
        async with self._db.system() as tx:
            await self._cpes.finished(tx, self.cpe, due, outcome, self._clock())
        return None

    async def end(self) -> None:
        """Note that it is over."""
        async with self._db.system() as tx:
            await self._cpes.end_session(tx, self.cpe, self.token, self._clock())


__all__ = ["METHODS", "Conversation"]
