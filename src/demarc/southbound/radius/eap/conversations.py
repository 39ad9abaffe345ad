"""Conversations under way: each begins with an identity, and ends with an Accept or a Reject."""

import os
from collections import OrderedDict
from uuid import UUID

from demarc.platform.clock import Monotonic
from demarc.southbound.radius.eap.method import Method, Person

MOST = 4_000
"""Conversations at a time; who wants one more gets no answer."""

AGE = 30.0
"""Seconds after which one that is silent is over."""

MOST_ROUNDS = 60
"""Requests in one conversation; no method needs half as many."""

_STATE = 16


class Conversation:
    """One peer's log-in under way.

    Args:
        state: names it in every packet, and nobody can guess it.
        nas_id: whose it is.
        host: the address of the NAS.
        person: whom the outer identity names.
        method: that is spoken.
    """

    __slots__ = (
        "answered",
        "begun",
        "busy",
        "challenge",
        "host",
        "identifier",
        "method",
        "nas_id",
        "person",
        "refused",
        "rounds",
        "state",
        "until",
    )

    def __init__(
        self, state: bytes, nas_id: UUID, host: str, person: Person, method: Method
    ) -> None:
        self.state = state
        self.nas_id = nas_id
        self.host = host
        self.person = person
        self.method = method
        self.until = 0.0
        self.rounds = 0
        # the request that waits for its answer, and the packet it went out in
        self.identifier = 0
        self.challenge = b""
        # the answer to the one before it
        self.answered = b""
        # methods that were offered
        self.refused: set[int] = set()
        self.begun = False
        self.busy = False


class Conversations:
    """All that are under way; a State that is not in here is late, foreign or made up.

    Args:
        clock: monotonic seconds.
    """

    def __init__(self, clock: Monotonic) -> None:
        self._clock = clock
        # the one that was silent for longest first
        self._known: OrderedDict[bytes, Conversation] = OrderedDict()

    def begin(self, nas_id: UUID, host: str, person: Person, method: Method) -> Conversation | None:
        """Begin one; None when there are too many."""
        now = self._clock()
        while self._known and next(iter(self._known.values())).until <= now:
            self._known.popitem(last=False)
        if len(self._known) >= MOST:
            return None
        conversation = Conversation(os.urandom(_STATE), nas_id, host, person, method)
        conversation.until = now + AGE
        self._known[conversation.state] = conversation
        return conversation

    def find(self, state: bytes, nas_id: UUID, host: str) -> Conversation | None:
        """Give the one that a State names, if it is this NAS's."""
        found = self._known.get(state)
        if found is None or found.until <= self._clock():
            return None
        return found if (found.nas_id, found.host) == (nas_id, host) else None

    def heard(self, conversation: Conversation) -> None:
        """Note that one goes on."""
        conversation.until = self._clock() + AGE
        if conversation.state in self._known:
            self._known.move_to_end(conversation.state)

    def end(self, conversation: Conversation) -> None:
        """Forget one."""
        self._known.pop(conversation.state, None)

    def __len__(self) -> int:
        return len(self._known)


__all__ = ["AGE", "MOST", "MOST_ROUNDS", "Conversation", "Conversations"]
