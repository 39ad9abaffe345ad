"""Simulated routers that speak CWMP (TR-069) as those of the field do, habits and all.

Their trees are made after what is known of the makes; values are invented.
"""

from demarc.lab.cpe.device import Cpe, Patience
from demarc.lab.cpe.diagnostics import Distances
from demarc.lab.cpe.doorbell import Doorbell
from demarc.lab.cpe.fleet import Fleet
from demarc.lab.cpe.home import Home, Line, Online, OwnLine
from demarc.lab.cpe.model import MODELS, Habits, Model, model
from demarc.lab.cpe.session import Trouble
from demarc.lab.cpe.shaping import Rates

__all__ = [
    "MODELS",
    "Cpe",
    "Distances",
    "Doorbell",
    "Fleet",
    "Habits",
    "Home",
    "Line",
    "Model",
    "Online",
    "OwnLine",
    "Patience",
    "Rates",
    "Trouble",
    "model",
]
