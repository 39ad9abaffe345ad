"""A simulated BNG that speaks RADIUS over UDP: logins, accounting, Disconnect and CoA."""

from demarc.lab.nas.client import Retry
from demarc.lab.nas.nas import Event, Nas, Refused
from demarc.lab.nas.session import Habits, Session
from demarc.lab.nas.subscriber import Patience, Subscriber
from demarc.lab.nas.traffic import Carried, Demand, Household, Limits
from demarc.lab.nas.walls import Walls

__all__ = [
    "Carried",
    "Demand",
    "Event",
    "Habits",
    "Household",
    "Limits",
    "Nas",
    "Patience",
    "Refused",
    "Retry",
    "Session",
    "Subscriber",
    "Walls",
]
