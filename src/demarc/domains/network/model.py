"""Commands to devices, PoPs."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import msgspec


class CommandState(StrEnum):
    """How far a command has come; the last three are final."""

    QUEUED = "queued"
    SENT = "sent"
    DONE = "done"
    FAILED = "failed"
    EXPIRED = "expired"

    @property
    def final(self) -> bool:
        """Whether nothing more will happen."""
        return self in (CommandState.DONE, CommandState.FAILED, CommandState.EXPIRED)


class Command(msgspec.Struct, frozen=True):
    """A command to a device and what the device answered.

    Attributes:
        kind: what is asked ("radius.disconnect", "olt.read_onu", "cpe.wifi" ...).
        target_kind: what kind of thing is asked; ``target_id`` which.
        reach: whose workers can reach it.
        request: its arguments; never a secret.
        answer: the device's own answer, once done.
        fault: why it failed, as the device or the network gave it.
        deadline: after this it counts as expired.
    """

    id: UUID
    tenant_id: UUID
    owner_id: UUID
    service_id: UUID | None
    kind: str
    target_kind: str
    target_id: UUID | None
    reach: str
    state: str
    request: dict[str, Any]
    answer: dict[str, Any] | None
    fault: str | None
    created_at: datetime
    deadline: datetime
    sent_at: datetime | None
    finished_at: datetime | None

    @property
    def final(self) -> bool:
        """Whether nothing more will happen to it."""
        return CommandState(self.state).final


class Pop(msgspec.Struct, frozen=True):
    """A point of presence: where OLTs and NASes stand."""

    id: UUID
    owner_id: UUID
    network_id: UUID
    code: str
    name: str
    latitude: float | None
    longitude: float | None
