"""Whom an Access-Request is for: the log-ins it may mean, by name, by MAC address, by line."""

from demarc.domains.aaa.macs import canonical
from demarc.protocols.radius.dictionary import DICTIONARY
from demarc.protocols.radius.packet import Packet
from demarc.protocols.radius.values import read_text
from demarc.southbound.radius.clients import Client, Clients
from demarc.southbound.radius.credentials import Key
from demarc.southbound.radius.proof import (
    PROVED,
    WRONG,
    Evidence,
    Proved,
    Typed,
    Unproved,
    judge,
)
from demarc.southbound.radius.stored import CLEARTEXT

USER_NAME = DICTIONARY["User-Name"]
CALLING_STATION_ID = DICTIONARY["Calling-Station-Id"]
FRAMED_PROTOCOL = DICTIONARY["Framed-Protocol"]
AGENT_CIRCUIT_ID = DICTIONARY["ADSL-Agent-Circuit-Id"]
NAS_PORT_ID = DICTIONARY["NAS-Port-Id"]

OTHER_MAC = "the MAC address is not the station's"

_PPP = b"\0\0\0\1"


def circuit_of(packet: Packet) -> str | None:
    """Read the line a request came by: as the access node names it, else the NAS's port."""
    named = packet.value(AGENT_CIRCUIT_ID) or packet.value(NAS_PORT_ID)
    return read_text(named) if named else None


def keys_of(packet: Packet, client: Client, clients: Clients) -> tuple[Key, ...]:
    """Give the log-ins a request may mean, the likeliest first.

    Who dials in by PPP types the User-Name, so that it is a name and nothing else. On a NAS that
    may log in by MAC address or line it may be one of these.
    """
    login = packet.text(USER_NAME)
    named = by_name(login, "pppoe", client, clients)
    nas = client.nas
    if not (nas.mac_authentication or nas.circuit_authentication):
        return named
    if packet.value(FRAMED_PROTOCOL) == _PPP:
        return named
    found: list[Key] = []
    mac = None if login is None else mac_of(login, client)
    if mac is not None:
        found.append((nas.network_id, mac, "mac"))
    if nas.circuit_authentication:
        line = packet.text(AGENT_CIRCUIT_ID) or login
        if line is not None:
            found.append((nas.network_id, line, "circuit_id"))
    return (*found, *named)


def mac_of(login: str, client: Client) -> str | None:
    """Give the MAC address a log-in is, where the NAS may log in by that."""
    return canonical(login) if client.nas.mac_authentication else None


def by_name(login: str | None, kind: str, client: Client, clients: Clients) -> tuple[Key, ...]:
    """Give the log-in of a name as it was sent; nothing where there is no realm to look in."""
    name = None if login is None else clients.resolve(login, client)
    return () if name is None else ((*name, kind),)


def prove_place(
    evidence: Evidence | None, username: str, packet: Packet, shared_secret: bytes
) -> Proved | Unproved:
    """Check a log-in by MAC address or line that has no password of its own.

    Its NAS answers for it. NASes that must send a password send none of any worth: nothing, the
    name once more, or the secret they share with us.

    Args:
        evidence: what was presented.
        username: the MAC or line as it is stored.
        packet: the request.
        shared_secret: of the NAS.
    """
    if evidence is None:
        return PROVED
    sent = packet.value(USER_NAME) or b""
    stored = username.encode()
    if isinstance(evidence, Typed):
        typed = evidence.password
        if typed in {b"", sent, stored, shared_secret}:
            return PROVED
        return PROVED if canonical(read_text(typed)) == username else Unproved(WRONG)
    # the answer by MD5 or MS-CHAP to an empty password proves nothing, nor need it
    for password in dict.fromkeys((sent, *_spellings(username), shared_secret)):
        verdict = judge(evidence, CLEARTEXT, password)
        if isinstance(verdict, Proved):
            return verdict
    return Unproved(WRONG)


def other_station(mac: str, packet: Packet) -> bool:
    """Tell whether a request names another station than the MAC address it logs in."""
    return station_of(packet) not in {None, mac}


def station_of(packet: Packet) -> str | None:
    """Give the MAC address of the station, as far as the NAS tells one."""
    station = packet.text(CALLING_STATION_ID)
    return None if station is None else canonical(station)


def _spellings(name: str) -> list[bytes]:
    """Write a MAC address as NASes send it for a password; a line as it is."""
    if canonical(name) is None:
        return [name.encode()]
    plain = name.replace(":", "")
    dashed = name.replace(":", "-")
    return [each.encode() for one in (plain, dashed, name) for each in (one, one.upper())]


__all__ = [
    "OTHER_MAC",
    "by_name",
    "circuit_of",
    "keys_of",
    "mac_of",
    "other_station",
    "prove_place",
    "station_of",
]
