"""What an Accounting-Request says, out of its attributes (RFC 2866, 2869, vendors)."""

from datetime import datetime
from ipaddress import IPv6Network

import msgspec

from demarc.domains.aaa.accounting import Kind, Record, event_time
from demarc.domains.aaa.model import Nas
from demarc.domains.aaa.sessions import PortBlock
from demarc.protocols.radius.dictionary import DICTIONARY, Attribute
from demarc.protocols.radius.packet import Packet
from demarc.southbound.radius.nat import port_blocks

USER_NAME = DICTIONARY["User-Name"]
ACCT_STATUS_TYPE = DICTIONARY["Acct-Status-Type"]
ACCT_SESSION_ID = DICTIONARY["Acct-Session-Id"]
ACCT_SESSION_TIME = DICTIONARY["Acct-Session-Time"]
ACCT_DELAY_TIME = DICTIONARY["Acct-Delay-Time"]
ACCT_TERMINATE_CAUSE = DICTIONARY["Acct-Terminate-Cause"]
EVENT_TIMESTAMP = DICTIONARY["Event-Timestamp"]
FRAMED_IP_ADDRESS = DICTIONARY["Framed-IP-Address"]
FRAMED_IPV6_PREFIX = DICTIONARY["Framed-IPv6-Prefix"]
DELEGATED_IPV6_PREFIX = DICTIONARY["Delegated-IPv6-Prefix"]
CALLING_STATION_ID = DICTIONARY["Calling-Station-Id"]
NAS_PORT = DICTIONARY["NAS-Port"]
NAS_PORT_ID = DICTIONARY["NAS-Port-Id"]

_INPUT = (DICTIONARY["Acct-Input-Octets"], DICTIONARY["Acct-Input-Gigawords"])
_OUTPUT = (DICTIONARY["Acct-Output-Octets"], DICTIONARY["Acct-Output-Gigawords"])
# IPv6 is counted apart by these makes alone; the standard counters are the total.
_IPV6_INPUT = (
    (
        DICTIONARY["Huawei-Acct-IPv6-Input-Octets"],
        DICTIONARY["Huawei-Acct-IPv6-Input-Gigawords"],
    ),
    (DICTIONARY["ERX-IPv6-Acct-Input-Octets"], DICTIONARY["ERX-IPv6-Acct-Input-Gigawords"]),
)
_IPV6_OUTPUT = (
    (
        DICTIONARY["Huawei-Acct-IPv6-Output-Octets"],
        DICTIONARY["Huawei-Acct-IPv6-Output-Gigawords"],
    ),
    (DICTIONARY["ERX-IPv6-Acct-Output-Octets"], DICTIONARY["ERX-IPv6-Acct-Output-Gigawords"]),
)

_ON, _OFF = 7, 8
_KINDS = {int(kind): kind for kind in Kind}


class NasRestart(msgspec.Struct, frozen=True):
    """Accounting-On or -Off: the NAS has no session of before ``at``."""

    at: datetime


def read(packet: Packet, nas: Nas, host: str, received: datetime) -> Record | NasRestart | None:
    """Read an Accounting-Request.

    Args:
        packet: verified.
        nas: whose it is.
        host: the address it came from, which tells NASes of one prefix apart.
        received: when, UTC.

    Returns:
        None for what has no session and says nothing to us (links of tunnels and the like).

    Raises:
        Malformed: an attribute's octets do not fit it.
    """
    status = packet.number(ACCT_STATUS_TYPE)
    at, exact = event_time(received, packet.number(EVENT_TIMESTAMP), packet.number(ACCT_DELAY_TIME))
    if status in {_ON, _OFF}:
        return NasRestart(at)
    kind = None if status is None else _KINDS.get(status)
    if kind is None:
        return None
    received_octets, sent_octets = _octets(packet, *_INPUT), _octets(packet, *_OUTPUT)
    ipv6_received = ipv6_sent = 0
    nat: tuple[PortBlock, ...] = ()
    if any(vendor for vendor, _, _ in packet.attributes):
        ipv6_received = max([_octets(packet, *pair) for pair in _IPV6_INPUT])
        ipv6_sent = max([_octets(packet, *pair) for pair in _IPV6_OUTPUT])
        nat = port_blocks(packet)
    if nas.counters_reversed:
        received_octets, sent_octets = sent_octets, received_octets
        ipv6_received, ipv6_sent = ipv6_sent, ipv6_received
    address = packet.address(FRAMED_IP_ADDRESS)
    cause = packet.number(ACCT_TERMINATE_CAUSE)
    return Record(
        kind=kind,
        nas_id=nas.id,
        nas_address=host,
        acct_session_id=packet.text(ACCT_SESSION_ID) or "",
        username=packet.text(USER_NAME) or "",
        at=at,
        exact=exact,
        session_seconds=packet.number(ACCT_SESSION_TIME),
        input_octets=received_octets,
        output_octets=sent_octets,
        ipv6_input_octets=ipv6_received,
        ipv6_output_octets=ipv6_sent,
        framed_ipv4=None if address is None else str(address),
        framed_ipv6_prefix=_prefix(packet, FRAMED_IPV6_PREFIX),
        delegated_ipv6_prefix=_prefix(packet, DELEGATED_IPV6_PREFIX),
        station=packet.text(CALLING_STATION_ID),
        nas_port_id=_port(packet),
        terminate_cause="Unknown" if cause is None else ACCT_TERMINATE_CAUSE.label(cause),
        nat=nat,
    )


def _octets(packet: Packet, octets: Attribute, gigawords: Attribute) -> int:
    """Read a counter of 64 bits out of its two halves (RFC 2869, 5.1)."""
    low = packet.number(octets) or 0
    high = packet.number(gigawords)
    return low + (high << 32) if high else low


def _prefix(packet: Packet, attribute: Attribute) -> str | None:
    prefix = packet.get(attribute)
    return str(prefix) if isinstance(prefix, IPv6Network) else None


def _port(packet: Packet) -> str | None:
    name = packet.text(NAS_PORT_ID)
    if name is not None:
        return name
    number = packet.number(NAS_PORT)
    return None if number is None else str(number)


__all__ = ["NasRestart", "read"]
