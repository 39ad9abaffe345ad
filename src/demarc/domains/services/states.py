"""The states of a service, and what brings it from one to another.

The table below is the whole machine: an action that is not in it for a state is refused.
"""

from enum import StrEnum
from typing import Literal

import msgspec


class State(StrEnum):
    """Where a service stands."""

    PENDING_INSTALLATION = "pending_installation"
    PENDING_ACTIVATION = "pending_activation"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    PENDING_CANCELLATION = "pending_cancellation"
    CANCELLED = "cancelled"


class Action(StrEnum):
    """What is done to a service."""

    #: its first Accept, or its ONU came online, where the tenant wants that to activate
    ACTIVATE = "activate"
    #: the same, where the tenant activates by hand
    INSTALL = "install"
    SUSPEND = "suspend"
    RESUME = "resume"
    #: cancelled at a later time; works until then
    GIVE_NOTICE = "give_notice"
    CANCEL = "cancel"


Access = Literal["allowed", "suspended", "closed"]

# What RADIUS does with the credentials of a service in this state. A credential is live from the
# service's creation, so that the installer can bring the line up.
ACCESS: dict[State, Access] = {
    State.PENDING_INSTALLATION: "allowed",
    State.PENDING_ACTIVATION: "allowed",
    State.ACTIVE: "allowed",
    State.SUSPENDED: "suspended",
    State.PENDING_CANCELLATION: "allowed",
    State.CANCELLED: "closed",
}

_ALIVE = (
    State.PENDING_INSTALLATION,
    State.PENDING_ACTIVATION,
    State.ACTIVE,
    State.SUSPENDED,
    State.PENDING_CANCELLATION,
)


class Refused(msgspec.Struct, frozen=True):
    """Why an action is not possible now."""

    reason: str


def follow(
    state: State, action: Action, *, provisioned: bool, noticed: bool = False
) -> State | Refused:
    """Give the state the action leads to.

    Args:
        state: where the service stands.
        action: what is done.
        provisioned: whether it has ever worked; where it returns to depends on that.
        noticed: whether it was under notice when it was suspended; it is again when resumed.
    """
    target: State | None = None
    match action:
        case Action.ACTIVATE if state in (State.PENDING_INSTALLATION, State.PENDING_ACTIVATION):
            target = State.ACTIVE
        case Action.INSTALL if state is State.PENDING_INSTALLATION:
            target = State.PENDING_ACTIVATION
        case Action.SUSPEND if state in (
            State.PENDING_INSTALLATION,
            State.PENDING_ACTIVATION,
            State.ACTIVE,
            State.PENDING_CANCELLATION,
        ):
            target = State.SUSPENDED
        case Action.RESUME if state is State.SUSPENDED and noticed:
            target = State.PENDING_CANCELLATION
        case Action.RESUME if state in (State.SUSPENDED, State.PENDING_CANCELLATION):
            target = State.ACTIVE if provisioned else State.PENDING_INSTALLATION
        case Action.GIVE_NOTICE if state in _ALIVE and state is not State.PENDING_CANCELLATION:
            target = State.PENDING_CANCELLATION
        case Action.CANCEL if state in _ALIVE:
            target = State.CANCELLED
        case _:
            pass
    if target is None:
        shown = state.value.replace("_", " ")
        return Refused(f"a service that is {shown} cannot {_VERB[action]}")
    return target


_VERB = {
    Action.ACTIVATE: "be activated",
    Action.INSTALL: "be installed",
    Action.SUSPEND: "be suspended",
    Action.RESUME: "be resumed",
    Action.GIVE_NOTICE: "be given notice",
    Action.CANCEL: "be cancelled",
}
