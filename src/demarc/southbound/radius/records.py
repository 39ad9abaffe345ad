"""What an Accounting-Request says, out of its attributes (RFC 2866, 2869, vendors)."""

from datetime import datetime
from functools import lru_cache
from ipaddress import IPv6Network
from socket import inet_ntoa

import msgspec

from demarc.domains.aaa.accounting import Kind, Record, event_time
from demarc.domains.aaa.model import Nas
from demarc.domains.aaa.sessions import UNTOLD, PortBlock
from demarc.protocols.radius.dictionary import DICTIONARY, VENDOR_BITS
from demarc.protocols.radius.errors import Malformed
from demarc.protocols.radius.packet import Packet
from demarc.protocols.radius.values import decode_value, read_text
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

_INPUT = (DICTIONARY["Acct-Input-Octets"].key, DICTIONARY["Acct-Input-Gigawords"].key)
_OUTPUT = (DICTIONARY["Acct-Output-Octets"].key, DICTIONARY["Acct-Output-Gigawords"].key)
# IPv6 is counted apart by these makes alone; the standard counters are the total.
_IPV6_INPUT = (
    (
        DICTIONARY["Huawei-Acct-IPv6-Input-Octets"].key,
        DICTIONARY["Huawei-Acct-IPv6-Input-Gigawords"].key,
    ),
    (DICTIONARY["ERX-IPv6-Acct-Input-Octets"].key, DICTIONARY["ERX-IPv6-Acct-Input-Gigawords"].key),
)
_IPV6_OUTPUT = (
    (
        DICTIONARY["Huawei-Acct-IPv6-Output-Octets"].key,
        DICTIONARY["Huawei-Acct-IPv6-Output-Gigawords"].key,
    ),
    (
        DICTIONARY["ERX-IPv6-Acct-Output-Octets"].key,
        DICTIONARY["ERX-IPv6-Acct-Output-Gigawords"].key,
    ),
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
    # a packet is asked for twenty attributes: by their keys, that is half of what it cost
    first = packet.first()
    status = _number(first, _STATUS)
    at, exact = event_time(received, _number(first, _STAMP), _number(first, _DELAY))
    if status in {_ON, _OFF}:
        return NasRestart(at)
    kind = None if status is None else _KINDS.get(status)
    if kind is None:
        return None
    received_octets, sent_octets = _octets(first, *_INPUT), _octets(first, *_OUTPUT)
    ipv6_received = ipv6_sent = 0
    nat: tuple[PortBlock, ...] = ()
    if max(first) >> VENDOR_BITS:
        ipv6_received = max([_octets(first, *pair) for pair in _IPV6_INPUT])
        ipv6_sent = max([_octets(first, *pair) for pair in _IPV6_OUTPUT])
        nat = port_blocks(packet)
    if nas.counters_reversed:
        received_octets, sent_octets = sent_octets, received_octets
        ipv6_received, ipv6_sent = ipv6_sent, ipv6_received
    cause = _number(first, ACCT_TERMINATE_CAUSE.key)
    return Record(
        kind=kind,
        nas_id=nas.id,
        nas_address=host,
        acct_session_id=_text(first, _SESSION) or "",
        username=_text(first, _USER) or "",
        at=at,
        exact=exact,
        session_seconds=_number(first, _TIME),
        input_octets=received_octets,
        output_octets=sent_octets,
        ipv6_input_octets=ipv6_received,
        ipv6_output_octets=ipv6_sent,
        framed_ipv4=_address(first),
        framed_ipv6_prefix=_prefix(first.get(FRAMED_IPV6_PREFIX.key)),
        delegated_ipv6_prefix=_prefix(first.get(DELEGATED_IPV6_PREFIX.key)),
        station=_text(first, _STATION),
        nas_port_id=_port(first),
        terminate_cause=UNTOLD if cause is None else ACCT_TERMINATE_CAUSE.label(cause),
        nat=nat,
    )


_STATUS, _STAMP, _DELAY = ACCT_STATUS_TYPE.key, EVENT_TIMESTAMP.key, ACCT_DELAY_TIME.key
_SESSION, _USER, _TIME = ACCT_SESSION_ID.key, USER_NAME.key, ACCT_SESSION_TIME.key
_STATION, _ADDRESS = CALLING_STATION_ID.key, FRAMED_IP_ADDRESS.key
_PORT_ID, _PORT = NAS_PORT_ID.key, NAS_PORT.key
_QUAD = 4


def _number(first: dict[int, bytes], key: int) -> int | None:
    octets = first.get(key)
    if octets is None:
        return None
    if len(octets) != _QUAD:
        raise Malformed("integer is not four octets")
    return int.from_bytes(octets, "big")


def _text(first: dict[int, bytes], key: int) -> str | None:
    octets = first.get(key)
    return read_text(octets) if octets else None


def _octets(first: dict[int, bytes], octets: int, gigawords: int) -> int:
    """Read a counter of 64 bits out of its two halves (RFC 2869, 5.1)."""
    low = _number(first, octets) or 0
    high = _number(first, gigawords)
    return low + (high << 32) if high else low


def _address(first: dict[int, bytes]) -> str | None:
    octets = first.get(_ADDRESS)
    if octets is None:
        return None
    if len(octets) != _QUAD:
        raise Malformed("ipaddr is not four octets")
    return inet_ntoa(octets)


@lru_cache(maxsize=4096)
def _prefix(octets: bytes | None) -> str | None:
    if octets is None:
        return None
    prefix = decode_value(FRAMED_IPV6_PREFIX, octets)
    return str(prefix) if isinstance(prefix, IPv6Network) else None


def _port(first: dict[int, bytes]) -> str | None:
    name = _text(first, _PORT_ID)
    if name is not None:
        return name
    number = _number(first, _PORT)
    return None if number is None else str(number)


__all__ = ["NasRestart", "read"]
