"""One simulated ONU: what it is, whether it runs, and what last took it down."""

from __future__ import annotations

from datetime import datetime
from random import Random
from typing import Final, Literal, TypeAlias

from demarc.lab.olt.light import Light
from demarc.protocols.gpon import parse_serial
from demarc.protocols.snmp.mibs import huawei

Failure: TypeAlias = Literal["los", "dying-gasp"]
"""A cut fibre, or a subscriber's power gone."""

CAUSES: Final[dict[Failure, int]] = {"los": huawei.LOS, "dying-gasp": huawei.DYING_GASP}

RESET_CAUSE: Final = 9
"""What the lab gives as the cause after a reset; the published facts name no number for it."""

NO_CAUSE: Final = huawei.RUN_UNKNOWN


class Onu:
    """An ONU on a PON.

    Attributes:
        serial: as given, `HWTC12345678`.
        slot: where its PON is.
        port: likewise.
        number: its ONT number on the PON once configured, its autofind number before.
        configured: whether the OLT knows it; otherwise it shows in autofind only.
        running: whether it is up, ranged and passing traffic.
        failed: what keeps it down, if anything does.
        down_cause: Huawei's number for what last took it down, -1 if nothing ever did.
        last_up_at: when it last came up, None if never.
        last_down_at: when it last went down, None if never.
        light: its optical link.
    """

    def __init__(
        self,
        serial: str,
        *,
        slot: int,
        port: int,
        number: int,
        model: str,
        distance_m: int,
        description: str,
        olt_tx_dbm: float,
        rng: Random,
    ) -> None:
        self.serial = serial
        self.octets = parse_serial(serial)
        self.slot = slot
        self.port = port
        self.number = number
        self.model = model
        self.distance_m = distance_m
        self.description = description
        self.rng = rng
        self.light = Light(rng, distance_m, olt_tx_dbm)
        self.configured = False
        self.running = False
        self.failed: Failure | None = None
        self.down_cause = NO_CAUSE
        self.found_at: datetime | None = None
        self.last_up_at: datetime | None = None
        self.last_down_at: datetime | None = None
        self._back_in: float | None = None

    @property
    def if_index(self) -> int:
        """The ifIndex of its PON."""
        return huawei.pon_if_index(self.slot, self.port)

    @property
    def index(self) -> tuple[int, int]:
        """Its row in Huawei's tables."""
        return self.if_index, self.number

    @property
    def heard(self) -> bool:
        """Whether its light reaches the OLT at all."""
        return self.failed is None

    def come_up(self, now: datetime) -> None:
        """Go into operation, if configured, nothing keeps it down and it is not up already."""
        self._back_in = None
        if self.configured and self.failed is None and not self.running:
            self.running = True
            self.last_up_at = now

    def go_down(self, now: datetime, cause: int) -> None:
        """Go out of operation; what took it down first stays the cause."""
        self._back_in = None
        if self.running:
            self.running = False
            self.last_down_at = now
            self.down_cause = cause

    def reset(self, now: datetime, boot_seconds: float) -> None:
        """Go down and come back after a boot."""
        self.go_down(now, RESET_CAUSE)
        self._back_in = boot_seconds

    def schedule_repair(self, seconds: float) -> None:
        """Let whatever failed be mended after some time."""
        self._back_in = seconds

    def advance(self, seconds: float, now: datetime) -> bool:
        """Let time pass; return whether the ONU came back to life in it."""
        self.light.advance(seconds)
        if self._back_in is None:
            return False
        self._back_in -= seconds
        if self._back_in > 0:
            return False
        self.failed = None
        self.come_up(now)
        return True
