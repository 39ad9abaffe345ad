"""How light gets from an OLT to an ONU and back: a GPON class B+ link that wanders a little.

Downstream is 1490 nm, upstream 1310 nm, whose loss in the fibre is slightly higher.
Figures are typical of G.652 fibre and 1:64 splitters; powers are in dBm, losses in dB.
"""

from __future__ import annotations

import math
from random import Random
from typing import Final

_DOWN_LOSS_DB_PER_KM: Final = 0.35
_UP_LOSS_DB_PER_KM: Final = 0.40
_SPLITTER_LOSS_DB: Final = (17.0, 20.0)
_CONNECTOR_LOSS_DB: Final = (0.4, 1.6)
_ONU_TX_DBM: Final = (1.8, 3.2)
_ONU_TEMPERATURE_C: Final = (38.0, 52.0)

MAX_DISTANCE_M: Final = 60_000
"""The farthest logical reach G.984.1 knows."""


class Wander:
    """A value that wanders around its centre (an Ornstein-Uhlenbeck process).

    Args:
        rng: where chance comes from.
        centre: what it returns to.
        deviation: its standard deviation in the long run, in the value's unit.
        memory: after how many seconds a displacement has faded to a third.
    """

    def __init__(self, rng: Random, centre: float, deviation: float, memory: float) -> None:
        self._rng = rng
        self._deviation = deviation
        self._memory = memory
        self.centre = centre
        self._displacement = rng.gauss(0, deviation)

    @property
    def value(self) -> float:
        """Where it stands now."""
        return self.centre + self._displacement

    def advance(self, seconds: float) -> None:
        """Let time pass; exact for any step, so one long step equals many short ones."""
        keep = math.exp(-seconds / self._memory)
        spread = self._deviation * math.sqrt(1 - keep * keep)
        self._displacement = self._displacement * keep + self._rng.gauss(0, spread)


class Light:
    """The optical link of one ONU.

    Args:
        rng: where chance comes from; the same seed gives the same light.
        distance_m: length of the fibre, metres.
        olt_tx_dbm: what the PON's transmitter emits.
    """

    def __init__(self, rng: Random, distance_m: int, olt_tx_dbm: float) -> None:
        passive = rng.uniform(*_SPLITTER_LOSS_DB) + rng.uniform(*_CONNECTOR_LOSS_DB)
        self._olt_tx_dbm = olt_tx_dbm
        self._fibre_km = distance_m / 1000
        self._passive_db = Wander(rng, passive, deviation=0.25, memory=1800)
        self._onu_tx_dbm = Wander(rng, rng.uniform(*_ONU_TX_DBM), deviation=0.08, memory=3600)
        self._temperature_c = Wander(
            rng, rng.uniform(*_ONU_TEMPERATURE_C), deviation=1.5, memory=7200
        )
        self.extra_loss_db = 0.0
        """A bend, dirt or water in the way, on top of what the link always loses."""

    @property
    def onu_tx_dbm(self) -> float:
        """What the ONU's module says it emits."""
        return self._onu_tx_dbm.value

    @property
    def onu_rx_dbm(self) -> float:
        """What the ONU receives."""
        return self._olt_tx_dbm - self._loss_db(_DOWN_LOSS_DB_PER_KM)

    @property
    def olt_rx_dbm(self) -> float:
        """What the OLT receives of this ONU."""
        return self._onu_tx_dbm.value - self._loss_db(_UP_LOSS_DB_PER_KM)

    @property
    def temperature_c(self) -> float:
        """The temperature of the ONU's module."""
        return self._temperature_c.value

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        for wander in (self._passive_db, self._onu_tx_dbm, self._temperature_c):
            wander.advance(seconds)

    def _loss_db(self, per_km: float) -> float:
        return self._passive_db.value + self.extra_loss_db + per_km * self._fibre_km
