"""When light is too weak or too strong: rules without I/O.

Limits are inclusive as in the Nagios plugin guidelines: a value on a limit is still good.
Receive limits are those that operators use for GPON class B+ plant; the sender's are those of
ITU-T G.984.2 Amd. 1 class B+, 0.5 to 5 dBm at the ONU, with one more dB until it is critical,
since a module measures itself no better than that.
"""

from __future__ import annotations

import math
from typing import Final, Literal, TypeAlias

import msgspec

Status: TypeAlias = Literal["ok", "warning", "critical", "unknown"]


class Limits(msgspec.Struct, frozen=True):
    """Limits of a power, dBm: critical below and above the outer two, warning the inner two."""

    low_critical: float
    low_warning: float
    high_warning: float
    high_critical: float


class Verdict(msgspec.Struct, frozen=True):
    """What the figures of an ONU mean.

    Attributes:
        rx_status: of the power the ONU receives.
        tx_status: of the power it sends with.
        alerts: warnings, as sentences with figure and limit.
        alarms: what is critical, likewise; an ONU that is offline too, with the cause.
    """

    rx_status: Status
    tx_status: Status
    alerts: tuple[str, ...] = ()
    alarms: tuple[str, ...] = ()


ONU_RX: Final = Limits(-29, -27, -11, -8)
OLT_RX: Final = Limits(-32, -30, -12, -9)
ONU_TX: Final = Limits(-0.5, 0.5, 5, 6)

PLAUSIBLE_DBM: Final = (-50.0, 10.0)
"""Beyond these no module of an access network measures anything: the reading is no reading."""

_CAUSES: Final = {
    "los": "loss of signal (fibre cut or unplugged)",
    "losi": "loss of this ONU's signal",
    "lofi": "loss of this ONU's frames",
    "sfi": "signal failed, too many errors",
    "dying_gasp": "dying gasp (power lost at the subscriber)",
}


def status_of(dbm: float | None, limits: Limits) -> Status:
    """Judge a power; "unknown" if there is none or it is beyond what a module measures."""
    low, high = PLAUSIBLE_DBM
    if dbm is None or math.isnan(dbm) or not low <= dbm <= high:
        return "unknown"
    if dbm < limits.low_critical or dbm > limits.high_critical:
        return "critical"
    if dbm < limits.low_warning or dbm > limits.high_warning:
        return "warning"
    return "ok"


def assess(
    *,
    state: str | None,
    last_down_cause: str | None,
    rx_dbm: float | None,
    tx_dbm: float | None,
    olt_rx_dbm: float | None,
) -> Verdict:
    """Say what the figures of an ONU mean.

    Args:
        state: "online" or "offline"; None if it was never read.
        last_down_cause: as in `OnuReading`.
        rx_dbm: power the ONU receives.
        tx_dbm: power the ONU sends with.
        olt_rx_dbm: power the OLT receives from it; it raises alerts and alarms of its own.
    """
    if state != "online":
        alarms = () if state is None else (_offline(last_down_cause),)
        return Verdict("unknown", "unknown", alarms=alarms)
    alerts: list[str] = []
    alarms_found: list[str] = []
    statuses: list[Status] = []
    for what, dbm, limits in (
        ("ONU receives", rx_dbm, ONU_RX),
        ("ONU sends", tx_dbm, ONU_TX),
        ("OLT receives", olt_rx_dbm, OLT_RX),
    ):
        status = status_of(dbm, limits)
        statuses.append(status)
        if dbm is not None and status == "critical":
            alarms_found.append(_sentence(what, dbm, limits, status))
        elif dbm is not None and status == "warning":
            alerts.append(_sentence(what, dbm, limits, status))
    rx, tx, _ = statuses
    return Verdict(rx, tx, tuple(alerts), tuple(alarms_found))


def _offline(cause: str | None) -> str:
    if cause is None:
        return "ONU is offline"
    number = cause.removeprefix("other:")
    return f"ONU is offline: {_CAUSES.get(cause, f'cause {number}')}"


def _sentence(what: str, dbm: float, limits: Limits, status: Literal["warning", "critical"]) -> str:
    if status == "critical":
        low, high = limits.low_critical, limits.high_critical
    else:
        low, high = limits.low_warning, limits.high_warning
    side, limit = ("below", low) if dbm < low else ("above", high)
    return f"{what} {dbm:.2f} dBm, {side} the {status} limit of {limit:g} dBm"
