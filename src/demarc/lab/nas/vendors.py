"""What NASes of different makers put into their requests, and read out of replies."""

from __future__ import annotations

import re
from typing import Final, Literal, Protocol, TypeAlias

from demarc.lab.nas.traffic import Limits
from demarc.protocols.radius.attributes import Pair
from demarc.protocols.radius.dictionary import DICTIONARY
from demarc.protocols.radius.errors import Malformed
from demarc.protocols.radius.packet import Packet

Make: TypeAlias = Literal["mikrotik", "huawei", "juniper", "cisco", "nokia", "zte", "accel-ppp"]

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
_SHAPING: Final = DICTIONARY["ERX-CoS-Shaping-Pmt-Type"]
_PPPOE_DESCRIPTION: Final = DICTIONARY["ERX-Pppoe-Description"]
_AVPAIR: Final = DICTIONARY["Cisco-AVPair"]
_QOS_OVERRIDE: Final = DICTIONARY["Alc-Subscriber-QoS-Override"]
_HARDWARE: Final = DICTIONARY["Alc-Client-Hardware-Addr"]
_SCR_UP: Final = DICTIONARY["ZTE-Rate-Ctrl-SCR-Up"]
_SCR_DOWN: Final = DICTIONARY["ZTE-Rate-Ctrl-SCR-Down"]
_FILTER_ID: Final = DICTIONARY["Filter-Id"]
_T02: Final = re.compile(r"T02 (\d{1,12})([kmg]?)")
_POLICY: Final = re.compile(
    r"(?:ip:)?qos-policy-(in|out)=add-class\(sub,\(class-default\),(?:police|shape)\((\d{1,12})\b.*\)\)"
)
_OVERRIDE: Final = re.compile(r"(?:i:q:1:pir|(e):r:rate)=(\d{1,9})(?:,.*)?", re.IGNORECASE)
_SHAPER: Final = re.compile(r"(\d{1,9})(?:/(\d{1,9}))?")
_RATE: Final = re.compile(r"(\d{1,12})([kMG]?)(?:/(\d{1,12})([kMG]?))?")
_UNITS: Final = {"": 1, "k": 1_000, "M": 1_000_000, "G": 1_000_000_000}
_SMALL_UNITS: Final = {unit.lower(): factor for unit, factor in _UNITS.items()}


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
        digits = _digits(station)
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


class Juniper:
    """MX as BNG, with the attributes of the ERX."""

    def port(self, number: int, station: str) -> list[Pair]:
        """The MAC stands in a description only, in groups of four digits; no Calling-Station-Id."""
        digits = _digits(station)
        grouped = ".".join(digits[start : start + 4] for start in range(0, len(digits), 4))
        return [
            (_NAS_PORT, number),
            (_NAS_PORT_TYPE, "Ethernet"),
            (_NAS_PORT_ID, f"ge-1/0/0.{1073741824 + number}:{100 + number % 3900}"),
            (_PPPOE_DESCRIPTION, f"pppoe {grouped}"),
            (_CALLING, station.lower()),
        ]

    def limits(self, packet: Packet) -> Limits | None:
        """The shaping rate of what goes out, tag T02; what comes in is not limited by RADIUS."""
        for value in packet.all(_SHAPING):
            if (match := _T02.fullmatch(str(value))) is not None:
                return Limits(None, int(match[1]) * _SMALL_UNITS[match[2]] or None)
        return None


class Cisco:
    """ASR as ISG."""

    def port(self, number: int, station: str) -> list[Pair]:
        """Slot, subslot, port and session; the MAC in three groups with dots, and as AV pair."""
        digits = _digits(station)
        dotted = ".".join(digits[start : start + 4] for start in range(0, len(digits), 4))
        return [
            (_NAS_PORT, number),
            (_NAS_PORT_TYPE, "PPPoEoVLAN"),
            (_NAS_PORT_ID, f"0/0/1/{100 + number % 3900}"),
            (_CALLING, dotted),
            (_AVPAIR, f"client-mac-address={dotted}"),
        ]

    def limits(self, packet: Packet) -> Limits | None:
        """Parameters of the session's QoS policies, bit/s."""
        up = down = None
        for value in packet.all(_AVPAIR):
            if (match := _POLICY.fullmatch(str(value))) is None:
                continue
            if match[1] == "in":
                up = int(match[2])
            else:
                down = int(match[2])
        return None if up is None and down is None else Limits(up or None, down or None)


class Nokia:
    """7750 SR."""

    def port(self, number: int, station: str) -> list[Pair]:
        """The port with its tags, the MAC with colons, also as the host's hardware address."""
        return [
            (_NAS_PORT, number),
            (_NAS_PORT_TYPE, "PPPoEoVLAN"),
            (_NAS_PORT_ID, f"1/1/1:{100 + number % 3900}.{1 + number % 4000}"),
            (_CALLING, station.lower()),
            (_HARDWARE, station.lower()),
        ]

    def limits(self, packet: Packet) -> Limits | None:
        """Overrides of the first ingress queue and of the egress aggregate rate, kbit/s."""
        up = down = None
        for value in packet.all(_QOS_OVERRIDE):
            if (match := _OVERRIDE.fullmatch(str(value))) is None:
                continue
            if match[1]:
                down = int(match[2]) * 1000
            else:
                up = int(match[2]) * 1000
        return None if up is None and down is None else Limits(up or None, down or None)


class Zte:
    """M6000."""

    def port(self, number: int, station: str) -> list[Pair]:
        """The port in words, the MAC as twelve digits without anything between."""
        return [
            (_NAS_PORT, number),
            (_NAS_PORT_TYPE, "PPPoEoVLAN"),
            (_NAS_PORT_ID, f"slot=1;subslot=0;port=2;vlanid={100 + number % 3900};"),
            (_CALLING, _digits(station)),
        ]

    def limits(self, packet: Packet) -> Limits | None:
        """Sustained rates, kbit/s. 0 is no limit."""
        up, down = packet.number(_SCR_UP), packet.number(_SCR_DOWN)
        if up is None and down is None:
            return None
        return Limits((up or 0) * 1000 or None, (down or 0) * 1000 or None)


class AccelPpp:
    """accel-ppp on Linux."""

    def port(self, number: int, station: str) -> list[Pair]:
        """The kernel's interface; the MAC with colons, the access interface it came in by."""
        return [
            (_NAS_PORT, number),
            (_NAS_PORT_TYPE, "Virtual"),
            (_NAS_PORT_ID, f"ppp{number}"),
            (_CALLED, f"vlan{100 + number % 3900}"),
            (_CALLING, station.lower()),
        ]

    def limits(self, packet: Packet) -> Limits | None:
        """Filter-Id as its shaper reads it: down/up, or one rate for both, kbit/s."""
        text = packet.text(_FILTER_ID)
        if text is None:
            return None
        match = _SHAPER.fullmatch(text)
        if match is None:
            # the name of a filter
            return None
        down = int(match[1]) * 1000
        up = down if match[2] is None else int(match[2]) * 1000
        return Limits(up or None, down or None)


def _digits(station: str) -> str:
    return re.sub(r"[^0-9a-f]", "", station.lower())


VENDORS: Final[dict[Make, Vendor]] = {
    "mikrotik": MikroTik(),
    "huawei": Huawei(),
    "juniper": Juniper(),
    "cisco": Cisco(),
    "nokia": Nokia(),
    "zte": Zte(),
    "accel-ppp": AccelPpp(),
}
