"""Objects every device has: system group (RFC 3418) and interfaces (RFC 2863)."""

from __future__ import annotations

from typing import Final

from demarc.protocols.snmp.ber import Oid

_MIB_2: Final[Oid] = (1, 3, 6, 1, 2, 1)

SYS_DESCR: Final[Oid] = (*_MIB_2, 1, 1, 0)
SYS_OBJECT_ID: Final[Oid] = (*_MIB_2, 1, 2, 0)
SYS_UP_TIME: Final[Oid] = (*_MIB_2, 1, 3, 0)
"""TimeTicks since the agent started."""
SYS_CONTACT: Final[Oid] = (*_MIB_2, 1, 4, 0)
SYS_NAME: Final[Oid] = (*_MIB_2, 1, 5, 0)
SYS_LOCATION: Final[Oid] = (*_MIB_2, 1, 6, 0)

IF_NUMBER: Final[Oid] = (*_MIB_2, 2, 1, 0)
_IF_ENTRY: Final[Oid] = (*_MIB_2, 2, 2, 1)
IF_INDEX: Final[Oid] = (*_IF_ENTRY, 1)
IF_DESCR: Final[Oid] = (*_IF_ENTRY, 2)
IF_TYPE: Final[Oid] = (*_IF_ENTRY, 3)
IF_SPEED: Final[Oid] = (*_IF_ENTRY, 5)
"""Gauge32, bit/s."""
IF_ADMIN_STATUS: Final[Oid] = (*_IF_ENTRY, 7)
IF_OPER_STATUS: Final[Oid] = (*_IF_ENTRY, 8)
IF_NAME: Final[Oid] = (*_MIB_2, 31, 1, 1, 1, 1)

IF_TYPE_GPON: Final = 250
"""IANAifType gpon."""
UP: Final = 1
DOWN: Final = 2
