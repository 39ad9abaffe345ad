"""A simulated Huawei MA58xx OLT that answers real SNMPv2c over UDP.

Its ONUs' light wanders and fails as light does; what it serves is laid out as Huawei's XPON MIB
lays it out. The values are synthetic: no public recording of such an OLT with optics exists.
"""

from demarc.lab.olt.agent import Agent
from demarc.lab.olt.device import Olt
from demarc.lab.olt.onu import Onu

__all__ = ["Agent", "Olt", "Onu"]
