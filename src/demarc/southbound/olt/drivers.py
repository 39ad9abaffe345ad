"""Which driver speaks with the OLTs of which vendor."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from demarc.domains.access.ports import OltDriver
from demarc.southbound.olt.huawei import HuaweiOlt

DRIVERS: Final[Mapping[str, OltDriver]] = MappingProxyType({"huawei": HuaweiOlt()})
"""By the vendor's name as an OLT's record holds it."""
