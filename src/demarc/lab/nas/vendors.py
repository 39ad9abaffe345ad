"""What NASes of different makers put into their requests, and read out of replies."""

from __future__ import annotations

import re
from typing import Final, Literal, Protocol, TypeAlias

from demarc.lab.nas.traffic import Limits
from demarc.protocols.radius.attributes import Pair
from demarc.protocols.radius.dictionary import DICTIONARY
from demarc.protocols.radius.errors import Malformed
from demarc.protocols.radius.packet import Packet

Make: TypeAlias = Literal["mikrotik", "huawei"]

_NAS_PORT: Final = DICTIONARY["NAS-Port"]
_NAS_PORT_TYPE: Final = DICTIONARY["NAS-Port-Type"]
_NAS_PORT_ID: Final = DICTIONARY["NAS-Port-Id"]
_CALLED: Final = DICTIONARY["Called-Station-Id"]
_CALLING: Final = DICTIONARY["Calling-Station-Id"]
_RATE_LIMIT: Final = DICTIONARY["MikroTik-Rate-Limit"]
_CONNECT_ID: Final = DICTIONARY["Huawei-Connect-ID"]
_IPHOST_ADDR: Final = DICTIONARY["Huawei-IPHost-Addr"]
_UP: Final = (
    DICTIONARY["Huawei-Input-Average-Rate"],
    DICTIONARY["Huawei-Input-Peak-Rate"],
)
_DOWN: Final = (
    DICTIONARY["Huawei-Output-Average-Rate"],
    DICTIONARY["Huawei-Output-Peak-Rate"],
)
_RATE: Final = re.compile(r"(\d{1,12})([kMG]?)(?:/(\d{1,12})([kMG]?))?")
_UNITS: Final = {"": 1, "k": 1_000, "M": 1_000_000, "G": 1_000_000_000}


class Vendor(Protocol):
    """A maker's way."""

    def port(self, number: int, station: str) -> list[Pair]:
        """Where a session enters: the port's number and the subscriber's MAC address."""
        ...

    def limits(self, packet: Packet) -> Limits | None:
        """The rates a reply or CoA sets, None if it sets none; Malformed if they are nonsense."""
        ...


class MikroTik:
    """RouterOS as PPPoE server."""

    def port(self, number: int, station: str) -> list[Pair]:
        """Ethernet, the interface's name, addresses in capitals with colons."""
        return [
            (_NAS_PORT, number),
            (_NAS_PORT_TYPE, "Ethernet"),
            (_NAS_PORT_ID, f"ether2-vlan{100 + number % 3900}"),
            (_CALLED, "pppoe"),
            (_CALLING, station.upper()),
        ]

    def limits(self, packet: Packet) -> Limits | None:
        """MikroTik-Rate-Limit: `rx[/tx] ...`, seen from the router, so rx is the subscriber's up.

        Bursts, thresholds and priority, which follow, are not simulated. 0 is no limit.
        """
        text = packet.text(_RATE_LIMIT)
        if text is None:
            return None
        match = _RATE.fullmatch(text.split(" ", 1)[0])
        if match is None:
            raise Malformed("MikroTik-Rate-Limit is no rate")
        up = int(match[1]) * _UNITS[match[2]]
        down = up if match[3] is None else int(match[3]) * _UNITS[match[4]]
        return Limits(up or None, down or None)


class Huawei:
    """ME60 or NE40E as BRAS."""

    def port(self, number: int, station: str) -> list[Pair]:
        """PPPoE over VLAN, the port in words, the MAC in three groups, an id of the connection."""
        digits = re.sub(r"[^0-9a-f]", "", station.lower())
        grouped = "-".join(digits[start : start + 4] for start in range(0, len(digits), 4))
        vlan = 100 + number % 3900
        return [
            (_NAS_PORT, number),
            (_NAS_PORT_TYPE, "PPPoEoVLAN"),
            (_NAS_PORT_ID, f"slot=0;subslot=0;port=1;vlanid={vlan};"),
            (_CALLING, grouped or station),
            (_CONNECT_ID, number),
            (_IPHOST_ADDR, f"255.255.255.255 {station.lower()}"),
        ]

    def limits(self, packet: Packet) -> Limits | None:
        """Input is from the subscriber; the average rate counts, else the peak. 0 is no limit."""
        up = next((rate for each in _UP if (rate := packet.number(each)) is not None), None)
        down = next((rate for each in _DOWN if (rate := packet.number(each)) is not None), None)
        if up is None and down is None:
            return None
        return Limits(up or None, down or None)


VENDORS: Final[dict[Make, Vendor]] = {"mikrotik": MikroTik(), "huawei": Huawei()}
