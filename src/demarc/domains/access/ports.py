"""What the access domain needs of the network: drivers that ask OLTs."""

from collections.abc import AsyncGenerator
from datetime import datetime
from typing import Literal, Protocol

import msgspec


class OltUnreachable(Exception):
    """The OLT gave no answer in time, or could not be asked at all."""


class OltUnusable(OltUnreachable):
    """The OLT answered, but with an error or with what cannot be understood."""


class OnuNotFound(Exception):
    """The OLT knows no ONU there."""


class OltTarget(msgspec.Struct, frozen=True):
    """How to ask an OLT.

    Attributes:
        address: IP address, or a name.
        port: UDP port of its SNMP agent.
        community: the SNMP community; a secret, which no text of this struct shows.
        timeout_s: seconds within which each question must be answered, repeats included.
    """

    address: str
    port: int
    community: str
    timeout_s: float

    def __repr__(self) -> str:
        return f"OltTarget({self.address}:{self.port})"


class OnuReading(msgspec.Struct, frozen=True):
    """What an OLT says of one of its ONUs.

    Attributes:
        if_index: ifIndex of the PON.
        onu_index: the ONU's number on the PON.
        slot: of the PON, in frame 0.
        port: of the PON.
        serial: "HWTC12345678", or 16 hexadecimal digits where the vendor code is no letters.
        description: the operator's text for it; None if empty.
        state: whether it is in operation.
        last_down_cause: what last took it down: "los", "losi", "lofi", "sfi", "dying_gasp" or
            "other:N" with the OLT's own number; None if nothing ever did.
        distance_m: metres of fibre.
        tx_dbm: power the ONU sends with, dBm.
        rx_dbm: power the ONU receives, dBm.
        olt_rx_dbm: power the OLT receives from it, dBm.
        temperature_c: of the ONU's optical module, degrees Celsius.
        last_up_at: when it last came up.
        last_down_at: when it last went down.

    An offline ONU has neither light, temperature nor distance: they are None.
    """

    if_index: int
    onu_index: int
    slot: int
    port: int
    serial: str
    description: str | None
    state: Literal["online", "offline"]
    last_down_cause: str | None
    distance_m: int | None
    tx_dbm: float | None
    rx_dbm: float | None
    olt_rx_dbm: float | None
    temperature_c: float | None
    last_up_at: datetime | None
    last_down_at: datetime | None


class UnconfiguredOnu(msgspec.Struct, frozen=True):
    """An ONU that an OLT hears on a PON and has not been told to serve.

    Attributes:
        if_index: ifIndex of the PON.
        slot: of the PON, in frame 0.
        port: of the PON.
        serial: as in `OnuReading`.
        model: what it calls itself; None if it does not say.
        found_at: when the OLT first heard it.
    """

    if_index: int
    slot: int
    port: int
    serial: str
    model: str | None
    found_at: datetime | None


class OltDriver(Protocol):
    """Asks the OLTs of one vendor. Holds nothing between calls; safe to share."""

    async def read_onu(self, target: OltTarget, if_index: int, onu_index: int) -> OnuReading:
        """Read one ONU now, with one question.

        Raises:
            OltUnreachable: no answer within the target's time-out.
            OltUnusable: an error, or what cannot be understood.
            OnuNotFound: the OLT knows no such ONU.
        """
        ...

    def read_all(self, target: OltTarget) -> AsyncGenerator[list[OnuReading], None]:
        """Read every configured ONU, one batch for each PON that has any, in order of ifIndex.

        Raises:
            OltUnreachable: no answer within the target's time-out; batches given are whole.
            OltUnusable: an error, or what cannot be understood. If that is so of some PONs, the
                others are read all the same, and it is raised after the last batch.
        """
        ...

    async def discover(self, target: OltTarget) -> list[UnconfiguredOnu]:
        """Give the ONUs that are heard and not configured.

        Raises:
            OltUnreachable: no answer within the target's time-out.
            OltUnusable: an error, or what cannot be understood.
        """
        ...
