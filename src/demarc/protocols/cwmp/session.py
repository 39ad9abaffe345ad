"""The course of a session as the ACS sees it (TR-069 Amendment 6, 3.7).

The CPE posts, the ACS answers; each answer has the next post follow. It begins with an Inform. Then
the CPE asks what it has to ask, says by an empty post that it has nothing more, and from there on
each answer of the ACS is a request to the CPE, until the ACS answers with nothing.

    session = Session()
    match session.receive(body):
        case Asked(message): reply = session.answer(InformResponse())
        case Answered(request, response): reply = session.ask(next_request) or session.end()
        case Ready(): reply = session.ask(first_request) or session.end()

What a session knows can be kept as a ``State`` and taken up by another process.
"""

from typing import Literal, TypeAlias

import msgspec

from demarc.protocols.cwmp.envelope import Envelope, decode, encode
from demarc.protocols.cwmp.errors import Malformed
from demarc.protocols.cwmp.messages import (
    AcsRequest,
    CpeRequest,
    Fault,
    Inform,
    Message,
    Response,
    answers,
)

Stage = Literal["begin", "asking", "ready", "waiting", "resumed", "over"]


class OutOfTurn(Exception):
    """A post does not fit the course of the session; its text says how."""


class Asked(msgspec.Struct, frozen=True):
    """The CPE asks something; it is to be answered."""

    message: CpeRequest


class Answered(msgspec.Struct, frozen=True):
    """The CPE answers what it was asked; it is to be asked something else, or let go.

    Attributes:
        request: as it was put.
        response: of its kind, or a Fault.
    """

    request: AcsRequest
    response: Response | Fault


class Ready(msgspec.Struct, frozen=True):
    """The CPE has nothing to ask; it is to be asked something, or let go.

    Attributes:
        answered: what it said to a request that was put by whoever had the session before.
    """

    answered: Message | None = None


Received: TypeAlias = Asked | Answered | Ready


class State(msgspec.Struct):
    """What a session knows.

    Attributes:
        stage: "begin" before the Inform, "asking" while an answer is owed to the CPE, "ready" when
            the CPE may be asked, "waiting" for its answer, "resumed" where somebody else had the
            session before and what it stood at is not known, "over" when it was let go.
        version: of the CPE's name space.
        id: of the CPE's request that is to be answered.
        asked: requests put to the CPE so far.
        request: the one that is under way.
    """

    stage: Stage = "begin"
    version: str = "1-0"
    id: str | None = None
    asked: int = 0
    request: AcsRequest | None = None


class Session:
    """One session.

    Args:
        state: of a session to be taken up; a new one by default.
    """

    def __init__(self, state: State | None = None) -> None:
        self.state = State() if state is None else state

    def receive(self, body: bytes) -> Received:
        """Take a post.

        Args:
            body: may be empty.

        Raises:
            Malformed: it is no CWMP message; the session stays as it is.
            OutOfTurn: it does not come now; the session is over.
        """
        if not body.strip():
            return self._nothing()
        envelope = decode(body)
        message = envelope.message
        state = self.state
        if state.stage == "over":
            raise self._broken("the session is over")
        if isinstance(message, Inform):
            if state.stage != "begin":
                raise self._broken("an Inform comes first and once")
            state.version = envelope.version
        elif state.stage == "begin":
            raise self._broken("a session begins with an Inform")
        elif state.stage == "waiting":
            return self._answered(envelope)
        if state.stage == "resumed":
            state.stage, state.version = "ready", envelope.version
            if not isinstance(message, CpeRequest):
                return Ready(message)
        if not isinstance(message, CpeRequest):
            raise self._broken(f"{type(message).__name__} answers nothing that was asked")
        state.stage, state.id = "asking", envelope.id
        return Asked(message)

    def _nothing(self) -> Received:
        if self.state.stage in {"ready", "resumed"}:
            self.state.stage = "ready"
            return Ready()
        if self.state.stage == "waiting":
            # a CPE that owes an answer and sends nothing will not give one
            request = self._take_request()
            return Answered(request, Fault(0, "the CPE gave no answer"))
        raise self._broken("an empty post comes after the Inform")

    def _answered(self, envelope: Envelope) -> Received:
        message = envelope.message
        request = self.state.request
        if request is None:
            raise self._broken("nothing was asked")
        if isinstance(message, CpeRequest):
            # some CPEs remember something to tell in the middle; the answer is still owed
            self.state.stage, self.state.id = "asking", envelope.id
            return Asked(message)
        if not answers(message, request):
            name, asked = type(message).__name__, type(request).__name__
            raise self._broken(f"{name} does not answer {asked}")
        self._take_request()
        return Answered(request, message)  # type: ignore[arg-type]

    def _take_request(self) -> AcsRequest:
        request, self.state.request = self.state.request, None
        self.state.stage = "ready"
        if request is None:
            raise self._broken("nothing was asked")
        return request

    def answer(self, message: Response | Fault, *, hold: bool = False) -> bytes:
        """Give the octets that answer what the CPE asked.

        Args:
            message: of the kind that answers it, or a Fault.
            hold: the CPE is to ask nothing more for now.

        Raises:
            OutOfTurn: nothing is to be answered.
        """
        state = self.state
        if state.stage != "asking":
            raise OutOfTurn("nothing is to be answered")
        state.stage = "ready" if state.request is None else "waiting"
        return encode(Envelope(message, id=state.id, version=state.version, hold_requests=hold))

    def ask(self, request: AcsRequest) -> bytes:
        """Give the octets of a request to the CPE.

        Raises:
            OutOfTurn: the CPE is not to be asked now.
        """
        state = self.state
        if state.stage != "ready":
            raise OutOfTurn("the CPE is not to be asked now")
        state.stage, state.request = "waiting", request
        state.asked += 1
        return encode(Envelope(request, id=f"acs-{state.asked}", version=state.version))

    def end(self) -> bytes:
        """Let the CPE go; the answer is empty."""
        self.state.stage = "over"
        return b""

    def _broken(self, reason: str) -> OutOfTurn:
        self.state.stage = "over"
        return OutOfTurn(reason)


__all__ = ["Answered", "Asked", "Malformed", "OutOfTurn", "Ready", "Received", "Session", "State"]
