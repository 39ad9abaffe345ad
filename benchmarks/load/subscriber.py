"""The subscribers of the benchmarks: all there is to know of number n follows from n.

So the rows in the database and the packets on the wire are made apart and fit together.
"""

from ipaddress import IPv4Address
from uuid import UUID

REALM = "bench.example"
NAS_SECRET = b"a-secret-of-benchmarks"

NASES = 4
"""Addresses that packets come from; subscriber n is behind NAS n % 4."""

PORTS = 64
"""Sockets ("NAS ports") of the load generator; subscriber n comes through socket n % 64."""

PER_POOL = 60_000
"""Subscribers of one /16 of addresses."""

CYCLE = 20
"""Packets in the life of a session: a Start, eighteen interims, a Stop."""

INTERIM = 300
"""Seconds between two packets of a session."""

_ADDRESSES = int(IPv4Address("100.64.0.0"))
_POOL = 65_536


def nas_address(nas: int) -> str:
    """Give the address a NAS sends from, loopback all of them."""
    return f"127.0.64.{nas + 1}"


def nas_of_port(port: int) -> int:
    """Give the NAS a socket belongs to."""
    return port % NASES


def username(n: int) -> str:
    """Give the log-in without its realm."""
    return f"u{n:07d}"


def login(n: int) -> bytes:
    """Give the User-Name as it is sent."""
    return b"u%07d@%s" % (n, REALM.encode())


def number(login: bytes) -> int:
    """Give whose log-in it is, as it was sent."""
    return int(login[1 : login.index(b"@")])


def password(n: int) -> bytes:
    """Give the password in clear: 12 octets, one block of User-Password."""
    return b"pw-%09d" % (n * 7919 % 1_000_000_000)


def station(n: int) -> bytes:
    """Give the Calling-Station-Id, a locally administered MAC address."""
    return b"02-00-%02X-%02X-%02X-%02X" % (n >> 24 & 255, n >> 16 & 255, n >> 8 & 255, n & 255)


def port(n: int) -> bytes:
    """Give the NAS-Port-Id."""
    return b"ge-0/0/%d:%d" % (nas_of_port(n % PORTS), n & 4095)


def address(n: int) -> IPv4Address:
    """Give the address that is leased to the subscriber."""
    pool, place = divmod(n, PER_POOL)
    return IPv4Address(_ADDRESSES + pool * _POOL + 16 + place)


def pool_prefix(pool: int) -> str:
    """Give the prefix of the pool with subscribers ``pool * PER_POOL`` and on."""
    return f"{IPv4Address(_ADDRESSES + pool * _POOL)}/16"


def session_id(n: int, session: int) -> bytes:
    """Give the Acct-Session-Id of a subscriber's session, counted from 0."""
    return b"%07x-%04x" % (n, session)


def entity(kind: str, n: int) -> UUID:
    """Give the id of a row: which kind of thing, of which subscriber."""
    return UUID(int=_KINDS[kind] << 112 | 0x4000_8000_0000_0000_0000 | n)


_KINDS = {
    kind: 0xBE00 + place
    for place, kind in enumerate(
        ("customer", "address", "premise", "service", "credential", "session")
    )
}
