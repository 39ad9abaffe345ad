"""Huawei's XPON MIB as MA56xx and MA58xx OLTs serve it, below 1.3.6.1.4.1.2011.6.128.1.1.2.

Every ONU table is indexed by the ifIndex of the PON and the ONU's number on it. An OLT says
"no value" with 2147483647 (an offline ONU's light) or -1 (its distance).
"""

from __future__ import annotations

from typing import Final

from demarc.protocols.snmp.ber import Oid

_XPON: Final[Oid] = (1, 3, 6, 1, 4, 1, 2011, 6, 128, 1, 1, 2)

# The configured ONUs.
_CONFIG: Final[Oid] = (*_XPON, 43, 1)
ONT_SN: Final[Oid] = (*_CONFIG, 3)
"""OCTET STRING of 8 octets."""
ONT_LINE_PROFILE: Final[Oid] = (*_CONFIG, 7)
ONT_SERVICE_PROFILE: Final[Oid] = (*_CONFIG, 8)
ONT_DESCRIPTION: Final[Oid] = (*_CONFIG, 9)
ONT_ROW_STATUS: Final[Oid] = (*_CONFIG, 10)

# Their state.
_STATE: Final[Oid] = (*_XPON, 46, 1)
ONT_RESET: Final[Oid] = (*_STATE, 2)
"""Written 1, resets the ONU."""
ONT_RUN_STATUS: Final[Oid] = (*_STATE, 15)
ONT_DISTANCE: Final[Oid] = (*_STATE, 20)
"""Metres, -1 if not known."""
ONT_LAST_UP_TIME: Final[Oid] = (*_STATE, 22)
"""DateAndTime."""
ONT_LAST_DOWN_TIME: Final[Oid] = (*_STATE, 23)
"""DateAndTime."""
ONT_LAST_DOWN_CAUSE: Final[Oid] = (*_STATE, 24)

# What the optical modules say.
_OPTICS: Final[Oid] = (*_XPON, 51, 1)
ONT_TEMPERATURE: Final[Oid] = (*_OPTICS, 1)
"""Degrees Celsius."""
ONT_TX_POWER: Final[Oid] = (*_OPTICS, 3)
"""The ONU's transmitter, 0.01 dBm."""
ONT_RX_POWER: Final[Oid] = (*_OPTICS, 4)
"""The ONU's receiver, 0.01 dBm."""
OLT_RX_POWER: Final[Oid] = (*_OPTICS, 6)
"""What the OLT receives of this ONU, 0.01 dBm plus 10000."""
ONT_CATV_RX_POWER: Final[Oid] = (*_OPTICS, 7)

# ONUs that were heard and are not configured.
_AUTOFIND: Final[Oid] = (*_XPON, 48, 1)
AUTOFIND_SN: Final[Oid] = (*_AUTOFIND, 2)
AUTOFIND_MODEL: Final[Oid] = (*_AUTOFIND, 7)
AUTOFIND_TIME: Final[Oid] = (*_AUTOFIND, 8)
"""DateAndTime."""

NO_VALUE: Final = 2_147_483_647
NO_DISTANCE: Final = -1
ROW_ACTIVE: Final = 1
RESET: Final = 1
RUN_UP: Final = 1
RUN_DOWN: Final = 2
RUN_UNKNOWN: Final = -1

LOS: Final = 1
LOSI: Final = 2
LOFI: Final = 3
SFI: Final = 4
DYING_GASP: Final = 13

DOWN_CAUSES: Final[dict[int, str]] = {
    LOS: "los",
    LOSI: "losi",
    LOFI: "lofi",
    SFI: "sfi",
    DYING_GASP: "dying_gasp",
}
"""The last-down causes whose meaning is published."""

_IF_INDEX_BASE: Final = 4_194_304_000
_SLOT_STEP: Final = 8_192
_PORT_STEP: Final = 256
_MAX_SLOT: Final = 63
_MAX_PORT: Final = 31
_RX_OFFSET: Final = 10_000
_CENTI: Final = 100


def pon_if_index(slot: int, port: int) -> int:
    """Give the ifIndex of a GPON port of frame 0.

    Raises:
        ValueError: a slot outside 0..63 or a port outside 0..31.
    """
    if not (0 <= slot <= _MAX_SLOT and 0 <= port <= _MAX_PORT):
        raise ValueError(f"there is no GPON port 0/{slot}/{port}")
    return _IF_INDEX_BASE + slot * _SLOT_STEP + port * _PORT_STEP


def pon_of_if_index(if_index: int) -> tuple[int, int]:
    """Give slot and port of a GPON port's ifIndex.

    Raises:
        ValueError: the number belongs to no GPON port.
    """
    slot, rest = divmod(if_index - _IF_INDEX_BASE, _SLOT_STEP)
    port, remainder = divmod(rest, _PORT_STEP)
    if remainder or pon_if_index(slot, port) != if_index:
        raise ValueError(f"ifIndex {if_index} is no GPON port")
    return slot, port


def power_of_raw(raw: int) -> float | None:
    """Turn an ONU's tx or rx power as served into dBm; None for "no value"."""
    return None if raw == NO_VALUE else raw / _CENTI


def raw_of_power(dbm: float) -> int:
    """Turn an ONU's tx or rx power in dBm into the number served."""
    return round(dbm * _CENTI)


def olt_rx_of_raw(raw: int) -> float | None:
    """Turn the OLT's receive power as served into dBm; None for "no value"."""
    return None if raw == NO_VALUE else (raw - _RX_OFFSET) / _CENTI


def raw_of_olt_rx(dbm: float) -> int:
    """Turn the OLT's receive power in dBm into the number served."""
    return round(dbm * _CENTI) + _RX_OFFSET
