"""Blocks of ports that accounting tells of, by makes that do CGNAT themselves."""

import re

from demarc.domains.aaa.sessions import PortBlock
from demarc.protocols.radius.dictionary import DICTIONARY
from demarc.protocols.radius.packet import Packet

HUAWEI_ADDRESS = DICTIONARY["Huawei-NAT-Public-Address"]
HUAWEI_FIRST = DICTIONARY["Huawei-NAT-Start-Port"]
HUAWEI_LAST = DICTIONARY["Huawei-NAT-End-Port"]
NOKIA_RANGE = DICTIONARY["Alc-Nat-Port-Range"]

# "198.51.100.7 2048..3071 router base"
_RANGE = re.compile(r"(?a)(\d{1,3}(?:\.\d{1,3}){3}) (\d{1,5})\.\.(\d{1,5})(?: |$)")
_LAST_PORT = 65_535
_LAST_OCTET = 255


def port_blocks(packet: Packet) -> tuple[PortBlock, ...]:
    """Read the blocks of ports a session has; empty where none are told, or nonsense is."""
    told: list[PortBlock] = []
    address = packet.address(HUAWEI_ADDRESS)
    if address is not None:
        first, last = packet.number(HUAWEI_FIRST), packet.number(HUAWEI_LAST)
        # without ports the whole address is the session's
        told.append(
            PortBlock(
                str(address), 0 if first is None else first, _LAST_PORT if last is None else last
            )
        )
    for octets in packet.values(NOKIA_RANGE):
        found = _RANGE.match(octets.decode(errors="replace"))
        if found is not None and all(int(octet) <= _LAST_OCTET for octet in found[1].split(".")):
            told.append(PortBlock(found[1], int(found[2]), int(found[3])))
    return tuple(block for block in told if 0 <= block.port_from <= block.port_to <= _LAST_PORT)


__all__ = ["port_blocks"]
