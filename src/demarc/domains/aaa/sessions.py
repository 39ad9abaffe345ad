"""What accounting is about: sessions as they are stored, and records that tell of them."""

from datetime import datetime, timedelta
from enum import IntEnum
from uuid import UUID

import msgspec

SUPERSEDED = "Superseded"
STALE = "Stale"
NAS_REBOOT = "NAS-Reboot"
UNTOLD = "Unknown"
"""Stands for the cause of an end of which the NAS told none; nobody is shown it."""

PROVISIONAL = frozenset({SUPERSEDED, STALE, NAS_REBOOT})
"""Causes of an end that we concluded ourselves; a Stop corrects it, an interim takes it back."""


class Kind(IntEnum):
    """Acct-Status-Type (RFC 2866, 5.1) of records that belong to a session."""

    START = 1
    STOP = 2
    INTERIM = 3


class Subscriber(msgspec.Struct, frozen=True, gc=False):
    """To whom a session is booked.

    Attributes:
        timezone: its midnights part the days of usage.
    """

    credential_id: UUID
    tenant_id: UUID
    owner_id: UUID
    service_id: UUID
    timezone: str


class PortBlock(msgspec.Struct, frozen=True, gc=False):
    """Ports of a public address that a session has behind CGNAT, the last one included."""

    public_ipv4: str
    port_from: int
    port_to: int


class Record(msgspec.Struct, frozen=True, gc=False):
    """What one Accounting-Request says, counters 64 bits wide and the right way round.

    Attributes:
        at: when it happened, UTC.
        exact: the NAS said when (Event-Timestamp or Acct-Delay-Time); else it is the receipt.
        session_seconds: None when it was not told, or as zero.
        input_octets: from the subscriber; 0 when not told. The others likewise.
        station: Calling-Station-Id.
        terminate_cause: of a Stop.
        nat: blocks of ports it has behind CGNAT, of a NAS that tells.
    """

    kind: Kind
    nas_id: UUID
    nas_address: str
    acct_session_id: str
    username: str
    at: datetime
    exact: bool
    session_seconds: int | None = None
    input_octets: int = 0
    output_octets: int = 0
    ipv6_input_octets: int = 0
    ipv6_output_octets: int = 0
    framed_ipv4: str | None = None
    framed_ipv6_prefix: str | None = None
    delegated_ipv6_prefix: str | None = None
    station: str | None = None
    nas_port_id: str | None = None
    terminate_cause: str = UNTOLD
    nat: tuple[PortBlock, ...] = ()

    @property
    def began(self) -> datetime | None:
        """When its session began, as far as it tells."""
        if self.kind is Kind.START:
            return self.at
        if not self.session_seconds:
            return None
        return self.at - timedelta(seconds=self.session_seconds)


class SessionRow(msgspec.Struct, gc=False):
    """A session as it is stored: live without ``ended_at``, closed with it.

    Attributes:
        start_told: whether its Start has come, or only what follows one.
    """

    id: UUID
    tenant_id: UUID
    owner_id: UUID
    service_id: UUID
    credential_id: UUID
    nas_id: UUID
    nas_address: str
    acct_session_id: str
    username: str
    framed_ipv4: str | None
    framed_ipv6_prefix: str | None
    delegated_ipv6_prefix: str | None
    calling_station_id: str | None
    nas_port_id: str | None
    started_at: datetime
    updated_at: datetime
    session_seconds: int
    input_octets: int
    output_octets: int
    ipv6_input_octets: int
    ipv6_output_octets: int
    start_told: bool
    ended_at: datetime | None = None
    terminate_cause: str | None = None


__all__ = [
    "NAS_REBOOT",
    "PROVISIONAL",
    "STALE",
    "SUPERSEDED",
    "UNTOLD",
    "Kind",
    "PortBlock",
    "Record",
    "SessionRow",
    "Subscriber",
]
