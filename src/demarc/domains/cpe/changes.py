"""What can be changed of a device, whatever its maker calls things; None leaves as it is."""

from typing import Literal, TypeAlias

import msgspec

from demarc.domains.cpe.neutral import Band
from demarc.domains.errors import DomainError


class Unsupported(DomainError):
    """A device of this family cannot do that.

    Attributes:
        what: the thing asked for, as "passphrase".
        why: for whoever asked.
    """

    def __init__(self, what: str, why: str) -> None:
        super().__init__(f"{what}: {why}")
        self.what = what
        self.why = why


class WifiChange(msgspec.Struct, frozen=True):
    """A Wi-Fi network, and the transmitter it is sent by.

    Attributes:
        band: whose primary network is meant, GHz.
        key: the network itself, as a ``WifiNetwork`` has it; goes before ``band``.
        channel: number, or "auto".
        bandwidth: MHz; 0 for automatic.
        standard: the newest that is spoken: "g", "n", "ac", "ax", "be".
        power_percent: of what the transmitter can.
    """

    band: Band | None = None
    key: str | None = None
    ssid: str | None = None
    passphrase: str | None = None
    channel: int | Literal["auto"] | None = None
    bandwidth: int | None = None
    standard: str | None = None
    power_percent: int | None = None
    enabled: bool | None = None
    hidden: bool | None = None


class PppoeChange(msgspec.Struct, frozen=True):
    """What the subscriber's connection proves itself with; ``wan`` is a ``Wan``'s key."""

    username: str | None = None
    password: str | None = None
    wan: str | None = None


class WanChange(msgspec.Struct, frozen=True):
    """802.1Q id and MTU (octets) of a connection."""

    vlan: int | None = None
    mtu: int | None = None
    wan: str | None = None


class LanChange(msgspec.Struct, frozen=True):
    """The network in the home: the device's own address there, and what DHCP gives out."""

    ipv4: str | None = None
    netmask: str | None = None
    dns: tuple[str, ...] | None = None
    dhcp: bool | None = None


class ManagementChange(msgspec.Struct, frozen=True):
    """How the device is managed; the interval in seconds."""

    inform_enabled: bool | None = None
    inform_interval: int | None = None
    acs_url: str | None = None
    username: str | None = None
    password: str | None = None
    request_username: str | None = None
    request_password: str | None = None


class WebPasswordChange(msgspec.Struct, frozen=True):
    """What the device's own pages are opened with."""

    password: str
    username: str | None = None


class TimeChange(msgspec.Struct, frozen=True):
    """Where the device learns the time, and its zone as POSIX writes it: "<-03>3"."""

    servers: tuple[str, ...] | None = None
    zone: str | None = None


Change: TypeAlias = (
    WifiChange
    | PppoeChange
    | WanChange
    | LanChange
    | ManagementChange
    | WebPasswordChange
    | TimeChange
)

__all__ = [
    "Change",
    "LanChange",
    "ManagementChange",
    "PppoeChange",
    "TimeChange",
    "Unsupported",
    "WanChange",
    "WebPasswordChange",
    "WifiChange",
]
